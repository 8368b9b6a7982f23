"""How much there is to review, what it costs people, and what they say of it; by hand."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from review import pulse
from review.decisions import decide
from review.metrics import drill, reports_pulse, reports_work, rollups
from review.metrics.estimators import poisson_rate, wilson
from review.metrics.figures import Bucket, Figure
from review.metrics.registry import report_of
from review.metrics.trends import TRENDS, trend
from review.models import Decision, PulseAsked, PulseCount, Reason, ReviewCount, Skip
from review.roles import TECHNICIAN
from tests.conftest import new_user
from tests.review import helpers
from tests.review.metrics.helpers import (
    NOW,
    Desk,
    accept,
    live,
    make_desk,
    make_proposal,
    make_scope,
    make_ticket,
    override,
)

pytestmark = pytest.mark.django_db
HOUR = 3600


@pytest.fixture
def desk() -> Desk:
    return make_desk()


@pytest.fixture
def team() -> list[User]:
    return [User.objects.create_user(f"person-{number}") for number in range(6)]


def reviewed(desk: Desk, by: User, seconds: float | None, *, change: bool = False) -> Decision:
    """A decision that came so many seconds after the person's review before."""
    proposal = make_proposal(desk)
    decision = override(proposal) if change else accept(proposal)
    Decision.objects.filter(pk=decision.pk).update(reviewer=by, seconds_since_last=seconds)
    return decision


def total(key: str, name: str, **over: Any) -> Figure:
    rollups.catch_up()
    return report_of(key, make_scope(**over)).totals[0].figures[name]


def test_the_load_is_reviews_an_hour_of_reviewing_and_pauses_are_no_part_of_it(
    desk: Desk, team: list[User]
) -> None:
    for number in range(30):
        reviewed(desk, team[number % 6], 60)
    reviewed(desk, team[0], None)

    figure = total("review-load", "load")

    expected = poisson_rate(30, 0.5)
    assert (figure.n, figure.value) == (30, 60)
    assert expected is not None
    assert figure.interval == pytest.approx(expected.interval)


def test_fast_is_what_the_team_agreed_on_and_only_accepts_are(desk: Desk, team: list[User]) -> None:
    for number in range(18):
        reviewed(desk, team[number % 6], 4.9 if number < 6 else 5.0)
    for number in range(6):
        reviewed(desk, team[number % 6], 2, change=True)
    reviewed(desk, team[0], 300)
    reviewed(desk, team[1], 299.9)

    figure = total("review-load", "fast")

    assert (figure.k, figure.n, figure.value) == (6, 20, 0.3)
    assert figure.interval == pytest.approx(wilson(6, 20))
    assert figure.bucket is None
    assert total("review-load", "n").n == 26
    bucket = total("review-load", "n").bucket
    assert bucket is not None
    assert drill.rows(make_scope(), bucket).count() == 26
    weeks = trend(make_scope(), "review-load", TRENDS["review-load"])
    assert sum(point.figure.k or 0 for line in weeks.lines for point in line.points) == 6


def test_four_people_are_told_nothing_of_their_pace(desk: Desk, team: list[User]) -> None:
    for number in range(40):
        reviewed(desk, team[number % 4], 3)

    for key, name in (("review-load", "fast"), ("meta-work", "rate"), ("interruptions", "rate")):
        assert total(key, name).is_withheld


def test_weeks_of_too_few_people_are_left_out_of_the_line(desk: Desk, team: list[User]) -> None:
    for number in range(60):
        reviewed(desk, team[number % 6], 30)
    alone = accept(make_proposal(desk, at=NOW - timedelta(days=8)))
    Decision.objects.filter(pk=alone.pk).update(reviewer=team[0], seconds_since_last=2)

    rollups.catch_up()
    drawn = trend(make_scope(), "review-load", TRENDS["review-load"])

    # One week of one person; a second is left out with it, or the first could be had from it.
    assert all(line.points == () for line in drawn.lines)


def test_a_window_that_begins_within_a_week_loses_no_week_of_enough_people(
    desk: Desk, team: list[User]
) -> None:
    for days in (14, 7):
        for number in range(24):
            decision = accept(make_proposal(desk, at=NOW - timedelta(days=days)))
            Decision.objects.filter(pk=decision.pk).update(
                reviewer=team[number % 6], seconds_since_last=2
            )

    # A Tuesday.
    first = (NOW - timedelta(days=14)).date()
    drawn = trend(make_scope(first=first), "review-load", TRENDS["review-load"])

    assert [point.figure.n for line in drawn.lines for point in line.points] == [24, 24]


def test_a_small_team_beside_a_large_one_is_not_told_either(desk: Desk, team: list[User]) -> None:
    other = make_desk("other")
    for number in range(60):
        reviewed(desk, team[number % 6], 30)
    for number in range(30):
        reviewed(other, team[number % 2], 30)

    rollups.catch_up()
    report = report_of("review-load", make_scope())

    assert all(row.figures["fast"].is_withheld for row in report.rows)


def test_meta_work_is_saying_yes_and_handing_on_as_a_share_of_all_time(
    desk: Desk, team: list[User]
) -> None:
    for number in range(40):
        reviewed(desk, team[number % 6], 90)
    for number in range(20):
        reviewed(desk, team[number % 6], 180, change=True)
    ticket = make_ticket(desk, opened_at=NOW - timedelta(days=3))
    live(
        ticket,
        (60, "started"),
        (180, "resolved"),
    )

    figures = report_of_all("meta-work")

    # One hour of each, and two hours in which the helpdesk says that somebody worked.
    assert figures["reviewing"].value == pytest.approx(2)
    assert figures["worked"].value == pytest.approx(2)
    assert figures["rate"].value == pytest.approx(1 / 4)
    assert figures["rate"].interval is not None


