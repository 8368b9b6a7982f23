"""Reports of checked proposals, against worlds whose every ticket is known."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from review.metrics import gate, reports_checks
from review.metrics.estimators import clopper_pearson, wilson
from review.metrics.figures import Figure
from review.metrics.registry import report_of
from review.metrics.report import Report
from review.models import Truth
from tests.review.metrics.helpers import (
    Desk,
    check,
    make_desk,
    make_reason,
    make_scope,
)
from triage.models import Proposal

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Desk:
    return make_desk()


@pytest.fixture
def team() -> list[User]:
    return [User.objects.create_user(f"person-{number}") for number in range(6)]


def total(report: Report, name: str = "rate") -> Figure:
    return report.totals[0].figures[name]


def test_ai_error_weighs_each_check_with_one_by_its_probability(desk: Desk) -> None:
    for truth, propensity, times in (("vpn", 0.1, 10), ("wifi", 0.1, 5), ("wifi", 1.0, 15)):
        for _ in range(times):
            check(desk, truth=truth, propensity=propensity, origin=Truth.Origin.SINGLE)

    figure = total(reports_checks.ai_error(make_scope()))

    # 100 + 50 + 15 tickets stand behind them; 65 of these were wrong.
    assert (figure.k, figure.n) == (20, 30)
    assert figure.value == pytest.approx(65 / 165)
    assert figure.interval is not None
    assert figure.interval.low < 65 / 165 < figure.interval.high


def test_equal_probabilities_give_the_plain_rate_and_wilsons_interval(desk: Desk) -> None:
    for number in range(25):
        check(desk, truth="wifi" if number < 5 else "vpn", propensity=0.2)

    figure = total(reports_checks.ai_error(make_scope()))

    expected = wilson(5, 25)
    assert figure.value == pytest.approx(0.2)
    assert figure.interval is not None
    assert expected is not None
    assert figure.interval == pytest.approx(expected)


def test_error_without_a_person_counts_only_what_was_applied_by_itself(desk: Desk) -> None:
    for _ in range(30):
        check(desk, route=Proposal.Route.AUTO)
    check(desk, truth="wifi", route=Proposal.Route.AUTO)
    check(desk, truth="wifi")

    figure = total(reports_checks.auto_error(make_scope()))

    assert (figure.k, figure.n) == (1, 31)
    exact = clopper_pearson(1, 31)
    assert figure.interval is not None
    assert exact is not None
    assert figure.interval.high == pytest.approx(exact.high, abs=0.02)


def test_over_and_under_reliance_are_the_two_bad_corners(desk: Desk, team: list[User]) -> None:
    plan = [("wifi", "vpn", 12), ("wifi", "wifi", 18), ("vpn", "vpn", 27), ("vpn", "wifi", 3)]
    for truth, final, times in plan:
        for number in range(times):
            check(desk, truth=truth, final=final, by=team[number % 6])
    # One answer alone is no truth to hold a person against; and one that nobody decided is none.
    check(desk, truth="wifi", final="vpn", by=team[0], origin=Truth.Origin.SINGLE)
    check(desk, truth="wifi")

    over = total(report_of("over-reliance", make_scope()))
    under = total(report_of("under-reliance", make_scope()))

    assert (over.k, over.n, under.k, under.n) == (12, 30, 3, 30)
    assert over.value == pytest.approx(0.4)
    assert under.value == pytest.approx(0.1)


def test_net_benefit_tells_which_reasons_were_right(desk: Desk, team: list[User]) -> None:
    make_reason("wrong")
    make_reason("policy")
    plan = [
        ("wrong", "wifi", "wifi", 24),
        ("wrong", "vpn", "wifi", 6),
        ("policy", "vpn", "wifi", 20),
        ("policy", "password", "wifi", 10),
    ]
    for reason, truth, final, times in plan:
        for number in range(times):
            check(desk, truth=truth, final=final, reason=reason, by=team[number % 6])

    report = report_of("override-net-benefit", make_scope())
    rows = {row.labels[0]: row.figures for row in report.rows}

    wrong, policy = rows["wrong it is"], rows["policy it is"]
    assert [wrong[name].n for name in ("n", "mended", "spoilt")] == [30, 24, 6]
    assert wrong["benefit"].value == pytest.approx((24 - 6) / 30)
    assert [policy[name].n for name in ("n", "mended", "spoilt")] == [30, 0, 20]
    assert policy["benefit"].value == pytest.approx(-20 / 30)
    assert total(report, "benefit").value == pytest.approx((24 - 26) / 60)
    for row in (wrong, policy):
        interval = row["benefit"].interval
        assert interval is not None
        assert row["benefit"].value is not None
        assert interval.low < row["benefit"].value < interval.high


def test_advice_is_followed_or_resisted_after_a_first_answer(desk: Desk, team: list[User]) -> None:
    plan = [
        # truth, first, final; proposed is vpn
        ("vpn", "wifi", "vpn", 14),  # corrected
        ("vpn", "wifi", "wifi", 11),  # not corrected
        ("wifi", "wifi", "wifi", 21),  # kept against wrong advice
        ("wifi", "wifi", "vpn", 4),  # harmful switch
        ("vpn", "vpn", "vpn", 5),  # agreed
    ]
    for truth, first, final, times in plan:
        for number in range(times):
            check(desk, truth=truth, first=first, final=final, by=team[number % 6])
    scope = make_scope()

    rair, rsr = total(report_of("rair", scope)), total(report_of("rsr", scope))
    switched = report_of("switch-fraction", scope)

    assert (rair.k, rair.n) == (14, 25)
    assert (rsr.k, rsr.n) == (21, 25)
    assert (total(switched).k, total(switched).n) == (18, 50)
    assert (total(switched, "harmful").k, total(switched, "harmful").n) == (4, 50)


def test_telling_wrong_from_right_and_being_better_together(desk: Desk, team: list[User]) -> None:
    plan = [
        ("wifi", "wifi", "wifi", 40),
        ("wifi", "vpn", "vpn", 10),
        ("vpn", "vpn", "vpn", 45),
        ("vpn", "wifi", "wifi", 5),
    ]
    for truth, first, final, times in plan:
        for number in range(times):
            check(desk, truth=truth, first=first, final=final, by=team[number % 6])
    scope = make_scope()

    detection = report_of("sensitivity", scope)
    gain = total(report_of("complementarity", scope), "gain")

    # H = 40.5/51, F = 5.5/51: z of .794 is .821, of .108 is -1.238.
    assert total(detection, "sensitivity").value == pytest.approx(2.06, abs=0.01)
    assert total(detection, "criterion").value == pytest.approx(0.21, abs=0.01)
    # Final right 85 of 100, the AI 50, the first answers 85 as well.
    assert gain.value == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("key", [entry for entry in ("over-reliance", "rair", "sensitivity")])
def test_fewer_than_five_people_are_told_of_in_nothing(
    desk: Desk, team: list[User], key: str
) -> None:
    for number in range(120):
        truth = "wifi" if number % 2 else "vpn"
        check(desk, truth=truth, first="wifi", final="vpn", by=team[number % 4])

    report = report_of(key, make_scope())

    for row in (*report.rows, *report.totals):
        for figure in row.figures.values():
            assert figure.is_withheld
            assert (figure.value, figure.n, figure.k, figure.interval) == (None, 0, None, None)
            assert figure.bucket is None
            assert figure.text == "fewer than 5 people"


def test_a_small_group_is_not_to_be_had_by_taking_the_others_from_the_total(
    desk: Desk, team: list[User]
) -> None:
    def some(proposed: str, people: list[User]) -> None:
        for person in people:
            for _ in range(5):
                check(desk, proposed=proposed, truth="password", final=proposed, by=person)

    some("vpn", team)
    some("wifi", team[:5])
    some("password", team[:1])
    for person in team[:1]:
        check(desk, proposed="password", truth="vpn", final="password", by=person)

    rows = report_of("over-reliance", make_scope()).rows

    told = {row.labels[0]: row.figures["n"].is_withheld for row in rows}
    # One person alone stands behind the passwords; the smaller of the others goes with them.
    assert told == {"Network › VPN": False, "Network › Wi-Fi": True, "Password": True}


def test_what_says_nothing_of_people_is_shown_whoever_decided(desk: Desk) -> None:
    for _ in range(20):
        check(desk, truth="wifi", final="vpn")

    assert total(report_of("ai-error", make_scope())).value == 1.0


def test_people_are_told_apart_by_group_and_window(
    desk: Desk, team: list[User], django_assert_num_queries: Any
) -> None:
    check(desk, proposed="vpn", final="vpn", by=team[0])
    check(desk, proposed="vpn", final="wifi", by=team[1])
    check(desk, proposed="wifi", final="wifi", by=team[1])
    scope = make_scope()

    # And the one that says which tables end with the window.
    with django_assert_num_queries(2):
        found = gate.people(scope)

    keys = {str(desk.choices[name].pk): name for name in ("vpn", "wifi")}
    assert {keys[key]: some for key, some in found.items()} == {
        "vpn": {team[0].pk, team[1].pk},
        "wifi": {team[1].pk},
    }
