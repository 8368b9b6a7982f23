"""Share of sums from sums alone, for as many tickets as there are (metrics 22, 23)."""

import math
from typing import NamedTuple

from scipy.special import stdtrit

from review.metrics.estimators.bootstrap import FEWEST_FOR_RATIO, Estimate
from review.metrics.estimators.intervals import Interval, check_confidence


class Moments(NamedTuple):
    """Sums over n tickets of a part x and its whole y, of their squares and their products."""

    n: int
    x: float
    y: float
    xx: float
    yy: float
    xy: float


def ratio_from_moments(moments: Moments, *, confidence: float = 0.95) -> Estimate | None:
    """Sum of the parts / sum of the wholes, 0 to 1, with a linearised interval.

    The deviation is that of the ratio's first-order expansion, the tails are Student's t: Cochran
    (1977), Sampling Techniques, 6.4. Symmetric, where `share_of_sums` follows the skew of the
    tickets themselves; the two agree from some hundred tickets on. None where the wholes sum to 0;
    no interval below 30 tickets, or where all have the same ratio.
    """
    check_confidence(confidence)
    n, x, y, xx, yy, xy = moments
    if n < 1 or y <= 0:
        return None
    ratio = x / y
    if n < FEWEST_FOR_RATIO:
        return Estimate(ratio, None, n)
    squares = xx - 2 * ratio * xy + ratio**2 * yy
    # What rounding leaves of a variance of 0 is not taken for spread.
    if squares <= 1e-12 * (xx + ratio**2 * yy):
        return Estimate(ratio, None, n)
    deviation = math.sqrt(squares * n / (n - 1)) / y
    reach = float(stdtrit(n - 1, (1 + confidence) / 2)) * deviation
    return Estimate(ratio, Interval(max(0.0, ratio - reach), min(1.0, ratio + reach)), n)
