"""One figure with all that it needs to be believed: n, interval, and the tickets behind it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext as _

from review.metrics import wording
from review.metrics.bins import Bins, quantile_from_bins
from review.metrics.estimators import (
    Estimate,
    Interval,
    Moments,
    WeightedRate,
    WeightedSums,
    cohen_kappa_of_counts,
    newcombe,
    ratio_from_moments,
    weighted_rate_from_sums,
    wilson,
)
from review.metrics.meaning import Definition, Text

# A state that is no Outcome: auto-applied or accepted, that is, the service's own value.
AI = "ai"


class Kind(StrEnum):
    COUNT = "count"
    RATE = "rate"
    DIFFERENCE = "difference"
    SECONDS = "seconds"
    NUMBER = "number"
    KAPPA = "kappa"


@dataclass(frozen=True)
class Bucket:
    """Which proposals or tickets a figure counts, in words that fit into a URL; see drill.rows.

    `version` is that of the definition by which it counts, where that is not the one in force.
    """

    metric: str
    of: str = ""
    state: str = ""
    hit: str = ""
    field: str = ""
    reason: str = ""
    was: str = ""
    became: str = ""
    cell: str = ""
    version: str = ""

    def params(self) -> dict[str, str]:
        return {name: value for name, value in vars(self).items() if value}


@dataclass(frozen=True)
class Figure:
    """`value` is None where n lies below min_n: there is something to count, but no rate yet.

    Shares and differences are fractions, times seconds. `k` of `n` for shares; a count has its
    value as n. The bucket lists exactly what k counts, or n where there is no k: a share of time
    is one of n tickets and has none.
    """

    kind: Kind
    value: float | None
    n: int
    k: int | None = None
    interval: Interval | None = None
    min_n: int = 0
    bucket: Bucket | None = None
    min_people: int = 0

    @property
    def is_withheld(self) -> bool:
        """Fewer than `min_people` stand behind it, so nothing of it is told."""
        return self.min_people > 0

    @property
    def text(self) -> str:
        if self.is_withheld:
            return _("fewer than %(people)d people") % {"people": self.min_people}
        if self.value is None and self.kind == Kind.KAPPA and self.n >= self.min_n:
            return _("not defined")
        if self.value is None:
            return _("too few (%(n)s)") % {"n": wording.whole(self.n)}
        match self.kind:
            case Kind.COUNT:
                return wording.whole(self.n)
            case Kind.RATE:
                return wording.percent(self.value)
            case Kind.DIFFERENCE:
                return _("%(points)s points") % {"points": wording.points(self.value)}
            case Kind.SECONDS:
                return wording.duration(self.value)
            case Kind.NUMBER | Kind.KAPPA:
                return wording.decimal(self.value)

    @property
    def interval_text(self) -> str:
        if self.value is None or self.interval is None:
            return ""
        match self.kind:
            case Kind.RATE:
                return wording.percent_range(self.interval)
            case Kind.DIFFERENCE:
                return wording.points_range(self.interval)
            case Kind.SECONDS:
                return wording.duration_range(self.interval)
            case Kind.NUMBER | Kind.KAPPA:
                return wording.decimal_range(self.interval)
            case Kind.COUNT:
                return ""


@dataclass(frozen=True)
class Column:
    key: str
    name: Text


@dataclass(frozen=True)
class Row:
    """One line of a report: its labels, and a figure for each column in the same order."""

    labels: tuple[str, ...]
    figures: Mapping[str, Figure]
    key: str = ""


def count(n: int, bucket: Bucket | None) -> Figure:
    return Figure(Kind.COUNT, n, n, bucket=bucket)


def rate(k: int, n: int, definition: Definition, bucket: Bucket | None) -> Figure:
    enough = n >= definition.min_n
    return Figure(
        Kind.RATE,
        k / n if enough else None,
        n,
        k,
        wilson(k, n) if enough else None,
        definition.min_n,
        bucket,
    )


def share_of_time(moments: Moments, definition: Definition, bucket: Bucket) -> Figure:
    """Of all tickets together, so that long ones count for more."""
    found = ratio_from_moments(moments) if moments.n >= definition.min_n else None
    return Figure(
        Kind.RATE,
        found.value if found else None,
        moments.n,
        interval=found.interval if found else None,
        min_n=definition.min_n,
        bucket=bucket,
    )


def difference(first: tuple[int, int], second: tuple[int, int], definition: Definition) -> Figure:
    """First rate minus second; n is the smaller side's, because that one decides."""
    n = min(first[1], second[1])
    found = newcombe(first, second) if n >= definition.min_n else None
    return Figure(
        Kind.DIFFERENCE,
        found.value if found else None,
        n,
        interval=found.interval if found else None,
        min_n=definition.min_n,
    )


def seconds(bins: Bins, q: float, definition: Definition, bucket: Bucket) -> Figure:
    """The q-quantile of the times that were counted in bins."""
    n = bins.n
    found = quantile_from_bins(bins, q) if n >= definition.min_n else None
    return Figure(
        Kind.SECONDS,
        found.value if found else None,
        n,
        interval=found.interval if found else None,
        min_n=definition.min_n,
        bucket=bucket,
    )


def weighted(k: int, sums: WeightedSums, definition: Definition, bucket: Bucket) -> Figure:
    """The rate of rows drawn at known probabilities, `k` of `sums.n` being hits."""
    found = weighted_rate_from_sums(sums) if sums.n >= definition.min_n else None
    return Figure(
        Kind.RATE,
        found.value if found else None,
        sums.n,
        k,
        found.interval if found else None,
        definition.min_n,
        bucket,
    )


def drawn_rate(
    k: int, found: WeightedRate | None, n: int, definition: Definition, bucket: Bucket | None
) -> Figure:
    """One that is known already, `k` of `n` rows being hits."""
    told = found if n >= definition.min_n else None
    return Figure(
        Kind.RATE,
        told.value if told else None,
        n,
        k,
        told.interval if told else None,
        definition.min_n,
        bucket,
    )


def estimated(
    kind: Kind, found: Estimate | None, n: int, definition: Definition, bucket: Bucket | None = None
) -> Figure:
    """What a bootstrap said of n tickets; the bucket lists all of them."""
    enough = n >= definition.min_n and found is not None
    return Figure(
        kind,
        found.value if enough and found else None,
        n,
        interval=found.interval if enough and found else None,
        min_n=definition.min_n,
        bucket=bucket,
    )


def withheld(figure: Figure, min_people: int) -> Figure:
    """The place of a figure that is not told; not even how many cases it had."""
    return Figure(figure.kind, None, 0, min_people=min_people)


def kappa(pairs: Mapping[tuple[int, int], int], definition: Definition, bucket: Bucket) -> Figure:
    """Cohen's kappa of two answers, counted by what was chosen first and second.

    Without a value from `min_n` on: all said one and the same, or nearly.
    """
    n = sum(pairs.values())
    found = None
    if n >= definition.min_n:
        first, second = zip(*pairs, strict=True)
        found = cohen_kappa_of_counts(first, second, list(pairs.values()))
    has_all = found is not None and found.interval is not None
    return Figure(
        Kind.KAPPA,
        found.value if found and has_all else None,
        n,
        interval=found.interval if found else None,
        min_n=definition.min_n,
        bucket=bucket,
    )
