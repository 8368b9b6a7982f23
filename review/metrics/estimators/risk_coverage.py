"""How much would be automated above a score, and how wrong that would be (metric 15).

El-Yaniv and Wiener (2010), J. Mach. Learn. Res. 11, 1605-1641.
"""

from collections.abc import Sequence
from typing import NamedTuple

from numpy.typing import ArrayLike

from review.metrics.estimators.columns import flags, numbers, same_length, weights_of
from review.metrics.estimators.weighted import WeightedRate, weighted_rate


class RiskPoint(NamedTuple):
    """Of the tickets with a score of at least `cut`.

    coverage : their share of all tickets
    error : wrong ones among them; None where no checked ticket scores so high
    """

    cut: float
    coverage: WeightedRate
    error: WeightedRate | None


def risk_coverage(
    scores: ArrayLike,
    wrong: ArrayLike,
    cuts: Sequence[float],
    weights: ArrayLike | None = None,
    *,
    confidence: float = 0.95,
) -> list[RiskPoint]:
    """Coverage and error at each cut, in the order given; empty without a checked ticket.

    Parameters
    ----------
    scores : float, shape (n,)
        Of checked tickets, on the scale of the cuts.
    wrong : 0 or 1, shape (n,)
    weights : float, shape (n,)
        1 / propensity of the check.

    Each interval holds by itself. A cut that is chosen for its low error needs the certificate's
    test, which allows for having looked at all of them.
    """
    score, error = numbers("scores", scores, low=-float("inf")), flags("wrong", wrong)
    same_length(scores=score, wrong=error)
    weight = weights_of(weights, len(score))
    points = []
    for cut in cuts:
        above = score >= cut
        coverage = weighted_rate(above, weight, confidence=confidence)
        if coverage is not None:
            risk = weighted_rate(error[above], weight[above], confidence=confidence)
            points.append(RiskPoint(cut, coverage, risk))
    return points
