"""Certificates: error at most alpha with confidence 1 - delta, from blind labels, finite sample.

Fixed-sequence testing over a frozen grid of thresholds: Angelopoulos, Bates, Candès, Jordan and
Lei, "Learn then Test: Calibrating Predictive Algorithms to Achieve Risk Control" (2021), with the
exact binomial p-value for an error that is 0 or 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import bdtr


@dataclass(frozen=True)
class Certified:
    """The lowest threshold whose error was shown to be small, and the labels that showed it."""

    threshold: float
    n: int
    errors: int


def p_value(n: int, errors: int, alpha: float) -> float:
    """P(Bin(n, alpha) <= errors): how likely so few errors were, if the true rate were alpha.

    Without labels it is 1.

    Raises
    ------
    ValueError
        If errors lie outside 0 to n, or alpha outside (0, 1).
    """
    _require_share("alpha", alpha)
    if not 0 <= errors <= n:
        raise ValueError(f"Errors must lie between 0 and the {n} labels; got {errors}.")
    return float(bdtr(errors, n, alpha))


def labels_needed(alpha: float, delta: float, errors: int) -> int:
    """Fewest labels with which `errors` errors still certify `alpha` at confidence 1 - delta.

    Raises
    ------
    ValueError
        If alpha or delta lies outside (0, 1), or errors is negative.
    """
    _require_share("alpha", alpha)
    _require_share("delta", delta)
    if errors < 0:
        raise ValueError(f"Errors must be 0 or more; got {errors}.")
    few, many = errors, errors + 1
    while p_value(many, errors, alpha) > delta:
        few, many = many, 2 * many
    while many - few > 1:  # `few` labels are too few, `many` are enough
        middle = (few + many) // 2
        if p_value(middle, errors, alpha) > delta:
            few = middle
        else:
            many = middle
    return many


def grid(scores: ArrayLike, rungs: int = 8, start_labels: int = 160) -> tuple[float, ...]:
    """Thresholds to test later, strictest first, frozen before any label is looked at.

    The strictest has `start_labels` scores at or above it, the last has all; the counts between
    grow by a constant factor. Ties are merged, and fewer scores than `start_labels` give one
    threshold below them all, so there may be fewer than `rungs`; without scores there are none.

    Parameters
    ----------
    scores : float array of shape (n_tickets,), in [0, 1]
        Top probabilities of tickets predicted as the choice, in scope or not, from a tuning fold
        that shares no ticket with the labels of `fixed_sequence`.

    Raises
    ------
    ValueError
        If a score lies outside [0, 1], or rungs or start_labels is below 1.
    """
    if rungs < 1 or start_labels < 1:
        raise ValueError(f"A grid needs rungs and start labels; got {rungs} and {start_labels}.")
    falling = np.sort(_probabilities(scores))[::-1]
    if not falling.size:
        return ()
    first = min(start_labels, falling.size)
    counts = np.geomspace(first, falling.size, rungs).round().astype(int)
    return tuple(sorted({float(falling[count - 1]) for count in counts}, reverse=True))


def fixed_sequence(
    scores: ArrayLike, wrong: ArrayLike, grid: Sequence[float], alpha: float, delta: float
) -> Certified | None:
    """Walk down the grid while the error is shown to be at most alpha; the last step that passed.

    The chance that a returned threshold truly errs more often than alpha is at most delta,
    whatever the model, because the walk stops at its first failure. M choices certified together
    need delta / M each. None if the strictest threshold already fails.

    Parameters
    ----------
    scores : float array of shape (n_labels,), in [0, 1]
        Top probabilities of uniformly drawn blind checks of all traffic predicted as the choice,
        one per ticket.
    wrong : array of shape (n_labels,), of 0 and 1 or of bool
        Whether the checked truth differed from the choice.
    grid : strictly falling thresholds
        Chosen without these labels, as by `grid`. A score equal to a threshold is covered.
    alpha, delta : float in (0, 1)

    Raises
    ------
    ValueError
        If a value is out of its range, the arrays differ in length, or the grid does not fall.
    """
    _require_share("alpha", alpha)
    _require_share("delta", delta)
    probabilities, errors = _probabilities(scores), np.asarray(wrong)
    if errors.shape != probabilities.shape:
        raise ValueError(f"{probabilities.size} scores need as many labels; got {errors.size}.")
    if not np.isin(errors, (0, 1)).all():
        raise ValueError("Wrong is 0 or 1 for each label; got something else.")
    if any(not upper > lower for upper, lower in zip(grid[:-1], grid[1:], strict=True)):
        raise ValueError(f"The grid must fall strictly; got {list(grid)}.")
    passed = None
    for threshold in grid:
        covered = errors[probabilities >= threshold]
        step = Certified(threshold, int(covered.size), int(np.count_nonzero(covered)))
        if p_value(step.n, step.errors, alpha) > delta:
            break
        passed = step
    return passed


def _probabilities(scores: ArrayLike) -> NDArray[np.float64]:
    array = np.asarray(scores, dtype=np.float64)
    if array.ndim != 1 or not ((array >= 0) & (array <= 1)).all():
        raise ValueError("Scores must be one row of probabilities from 0 to 1; got something else.")
    return array


def _require_share(name: str, value: float) -> None:
    if not 0 < value < 1:
        raise ValueError(f"{name} must lie between 0 and 1; got {value}.")
