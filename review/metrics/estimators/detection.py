"""Overriding as detection of wrong proposals: how well, and how readily (metric 11).

Green and Swets (1966), Signal Detection Theory and Psychophysics. A hit is an override of a wrong
proposal, a false alarm one of a right proposal.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from review.metrics.estimators.analytic import abc_interval
from review.metrics.estimators.bootstrap import Clustering, Estimate, clustered
from review.metrics.estimators.columns import Floats, flags, same_length, weights_of


class Detection(NamedTuple):
    """In standard deviations of the evidence that a reviewer goes by.

    sensitivity : d'; 0 where wrong proposals are overridden no more often than right ones
    criterion : c; above 0 where a reviewer would rather accept, below where rather override
    """

    sensitivity: Estimate
    criterion: Estimate


def sensitivity_and_criterion(
    hits: int, wrong: int, false_alarms: int, right: int
) -> tuple[float, float] | None:
    """d' and c from counts; None if no proposal was wrong, or none right.

    Each rate is (k + 1/2) / (n + 1), which is never 0 or 1: Hautus (1995), Behavior Research
    Methods, Instruments & Computers 27, 46-51. Raises ValueError unless 0 <= k <= n.
    """
    for name, k, n in (("hits", hits, wrong), ("false_alarms", false_alarms, right)):
        if not 0 <= k <= n:
            raise ValueError(f"{name} must be between 0 and n; got k={k}, n={n}.")
    if wrong == 0 or right == 0:
        return None
    totals = np.array([[hits, wrong, wrong, false_alarms, right, right]], dtype=np.float64)
    return float(_sensitivity(totals)[0]), float(_criterion(totals)[0])


def detection(
    ai_right: ArrayLike,
    overridden: ArrayLike,
    clusters: Clustering = None,
    weights: ArrayLike | None = None,
    *,
    confidence: float = 0.95,
) -> Detection | None:
    """d' and c of checked decisions, with intervals of `abc_interval`.

    Parameters
    ----------
    ai_right, overridden : 0 or 1, shape (n,)
    weights : float, shape (n,)
        1 / propensity. The correction then works on effective numbers, as half a ticket more
        must not weigh less the larger the weights are.

    Returns
    -------
    None if no proposal was wrong, or none right. No interval below 100 tickets, or while one of
    the four cells (wrong or right, overridden or accepted) is empty: what was seen of an empty
    cell has no spread, and the interval would know nothing of the rate behind it.
    """
    right, stopped = flags("ai_right", ai_right), flags("overridden", overridden)
    same_length(ai_right=right, overridden=stopped)
    weight = weights_of(weights, len(right))
    sides = [(1 - right) * weight, right * weight]
    columns = np.column_stack(
        [part for side in sides for part in (side * stopped, side, side * weight)]
    )
    groups = clustered(columns, clusters)
    sensitivity, criterion = (
        abc_interval(groups, statistic, confidence=confidence)
        for statistic in (_sensitivity, _criterion)
    )
    if sensitivity is None or criterion is None:
        return None
    if len(set(zip(right.tolist(), stopped.tolist(), strict=True))) < 4:
        return Detection(sensitivity._replace(interval=None), criterion._replace(interval=None))
    return Detection(sensitivity, criterion)


def _sensitivity(totals: Floats) -> Floats:
    hit, false_alarm = _scores(totals)
    return hit - false_alarm


def _criterion(totals: Floats) -> Floats:
    hit, false_alarm = _scores(totals)
    criterion: Floats = -(hit + false_alarm) / 2
    return criterion


def _scores(totals: Floats) -> tuple[Floats, Floats]:
    """z of the corrected rate of overrides, for wrong and for right proposals; nan without any."""
    scores = []
    for stopped, weight, square in (totals.T[:3], totals.T[3:]):
        with np.errstate(divide="ignore", invalid="ignore"):
            n = weight**2 / square
            scores.append(ndtri((n * stopped / weight + 0.5) / (n + 1)))
    return scores[0], scores[1]
