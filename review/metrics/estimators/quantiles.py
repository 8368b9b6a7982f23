"""Quantiles between order statistics, from the values themselves or from a grid of them."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from scipy.special import bdtr, bdtrik

from review.metrics.estimators.intervals import Interval

# How finely a distribution is read from the database. Its fractions are the midpoints of equal
# steps: for up to GRID_STEPS values, every single one of them then has a fraction that picks it.
GRID_STEPS = 200
GRID = tuple((step - 0.5) / GRID_STEPS for step in range(1, GRID_STEPS + 1))


class Quantile(NamedTuple):
    """In the unit of the values. No interval: there are too few values for one."""

    value: float
    interval: Interval | None


class Ranks(NamedTuple):
    """Positions in the sorted values, counted from 1."""

    low: int
    high: int


def nearest_rank(n: int, q: float) -> int:
    """Rank of the q-quantile among n sorted values: the first with at least q of them up to it."""
    _check_quantile(n, q)
    # The small number keeps 0.9 * 10 = 9.000000000000002 from becoming rank 10.
    return max(1, math.ceil(q * n - 1e-9))


def quantile_ranks(n: int, q: float, *, confidence: float = 0.95) -> Ranks | None:
    """Ranks of the order statistics that enclose the true q-quantile; None if n is too small.

    Exact for any continuous distribution: the number of values below the true quantile is
    binomial(n, q), and each tail is left with at most (1 - confidence) / 2. At 95 % the median
    needs 6 values and the ninth decile 36. Conover (1999), Practical Nonparametric Statistics,
    section 3.2.
    """
    _check_quantile(n, q)
    tail = (1 - confidence) / 2
    low = binomial_quantile(tail, n, q)
    high = binomial_quantile(1 - tail, n, q) + 1
    return Ranks(low, high) if low >= 1 and high <= n else None


def quantile(values: Sequence[float], q: float, *, confidence: float = 0.95) -> Quantile | None:
    """The q-quantile of values in any order, by nearest rank; None without a value."""
    n = len(values)
    if n < 1:
        return None
    ordered = sorted(values)
    ranks = quantile_ranks(n, q, confidence=confidence)
    return Quantile(
        ordered[nearest_rank(n, q) - 1],
        Interval(ordered[ranks.low - 1], ordered[ranks.high - 1]) if ranks else None,
    )


def quantile_from_grid(
    grid: Sequence[float], n: int, q: float, *, confidence: float = 0.95
) -> Quantile | None:
    """What `quantile` says of n values that are only known by their quantiles at GRID.

    Parameters
    ----------
    grid : GRID_STEPS values, ascending
        For each fraction of GRID the value of nearest rank (percentile_disc in PostgreSQL).
    n : int
        How many values stand behind the grid.

    Returns
    -------
    The same as `quantile` while n <= GRID_STEPS. Above, the value may be off by half a step
    (a 400th of the distribution), and the interval is widened to the next step, never narrowed.
    """
    if n < 1:
        return None
    if len(grid) != GRID_STEPS:
        raise ValueError(f"A grid has {GRID_STEPS} values; this one has {len(grid)}.")
    ranks = quantile_ranks(n, q, confidence=confidence)
    value = grid[_cell(nearest_rank(n, q), n)]
    if ranks is None:
        return Quantile(value, None)
    if n <= GRID_STEPS:
        return Quantile(value, Interval(grid[_cell(ranks.low, n)], grid[_cell(ranks.high, n)]))
    low = math.floor(_steps(ranks.low, n) - 0.5)
    high = math.ceil(_steps(ranks.high, n) - 0.5)
    return Quantile(value, Interval(grid[max(low, 0)], grid[min(high, GRID_STEPS - 1)]))


def _steps(rank: int, n: int) -> float:
    """Where the middle of a rank's stretch of the distribution lies, in steps of the grid."""
    return GRID_STEPS * (rank - 0.5) / n


def _cell(rank: int, n: int) -> int:
    """Index of the grid's fraction that lies nearest to the middle of a rank's stretch."""
    return min(GRID_STEPS - 1, math.floor(_steps(rank, n)))


def binomial_quantile(share: float, n: int, q: float) -> int:
    """The least k with P(X <= k) >= share, X being binomial(n, q); 0 < share < 1."""
    # The inverse is continuous in k, so rounding errors may put it a hair above the whole number.
    k = math.ceil(float(bdtrik(share, n, q)))
    return k - int(k > 0 and bdtr(k - 1, n, q) >= share)


def _check_quantile(n: int, q: float) -> None:
    if n < 1:
        raise ValueError(f"A quantile needs at least one value; n is {n}.")
    if not 0 < q < 1:
        raise ValueError(f"q must lie between 0 and 1; it is {q}.")
