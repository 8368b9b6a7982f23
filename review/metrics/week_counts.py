"""Counts of whole weeks, added up from those of days where there is one for each bin of time.

A window of years reads weeks, and days at its ends; so does a trend.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from django.db.models import Model, Q, QuerySet, Sum
from django.db.models.functions import TruncWeek

from review.metrics.window import Scope
from review.models import ResolveCount, ResolveWeek, TimeCount, TimeWeek

WEEK, DAY = timedelta(days=7), timedelta(days=1)
BATCH = 2000
# By the model of days: that of weeks, and the column that both are split by.
WEEKS: Mapping[type[Model], tuple[type[Model], str]] = {
    TimeCount: (TimeWeek, "verdict"),
    ResolveCount: (ResolveWeek, "path"),
}


def replace(days: type[Model], scope: Scope) -> None:
    """Add up anew every week that the days of a scope, which has a source, lie in."""
    weeks, split = WEEKS[days]
    first, last = monday(scope.first), monday(scope.last) + WEEK - DAY
    here = {"source": scope.source, "day__gte": first, "day__lte": last}
    weeks._default_manager.filter(**here).delete()
    rows = (
        days._default_manager.filter(**here)
        .values("choice_id", "version_id", split, "bin", week=TruncWeek("day"))
        .annotate(sum_n=Sum("n"), sum_seconds=Sum("seconds"))
        .order_by()
    )
    weeks._default_manager.bulk_create((_week(weeks, scope, row) for row in rows), BATCH)


def parts(days: type[Model], scope: Scope) -> list[QuerySet[Any]]:
    """Rows that hold each day of a scope once: its whole weeks, and the days around them."""
    first = monday(scope.first + WEEK - DAY)
    end = monday(scope.last + DAY)
    inside = Q(day__gte=scope.first, day__lte=scope.last)
    if scope.source:
        inside &= Q(source=scope.source)
    if first >= end:
        return [days._default_manager.filter(inside)]
    weeks, _split = WEEKS[days]
    around = days._default_manager.filter(inside, Q(day__lt=first) | Q(day__gte=end))
    return [around, weeks._default_manager.filter(inside, day__gte=first, day__lt=end)]


def monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _week(weeks: type[Model], scope: Scope, row: Mapping[str, Any]) -> Model:
    names = {"week": "day", "sum_n": "n", "sum_seconds": "seconds"}
    values = {names.get(name, name): value for name, value in row.items()}
    return weeks(source=scope.source, **values)
