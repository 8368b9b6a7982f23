"""How far two blind reviewers agree beyond chance: how true the truth is (metric 14)."""

import numpy as np
from numpy.typing import ArrayLike

from review.metrics.estimators.analytic import abc_interval
from review.metrics.estimators.bootstrap import Clusters, Estimate, clustered
from review.metrics.estimators.columns import Floats, numbers, same_length
from review.metrics.estimators.intervals import Interval


def cohen_kappa(
    first: ArrayLike,
    second: ArrayLike,
    clusters: ArrayLike | None = None,
    *,
    confidence: float = 0.95,
) -> Estimate | None:
    """(p_o - p_e) / (1 - p_e), with agreement p_o, and p_e that of the same shares by chance.

    Parameters
    ----------
    first, second : labels of any kind, shape (n,)
        Of the same tickets. Every two different labels differ by as much.

    Returns
    -------
    From -1 to 1, as sklearn.metrics.cohen_kappa_score says it. None without a ticket, or where
    both gave one and the same label throughout: then there is no chance to agree beyond.
    No interval below 100 tickets, else that of `abc_interval`. Cohen (1960), Educ. Psychol. Meas.
    20, 37-46.
    """
    groups = clustered(_columns(first, second), clusters)
    return abc_interval(groups, _kappa, within=Interval(-1, 1), confidence=confidence)


def cohen_kappa_of_counts(
    first: ArrayLike,
    second: ArrayLike,
    counts: ArrayLike,
    *,
    confidence: float = 0.95,
) -> Estimate | None:
    """`cohen_kappa` of tickets that were counted by what both said, one cluster each.

    Costs what the different pairs of labels do, however many tickets there are.

    Parameters
    ----------
    first, second : labels of any kind, shape (n_pairs,)
        Every pair once.
    counts : at least 0, shape (n_pairs,)
        How many tickets have the pair.
    """
    one, two = np.asarray(first), np.asarray(second)
    n = numbers("counts", counts, low=0)
    same_length(first=one, second=two, counts=n)
    if n.sum() == 0:
        return None
    # In one order, so that what the database happens to answer first plays no part.
    order = np.lexsort((two, one))
    there = order[n[order] > 0]
    groups = Clusters(_columns(one[there], two[there]), n[there])
    return abc_interval(groups, _kappa, within=Interval(-1, 1), confidence=confidence)


def _columns(first: ArrayLike, second: ArrayLike) -> Floats:
    """Whether both said the same, then a column for each label of the first and of the second."""
    one, two = np.asarray(first), np.asarray(second)
    same_length(first=one, second=two)
    labels, index = np.unique(np.concatenate([one, two]), return_inverse=True)
    is_one, is_two = np.eye(len(labels))[index[: len(one)]], np.eye(len(labels))[index[len(one) :]]
    return np.column_stack([one == two, is_one, is_two])


def _kappa(totals: Floats) -> Floats:
    n_labels = (totals.shape[1] - 1) // 2
    firsts, seconds = totals[:, 1 : n_labels + 1], totals[:, n_labels + 1 :]
    n = firsts.sum(axis=1)
    by_chance = (firsts * seconds).sum(axis=1) / n
    with np.errstate(divide="ignore", invalid="ignore"):
        kappa: Floats = (totals[:, 0] - by_chance) / (n - by_chance)
    return np.where(n > by_chance, kappa, np.nan)
