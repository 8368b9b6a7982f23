"""Measures of resolved tickets, added up from counts of days: memory for bins, not for tickets."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from django.db.models import OuterRef, Q, QuerySet, Subquery, Sum

from review.metrics import span_counts
from review.metrics.aggregates import DaysLater
from review.metrics.bins import Bin, quantile_from_bins
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
from review.metrics.nested import gathered
from review.models import KpiCount, ProposalCount
from triage.models import Source

HITS = tuple(measure.hit for measure in MEASURES.values() if measure.hit)
SECONDS = ("seconds", "seconds_open", "seconds_rework")
SUMS = ("n", *SECONDS, *HITS)
# Over parts of like tickets, whose squares are n times that of their mean.
MOMENTS = {
    "xx": "all_seconds_rework * all_seconds_rework",
    "yy": "all_seconds_open * all_seconds_open",
    "xy": "all_seconds_rework * all_seconds_open",
}
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
    bins: list[Bin] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)

    @property
    def n(self) -> int:
        return int(self.sums["n"])

    @property
    def moments(self) -> Moments:
        names = ("seconds_rework", "seconds_open", *MOMENTS)
        return Moments(self.n, *(float(self.sums[name]) for name in names))


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
    told = [f"sum(all_{name})::{'float' if name in SECONDS else 'bigint'}" for name in SUMS]
    told += [f"sum({product} / all_n)" for product in MOMENTS.values()]
    for source, resolve_bin, *sums in gathered(_by_times(wanted), ("source", "resolve_bin"), told):
        own, one = found[source], dict(zip((*SUMS, *MOMENTS), sums, strict=True))
        own.sums.update(one)
        own.bins.append(Bin(resolve_bin, one["n"], one["seconds"]))
    few = {source: days for source, days in wanted.items() if 0 < found[source].n < MANY}
    if few:
        rows = _by_times(few).order_by("source", "resolve_bin", "rework_bin")
        for source, rework, open_, n in rows.values_list(
            "source", "all_seconds_rework", "all_seconds_open", "all_n"
        ):
            found[source].parts.append(Part(rework / n, open_ / n, n))
    return found


def _by_times(wanted: Mapping[int, Days]) -> QuerySet[Any]:
    """Sums of tickets that took about as long, and had about as much rework."""
    condition = Q()
    for source, days in wanted.items():
        stretches = span_counts.days(KpiCount, days.first, days.last)
        condition |= stretches & Q(source=source, resolved_on__lt=days.resolved_before)
    return (
        KpiCount.spans.alias(resolved_on=DaysLater("day", "resolved_after"))
        .filter(condition)
        .values("source", "resolve_bin", "rework_bin")
        .annotate(**{f"all_{name}": Sum(name) for name in SUMS})
        .order_by()
    )


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
