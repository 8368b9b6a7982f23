"""Measures of resolved tickets, added up from counts of days: memory for bins, not for tickets."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from typing import Any, NamedTuple

from django.db.models import OuterRef, Q, QuerySet, Subquery, Sum

from review.metrics import span_counts
from review.metrics.aggregates import DaysLater
from review.metrics.bins import Bins, quantile_from_bins
from review.metrics.estimators import (
    Interval,
    Moments,
    Repeated,
    bootstrap_ratio,
    ratio_from_moments,
    wilson,
)
from review.metrics.figures import Figure, Kind
from review.metrics.kpis.measures import MEASURES, MIN_N, REWORK, Measure
from review.models import KpiCount, ProposalCount, Span
from triage.models import Source

HITS = tuple(measure.hit for measure in MEASURES.values() if measure.hit)
MOMENTS = ("seconds_rework", "seconds_open", "rework_squares", "open_squares", "products")
SUMS = ("n", "seconds", *MOMENTS, *HITS)
SHARE = Interval(0.0, 1.0)
# From so many tickets on the linearised interval says what the bootstrap says, at no cost.
MANY = 400


class Days(NamedTuple):
    """Tickets opened on these days whose first resolution lies before `resolved_before`."""

    first: date
    last: date
    resolved_before: date


class Part(NamedTuple):
    """Tickets of like times: the means of their seconds of rework and open, and how many."""

    rework: float
    open: float
    times: int


@dataclass
class Counts:
    """Of one source: hits and sums of seconds by name, and bins of times to resolve.

    `parts` are told only of fewer than MANY tickets.
    """

    sums: Counter[str] = field(default_factory=Counter)
    bins: Bins = field(default_factory=lambda: Bins((), (), ()))
    parts: list[Part] = field(default_factory=list)

    @property
    def n(self) -> int:
        return int(self.sums["n"])

    @property
    def moments(self) -> Moments:
        return Moments(self.n, *(float(self.sums[name]) for name in MOMENTS))


def began() -> dict[int, date]:
    """The day of the first proposal of each source that anybody could see, by the source's key."""
    # By the index, a source at a time: not all that ever was is read for a day.
    first = ProposalCount.objects.filter(source=OuterRef("pk")).order_by("day").values("day")[:1]
    rows = Source.objects.annotate(first=Subquery(first)).filter(first__isnull=False)
    return dict(rows.values_list("pk", "first"))


def counted(wanted: Mapping[int, Days]) -> dict[int, Counts]:
    """By source; two queries at most. A source without a resolved ticket has no sums."""
    found: dict[int, Counts] = defaultdict(Counts)
    if not wanted:
        return found
    rows = (
        _rows(wanted)
        .values("source", "resolve_bin")
        .annotate(**{f"all_{name}": Sum(name) for name in SUMS})
        .order_by("source")
    )
    of_source = groupby(rows, key=lambda row: row["source"])
    for source, bins in ((source, list(own)) for source, own in of_source):
        found[source] = _counts(bins)
    few = {source: days for source, days in wanted.items() if 0 < found[source].n < MANY}
    if few:
        parts = (
            _rows(few, by_day=True)
            .values("source", "resolve_bin", "rework_bin")
            .annotate(rework=Sum("seconds_rework"), open=Sum("seconds_open"), times=Sum("n"))
            .order_by("source", "resolve_bin", "rework_bin")
        )
        for one in parts:
            n = one["times"]
            found[one["source"]].parts.append(Part(one["rework"] / n, one["open"] / n, n))
    return found


def _rows(wanted: Mapping[int, Days], *, by_day: bool = False) -> QuerySet[Any]:
    condition = Q()
    for source, days in wanted.items():
        stretches = (
            Q(span=Span.DAY, day__gte=days.first, day__lte=days.last)
            if by_day
            else span_counts.days(KpiCount, days.first, days.last)
        )
        condition |= stretches & Q(source=source, resolved_on__lt=days.resolved_before)
    rows: QuerySet[Any] = KpiCount.spans.alias(resolved_on=DaysLater("day", "resolved_after"))
    return rows.filter(condition)


def _counts(bins: Sequence[Mapping[str, Any]]) -> Counts:
    sums = Counter[str]()
    for row in bins:
        sums.update({name: row[f"all_{name}"] for name in SUMS})
    columns = ([row[name] for row in bins] for name in ("resolve_bin", "all_n", "all_seconds"))
    return Counts(sums, Bins(*columns))


def figure(measure: Measure, counts: Counts) -> Figure:
    """Below the least n it has no value. Without an interval: the tickets cannot carry one."""
    n, k = counts.n, int(counts.sums[measure.hit]) if measure.hit else None
    value, interval = _value(measure, counts, k) if n >= MIN_N else (None, None)
    return Figure(measure.kind, value, n, k, interval, MIN_N)


def _value(measure: Measure, counts: Counts, k: int | None) -> tuple[float | None, Interval | None]:
    if k is not None:
        return k / counts.n, wilson(k, counts.n)
    if measure.kind == Kind.SECONDS:
        median = quantile_from_bins(counts.bins, 0.5)
        return (median.value, median.interval) if median else (None, None)
    assert measure is REWORK
    if counts.n >= MANY:
        share = ratio_from_moments(counts.moments)
        return (share.value, share.interval) if share else (None, None)
    rework, open_, times = zip(*counts.parts, strict=True)
    share = bootstrap_ratio(rework, open_, Repeated(list(times)), within=SHARE)
    return (share.value, share.interval) if share else (None, None)
