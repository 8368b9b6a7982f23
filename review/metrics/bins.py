"""Durations counted in bins of equal ratio, so that quantiles of any number of them stay cheap.

Pure: numbers in, numbers out.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from review.metrics.estimators import Interval, Quantile, nearest_rank, quantile_ranks

# A bin is 9 % wide. All below a second is in bin 0; above some 30 years nothing is told apart.
BINS_AN_OCTAVE = 8
LAST_BIN = 30 * BINS_AN_OCTAVE


class Bin(NamedTuple):
    """`n` durations that lie in bin `number`, `seconds` all together."""

    number: int
    n: int
    seconds: float


def bin_of(seconds: float) -> int:
    if seconds < 1:
        return 0
    return min(LAST_BIN, 1 + math.floor(BINS_AN_OCTAVE * math.log2(seconds)))


def edges(number: int) -> tuple[float, float]:
    """From (included) and to (excluded), in seconds."""
    if number == 0:
        return 0.0, 1.0
    return 2 ** ((number - 1) / BINS_AN_OCTAVE), 2 ** (number / BINS_AN_OCTAVE)


def quantile_from_bins(
    bins: Sequence[Bin], q: float, *, confidence: float = 0.95
) -> Quantile | None:
    """The q-quantile by nearest rank: the mean of the bin in which that rank lies.

    Parameters
    ----------
    bins : each number once, in any order
    q : 0 to 1, both excluded

    Returns
    -------
    None without a duration. The value is exact where a bin holds one duration or equal ones, and
    off by less than 9 % elsewhere. The interval is that of `quantile`, widened to the edges of the
    bins where its ranks lie, never narrowed.
    """
    ordered = sorted((one for one in bins if one.n), key=lambda one: one.number)
    n = sum(one.n for one in ordered)
    if n < 1:
        return None
    middle = _holding(ordered, nearest_rank(n, q))
    ranks = quantile_ranks(n, q, confidence=confidence)
    interval = None
    if ranks is not None:
        low, high = _holding(ordered, ranks.low), _holding(ordered, ranks.high)
        interval = Interval(_least(low), _most(high))
    return Quantile(middle.seconds / middle.n, interval)


def _holding(ordered: Sequence[Bin], rank: int) -> Bin:
    passed = 0
    for one in ordered:
        passed += one.n
        if passed >= rank:
            return one
    raise ValueError(f"There are {passed} durations; none has rank {rank}.")


def _least(one: Bin) -> float:
    return one.seconds if one.n == 1 else edges(one.number)[0]


def _most(one: Bin) -> float:
    return one.seconds if one.n == 1 else edges(one.number)[1]
