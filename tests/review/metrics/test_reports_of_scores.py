"""What more autonomy would cost, and what was done where no choice fits; by hand."""

from datetime import date

import pytest
from django.contrib.auth.models import User

from review.metrics import (
    charts,
    drill,
    reports_cuts,
    reports_unfitting,
    scored_counts,
)
from review.metrics.figures import Figure
from review.metrics.registry import report_of
from review.metrics.trends import TRENDS, trend
from review.models import Truth
from tests.review.metrics.helpers import (
    Desk,
    check,
    make_desk,
    make_proposal,
    make_scope,
)
from tests.review.metrics.truth_world import make_check
from triage.models import Proposal

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Desk:
    return make_desk()


def make_scored(desk: Desk, *plan: tuple[float, int, int]) -> None:
    """Checks of a stated probability: how many were right, how many wrong."""
    for stated, right, wrong in plan:
        for number in range(right + wrong):
            proposal = check(desk, truth="vpn" if number < right else "wifi")
            proposal.values.filter(field=desk.category).update(probability=stated)


def listed(figure: Figure) -> int:
    assert figure.bucket is not None
    return drill.rows(make_scope(), figure.bucket).count()


def test_error_falls_as_less_is_applied(desk: Desk) -> None:
    make_scored(desk, (0.99, 40, 0), (0.92, 36, 4), (0.55, 10, 10))

    report = reports_cuts.by_cut(make_scope())
    by_cut = {row.key: row.figures for row in report.rows}

    everything = report.totals[0].figures
    assert (everything["error"].k, everything["error"].n) == (14, 100)
    assert everything["coverage"].value == 1
    assert by_cut["90"]["n"].n == 80
    assert by_cut["90"]["coverage"].value == pytest.approx(0.8)
    assert by_cut["90"]["error"].value == pytest.approx(4 / 80)
    assert by_cut["95"]["coverage"].value == pytest.approx(0.4)
    assert by_cut["95"]["error"].value == 0
    assert listed(by_cut["90"]["error"]) == 4
    assert listed(by_cut["90"]["coverage"]) == 80
    assert listed(everything["error"]) == 14


def test_checks_drawn_more_rarely_stand_for_more_tickets_of_the_curve(desk: Desk) -> None:
    for sure, propensity in ((0.99, 0.1), (0.6, 1.0)):
        for _ in range(20):
            proposal = check(desk, propensity=propensity)
            proposal.values.filter(field=desk.category).update(probability=sure)

    report = reports_cuts.by_cut(make_scope())

    above = next(row for row in report.rows if row.key == "95").figures["coverage"]
    assert (above.k, above.n) == (20, 40)
    assert above.value == pytest.approx(200 / 220)


def test_the_curve_goes_from_the_surest_to_all(desk: Desk) -> None:
    make_scored(desk, (0.99, 40, 0), (0.92, 36, 4), (0.55, 10, 10))

    drawn = reports_cuts.chart(reports_cuts.by_cut(make_scope()))

    assert drawn is not None
    assert (drawn["at"], drawn["axis"]) == ([40, 80, 100], "share of all")
    assert [point["value"] for point in drawn["series"][0]["points"]] == pytest.approx(
        [0, 0.05, 0.14]
    )
    assert all(point["low"] <= point["value"] for point in drawn["series"][0]["points"])


def test_without_two_points_there_is_no_curve(desk: Desk) -> None:
    make_scored(desk, (0.3, 20, 5))

    report = reports_cuts.by_cut(make_scope())

    assert report.rows == ()
    assert reports_cuts.chart(report) is None
    assert (
        reports_cuts.by_cut(make_scope(first=date(2026, 1, 1), last=date(2026, 1, 2))).totals == ()
    )


def test_of_very_many_checks_the_newest_make_the_curve(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scored_counts, "MOST_ROWS", 2)
    make_scored(desk, (0.9, 5, 0), (0.8, 5, 0), (0.7, 5, 0))

    report = reports_cuts.by_cut(make_scope())

    assert report.size == 10
    assert report.totals[0].figures["n"].bucket is None
    assert report.notes[0].text == "Of the newest 10 checks."


def test_what_two_people_could_not_tell_and_was_applied_all_the_same_is_counted(
    desk: Desk,
) -> None:
    nothing, vpn = {"category": None}, {"category": "vpn"}
    for number in range(20):
        route = Proposal.Route.AUTO if number < 5 else Proposal.Route.REVIEW
        make_check(desk, make_proposal(desk, route=route), nothing, nothing)
    # A third person settles it; one alone does not.
    make_check(desk, make_proposal(desk, route=Proposal.Route.AUTO), nothing, vpn, nothing)
    make_check(desk, make_proposal(desk, route=Proposal.Route.AUTO), nothing, vpn, vpn)
    make_check(desk, make_proposal(desk, route=Proposal.Route.AUTO), nothing)
    make_check(desk, make_proposal(desk, route=Proposal.Route.AUTO), vpn, vpn)

    report = reports_unfitting.acted_on(make_scope())
    figures = report.totals[0].figures

    assert (figures["rate"].k, figures["rate"].n) == (6, 21)
    assert figures["rate"].value == pytest.approx(6 / 21)
    assert listed(figures["acted"]) == 6
    assert listed(figures["n"]) == 21


def test_skill_without_the_advice_is_of_first_answers_whose_truth_others_know(desk: Desk) -> None:
    team = [User.objects.create_user(f"person-{number}") for number in range(6)]
    plan = [("vpn", "vpn", 30), ("wifi", "vpn", 10)]
    for truth, first, times in plan:
        for number in range(times):
            check(desk, truth=truth, first=first, final=truth, by=team[number % 6])
    # The only answer is right by construction.
    check(desk, first="vpn", final="vpn", by=team[0], origin=Truth.Origin.SINGLE)

    figure = report_of("unaided-skill", make_scope()).totals[0].figures["rate"]
    weeks = trend(make_scope(), "unaided-skill", TRENDS["unaided-skill"])

    assert (figure.k, figure.n, figure.value) == (30, 40, 0.75)
    assert listed(figure) == 30
    assert sum(point.figure.n for line in weeks.lines for point in line.points) == 40


def test_the_skill_of_four_people_is_nobodys_to_see(desk: Desk) -> None:
    team = [User.objects.create_user(f"person-{number}") for number in range(4)]
    for number in range(40):
        check(desk, first="vpn", final="vpn", by=team[number % 4])

    figure = report_of("unaided-skill", make_scope()).totals[0].figures["rate"]

    assert figure.is_withheld
    assert charts.intervals(report_of("unaided-skill", make_scope()), {"rate": ("", "")}) is None
