"""Two versions on the same tickets: differences with their uncertainty. Numbers in, numbers out.

Weights are 1 / propensity of the check that told the truth, so that the tickets checked speak for
all. What they cost in certainty is said by n_eff = (sum w)^2 / sum w^2 (Kish 1965): the number of
equally drawn checks that would tell as much.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

# Below this many checks (n_eff) no rate is said, only how many there are.
LEAST_TO_SAY = 30
# From here on a comparison on live tickets goes before the held-out figures.
LEAST_TO_JUDGE = 100


@dataclass(frozen=True)
class Rate:
    """A share with its interval, each as a fraction; `n` tickets told it, worth `n_eff`."""

    value: float
    low: float
    high: float
    n: int
    n_eff: float

    @property
    def is_said(self) -> bool:
        return self.n_eff >= LEAST_TO_SAY


@dataclass(frozen=True)
class Paired:
    """Accuracy of the champion, of the challenger, and challenger minus champion, -1 to 1."""

    champion: Rate
    challenger: Rate
    difference: Rate

    @property
    def n(self) -> int:
        return self.difference.n

    @property
    def is_said(self) -> bool:
        return self.difference.is_said

    @property
    def is_enough(self) -> bool:
        return self.difference.n_eff >= LEAST_TO_JUDGE


def effective(weights: ArrayLike) -> float:
    """How many equally drawn tickets tell as much; 0 without any."""
    w = np.asarray(weights, dtype=np.float64)
    total = float((w**2).sum())
    return float(w.sum()) ** 2 / total if total else 0.0


def share(hits: ArrayLike, weights: ArrayLike, *, confidence: float = 0.95) -> Rate | None:
    """Weighted share of hits (0 or 1) with Wilson's interval at n_eff; None without a ticket.

    Wilson (1927), J. Am. Stat. Assoc. 22, 209-212.
    """
    hit, w = _checked(hits, weights)
    if not len(w):
        return None
    n = effective(w)
    rate = float((w * hit).sum() / w.sum())
    z = _z(confidence)
    scale = 1 + z**2 / n
    centre = (rate + z**2 / (2 * n)) / scale
    half = z / scale * math.sqrt(rate * (1 - rate) / n + z**2 / (4 * n**2))
    return Rate(rate, max(0.0, centre - half), min(1.0, centre + half), len(w), n)


def paired(
    champion_right: ArrayLike,
    challenger_right: ArrayLike,
    weights: ArrayLike,
    *,
    confidence: float = 0.95,
) -> Paired | None:
    """Both accuracies and their difference on the same tickets, one row a ticket; None without any.

    The difference rests on the tickets that only one of the two has right. Its interval is Wald's
    after half a ticket was added to each of the four cells of the paired table, brought to n_eff
    tickets: without these it would be of no width while the two have not differed yet. Agresti and
    Min (2005), Statistics in Medicine 24, 729-740.

    Raises ValueError if the lengths differ, a weight is not above 0, or a value is not 0 or 1.
    """
    ours, w = _checked(champion_right, weights)
    theirs, _ = _checked(challenger_right, weights)
    first, second = share(ours, w, confidence=confidence), share(theirs, w, confidence=confidence)
    if first is None or second is None:
        return None
    n = effective(w)
    gained = n * float((w * (theirs > ours)).sum() / w.sum())
    lost = n * float((w * (theirs < ours)).sum() / w.sum())
    low, high = _wald(gained + 0.5, lost + 0.5, n + 2, _z(confidence))
    value = (gained - lost) / n
    return Paired(first, second, Rate(value, min(low, value), max(high, value), len(w), n))


def _wald(gained: float, lost: float, n: float, z: float) -> tuple[float, float]:
    centre = (gained - lost) / n
    half = z / n * math.sqrt(max(0.0, gained + lost - (gained - lost) ** 2 / n))
    return max(-1.0, centre - half), min(1.0, centre + half)


def _checked(
    values: ArrayLike, weights: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    found, w = np.asarray(values, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    if found.shape != w.shape or w.ndim != 1:
        raise ValueError(f"Each ticket needs one weight; got {found.shape} and {w.shape}.")
    if not np.isin(found, (0, 1)).all():
        raise ValueError("A version is right or wrong, 1 or 0; got something else.")
    if not (w > 0).all():
        raise ValueError("A weight must be above 0; got something else.")
    return found, w


def _z(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1; it is {confidence}.")
    return float(ndtri((1 + confidence) / 2))
