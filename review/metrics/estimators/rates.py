"""Rates of counts: so many of so many, or so many in so much time.

Every interval is two-sided at `confidence`, a fraction.
"""

import math
from typing import NamedTuple

from scipy.special import betaincinv, gammaincinv

from review.metrics.estimators.intervals import (
    Difference,
    Interval,
    check_confidence,
    hybrid_difference,
    score_interval,
)


class Rate(NamedTuple):
    """k of n, as a fraction, with Wilson's interval."""

    value: float
    interval: Interval
    k: int
    n: int


class EventRate(NamedTuple):
    """Events per unit of exposure; no upper limit."""

    value: float
    interval: Interval


def wilson(k: int, n: int, *, confidence: float = 0.95) -> Interval | None:
    """Score interval of the rate k / n; None without a trial.

    On average over the rates it holds the truth as often as it says; close to 0 and 1, for few
    trials, now and then less often. Wilson (1927), J. Am. Stat. Assoc. 22, 209-212.
    Raises ValueError unless 0 <= k <= n.
    """
    _check_count(k, n)
    return score_interval(k / n, n, confidence) if n > 0 else None


def rate(k: int, n: int, *, confidence: float = 0.95) -> Rate | None:
    """k / n with its Wilson interval; None without a trial. Raises as `wilson` does."""
    interval = wilson(k, n, confidence=confidence)
    return Rate(k / n, interval, k, n) if interval else None


def clopper_pearson(k: int, n: int, *, confidence: float = 0.95) -> Interval | None:
    """Exact interval of the rate k / n; None without a trial.

    It never holds the truth less often than it says, and for few trials far more often: right for
    a promise that must not be broken, wide for a description. Clopper and Pearson (1934),
    Biometrika 26, 404-413. Raises ValueError unless 0 <= k <= n.
    """
    _check_count(k, n)
    check_confidence(confidence)
    if n < 1:
        return None
    tail = (1 - confidence) / 2
    return Interval(
        0.0 if k == 0 else float(betaincinv(k, n - k + 1, tail)),
        1.0 if k == n else float(betaincinv(k + 1, n - k, 1 - tail)),
    )


def jeffreys(k: int, n: int, *, confidence: float = 0.95) -> Interval | None:
    """Equal-tailed interval of Beta(k + 1/2, n - k + 1/2); None without a trial.

    At k = 0 it begins at 0, and at k = n it ends at 1, since the rates beyond the quantile are the
    ones most in keeping with such a count. Brown, Cai and DasGupta (2001), Statist. Sci. 16,
    101-133. Raises ValueError unless 0 <= k <= n.
    """
    _check_count(k, n)
    check_confidence(confidence)
    if n < 1:
        return None
    tail = (1 - confidence) / 2
    return Interval(
        0.0 if k == 0 else float(betaincinv(k + 0.5, n - k + 0.5, tail)),
        1.0 if k == n else float(betaincinv(k + 0.5, n - k + 0.5, 1 - tail)),
    )


def poisson_rate(count: int, exposure: float, *, confidence: float = 0.95) -> EventRate | None:
    """Events per unit of exposure (hours, say) with the exact interval; None without exposure.

    Conservative like Clopper-Pearson, and exact only where events come independently of each
    other. Garwood (1936), Biometrika 28, 437-442.
    Raises ValueError if count is negative, or exposure is negative or not finite.
    """
    check_confidence(confidence)
    if count < 0:
        raise ValueError(f"count must not be negative; it is {count}.")
    if not (math.isfinite(exposure) and exposure >= 0):
        raise ValueError(f"exposure must be finite and not negative; it is {exposure}.")
    if exposure == 0:
        return None
    tail = (1 - confidence) / 2
    low = float(gammaincinv(count, tail)) if count else 0.0
    high = float(gammaincinv(count + 1, 1 - tail))
    return EventRate(count / exposure, Interval(low / exposure, high / exposure))


def newcombe(
    first: tuple[int, int], second: tuple[int, int], *, confidence: float = 0.95
) -> Difference | None:
    """Difference of two independent rates, each given as (k, n); None if either has no trial.

    Hybrid score interval, method 10 of Newcombe (1998), Statist. Med. 17, 873-890.
    """
    one = wilson(*first, confidence=confidence)
    two = wilson(*second, confidence=confidence)
    if one is None or two is None:
        return None
    return hybrid_difference(first[0] / first[1], one, second[0] / second[1], two)


def _check_count(k: int, n: int) -> None:
    if not 0 <= k <= n:
        raise ValueError(f"k must be between 0 and n; got k={k}, n={n}.")
