"""How far live tickets have moved away from a reference: counts in, figures out.

A shift is measured by the population stability index, the sum over bins of
(p - q) * ln(p / q) between the shares of a reference and of now. By the usual reading it is of no
note below 0.1 and grave from 0.25 on (Siddiqi 2006, Credit Risk Scorecards, ch. 9). These limits
are for large samples: where nothing has moved, the index still is about
(1/n + 1/n_reference) * chi2 with bins - 1 degrees of freedom (Yurdakul 2018, Statistical
Properties of Population Stability Index, thm 3.3). A shift counts only above both.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtri, ndtri

Floats = NDArray[np.float64]

NOTABLE, GRAVE = 0.10, 0.25
# Several figures are looked at every night: by chance alone one in a thousand may stand out.
BY_CHANCE = 0.001
BINS = 10
# Enough for words to be told apart by hundreds, too few for any to be read back.
BUCKETS = 256
# What chi2 asks of the number expected in each bin (Cochran 1954).
LEAST_EXPECTED = 5.0
# More tickets unlike anything learnt, in points over the reference; our own choice.
NOTABLE_POINTS, GRAVE_POINTS = 0.05, 0.15
# Stated probability against how often it is right; our own choice.
NOTABLE_GAP, GRAVE_GAP = 0.05, 0.10
_RESAMPLED = 1_000
# Less than any two measures differ by.
_HAIR = 1e-9


@dataclass(frozen=True)
class Shift:
    """`index` is the population stability index, `by_chance` what it would rarely exceed."""

    index: float
    by_chance: float

    @property
    def is_notable(self) -> bool:
        return self.index >= NOTABLE and self.index > self.by_chance

    @property
    def is_grave(self) -> bool:
        return self.is_notable and self.index >= GRAVE


@dataclass(frozen=True)
class Excess:
    """A share or a gap, what it was or may be, and the most that chance explains."""

    value: float
    reference: float
    by_chance: float
    notable: float
    grave: float

    @property
    def is_notable(self) -> bool:
        return self.value > self.by_chance and self.value - self.reference >= self.notable

    @property
    def is_grave(self) -> bool:
        return self.is_notable and self.value - self.reference >= self.grave


def shift(reference: ArrayLike, now: ArrayLike) -> Shift:
    """How far counts of the same bins lie apart; none where either is empty.

    Bins of which fewer than LEAST_EXPECTED would be expected now are thrown together. Words of
    one text are not drawn one by one, but as each counts once a text they vary no more than that:
    on real tickets the index of two random samples exceeded `by_chance` once in 600 pairs.
    """
    p, q = _pooled(np.asarray(reference, np.float64), np.asarray(now, np.float64))
    if p.sum() < 1 or q.sum() < 1 or len(p) < 2:
        return Shift(0.0, 0.0)
    noise = 1 / p.sum() + 1 / q.sum()
    return Shift(stability_index(p, q), float(chdtri(len(p) - 1, BY_CHANCE) * noise))


def stability_index(reference: ArrayLike, now: ArrayLike) -> float:
    """The index of two rows of counts; half a count is added to each bin, so that none is empty."""
    p, q = _shares(reference), _shares(now)
    return float(((q - p) * np.log(q / p)).sum())


def divergence(reference: ArrayLike, now: ArrayLike) -> float:
    """Jensen-Shannon divergence in bits, 0 (alike) to 1 (nothing in common). Lin (1991)."""
    p, q = _shares(reference), _shares(now)
    middle = (p + q) / 2
    return float(((p * np.log2(p / middle)).sum() + (q * np.log2(q / middle)).sum()) / 2)


def edges(values: ArrayLike, bins: int = BINS) -> list[float]:
    """Inner edges of `bins` bins with as many values each; a value tied so often that it fills one
    gets a bin of its own, so that later ones beside it are seen on either side.
    """
    quantiles = np.quantile(np.asarray(values, np.float64), np.arange(1, bins) / bins)
    found, times = np.unique(quantiles, return_counts=True)
    return sorted({*map(float, found), *map(float, found[times > 1] - _HAIR)})


def histogram(values: ArrayLike, inner: Sequence[float]) -> list[int]:
    """How many values lie in each bin; a value equal to an edge lies below it."""
    places = np.searchsorted(np.asarray(inner), np.asarray(values, np.float64), side="left")
    return [int(n) for n in np.bincount(places, minlength=len(inner) + 1)]


def buckets(words: Sequence[str]) -> NDArray[np.intp]:
    """The different words of one text, counted by bucket; the same in every process."""
    found = [crc32(word.encode()) % BUCKETS for word in set(words)]
    return np.bincount(found, minlength=BUCKETS)


def more_out_of_scope(share: float, n: int, reference: float, n_reference: int) -> Excess:
    """The share of tickets unlike anything learnt, against the band around the reference's."""
    pooled = (share * n + reference * n_reference) / (n + n_reference)
    spread = math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / n_reference))
    band = reference + float(ndtri(1 - BY_CHANCE)) * spread
    return Excess(share, reference, min(1.0, band), NOTABLE_POINTS, GRAVE_POINTS)


def miscalibration(stated: ArrayLike, right: ArrayLike, weights: ArrayLike) -> Excess:
    """Expected calibration error of stated probabilities, against what chance would make of it.

    Chance: the same tickets right exactly as often as stated, drawn a thousand times with a fixed
    seed (Broecker and Smith 2007, Weather and Forecasting 22). An error of few checks is mostly
    chance, and is then below it.
    """
    p, hit = np.asarray(stated, np.float64), np.asarray(right, np.float64)
    w = np.asarray(weights, np.float64)
    order = np.argsort(p, kind="stable")
    p, hit, w = p[order], hit[order], w[order]
    # Bins of equal weight, each the run of tickets that starts at its place.
    starts = np.unique(np.searchsorted(np.cumsum(w), np.arange(BINS) / BINS * w.sum(), "right"))
    random = np.random.default_rng(0)
    # One by one: a thousand rows of five thousand tickets would be 40 MB each time they are copied.
    usual = np.array([_gap(p, random.random(len(p)) < p, w, starts) for _ in range(_RESAMPLED)])
    by_chance = float(np.quantile(usual, 1 - BY_CHANCE))
    return Excess(_gap(p, hit, w, starts), float(usual.mean()), by_chance, NOTABLE_GAP, GRAVE_GAP)


def _gap(p: Floats, hits: NDArray[Any], w: Floats, starts: NDArray[np.intp]) -> float:
    """The weighted mean distance between the bins' stated and true shares."""
    return float(np.abs(np.add.reduceat((hits - p) * w, starts)).sum() / w.sum())


def _pooled(reference: Floats, now: Floats) -> tuple[Floats, Floats]:
    total = reference.sum()
    if not total:
        return reference, now
    rare = reference / total * now.sum() < LEAST_EXPECTED
    if rare.sum() < 2:
        return reference, now
    return (
        np.append(reference[~rare], reference[rare].sum()),
        np.append(now[~rare], now[rare].sum()),
    )


def _shares(counts: ArrayLike) -> Floats:
    smoothed = np.asarray(counts, np.float64) + 0.5
    shares: Floats = smoothed / smoothed.sum()
    return shares