def report_of_all(key: str) -> Any:
    rollups.catch_up()
    return report_of(key, make_scope()).totals[0].figures


def test_tickets_passed_over_are_interruptions_by_the_hour(desk: Desk, team: list[User]) -> None:
    for number in range(60):
        reviewed(desk, team[number % 6], 60)
    reason = Reason.objects.create(key="later", label="Later", applies_to="skip", digit=1)
    for person in team[:3]:
        proposal = make_proposal(desk)
        Skip.objects.create(proposal=proposal, person=person, reason=reason, at=proposal.created_at)

    figures = report_of_all("interruptions")

    assert (figures["skips"].n, figures["rate"].value) == (3, pytest.approx(3))
    assert ReviewCount.objects.filter(verdict="skipped").count() == 1
    Skip.objects.all().delete()
    assert report_of_all("interruptions")["skips"].n == 0


def test_the_time_from_review_to_review_is_kept_as_one_decides(team: list[User]) -> None:
    cockpit = helpers.make_desk()
    one, two = helpers.make_proposal(cockpit), helpers.make_proposal(cockpit)

    def say(proposal: Any) -> Decision:
        return decide(
            proposal=proposal, reviewer=team[0], choices={}, reasons={}, with_playbook=False
        )

    first = say(one)
    Decision.objects.update(decided_at=timezone.now() - timedelta(seconds=40))
    second = say(two)

    assert first.seconds_since_last is None
    assert second.seconds_since_last == pytest.approx(40, abs=5)


def test_after_a_pause_nothing_is_said_of_the_time(desk: Desk, team: list[User]) -> None:
    decision = accept(make_proposal(desk))
    Decision.objects.filter(pk=decision.pk).update(
        reviewer=team[0], decided_at=timezone.now() - timedelta(minutes=6)
    )

    later = decide(
        proposal=helpers.make_proposal(helpers.make_desk("cockpit")),
        reviewer=team[0],
        choices={},
        reasons={},
        with_playbook=False,
    )

    assert later.seconds_since_last is None


# --- How people are -------------------------------------------------------------------------
def answered(*said: int | None, since: timedelta = timedelta()) -> None:
    for number, step in enumerate(said):
        pulse.answer(new_user(f"{since.days}-{number}", TECHNICIAN), step)
    PulseCount.objects.filter(begins_on=pulse.round_of(timezone.localdate())).update(
        begins_on=pulse.round_of(timezone.localdate()) - since
    )


def told() -> Any:
    today = timezone.localdate()
    return report_of(
        "pulse", make_scope(first=today - timedelta(days=200), last=today, now=timezone.now())
    )


def test_a_round_is_told_once_it_is_over_and_five_have_answered() -> None:
    answered(1, 2, 3, 4, 5, None, since=pulse.ROUND)
    answered(5, 5, 5, 5, since=2 * pulse.ROUND)
    answered(3, 3, 3, 3, 3, 3)

    report = told()
    newest, older = report.rows

    assert (newest.figures["worn"].n, newest.figures["n"].n) == (3, 5)
    assert newest.figures["rate"].interval == pytest.approx(wilson(3, 5))
    assert older.figures["n"].is_withheld
    assert older.figures["worn"].text == "fewer than 5 people"
    assert report.totals[0].figures["n"].n == 5
    assert reports_pulse.pulse_chart(report) is None


def test_from_two_rounds_on_there_is_a_line() -> None:
    answered(1, 1, 1, 1, 4, since=2 * pulse.ROUND)
    answered(1, 1, 4, 4, 4, since=pulse.ROUND)

    drawn = reports_pulse.pulse_chart(told())

    assert drawn is not None
    assert [point["value"] for point in drawn["series"][0]["points"]] == [0.2, 0.6]


def test_nobody_is_asked_twice_in_a_round_and_nothing_leads_to_an_answer() -> None:
    maya = new_user("maya", TECHNICIAN)
    assert pulse.is_asked(maya)

    pulse.answer(maya, 4)

    assert not pulse.is_asked(maya)
    assert pulse.is_asked(maya, timezone.localdate() + pulse.ROUND)
    with pytest.raises(pulse.NotAsked):
        pulse.answer(maya, 1)
    # Of the person the end of the round alone; all five counts were written in one statement.
    assert {one.attname for one in PulseAsked._meta.concrete_fields} == {"person_id", "until"}
    assert PulseCount.objects.count() == 5
    assert sum(PulseCount.objects.values_list("n", flat=True)) == 1


def test_rather_not_writes_what_an_answer_writes_and_counts_for_nothing() -> None:
    pulse.answer(new_user("maya", TECHNICIAN), None)

    assert list(PulseCount.objects.order_by("answer").values_list("answer", "n")) == [
        (step, 0) for step in range(1, 6)
    ]
    with pytest.raises(ValueError, match="1 to 5; got 6"):
        pulse.answer(new_user("noah", TECHNICIAN), 6)


def test_how_much_was_agreed_to_is_told_with_the_last_vote() -> None:
    report = report_of("legitimacy", make_scope())

    assert report.totals[0].figures["ratified"].n == 0
    assert report.totals[0].figures["rate"].value == 0
    assert report.notes[0].text == "No vote has been closed yet."


def test_what_is_no_ticket_has_no_list() -> None:
    scope = make_scope()
    for key in ("pulse", "legitimacy"):
        assert not drill.rows(scope, Bucket(key)).exists()
    assert reports_work.CELLS.keys() == {"reviewed"}
