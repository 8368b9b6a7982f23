"""Weeks say what their days say, wherever a window begins and ends."""

from datetime import date, timedelta

import pytest

from review.metrics import counts, rollups, story_counts
from review.metrics.groups import WEEK
from review.models import TimeCount, TimeWeek
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


def test_weeks_are_the_sums_of_their_days(desk: Desk) -> None:
    days = TimeCount.objects.values_list("day", "n", "seconds")
    by_week: dict[date, list[float]] = {}
    for day, n, seconds in days:
        sums = by_week.setdefault(day - day.weekday() * DAY, [0, 0])
        sums[0] += n
        sums[1] += seconds

    found: dict[date, list[float]] = {}
    for monday, n, seconds in TimeWeek.objects.values_list("day", "n", "seconds"):
        sums = found.setdefault(monday, [0, 0])
        sums[0] += n
        sums[1] += seconds

    assert len(found) >= 6
    assert found == {day: pytest.approx(sums) for day, sums in by_week.items()}


def test_a_trend_by_week_is_the_same_from_weeks_and_from_days(desk: Desk) -> None:
    scope = make_scope(first=FIRST + 2 * DAY, last=FIRST + 36 * DAY)

    by_week = story_counts.resolve_times(scope, WEEK)

    assert sum(one.count for one in by_week) == 35
    assert len({one.group for one in by_week}) == 6
    assert max(one.count for one in by_week) == 7


def test_a_decision_that_changes_changes_its_week(desk: Desk) -> None:
    before = TimeWeek.objects.count()
    make_proposal(desk, at=LONG_AGO - 10 * DAY).delete()
    accept(make_proposal(desk, "wifi", at=LONG_AGO - 10 * DAY))
    rollups.catch_up()

    assert TimeWeek.objects.count() == before + 1
