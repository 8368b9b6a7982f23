"""What weeks and months leave out of their days is never missed in a figure."""

from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import Sum

from review.metrics import counts, rollups, span_counts, story_counts
from review.metrics.counts import GroupCounts
from review.metrics.groups import WEEK
from review.models import (
    HORIZONS,
    KpiCount,
    OutcomeCount,
    ReturnCount,
    Span,
    Spanned,
    StoryCount,
)
from tests.review.metrics.helpers import (
    NOW,
    Desk,
    accept,
    live,
    make_desk,
    make_proposal,
    make_scope,
    make_ticket,
)
from tests.review.metrics.play import Play

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
MINUTES_A_DAY = 24 * 60
# Long enough ago for everything below to have matured.
FIRST = NOW - timedelta(days=300)


@pytest.fixture
def desk() -> Desk:
    """Sixty tickets, one a day; the n-th came back when n days and half of one had passed."""
    desk = make_desk()
    for n in range(60):
        at = FIRST + n * DAY
        proposal = make_proposal(desk, ticket=make_ticket(desk, opened_at=at), at=at)
        accept(proposal, after=timedelta(minutes=1))
        back = 1 + n * MINUTES_A_DAY + MINUTES_A_DAY // 2
        live(proposal.ticket, (1, "resolved"), (back, "reopened"))
    return desk


def _scope(days: int) -> Any:
    first = FIRST.date()
    return make_scope(first=first, last=first + timedelta(days=70), outcome_days=days)


def _sum(found: list[GroupCounts], name: str) -> int:
    return sum(one.counts.get(name, 0) for one in found)


@pytest.mark.parametrize("days", [1, 6, 7, 8, 14, 21, 30, 31, 59, 90])
def test_any_outcome_window_counts_what_came_back_in_time(desk: Desk, days: int) -> None:
    scope = _scope(days)
    by_week = WEEK

    # The n-th came back within its n + 1st day.
    expected = min(days, 60)
    assert _sum(counts.reopenings(scope), "accepted_hit") == expected
    assert _sum(counts.reopenings(scope, by_week), "accepted_hit") == expected
    for columns in (None, by_week):
        found = story_counts.returns(scope, days, columns)
        assert _sum(found, "accepted") == 60
        assert _sum(found, "accepted_reopened") == expected
        assert _sum(found, "accepted_contacted") == expected


@pytest.mark.parametrize("model", [OutcomeCount, ReturnCount])
def test_days_are_read_only_where_weeks_and_months_do_not_know(
    desk: Desk, model: type[Spanned]
) -> None:
    scope = _scope(7)

    def spans(days: int | None) -> set[str]:
        rows = counts.counted(model, scope, within=days)
        return set(rows.values_list("span", flat=True))

    assert all(Span.MONTH in spans(days) for days in (*HORIZONS, None))
    assert spans(10) == spans(60) == {Span.DAY}


def test_a_month_has_a_row_for_each_horizon_and_not_for_each_day(desk: Desk) -> None:
    rollups.catch_up()
    later = ReturnCount.spans.filter(span=Span.MONTH).values_list("reopened_after", flat=True)

    assert ReturnCount.objects.values("reopened_after").distinct().count() == 60
    assert set(later) == {*HORIZONS, None}


# --- The month that goes on -------------------------------------------------------------------
def _opened(scope: Any) -> tuple[int, set[str]]:
    rows = counts.counted(StoryCount, scope)
    return rows.aggregate(all=Sum("n"))["all"], set(rows.values_list("span", flat=True))


def test_a_window_that_ends_today_takes_the_month_as_far_as_it_went() -> None:
    now = NOW - timedelta(days=10)
    desk = make_desk()
    for n in range(60):
        make_ticket(desk, opened_at=now - n * DAY)
    today = now.date()

    assert _opened(make_scope(now=now, first=date(2026, 2, 1), last=today)) == (49, {Span.MONTH})
    assert _opened(make_scope(now=now, first=date(2026, 2, 27), last=today + 3 * DAY)) == (
        23,
        {Span.DAY, Span.MONTH},
    )
    # Until yesterday: there is more in that month than is asked for.
    assert _opened(make_scope(now=now, first=date(2026, 3, 1), last=today - DAY)) == (
        20,
        {Span.DAY},
    )


