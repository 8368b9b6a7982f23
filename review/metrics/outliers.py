"""Groups whose rate lies farther from that of all than chance explains."""

from collections.abc import Iterable
from dataclasses import dataclass

from review.metrics.estimators import Interval, funnel_limits
from review.metrics.figures import Figure, Row
from review.metrics.report import Report

# Of groups that differ by chance alone, so many lie within the inner and the outer limits.
USUAL, FAR = 0.95, 0.998
# Fewer groups than this are not held against all of them together.
FEWEST_GROUPS = 3


@dataclass(frozen=True)
class Watched:
    """The column of a report whose outliers are told, and which of its ends is the bad one."""

    column: str = "rate"
    is_worst_low: bool = False


@dataclass(frozen=True)
class Placed:
    """A group, and where it lies: beyond the inner limits it is high or low, beyond both far."""

    row: Row
    figure: Figure
    total: float
    is_high: bool
    is_low: bool
    is_far: bool

    def is_bad(self, watched: Watched) -> bool:
        return self.is_low if watched.is_worst_low else self.is_high

    @property
    def weight(self) -> float:
        """How many cases there are more, or fewer, than with the rate of all."""
        return abs((self.figure.value or 0.0) - self.total) * self.figure.n


def placed(report: Report, column: str) -> list[Placed]:
    """Groups that have a rate, each held against all; none where there is too little to compare."""
    rows = [row for row in report.rows if row.figures[column].value is not None]
    total = report.totals[0].figures[column].value if report.totals else None
    if total is None or total in (0, 1) or len(rows) < FEWEST_GROUPS:
        return []
    return [_place(row, row.figures[column], total) for row in rows]


def outliers(report: Report, watched: Watched) -> list[Placed]:
    """Those that lie far out on the bad side, what they cost most first."""
    found: Iterable[Placed] = placed(report, watched.column)
    bad = [one for one in found if one.is_far and one.is_bad(watched)]
    return sorted(bad, key=lambda one: -one.weight)


def _place(row: Row, figure: Figure, total: float) -> Placed:
    value = figure.value or 0.0
    usual, far = (
        funnel_limits(total, figure.n, confidence=each) or Interval(0.0, 1.0)
        for each in (USUAL, FAR)
    )
    return Placed(
        row,
        figure,
        total,
        is_high=value > usual.high,
        is_low=value < usual.low,
        is_far=not far.low <= value <= far.high,
    )
