"""Weeks and months say what their days say, wherever a window begins and ends."""

from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from django.db.models import QuerySet, Sum
from hypothesis import given
from hypothesis.strategies import dates, integers, sampled_from

from review.metrics import counts, day_counts, rollups, span_counts, story_counts
from review.metrics.aggregates import DaysLater
from review.metrics.groups import WEEK
from review.metrics.meaning import MOST_OUTCOME_DAYS
from review.models import ReturnCount, Span, Spanned, TimeCount
from tests.review.metrics.helpers import (
    LONG_AGO,
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
# A Wednesday; the fifth day after it is a Monday.
FIRST = LONG_AGO.date() - timedelta(days=40)


@pytest.fixture
def desk() -> Desk:
    """Forty days with one decision each, the n-th of which took n minutes."""
    desk = make_desk()
    for n in range(40):
        at = LONG_AGO - (40 - n) * DAY
        proposal = make_proposal(desk, ticket=make_ticket(desk, opened_at=at), at=at)
        accept(proposal, after=timedelta(minutes=n + 1))
        live(proposal.ticket, (n + 1, "resolved"))
    rollups.catch_up()
    return desk


@pytest.mark.parametrize(
    ("first", "last"), [(0, 39), (0, 6), (3, 30), (5, 5), (6, 13), (5, 11), (12, 35), (38, 39)]
)
def test_a_window_counts_each_of_its_days_once(desk: Desk, first: int, last: int) -> None:
    scope = make_scope(first=FIRST + first * DAY, last=FIRST + last * DAY)

    (times,) = counts.decision_times(scope)
    (resolved,) = story_counts.resolve_times(scope)

    minutes = sum(range(first + 1, last + 2))
    assert times.count == resolved.count == last - first + 1
    assert sum(one.seconds for one in times.bins) == pytest.approx(60 * minutes)


def test_spans_are_the_sums_of_their_days(desk: Desk) -> None:
    for span in (Span.WEEK, Span.MONTH):
        days: Counter[date] = Counter()
        for day, n, seconds in TimeCount.objects.values_list("day", "n", "seconds"):
            days[span_counts.begin(span, day)] += n * 1_000_000 + round(seconds)

        found: Counter[date] = Counter()
        for begins, n, seconds in TimeCount.spans.filter(span=span).values_list(
            "day", "n", "seconds"
        ):
            found[begins] += n * 1_000_000 + round(seconds)

        assert len(found) >= 2
        assert found == days


def test_every_table_says_the_same_of_any_window_by_days_and_by_spans() -> None:
    play = Play(11)
    for _ in range(80):
        play.act()
    rollups.catch_up()
    tables = [model for model in day_counts.TABLES if issubclass(model, Spanned)]
    used = set()

    for model in tables:
        days = list(model.objects.values_list("day", flat=True))
        for first in {*days, *(day - 20 * DAY for day in days)}:
            scope = make_scope(first=first, last=first + 45 * DAY)
            plain = model.objects.filter(day__gte=scope.first, day__lte=scope.last)
            expected = _sums(plain, model)
            assert _sums(counts.counted(model, scope), model) == pytest.approx(expected), model
            assert _sums(counts.counted(model, scope, WEEK), model) == pytest.approx(expected)
            used |= {model} if plain.exists() else set()

    assert len(tables) == 15
    assert len(used) >= 10


def _sums(rows: QuerySet[Any], model: type[Spanned]) -> list[float]:
    if not model.ADDED:
        # Of people it is told who they were.
        return sorted(set(rows.values_list("person_id", flat=True)))
    found = rows.aggregate(**{f"all_{name}": Sum(name) for name in model.ADDED})
    return [found[f"all_{name}"] or 0 for name in model.ADDED]


@pytest.mark.parametrize("ago", [0, 60, 95, 200])
def test_a_span_knows_as_well_as_its_days_what_has_matured(ago: int) -> None:
    now = LONG_AGO + ago * DAY
    with time_machine.travel(now, tick=False):
        desk = make_desk()
        for n in range(30):
            at = LONG_AGO - (30 - n) * DAY
            proposal = make_proposal(desk, ticket=make_ticket(desk, opened_at=at), at=at)
            accept(proposal, after=timedelta(minutes=1))
            # Some take until now, whatever now is.
            live(proposal.ticket, (60 * 24 * (n % 25), "resolved"))
        rollups.catch_up()
    scope = make_scope(first=FIRST, last=LONG_AGO.date())
    days = ReturnCount.objects.alias(on=DaysLater("day", "resolved_after"))
    spans = counts.counted(ReturnCount, scope).alias(on=DaysLater("day", "resolved_after"))
    of_weeks = counts.counted(ReturnCount, scope, WEEK).alias(on=DaysLater("day", "resolved_after"))

    for since in (1, 7, 30, MOST_OUTCOME_DAYS):
        # A span was added up at `now`, and may be read at any time after it.
        for later in (0, 1, 20):
            before = now.date() + (later - since) * DAY
            matured = sum(days.filter(on__lt=before).values_list("n", flat=True))
            assert sum(spans.filter(on__lt=before).values_list("n", flat=True)) == matured
            assert sum(of_weeks.filter(on__lt=before).values_list("n", flat=True)) == matured


def test_what_matured_long_ago_takes_one_row_of_a_month(desk: Desk) -> None:
    """Whatever the day was on which each ticket was resolved."""
    of_days = ReturnCount.objects.count()
    of_months = ReturnCount.spans.filter(span=Span.MONTH)

    assert of_days == 40
    assert of_months.count() == len(set(of_months.values_list("day")))
    assert set(of_months.values_list("resolved_after", flat=True)) == {0}


@given(
    first=dates(date(2000, 1, 1), date(2199, 12, 1)),
    days=integers(0, 900),
    spans=sampled_from([(Span.MONTH, Span.WEEK, Span.DAY), (Span.WEEK, Span.DAY), (Span.DAY,)]),
)
def test_stretches_tile_a_window_with_whole_spans(
    first: date, days: int, spans: tuple[Span, ...]
) -> None:
    end = first + days * DAY

    found = list(span_counts.stretches(first, end, spans))

    at = first
    for one in found:
        assert one.first == at < one.end
        assert span_counts.begin(one.span, one.first) == one.first
        assert span_counts.begin(one.span, one.end) == one.end
        at = one.end
    assert at == end
    assert len(found) < 2 ** len(spans)
    # At most six days at each end of what is whole.
    by_day = sum((one.end - one.first).days for one in found if one.span == Span.DAY)
    assert by_day <= 6 * 2 ** (len(spans) - 1) or len(spans) == 1


def test_a_trend_by_week_is_the_same_from_weeks_and_from_days(desk: Desk) -> None:
    scope = make_scope(first=FIRST + 2 * DAY, last=FIRST + 36 * DAY)

    by_week = story_counts.resolve_times(scope, WEEK)

    assert sum(one.count for one in by_week) == 35
    assert len({one.group for one in by_week}) == 6
    assert max(one.count for one in by_week) == 7


def test_a_decision_that_changes_changes_its_spans(desk: Desk) -> None:
    before = TimeCount.spans.exclude(span=Span.DAY).count()
    make_proposal(desk, at=LONG_AGO - 10 * DAY).delete()
    accept(make_proposal(desk, "wifi", at=LONG_AGO - 10 * DAY))
    rollups.catch_up()

    assert TimeCount.spans.exclude(span=Span.DAY).count() == before + 2
