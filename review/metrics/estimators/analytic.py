"""ABC intervals: what a BCa bootstrap says of a smooth statistic, worked out instead of drawn.

DiCiccio and Efron (1992), More accurate confidence intervals in exponential families, Biometrika
79, 231-245; as an algorithm in Efron and Tibshirani (1993), chapter 22.6. Not for a maximum or
anything else that has no gradient everywhere.
"""

import math

import numpy as np
from scipy.special import ndtr, ndtri, stdtrit

from review.metrics.estimators.bootstrap import (
    FEWEST_FOR_STATISTIC,
    Clusters,
    Estimate,
    Statistic,
    value_of,
)
from review.metrics.estimators.columns import Floats
from review.metrics.estimators.intervals import Interval, check_confidence, cut

# Derivatives are differences: of a tenth of one cluster more or less, which no sum is emptied by,
# and of a hundredth of a standard error.
OF_A_CLUSTER, OF_A_DEVIATION = 0.1, 0.01


def abc_interval(
    groups: Clusters | None,
    statistic: Statistic,
    *,
    within: Interval | None = None,
    confidence: float = 0.95,
) -> Estimate | None:
    """A smooth function of column totals, with an ABC interval.

    Parameters
    ----------
    statistic : takes totals of shape (n, n_columns), returns shape (n,)
        It has a gradient at the totals of all clusters. It may answer nan where it is undefined.

    Returns
    -------
    None without a cluster or where the statistic of all is undefined. No interval below 100
    clusters, or where the statistic has no spread or is undefined near by. The tails are those of
    Student's t, as those of `bootstrap_statistic`.
    """
    check_confidence(confidence)
    value = value_of(groups, statistic)
    if groups is None or value is None:
        return None
    if groups.n < FEWEST_FOR_STATISTIC:
        return Estimate(value, None, groups.n)
    found = _interval(groups, statistic, value, confidence)
    return Estimate(value, cut(found, within), groups.n)


def _interval(
    groups: Clusters, statistic: Statistic, value: float, confidence: float
) -> Interval | None:
    n, total, counts = groups.n, groups.total, groups.counts
    # All by the clusters of a kind: one of them more, and as much less of everything.
    step = OF_A_CLUSTER / n
    towards = step * (n * groups.kinds - total)
    more, less = np.split(statistic(np.concatenate([total + towards, total - towards])), 2)
    slopes, bends = (more - less) / (2 * step), (more - 2 * value + less) / step**2
    spread = float(counts @ slopes**2)
    if not math.isfinite(spread) or spread <= 0:
        return None
    deviation = math.sqrt(spread) / n
    acceleration = float(counts @ slopes**3) / (6 * spread**1.5)
    # The direction in which the statistic grows by one deviation at the least cost.
    least = (counts * slopes) @ groups.kinds / (n * deviation)
    ahead, behind = statistic(total + OF_A_DEVIATION * np.array([[1.0], [-1.0]]) * least)
    quadratic = (ahead - 2 * value + behind) / (2 * deviation * OF_A_DEVIATION**2)
    bias = float(counts @ bends) / (2 * n**2)
    curvature = bias / deviation - quadratic
    below = 2 * ndtr(acceleration) * ndtr(-curvature)
    if not 0 < below < 1:
        return None
    t = math.sqrt(n / (n - 1)) * stdtrit(n - 1, (1 + confidence) / 2)
    shifted: Floats = ndtri(below) + np.array([-t, t])
    stretched = 1 - acceleration * shifted
    if (stretched <= 0).any():
        return None
    low, high = statistic(total + (shifted / stretched**2)[:, np.newaxis] * least)
    if not (math.isfinite(low) and math.isfinite(high)):
        return None
    return Interval(min(float(low), value), max(float(high), value))