def test_a_ticket_that_a_helpdesk_dates_tomorrow_is_none_of_today() -> None:
    now = NOW - timedelta(days=10)
    desk = make_desk()
    for n in range(-1, 60):
        make_ticket(desk, opened_at=now - n * DAY)
    first, today = date(2026, 3, 1), now.date()

    assert _opened(make_scope(now=now, first=first, last=today)) == (21, {Span.DAY})
    assert _opened(make_scope(now=now, first=first, last=today + DAY)) == (22, {Span.MONTH})


def test_weeks_of_a_trend_go_until_today_as_well() -> None:
    now = NOW - timedelta(days=10)
    desk = make_desk()
    for n in range(-1, 30):
        make_ticket(desk, opened_at=now - n * DAY)
    scope = make_scope(now=now, first=date(2026, 3, 2), last=now.date())

    by_week = {one.group.key: one.counts["n"] for one in story_counts.stories(scope, WEEK)}

    # Of a Saturday: the Sunday after it has a ticket, and is not asked for.
    assert by_week == {"2026-03-02": 7, "2026-03-09": 7, "2026-03-16": 6}


# --- Resolved tickets of a source -------------------------------------------------------------
def test_months_of_resolved_tickets_keep_squares_and_no_bins_of_rework() -> None:
    desk = make_desk()
    # Rework of an hour and of 62 minutes, which one bin holds, and of ten hours.
    for minutes in (60, 62, 600):
        ticket = make_ticket(desk, opened_at=FIRST)
        live(ticket, (30, "resolved"), (90, "reopened"), (90 + minutes, "resolved"))
    rollups.catch_up()

    for span, bins in ((Span.DAY, 2), (Span.MONTH, 1)):
        rows = KpiCount.spans.filter(span=span)
        told = rows.aggregate(n=Sum("n"), xx=Sum("rework_squares"), xy=Sum("products"))
        assert (rows.count(), told["n"]) == (bins, 3)
        assert told["xx"] == 60**2 * (60**2 + 62**2 + 600**2)
        # Each was open for half an hour before.
        assert told["xy"] == 60**2 * (60 * 90 + 62 * 92 + 600 * 630)
    assert KpiCount.spans.get(span=Span.MONTH).rework_bin is None


# --- Databases --------------------------------------------------------------------------------
MIGRATED: tuple[type[Spanned], ...] = (KpiCount, OutcomeCount, ReturnCount)


def _told(model: type[Spanned]) -> Counter[tuple[Any, ...]]:
    floats = {"seconds", "seconds_open", "seconds_rework"}
    squares = {"open_squares", "rework_squares", "products"}
    names = [one.name for one in model._meta.concrete_fields if one.name not in {"id", *squares}]
    return Counter(
        tuple(
            round(value, 3) if name in floats else value
            for name, value in zip(names, row, strict=True)
        )
        for row in model.spans.values_list(*names)
    )


def test_an_older_database_gets_the_weeks_and_months_that_a_recount_makes() -> None:
    play = Play(5)
    for _ in range(120):
        play.act()
    rollups.catch_up()
    before = {model: _told(model) for model in MIGRATED}
    assert all(before.values())
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    call_command("migrate", "review", "0021", interactive=False, verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM review_kpicount WHERE span = 'month' AND rework_bin IS NULL"
        )
        assert cursor.fetchone() == (0,)
    call_command("migrate", "review", "0022", interactive=False, verbosity=0)

    assert {model: _told(model) for model in MIGRATED} == before


def test_a_recount_tells_the_planner_how_large_the_counts_are(desk: Desk) -> None:
    rollups.recount()

    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE relname = 'review_storycount'")
        assert cursor.fetchone() == (StoryCount.spans.count(),)


def test_stretches_of_days_alone_hold_a_window_of_an_unknown_horizon(desk: Desk) -> None:
    scope = _scope(10)

    rows = ReturnCount.spans.filter(span_counts.rows(ReturnCount, scope, within=10))

    assert rows.aggregate(all=Sum("n"))["all"] == 60
