"""Do people follow the AI where it is right, and stop it where it is wrong (metrics 5, 6, 7)?

A table holds checked proposals, whose truth is known, by whether the AI was right and whether a
person overrode it. Schemmer et al. (2023), Appropriate Reliance on AI Advice, IUI.
"""

from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from review.metrics.estimators.analytic import abc_interval
from review.metrics.estimators.bootstrap import (
    FEWEST_FOR_STATISTIC,
    RESAMPLES,
    SEED,
    Clustering,
    Estimate,
    Repeated,
    bootstrap_ratio,
    clustered,
)
from review.metrics.estimators.columns import Floats, flags, same_length, weights_of
from review.metrics.estimators.intervals import Interval
from review.metrics.estimators.weighted import (
    WeightedRate,
    WeightedSums,
    weighted_rate_from_sums,
    weighted_sums,
)


@dataclass(frozen=True)
class RelianceTable:
    """Checked decisions where the AI was wrong, and where it was right; the hits were overridden.

    Tables of several days or groups add up with `+`.
    """

    wrong: WeightedSums = field(default_factory=WeightedSums)
    right: WeightedSums = field(default_factory=WeightedSums)

    def __add__(self, other: Self) -> "RelianceTable":
        return RelianceTable(self.wrong + other.wrong, self.right + other.right)


def reliance_table(
    ai_right: ArrayLike, overridden: ArrayLike, weights: ArrayLike | None = None
) -> RelianceTable:
    """The table of rows given one by one: 0 or 1, and 1 / propensity, each of shape (n,)."""
    right, stopped = flags("ai_right", ai_right), flags("overridden", overridden)
    same_length(ai_right=right, overridden=stopped)
    weight = weights_of(weights, len(right))
    sides = [weighted_sums(stopped[right == side], weight[right == side]) for side in (0, 1)]
    return RelianceTable(*sides)


def over_reliance(table: RelianceTable, *, confidence: float = 0.95) -> WeightedRate | None:
    """Accepted, of those where the AI was wrong; None if it never was."""
    return weighted_rate_from_sums(table.wrong.misses(), confidence=confidence)


def under_reliance(table: RelianceTable, *, confidence: float = 0.95) -> WeightedRate | None:
    """Overridden, of those where the AI was right; None if it never was."""
    return weighted_rate_from_sums(table.right, confidence=confidence)


def override_net_benefit(
    ai_right: ArrayLike,
    final_right: ArrayLike,
    clusters: Clustering = None,
    weights: ArrayLike | None = None,
    *,
    confidence: float = 0.95,
    n_resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Estimate | None:
    """Share of overrides that mended a wrong proposal minus share that spoilt a right one.

    Parameters
    ----------
    ai_right, final_right : 0 or 1, shape (n,)
        Overridden proposals only. From a wrong to another wrong value counts for neither share.

    Returns
    -------
    From -1 to 1; below 0 overrides do harm. None without an override. No interval below 30
    tickets; up to about 100 it is too narrow where fewer than 1 in 6 overrides changed anything.
    From 100 tickets on it is that of `abc_interval`, which needs no draws.
    """
    right, final = flags("ai_right", ai_right), flags("final_right", final_right)
    same_length(ai_right=right, final_right=final)
    weight = weights_of(weights, len(right))
    # Mended is (0, 1), spoilt (1, 0); all else is 0.
    benefit = weight * (final - right)
    groups = clustered(np.column_stack([benefit, weight]), clusters)
    if groups is not None and groups.n >= FEWEST_FOR_STATISTIC:
        return abc_interval(groups, _ratio, within=Interval(-1, 1), confidence=confidence)
    return bootstrap_ratio(
        benefit,
        weight,
        clusters,
        within=Interval(-1, 1),
        confidence=confidence,
        n_resamples=n_resamples,
        seed=seed,
    )


def _ratio(totals: Floats) -> Floats:
    ratio: Floats = totals[:, 0] / totals[:, 1]
    return ratio


def net_benefit_by_reason(
    ai_right: ArrayLike,
    final_right: ArrayLike,
    reasons: ArrayLike,
    clusters: Clustering = None,
    weights: ArrayLike | None = None,
    *,
    confidence: float = 0.95,
    n_resamples: int = RESAMPLES,
    seed: int = SEED,
) -> dict[str, Estimate]:
    """`override_net_benefit` for the overrides of each reason code, in the codes' order."""
    right, final = flags("ai_right", ai_right), flags("final_right", final_right)
    codes = np.asarray(reasons, dtype=str)
    same_length(ai_right=right, final_right=final, reasons=codes)
    weight = weights_of(weights, len(codes))
    benefits = {}
    for code in np.unique(codes):
        at = codes == code
        benefit = override_net_benefit(
            right[at],
            final[at],
            _some(clusters, at),
            weight[at],
            confidence=confidence,
            n_resamples=n_resamples,
            seed=seed,
        )
        if benefit is not None:
            benefits[str(code)] = benefit
    return benefits


def _some(clusters: Clustering, at: NDArray[np.bool_]) -> Clustering:
    if clusters is None:
        return None
    if isinstance(clusters, Repeated):
        return Repeated(np.asarray(clusters.times)[at])
    return np.asarray(clusters)[at]
