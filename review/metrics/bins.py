"""Durations counted in bins of equal ratio, so that quantiles of any number of them stay cheap.

Pure: numbers in, numbers out.
"""

import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import accumulate
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


class Bins:
    """Durations by bin, from columns as the database has them: each number once, in any order."""

    def __init__(
        self, numbers: Iterable[int], counts: Iterable[int], seconds: Iterable[float]
    ) -> None:
        ordered = sorted(zip(numbers, counts, seconds, strict=True))
        self._rows = [one for one in ordered if one[1]]
        self._passed = list(accumulate(n for _number, n, _seconds in self._rows))

    def __iter__(self) -> Iterator[Bin]:
        return map(Bin._make, self._rows)

    @property
    def n(self) -> int:
        return self._passed[-1] if self._passed else 0

    def holding(self, rank: int) -> Bin:
        """The bin in which the duration of this rank lies, from 1 to n."""
        if not 1 <= rank <= self.n:
            raise ValueError(f"There are {self.n} durations; none has rank {rank}.")
        return Bin._make(self._rows[bisect_left(self._passed, rank)])


def added(some: Iterable[Bins]) -> Bins:
    """Those of all together."""
    counts, seconds = dict[int, int](), dict[int, float]()
    for bins in some:
        for number, n, total in bins:
            counts[number] = counts.get(number, 0) + n
            seconds[number] = seconds.get(number, 0.0) + total
    return Bins(counts, counts.values(), seconds.values())


def bin_of(seconds: float) -> int:
    if seconds < 1:
        return 0
    return min(LAST_BIN, 1 + math.floor(BINS_AN_OCTAVE * math.log2(seconds)))


def edges(number: int) -> tuple[float, float]:
    """From (included) and to (excluded), in seconds."""
    if number == 0:
        return 0.0, 1.0
    return 2 ** ((number - 1) / BINS_AN_OCTAVE), 2 ** (number / BINS_AN_OCTAVE)


def quantile_from_bins(bins: Bins, q: float, *, confidence: float = 0.95) -> Quantile | None:
    """The q-quantile by nearest rank: the mean of the bin in which that rank lies.

    Parameters
    ----------
    q : 0 to 1, both excluded

    Returns
    -------
    None without a duration. The value is exact where a bin holds one duration or equal ones, and
    off by less than 9 % elsewhere. The interval is that of `quantile`, widened to the edges of the
    bins where its ranks lie, never narrowed.
    """
    if bins.n < 1:
        return None
    middle = bins.holding(nearest_rank(bins.n, q))
    ranks = quantile_ranks(bins.n, q, confidence=confidence)
    interval = None
    if ranks is not None:
        low, high = bins.holding(ranks.low), bins.holding(ranks.high)
        interval = Interval(_least(low), _most(high))
    return Quantile(middle.seconds / middle.n, interval)


def _least(one: Bin) -> float:
    return one.seconds if one.n == 1 else edges(one.number)[0]


def _most(one: Bin) -> float:
    return one.seconds if one.n == 1 else edges(one.number)[1]
