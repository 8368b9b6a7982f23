"""What an interval is, and what the others build theirs from."""

import math
from typing import NamedTuple

from scipy.special import ndtri


class Interval(NamedTuple):
    low: float
    high: float


class Difference(NamedTuple):
    """First rate minus second, as a fraction: -1 to 1."""

    value: float
    interval: Interval


def z_value(confidence: float) -> float:
    """The normal quantile that leaves (1 - confidence) / 2 above it.

    Raises ValueError unless confidence is a fraction between 0 and 1.
    """
    check_confidence(confidence)
    return float(ndtri((1 + confidence) / 2))


def check_confidence(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1; it is {confidence}.")


def score_interval(rate: float, n: float, confidence: float) -> Interval:
    """Wilson's interval of a rate seen in n > 0 trials, where n may be an effective number."""
    z = z_value(confidence)
    scale = 1 + z**2 / n
    centre = (rate + z**2 / (2 * n)) / scale
    half = z / scale * math.sqrt(rate * (1 - rate) / n + z**2 / (4 * n**2))
    # At 0 and 1 the bound is exact; rounding would leave 1e-17 there.
    return Interval(
        0.0 if rate == 0 else max(0.0, centre - half), 1.0 if rate == 1 else min(1.0, centre + half)
    )


def hybrid_difference(
    first: float, first_interval: Interval, second: float, second_interval: Interval
) -> Difference:
    """Difference of two independent rates from the score interval of each.

    Method 10 of Newcombe (1998), Statist. Med. 17, 873-890.
    """
    value = first - second
    down = math.hypot(first - first_interval.low, second_interval.high - second)
    up = math.hypot(first_interval.high - first, second - second_interval.low)
    return Difference(value, Interval(value - down, value + up))


def cut(interval: Interval | None, within: Interval | None) -> Interval | None:
    """What of an interval lies where its value can lie by its nature."""
    if interval is None or within is None:
        return interval
    return Interval(max(interval.low, within.low), min(interval.high, within.high))
