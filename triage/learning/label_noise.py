"""Labels that are probably wrong, by confident learning (Northcutt, Jiang and Chuang 2021).

Shared contract of the functions below:

probabilities : float array of shape (n, k); each row sums to 1, by models that had not seen it
labels : int array of shape (n,); the column of the label given
ValueError if there is no row, a probability is nan, the lengths differ or a column does not exist.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Probabilities = NDArray[np.floating]
Labels = NDArray[np.integer]

# A probability that only rounding keeps below its threshold reaches it.
_HAIR = 1e-6
# No row with a class's label: nothing can be confidently of that class.
_UNREACHABLE = 2.0


def thresholds(probabilities: Probabilities, labels: Labels) -> NDArray[np.float64]:
    """Per class, the mean probability it gets where it is the label; 2 where it never is."""
    _check(probabilities, labels)
    given = probabilities[np.arange(len(labels)), labels]
    counts = np.bincount(labels, minlength=probabilities.shape[1])
    sums = np.bincount(labels, weights=given, minlength=probabilities.shape[1])
    means: NDArray[np.float64] = np.where(counts > 0, sums / np.maximum(counts, 1), _UNREACHABLE)
    # A probability of 0 must reach none.
    return np.maximum(means, 2 * _HAIR)


def confident_classes(probabilities: Probabilities, labels: Labels) -> NDArray[np.intp]:
    """The class each row confidently is of, or -1: the most probable that reaches its threshold."""
    reached = probabilities >= thresholds(probabilities, labels) - _HAIR
    best = np.where(reached, probabilities, -1.0).argmax(axis=1)
    return np.where(reached.any(axis=1), best, -1)


def confident_joint(probabilities: Probabilities, labels: Labels) -> NDArray[np.intp]:
    """Counts of shape (k, k): rows labelled i (down) that are confidently of class j (across).

    Every class is confirmed once at least, so that none is taken for wrong throughout.
    """
    k = probabilities.shape[1]
    found = confident_classes(probabilities, labels)
    sure = found >= 0
    joint = np.zeros((k, k), dtype=np.intp)
    np.add.at(joint, (labels[sure], found[sure]), 1)
    np.fill_diagonal(joint, np.maximum(joint.diagonal(), 1))
    return joint


def estimated_joint(probabilities: Probabilities, labels: Labels) -> NDArray[np.float64]:
    """Share of all rows that are labelled i (down) and truly j (across); sums to 1.

    Each row of the confident joint is scaled to how often its label is given.
    """
    joint = confident_joint(probabilities, labels).astype(np.float64)
    given = np.bincount(labels, minlength=len(joint))
    joint *= (given / joint.sum(axis=1))[:, None]
    estimate: NDArray[np.float64] = joint / joint.sum()
    return estimate


def noise_share(probabilities: Probabilities, labels: Labels) -> float:
    """Estimated share of labels that are wrong, 0 to 1."""
    return float(1.0 - estimated_joint(probabilities, labels).trace())


def self_confidence(probabilities: Probabilities, labels: Labels) -> NDArray[np.floating]:
    """The probability of each row's own label; low is suspicious."""
    _check(probabilities, labels)
    found: NDArray[np.floating] = probabilities[np.arange(len(labels)), labels]
    return found


def margin(probabilities: Probabilities, labels: Labels) -> NDArray[np.floating]:
    """Probability of the label less that of the best other class, -1 to 1; low is suspicious."""
    others = probabilities.copy()
    others[np.arange(len(labels)), labels] = -1.0
    found: NDArray[np.floating] = self_confidence(probabilities, labels) - others.max(axis=1)
    return found


def doubtful(
    probabilities: Probabilities, labels: Labels, *, ranked_by: str = "self_confidence"
) -> NDArray[np.intp]:
    """Rows whose label is probably wrong, the most suspicious first.

    Those that are confidently of another class, and whose label is not the most probable one.
    `ranked_by` "self_confidence" had more wrong labels at the head of the list where they were
    made wrong at random (.77 against .60 of them, on real tickets), "margin" where they were given
    the most similar choice (.77 against .70).
    """
    ranks = {"margin": margin, "self_confidence": self_confidence}
    if ranked_by not in ranks:
        raise ValueError(f"Ranked by is one of {sorted(ranks)}, got {ranked_by!r}.")
    found = confident_classes(probabilities, labels)
    is_other = (found >= 0) & (found != labels) & (probabilities.argmax(axis=1) != labels)
    rows = np.flatnonzero(is_other)
    order = np.argsort(ranks[ranked_by](probabilities, labels)[rows], kind="stable")
    return rows[order]


def _check(probabilities: Probabilities, labels: Labels) -> None:
    if probabilities.ndim != 2 or len(probabilities) != len(labels):
        raise ValueError(
            "Probabilities must be rows of a table, one for each label, "
            f"got shape {probabilities.shape} and {len(labels)} labels."
        )
    if not len(labels):
        raise ValueError("Doubting labels needs at least one row, got none.")
    if np.isnan(probabilities).any():
        raise ValueError("Rows that were never held out have no probabilities; leave them out.")
    if labels.min() < 0 or labels.max() >= probabilities.shape[1]:
        raise ValueError(
            f"A label must be a column from 0 to {probabilities.shape[1] - 1}, "
            f"got {labels.min()} to {labels.max()}."
        )
