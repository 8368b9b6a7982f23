"""Baselines from history, targets, and what is said of before and now: against hand-made cases."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import ProgrammingError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from review.metrics import rollups
from review.metrics.estimators import Interval, newcombe, wilson
from review.metrics.kpis import agreeing, listing
from review.metrics.kpis.agreeing import Refused
from review.metrics.kpis.board import Change, Verdict, boards, verdict
from review.metrics.kpis.export import days_of
from review.metrics.kpis.measures import MEASURES, REASSIGNED
from review.models import Baseline, KpiCount, KpiTarget
from review.roles import AI_OWNER, AUDITOR, TEAM_LEAD, TECHNICIAN
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
    make_past,
    past_ticket,
)
from triage.models import LedgerEntry, Proposal

pytestmark = pytest.mark.django_db
PAGE = "/metrics/kpis/"
MARCH = "from=2026-03-01&to=2026-03-31"


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


@pytest.fixture
def window(client: Client, lead: User) -> Client:
    client.force_login(lead, "review.accounts.People")
    return client


def taken(desk: Desk, by: User, **over: Any) -> dict[str, Baseline]:
    return {row.metric: row for row in agreeing.take_baseline(desk.source, by=by, **over)}


def words(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


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
def compared(desk: Desk, lead: User) -> Any:
    """Before: as make_past; since then 40 tickets, 2 of them handed on, all within 2 hours."""
    make_past(desk)
    make_proposal(desk, at=BEGAN)
    agreeing.take_baseline(desk.source, by=lead)
    for number in range(40):
        teams = ("id",) if number < 2 else ()
        past_ticket(desk, opened_at=SINCE + number * HOUR, hours=2, teams=teams)
    # Not resolved, and not old enough.
    make_ticket(desk, opened_at=SINCE)
    past_ticket(desk, opened_at=NOW - DAY, teams=("id",))
    (board,) = boards(make_scope())
    return board


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


# --- Page, table, API -------------------------------------------------------------------------
def test_the_page_says_what_is_better_and_that_it_is_no_experiment(
    window: Client, desk: Desk, lead: User
) -> None:
    compared(desk, lead)
    agreeing.set_target(desk.source, REASSIGNED, direction="most", value=0.2, why="agreed", by=lead)

    page = words(window.get(f"{PAGE}?{MARCH}"))

    assert "This is no experiment." in page
    assert "lower than before" in page
    assert "at most 20 %" in page
    assert "target met" in page
    assert "set after automation began" in page
    assert "12 of 40" in page
    assert 'data-chart="kpi-' in page


def test_an_empty_service_has_a_page(window: Client) -> None:
    page = words(window.get(PAGE))

    assert "no baseline" in page
    assert "Automation has not begun" in page


def test_a_wrong_window_is_named(window: Client) -> None:
    answer = window.get(f"{PAGE}?from=2026-03-31&to=2026-03-01")

    assert answer.status_code == 400
    assert "The last day lies before the first." in words(answer)


def test_a_lead_takes_a_baseline_and_sets_a_target_on_the_page(window: Client, desk: Desk) -> None:
    make_past(desk)

    answer = window.post(f"{PAGE}baseline", {"source": "norvik"}, follow=True)
    assert "The baseline of Norvik is taken, from 40 tickets." in words(answer)
    asked = {"source": "norvik", "metric": "time-to-resolve", "direction": "most", "value": "3"}
    answer = window.post(f"{PAGE}target", {**asked, "why": "as agreed"}, follow=True)
    assert "The target is set." in words(answer)

    assert KpiTarget.objects.get().value == 3 * 3600
    again = window.post(f"{PAGE}baseline", {"source": "norvik"})
    assert again.status_code == 409
    assert "taken already" in words(again)


@pytest.mark.parametrize(
    ("over", "said"),
    [
        ({"value": "101"}, "A share is at most 100 percent."),
        ({"value": "nan"}, "Enter a number."),
        ({"value": "-1"}, "greater than or equal to 0"),
        ({"why": " "}, "Say why this much."),
        ({"metric": "person"}, "not one of the available choices"),
        ({"source": "elsewhere"}, "not one of the available choices"),
        ({"metric": "time-to-resolve", "value": "9000"}, "At most a year"),
    ],
)
def test_a_target_that_makes_no_sense_is_refused_at_its_field(
    window: Client, over: dict[str, str], said: str
) -> None:
    asked = {"source": "norvik", "metric": "reassigned", "direction": "most", "value": "20"}

    answer = window.post(f"{PAGE}target", {**asked, "why": "agreed", **over})

    assert answer.status_code == 422
    assert said in words(answer)
    assert not KpiTarget.objects.exists()


@pytest.mark.parametrize(
    ("role", "status"), [(TECHNICIAN, 403), (AUDITOR, 403), (TEAM_LEAD, 302), (AI_OWNER, 302)]
)
def test_everybody_who_sees_metrics_reads_and_two_roles_agree(
    client: Client, desk: Desk, role: str, status: int
) -> None:
    client.force_login(new_user("robin", role), "review.accounts.People")
    asked = {"source": "norvik", "metric": "reassigned", "direction": "most", "value": "20"}

    page = client.get(PAGE)
    sent = client.post(f"{PAGE}target", {**asked, "why": "agreed"})

    assert page.status_code == 200
    assert ("Set a target" in words(page)) == (status == 302)
    assert sent.status_code == status


def test_the_table_and_the_api_have_the_figures_of_the_page(
    window: Client, desk: Desk, lead: User
) -> None:
    compared(desk, lead)
    agreeing.set_target(desk.source, REASSIGNED, direction="most", value=0.2, why="=1+1", by=lead)

    text = b"".join(window.get(f"/metrics/kpis.csv?{MARCH}").streaming_content).decode()  # type: ignore[attr-defined]
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    (told,) = window.get(f"/api/v1/metrics/kpis/?{MARCH}").json()

    moved = {row["figure"]: row for row in rows if row["metric"] == "reassigned"}
    assert (moved["before"]["k"], moved["now"]["k"], moved["now"]["n"]) == ("12", "2", "40")
    assert (moved["target"]["value"], moved["target"]["verdict"]) == ("0.2", "met")
    assert moved["target"]["why"] == "'=1+1"
    kpi = {each["metric"]: each for each in told["kpis"]}
    assert set(kpi) == set(MEASURES)
    assert (kpi["reassigned"]["now"]["k"], kpi["reassigned"]["verdict"]) == (2, "met")
    assert kpi["reassigned"]["before"]["value"] == 0.3
    listed = words(window.get(kpi["reassigned"]["now"]["tickets"]))
    assert listed.count('<th scope="row">') == 2
    assert window.get("/api/v1/metrics/kpis/?source=x").status_code == 400
    assert window.get("/metrics/kpis.csv?source=x").status_code == 400


def test_the_tickets_of_a_figure_open_and_wrong_addresses_are_refused(
    window: Client, desk: Desk, lead: User
) -> None:
    board = compared(desk, lead)
    href = listing.link(desk.source, REASSIGNED, board.lines[0].days)

    page = window.get(href)
    first = page.content.decode().partition('<th scope="row"><a href="')[2].partition('"')[0]

    assert window.get(first).status_code == 200
    assert window.get(f"{href}&at=nonsense").status_code == 200
    for wrong in ("metric=person", "hit=no", "from=1066-01-01", "source=x", "before="):
        assert window.get(f"{href}&{wrong}").status_code == 400, wrong
    assert window.get("/metrics/kpis/tickets/").status_code == 400


def test_the_page_asks_the_same_of_the_database_however_many_tickets_there_are(
    window: Client, desk: Desk, lead: User
) -> None:
    compared(desk, lead)
    window.get(f"{PAGE}?{MARCH}")
    with CaptureQueriesContext(connection) as few:
        window.get(f"{PAGE}?{MARCH}")
    make_past(desk, opened_at=SINCE)
    make_desk("elsewhere")
    window.get(f"{PAGE}?{MARCH}")
    with CaptureQueriesContext(connection) as many:
        window.get(f"{PAGE}?{MARCH}")

    assert len(many) == len(few) <= 25
