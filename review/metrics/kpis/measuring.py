"""Measures of resolved tickets, added up from counts of days: memory for bins, not for tickets."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

import numpy as np
from django.db.models import OuterRef, Q, Subquery, Sum

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
from review.models import KpiCount, ProposalCount
from triage.models import Source

HITS = tuple(measure.hit for measure in MEASURES.values() if measure.hit)
SUMS = ("n", "seconds", "seconds_open", "seconds_rework", *HITS)
SHARE = Interval(0.0, 1.0)
# From so many tickets on the linearised interval says what the bootstrap says, at no cost.
MANY = 400


class Days(NamedTuple):
    """Tickets opened on these days whose first resolution lies before `resolved_before`."""

    first: date
    last: date
    resolved_before: date


@dataclass
class Counts:
    """Of one source: hits by name, and by bins what they hold."""

    hits: Counter[str] = field(default_factory=Counter)
    bins: dict[int, tuple[int, float]] = field(default_factory=dict)
    parts: list[tuple[float, float, int]] = field(default_factory=list)

    @property
    def n(self) -> int:
        return self.hits["n"]

    def add(self, resolve_bin: int, sums: Sequence[Any]) -> None:
        """`sums` are those of SUMS, of tickets of one bin."""
        n, seconds, seconds_open, seconds_rework, *hits = sums
        self.hits["n"] += n
        for name, k in zip(HITS, hits, strict=True):
            self.hits[name] += k
        had, before = self.bins.get(resolve_bin, (0, 0.0))
        self.bins[resolve_bin] = (had + n, before + seconds)
        self.parts.append((seconds_rework / n, seconds_open / n, n))


def began() -> dict[int, date]:
    """The day of the first proposal of each source that anybody could see, by the source's key."""
    # By the index, a source at a time: not all that ever was is read for a day.
    first = ProposalCount.objects.filter(source=OuterRef("pk")).order_by("day").values("day")[:1]
    rows = Source.objects.annotate(first=Subquery(first)).filter(first__isnull=False)
    return dict(rows.values_list("pk", "first"))


def counted(wanted: Mapping[int, Days]) -> dict[int, Counts]:
    """By source; one query, whatever is wanted. A source without a resolved ticket has no hits."""
    found: dict[int, Counts] = defaultdict(Counts)
    if not wanted:
        return found
    condition = Q()
    for source, days in wanted.items():
        stretches = span_counts.days(KpiCount, days.first, days.last)
        condition |= stretches & Q(source=source, resolved_on__lt=days.resolved_before)
    rows: Iterable[tuple[Any, ...]] = (
        KpiCount.spans.alias(resolved_on=DaysLater("day", "resolved_after"))
        .filter(condition)
        .values("source", "resolve_bin", "rework_bin")
        .annotate(**{f"all_{name}": Sum(name) for name in SUMS})
        .order_by("source", "resolve_bin", "rework_bin")
        .values_list("source", "resolve_bin", *(f"all_{name}" for name in SUMS))
    )
    for source, resolve_bin, *sums in rows:
        found[source].add(resolve_bin, sums)
    return found


def figure(measure: Measure, counts: Counts) -> Figure:
    """Below the least n it has no value. Without an interval: the tickets cannot carry one."""
    n, k = counts.n, counts.hits[measure.hit] if measure.hit else None
    value, interval = _value(measure, counts, k) if n >= MIN_N else (None, None)
    return Figure(measure.kind, value, n, k, interval, MIN_N)


def _value(measure: Measure, counts: Counts, k: int | None) -> tuple[float | None, Interval | None]:
    if k is not None:
        return k / counts.n, wilson(k, counts.n)
    if measure.kind == Kind.SECONDS:
        median = quantile_from_bins(_bins(counts), 0.5)
        return (median.value, median.interval) if median else (None, None)
    assert measure is REWORK
    if counts.n >= MANY:
        share = ratio_from_moments(_moments(counts))
        return (share.value, share.interval) if share else (None, None)
    rework, open_, times = zip(*counts.parts, strict=True)
    share = bootstrap_ratio(rework, open_, Repeated(list(times)), within=SHARE)
    return (share.value, share.interval) if share else (None, None)


def _moments(counts: Counts) -> Moments:
    x, y, times = (np.array(column, dtype=np.float64) for column in zip(*counts.parts, strict=True))
    sums = (x, y, x * x, y * y, x * y)
    return Moments(counts.n, *(float(times @ each) for each in sums))


def _bins(counts: Counts) -> list[Bin]:
    return [Bin(number, n, seconds) for number, (n, seconds) in counts.bins.items()]
