"""Baselines from history, targets, and what is said of before and now: against hand-made cases."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import ProgrammingError, transaction

from review.metrics import rollups
from review.metrics.estimators import (
    Interval,
    Moments,
    newcombe,
    ratio_from_moments,
    wilson,
)
from review.metrics.kpis import agreeing, listing, measuring
from review.metrics.kpis.agreeing import Refused
from review.metrics.kpis.board import Change, Verdict, boards, verdict
from review.metrics.kpis.export import days_of
from review.metrics.kpis.measures import REASSIGNED
from review.models import Baseline, KpiCount, KpiTarget
from review.roles import TEAM_LEAD
from tests.conftest import new_user
from tests.review.metrics.helpers import (
    NOW,
    Desk,
    make_desk,
    make_proposal,
    make_scope,
    make_ticket,
)
from tests.review.metrics.kpi_world import (
    BEGAN,
    DAY,
    HOUR,
    PAST,
    SINCE,
    compared,
    make_past,
    past_ticket,
)
from triage.models import LedgerEntry, Proposal

pytestmark = pytest.mark.django_db


@pytest.fixture
def now() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def desk(now: None) -> Desk:
    return make_desk()


@pytest.fixture
def lead(desk: Desk) -> User:
    return new_user("theo", TEAM_LEAD)


def taken(desk: Desk, by: User, **over: Any) -> dict[str, Baseline]:
    return {row.metric: row for row in agreeing.take_baseline(desk.source, by=by, **over)}


# --- Baselines --------------------------------------------------------------------------------
def test_a_baseline_counts_what_became_of_the_tickets_of_the_time_before(
    desk: Desk, lead: User
) -> None:
    make_past(desk)

    found = taken(desk, lead)

    assert {key: (row.k, row.n, row.value) for key, row in found.items() if row.k is not None} == {
        "reassigned": (12, 40, 12 / 40),
        "ping-pong": (4, 40, 4 / 40),
        "recategorised": (6, 40, 6 / 40),
        "came-back": (5, 40, 5 / 40),
    }
    row = found["reassigned"]
    assert (row.low, row.high) == wilson(12, 40)
    assert (row.first_day, row.last_day) == (date(2026, 1, 5), date(2026, 3, 31))
    assert (row.definition_version, row.outcome_days, row.taken_by) == (1, 7, lead)
    # Twenty of 4 hours and twenty of 8: the median by nearest rank is the 20th.
    assert found["time-to-resolve"].value == pytest.approx(4 * 3600)
    # Five were open for one more hour in the window; 20 x 4 + 20 x 8 hours were spent before.
    assert found["rework-share"].value == pytest.approx(5 / (20 * 4 + 20 * 8 + 5))
    assert found["rework-share"].low is not None


def test_of_many_tickets_the_share_of_rework_has_a_linearised_interval(
    desk: Desk, lead: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_past(desk)
    monkeypatch.setattr(measuring, "MANY", 40)

    row = taken(desk, lead)["rework-share"]

    # Hours of rework and open: 2 x (1, 5), 3 x (1, 9), 18 x (0, 4), 17 x (0, 8).
    found = ratio_from_moments(Moments(40, x=5, y=245, xx=5, yy=1669, xy=37))
    assert found is not None
    assert row.value == pytest.approx(found.value)
    assert (row.low, row.high) == pytest.approx(found.interval)


def test_what_happens_after_the_outcome_window_does_not_make_an_old_ticket_worse(
    desk: Desk, lead: User
) -> None:
    for _ in range(20):
        past_ticket(desk, reopened_after=7 * DAY + timedelta(seconds=1))
    for _ in range(20):
        past_ticket(desk, reopened_after=7 * DAY)

    found = taken(desk, lead)

    assert (found["came-back"].k, found["came-back"].n) == (20, 40)
    # Those reopened at the window's last moment have had no time in it.
    assert found["rework-share"].value == 0


def test_tickets_from_the_day_of_the_first_visible_proposal_on_are_not_before(
    desk: Desk, lead: User
) -> None:
    make_past(desk)
    make_proposal(desk, at=PAST - DAY, route=Proposal.Route.SHADOW)
    make_proposal(desk, at=BEGAN)
    past_ticket(desk, opened_at=BEGAN - DAY)
    past_ticket(desk, opened_at=BEGAN - HOUR)

    row = taken(desk, lead)["reassigned"]

    assert (row.n, row.last_day) == (41, date(2026, 3, 1))


def test_tickets_whose_outcome_window_is_open_wait(desk: Desk, lead: User) -> None:
    make_past(desk)
    past_ticket(desk, opened_at=NOW - 7 * DAY)

    assert taken(desk, lead)["reassigned"].n == 40


def test_without_history_it_says_how_to_import_it(desk: Desk, lead: User) -> None:
    # Solved tickets from a plain import, of which nobody told what happened to them.
    make_ticket(desk, opened_at=PAST, closed_at=PAST + HOUR)

    with pytest.raises(Refused, match="Import it first: manage.py import_events --help"):
        agreeing.take_baseline(desk.source, by=lead)

    past_ticket(desk)
    with pytest.raises(Refused, match="1 resolved ticket is known, too few .* it takes 20"):
        agreeing.take_baseline(desk.source, by=lead)
    assert not Baseline.objects.exists()


def test_a_baseline_is_taken_once_is_on_record_and_never_changes(desk: Desk, lead: User) -> None:
    make_past(desk)
    row = taken(desk, lead)["reassigned"]

    with pytest.raises(Refused, match="taken already"):
        agreeing.take_baseline(desk.source, by=lead)
    with pytest.raises(ProgrammingError, match="Cannot update or delete"), transaction.atomic():
        Baseline.objects.filter(pk=row.pk).update(value=0.9)

    entry = LedgerEntry.objects.get(subject=f"baseline:{desk.source.pk}")
    assert (entry.kind, entry.actor) == ("policy", f"user:{lead.pk}")
    assert entry.payload["values"]["reassigned"] == 12 / 40


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        (None, date(2026, 3, 2), "Automation began on 2026-03-02"),
        (date(2026, 2, 1), date(2026, 1, 1), "lies before the first"),
        (date(2020, 1, 1), date(2020, 2, 1), "no history"),
    ],
)
def test_days_that_are_not_before_automation_are_refused(
    desk: Desk, lead: User, first: date | None, last: date, said: str
) -> None:
    make_past(desk)
    make_proposal(desk, at=BEGAN)

    with pytest.raises(Refused, match=said):
        agreeing.take_baseline(desk.source, by=lead, first=first, last=last)


def test_counts_have_no_more_rows_however_many_tickets_there_are(desk: Desk) -> None:
    for _ in range(30):
        past_ticket(desk)
    rollups.catch_up()
    few = KpiCount.objects.count()
    for _ in range(60):
        past_ticket(desk)
    rollups.catch_up()

    assert KpiCount.objects.count() == few == 1
    assert KpiCount.objects.get().n == 90


def test_days_are_those_of_the_services_time_zone(desk: Desk, lead: User, settings: Any) -> None:
    settings.TIME_ZONE = "Pacific/Auckland"
    for _ in range(20):
        # 20:00 in UTC is the next day there.
        past_ticket(desk, opened_at=datetime(2026, 1, 5, 20, tzinfo=UTC))

    assert taken(desk, lead)["reassigned"].first_day == date(2026, 1, 6)


# --- Targets and verdicts ---------------------------------------------------------------------
def target(direction: str, value: float) -> KpiTarget:
    return KpiTarget(direction=direction, value=value)


@pytest.mark.parametrize(
    ("direction", "value", "said"),
    [
        ("most", 0.30, Verdict.MET),
        ("most", 0.25, Verdict.TOO_EARLY),
        ("most", 0.10, Verdict.NOT_MET),
        ("least", 0.10, Verdict.MET),
        ("least", 0.25, Verdict.TOO_EARLY),
        ("least", 0.31, Verdict.NOT_MET),
    ],
)
def test_a_target_is_met_or_not_only_where_the_whole_interval_says_so(
    direction: str, value: float, said: Verdict
) -> None:
    assert verdict(target(direction, value), Interval(0.2, 0.3)) == said


def test_without_an_interval_it_is_too_early_and_without_a_target_it_says_so() -> None:
    assert verdict(target("most", 0.1), None) == Verdict.TOO_EARLY
    assert verdict(None, Interval(0.2, 0.3)) == Verdict.NO_TARGET


def test_a_new_target_leaves_the_old_row_and_both_are_on_record(desk: Desk, lead: User) -> None:
    for value, why in ((0.3, "as the vendor says"), (0.2, "half of last year")):
        agreeing.set_target(
            desk.source, REASSIGNED, direction="most", value=value, why=why, by=lead
        )

    (board,) = boards(make_scope())
    line = next(one for one in board.lines if one.measure is REASSIGNED)
    assert line.target is not None
    assert (line.target.value, line.target.why) == (0.2, "half of last year")
    assert [row.value for row in KpiTarget.objects.order_by("pk")] == [0.3, 0.2]
    entries = LedgerEntry.objects.filter(subject__startswith="kpi_target:")
    assert [entry.payload["reason"] for entry in entries] == [
        "as the vendor says",
        "half of last year",
    ]
    with pytest.raises(ProgrammingError, match="Cannot update or delete"), transaction.atomic():
        KpiTarget.objects.all().delete()


def test_a_target_that_no_share_can_have_is_a_mistake(desk: Desk, lead: User) -> None:
    with pytest.raises(ValueError, match="no target"):
        agreeing.set_target(desk.source, REASSIGNED, direction="most", value=1.5, why="x", by=lead)


# --- Before and now ---------------------------------------------------------------------------
def test_before_and_now_are_compared_with_newcombes_interval(desk: Desk, lead: User) -> None:
    compared(desk, lead)
    # In the window, but not of the time since automation began; the baseline was taken without it.
    past_ticket(desk, opened_at=BEGAN - DAY, teams=("id",))
    (board,) = boards(make_scope())

    lines = {line.measure.key: line for line in board.lines}
    moved = lines["reassigned"]
    expected = newcombe((2, 40), (12, 40))
    assert expected is not None
    assert (moved.now.k, moved.now.n) == (2, 40)
    assert moved.difference is not None
    assert moved.difference.value == pytest.approx(expected.value)
    assert moved.difference.interval == pytest.approx(expected.interval)
    assert moved.change == Change.LOWER
    time = lines["time-to-resolve"]
    assert time.difference is not None
    assert time.difference.value == pytest.approx(2 * 3600 - 4 * 3600)
    assert time.change == Change.LOWER
    assert lines["recategorised"].change == Change.LOWER
    assert board.began == BEGAN.date()


def test_too_few_tickets_say_so_and_are_compared_with_nothing(desk: Desk, lead: User) -> None:
    make_past(desk)
    make_proposal(desk, at=BEGAN)
    agreeing.take_baseline(desk.source, by=lead)
    for number in range(19):
        past_ticket(desk, opened_at=SINCE + number * HOUR)

    line = boards(make_scope())[0].lines[0]

    assert line.now.text == "too few (19)"
    assert line.difference is not None
    assert line.difference.value is None
    assert line.change == Change.UNKNOWN


def test_a_baseline_with_another_outcome_window_is_compared_with_nothing(
    desk: Desk, lead: User, settings: Any
) -> None:
    compared(desk, lead)
    settings.OUTCOME_WINDOW_DAYS = 14
    rollups.recount()

    line = boards(make_scope())[0].lines[0]

    assert line.is_apart
    assert line.difference is None


def test_behind_each_figure_stand_exactly_the_tickets_that_it_counts(
    desk: Desk, lead: User
) -> None:
    board = compared(desk, lead)

    for line in board.lines:
        assert line.days is not None
        assert line.baseline is not None
        assert line.before is not None
        for figure, days in ((line.now, line.days), (line.before, days_of(line.baseline))):
            hit = bool(line.measure.hit)
            listed = listing.page(desk.source, line.measure.key, days, hit=hit)
            counted = figure.k if hit else figure.n
            assert len(listed.rows) == counted, (line.measure.key, days)


def test_a_long_list_goes_on_where_the_page_before_ended(desk: Desk, lead: User) -> None:
    for number in range(60):
        past_ticket(desk, opened_at=PAST + (number // 2) * HOUR, teams=("id",))
    days = days_of(taken(desk, lead)["reassigned"])

    first = listing.page(desk.source, "reassigned", days, hit=True)
    second = listing.page(desk.source, "reassigned", days, hit=True, at=first.at)

    met = [row.ticket.pk for row in (*first.rows, *second.rows)]
    assert (len(first.rows), len(second.rows), second.at) == (50, 10, "")
    assert len(set(met)) == 60
