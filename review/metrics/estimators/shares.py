"""Shares of sums: minutes of minutes, by ticket (metrics 22, 23, 25)."""

import numpy as np
from numpy.typing import ArrayLike

from review.metrics.estimators.bootstrap import RESAMPLES, SEED, Estimate, bootstrap_ratio
from review.metrics.estimators.columns import Floats, clusters_of, numbers, same_length
from review.metrics.estimators.intervals import Interval
from review.metrics.estimators.quantiles import Quantile, quantile


def share_of_sums(
    parts: ArrayLike,
    wholes: ArrayLike,
    clusters: ArrayLike | None = None,
    *,
    confidence: float = 0.95,
    n_resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Estimate | None:
    """Sum of the parts / sum of the wholes, 0 to 1: rework (22), meta-work (25).

    Both in one unit, shape (n,), with 0 <= part <= whole in each row, or ValueError. Long tickets
    count for more than short ones. Otherwise the same as `bootstrap_ratio`.
    """
    part, whole = numbers("parts", parts, low=0), numbers("wholes", wholes, low=0)
    same_length(parts=part, wholes=whole)
    # Minutes that were added up in another order may differ in the last digits.
    over = part > whole * (1 + 1e-9)
    if over.any():
        at = int(np.argmax(over))
        raise ValueError(
            f"A part cannot exceed its whole; position {at} has {part[at]:g} of {whole[at]:g}."
        )
    return bootstrap_ratio(
        part,
        whole,
        clusters,
        within=Interval(0, 1),
        confidence=confidence,
        n_resamples=n_resamples,
        seed=seed,
    )


def touch_ratio(
    handling: ArrayLike,
    waiting: ArrayLike,
    clusters: ArrayLike | None = None,
    *,
    confidence: float = 0.95,
    n_resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Estimate | None:
    """Handling / (handling + waiting) of all tickets together, from times in one unit.

    The caller leaves out waiting for the requester. Otherwise the same as `share_of_sums`.
    """
    handled, waited = _times(handling, waiting)
    return share_of_sums(
        handled,
        handled + waited,
        clusters,
        confidence=confidence,
        n_resamples=n_resamples,
        seed=seed,
    )


def median_touch_ratio(
    handling: ArrayLike,
    waiting: ArrayLike,
    clusters: ArrayLike | None = None,
    *,
    confidence: float = 0.95,
) -> Quantile | None:
    """The ratio of the middle ticket, in which long tickets count no more than short ones.

    Rows of one ticket are added up first; tickets without any time are left out. The interval
    lies between order statistics: exact, where a bootstrap of a median is not.
    """
    handled, waited = _times(handling, waiting)
    if len(handled) == 0:
        return None
    index = clusters_of(clusters, len(handled))
    parts = np.bincount(index, weights=handled)
    wholes = parts + np.bincount(index, weights=waited)
    ratios = parts[wholes > 0] / wholes[wholes > 0]
    return quantile(ratios.tolist(), 0.5, confidence=confidence)


def _times(handling: ArrayLike, waiting: ArrayLike) -> tuple[Floats, Floats]:
    handled, waited = numbers("handling", handling, low=0), numbers("waiting", waiting, low=0)
    same_length(handling=handled, waiting=waited)
    return handled, waited
