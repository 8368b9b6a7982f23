"""Counts of whole weeks and months, added up from those of days, so that a window of years reads
a few rows of each instead of those of every day; a trend by week reads weeks.

A span says of each row when it has matured, as days do. What had by the time of adding up, by any
meaning that a metric can be given, is told as if it had at once: that can never change again, and
it is by far the most. Of how much later something happened it says the next of HORIZONS.
"""

import dataclasses
from collections.abc import Collection, Iterator, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.models import Q

from review.metrics.meaning import MOST_OUTCOME_DAYS
from review.metrics.window import Scope
from review.models import HORIZONS, KpiCount, Span, Spanned, Weeks

DAY, WEEK = timedelta(days=1), timedelta(days=7)
UNTRENDED = ("choice", "version")


class Stretch(NamedTuple):
    """Rows of one length of span that begin from `first` on and before `end`."""

    span: Span
    first: date
    end: date


def replace(model: type[Spanned], source: int, days: Collection[date], today: date) -> None:
    """Add up anew every span of a source that any of the days lies in."""
    if not model.HAS_SPANS:
        return
    former, adding = Q(pk__in=()), list[str]()
    values: dict[str, int | date | list[date]] = {"source": source, "settled": today - _longest()}
    for span in (Span.MONTH,) if model.WEEKS == Weeks.NONE else (Span.WEEK, Span.MONTH):
        begins = sorted({begin(span, day) for day in days})
        former |= Q(span=span, day__in=begins)
        adding.append(_added(model, span))
        values |= {f"{span}s": begins, f"{span}s_after": [after(span, day) for day in begins]}
    model.spans.filter(former, source=source).delete()
    with connection.cursor() as cursor:
        cursor.execute(f"{_into(model)} {' UNION ALL '.join(adding)}", values)


def rows(
    model: type[Spanned], scope: Scope, *, by_week: bool = False, within: int | None = None
) -> Q:
    """Rows that hold each day of a scope once; `by_week`: none of them is of longer than a week.

    `within`: what happened later is asked for by whether it did in so many days. They are rows of
    days alone where spans do not know that.
    """
    last = scope.last
    if last >= scope.now.date() and model in _ended(scope):
        # The month that goes on has no more in it than its days until now.
        last = after(Span.WEEK if by_week else Span.MONTH, last) - DAY
    found = days(model, scope.first, last, by_week=by_week, within=within)
    return found & Q(source=scope.source) if scope.source else found


def days(
    model: type[Spanned],
    first: date,
    last: date,
    *,
    by_week: bool = False,
    within: int | None = None,
) -> Q:
    """The same of all sources, from a first day to a last one; none where they are turned round."""
    spans = [Span.WEEK, Span.DAY] if by_week else [Span.MONTH, Span.DAY]
    is_unknown = bool(model.LATER) and within is not None and within not in HORIZONS
    if is_unknown or not model.HAS_SPANS or (by_week and model.WEEKS == Weeks.NONE):
        spans = [Span.DAY]
    elif not by_week and model.WEEKS == Weeks.OF_EACH:
        spans.insert(1, Span.WEEK)
    found = Q(pk__in=())
    for stretch in stretches(first, last + DAY, spans):
        found |= Q(span=stretch.span, day__gte=stretch.first, day__lt=stretch.end)
    return found


def _ended(scope: Scope) -> frozenset[type[Spanned]]:
    """Tables without a day after the last of the scope: a helpdesk's clock may run ahead."""
    return dataclasses.replace(scope, first=scope.last, source=None).once(_without_later_days)


def _without_later_days(scope: Scope) -> frozenset[type[Spanned]]:
    found = apps.get_app_config("review").get_models()
    # The days of KpiCount are found by source, and nobody reads them by scope.
    spanned = (one for one in found if issubclass(one, Spanned) and one is not KpiCount)
    tables = {one._meta.db_table: one for one in spanned if one.HAS_SPANS}
    asked = (
        f"SELECT '{name}' WHERE NOT EXISTS "
        f"(SELECT FROM {name} WHERE span = '{Span.DAY}' AND day > %(last)s)"
        for name in tables
    )
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(asked), {"last": scope.last})
        return frozenset(tables[name] for (name,) in cursor.fetchall())


def stretches(first: date, end: date, spans: Sequence[Span]) -> Iterator[Stretch]:
    """The days from `first` on and before `end`: whole spans, and around them shorter ones."""
    if first >= end:
        return
    span, *shorter = spans
    whole = first if begin(span, first) == first else after(span, first)
    last = begin(span, end)
    if whole >= last:
        yield from stretches(first, end, shorter)
        return
    yield from stretches(first, whole, shorter)
    yield Stretch(span, whole, last)
    yield from stretches(last, end, shorter)


def begin(span: Span, day: date) -> date:
    """The first day of the span that a day lies in."""
    match span:
        case Span.MONTH:
            return day.replace(day=1)
        case Span.WEEK:
            return day - timedelta(days=day.weekday())
        case Span.DAY:
            return day


def after(span: Span, day: date) -> date:
    """The first day after it."""
    match span:
        case Span.MONTH:
            return begin(span, begin(span, day) + timedelta(days=31))
        case Span.WEEK:
            return begin(span, day) + WEEK
        case Span.DAY:
            return day + DAY


def _longest() -> timedelta:
    return timedelta(days=max(MOST_OUTCOME_DAYS, settings.OUTCOME_WINDOW_DAYS))


def _keys(model: type[Spanned], *left_out: str) -> list[str]:
    """Columns that tell the rows of one span apart, its source among them."""
    left_out = ("id", "day", "span", *model.ADDED, *left_out)
    return [str(one.column) for one in model._meta.concrete_fields if one.name not in left_out]


def _into(model: type[Spanned]) -> str:
    columns = ", ".join(("day", "span", *_keys(model), *model.ADDED))
    return f"INSERT INTO {model._meta.db_table} ({columns})"


def _added(model: type[Spanned], span: Span) -> str:
    """The rows of one length of span, of those that begin on `span`s and end before the days of
    `span`s_after.
    """
    settled = (
        f"CASE WHEN day + {model.SETTLED} < %(settled)s THEN 0 "
        f"ELSE {model.SETTLED} + (day - begins) END"
    )
    is_of_all = span == Span.WEEK and model.WEEKS == Weeks.OF_ALL
    apart = _keys(model, *(UNTRENDED if is_of_all else ()), *model.DAYS_ALONE)
    keys = [
        settled
        if key == model.SETTLED
        else _horizon(key)
        if key in model.LATER
        else key
        if key in apart
        else "NULL::bigint"
        for key in _keys(model)
    ]
    told = ["begins", f"'{span}'", *keys, *(f"sum({one})" for one in model.ADDED)]
    groups = ", ".join(str(at + 1) for at in range(2 + len(keys)))
    return (
        f"SELECT {', '.join(told)} FROM {model._meta.db_table} "
        f"JOIN unnest(%({span}s)s::date[], %({span}s_after)s::date[]) AS spans (begins, ends) "
        "ON day >= begins AND day < ends "
        f"WHERE span = '{Span.DAY}' AND source_id = %(source)s GROUP BY {groups}"
    )


def _horizon(column: str) -> str:
    """The first of HORIZONS by which it had happened; none where it had by none of them."""
    told = " ".join(f"WHEN {column} <= {days} THEN {days}" for days in HORIZONS)
    return f"CASE {told} END"
