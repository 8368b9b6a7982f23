"""How good probabilities are. Shared contract of the functions below:

probabilities : float array of shape (n, k); each row sums to 1
truth : int array of shape (n,); the column of the right answer
ValueError if there is no row, the lengths differ or a column does not exist.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score, roc_auc_score

Probabilities = NDArray[np.floating]
Truth = NDArray[np.integer]

# What `summary` tells of risk and coverage.
ERRORS = (0.01, 0.02, 0.05)
COVERAGES = (0.5, 0.6, 0.7, 0.8, 0.9)

# A right answer held to be impossible costs log(1e15), not infinity.
_LEAST = 1e-15


@dataclass(frozen=True)
class Bin:
    """Rows of like certainty: their mean top probability, the share answered rightly."""

    certainty: float
    right: float
    rows: int


def accuracy(probabilities: Probabilities, truth: Truth) -> float:
    """Share of rows whose top answer is right."""
    _check(probabilities, truth)
    return float((probabilities.argmax(axis=1) == truth).mean())


def macro_f1(probabilities: Probabilities, truth: Truth) -> float:
    """Mean F1 of the classes that occur in the truth or among the top answers."""
    _check(probabilities, truth)
    return float(f1_score(truth, probabilities.argmax(axis=1), average="macro"))


def brier(probabilities: Probabilities, truth: Truth) -> float:
    """Mean over rows of the squared distance to the truth, 0 to 2 (Brier 1950)."""
    _check(probabilities, truth)
    distance = probabilities.astype(np.float64)
    distance[np.arange(len(truth)), truth] -= 1
    return float((distance**2).sum(axis=1).mean())


def log_loss(probabilities: Probabilities, truth: Truth) -> float:
    """Mean negative log probability of the truth, in nats."""
    _check(probabilities, truth)
    given = probabilities[np.arange(len(truth)), truth]
    return float(-np.log(np.maximum(given, _LEAST)).mean())


def top_k(probabilities: Probabilities, truth: Truth, k: int) -> float:
    """Share of rows with the truth among the k most probable; ties count against it."""
    _check(probabilities, truth)
    given = probabilities[np.arange(len(truth)), truth]
    not_below = (probabilities >= given[:, None]).sum(axis=1)
    return float((not_below <= k).mean())


def expected_calibration_error(
    probabilities: Probabilities, truth: Truth, *, bins: int = 15
) -> float:
    """Mean gap, 0 to 1, between the top probability and how often the top answer is right.

    A bin's gap counts by its share of rows; see `reliability`.
    """
    found = reliability(probabilities, truth, bins=bins)
    return float(sum(one.rows / len(truth) * abs(one.certainty - one.right) for one in found))


def reliability(probabilities: Probabilities, truth: Truth, *, bins: int = 15) -> list[Bin]:
    """Rows sorted by top probability into `bins` bins of (nearly) as many rows each."""
    _check(probabilities, truth)
    top = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == truth
    in_order = np.argsort(top, kind="stable")
    return [
        Bin(float(top[part].mean()), float(right[part].mean()), len(part))
        for part in np.array_split(in_order, min(bins, len(truth)))
    ]


def error_at_coverage(probabilities: Probabilities, truth: Truth, coverage: float) -> float:
    """Error among the surest rows when `coverage` (0 to 1, above 0) of all rows are answered.

    At least one row is answered; the number is rounded up.
    """
    _check(probabilities, truth)
    if not 0 < coverage <= 1:
        raise ValueError(f"Coverage must be above 0 and at most 1, got {coverage}.")
    answered, wrong = _risk_curve(probabilities, truth)
    # A hair less, so that 0.7 * 10 rows are 7 and not 8.
    wanted = max(1, int(np.ceil(coverage * len(truth) - 1e-9)))
    place = int(np.searchsorted(answered, wanted))
    return float(wrong[place] / answered[place])


def coverage_at_error(probabilities: Probabilities, truth: Truth, error: float) -> float:
    """Largest share of rows, the surest first, answered with at most this error; 0 if none."""
    _check(probabilities, truth)
    if not 0 <= error <= 1:
        raise ValueError(f"An error must be between 0 and 1, got {error}.")
    answered, wrong = _risk_curve(probabilities, truth)
    allowed = np.flatnonzero(wrong <= error * answered + 1e-12)
    return float(answered[allowed[-1]] / len(truth)) if len(allowed) else 0.0


def risk_curve(
    probabilities: Probabilities, truth: Truth
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Shares of rows answered, the surest first, and the error among them; to be drawn."""
    _check(probabilities, truth)
    answered, wrong = _risk_curve(probabilities, truth)
    return answered / len(truth), wrong / answered


def summary(probabilities: Probabilities, truth: Truth) -> dict[str, Any]:
    """All figures of `manage.py evaluate` that need only answers, by name, ready for JSON."""
    return {
        "accuracy": accuracy(probabilities, truth),
        "macro_f1": macro_f1(probabilities, truth),
        "top3": top_k(probabilities, truth, 3),
        "brier": brier(probabilities, truth),
        "ece": expected_calibration_error(probabilities, truth),
        "coverage_at_error": {
            f"{error:g}": coverage_at_error(probabilities, truth, error) for error in ERRORS
        },
        "error_at_coverage": {
            f"{share:g}": error_at_coverage(probabilities, truth, share) for share in COVERAGES
        },
    }


def auroc(usual: NDArray[np.floating], strange: NDArray[np.floating]) -> float:
    """Chance that a strange text's in-scope score is below a usual one's; equal ones count half.

    `usual`, `strange` : float arrays of shape (n,) and (m,); ValueError if one is empty.
    """
    _check_scores(usual, strange)
    is_usual = np.concatenate([np.ones(len(usual)), np.zeros(len(strange))])
    return float(roc_auc_score(is_usual, np.concatenate([usual, strange])))


def strange_turned_away(
    usual: NDArray[np.floating], strange: NDArray[np.floating], share: float
) -> float:
    """Share of the strange texts turned away where `share` (0 to 1) of the usual ones are.

    All are turned away whose in-scope score is below a limit: the highest that turns away no more
    than `share` of the usual. Arrays and ValueError as for `auroc`.
    """
    _check_scores(usual, strange)
    if not 0 <= share < 1:
        raise ValueError(f"The share turned away must be 0 to 1, below 1, got {share}.")
    # A hair more, so that 0.29 * 100 texts are 29 and not 28.
    limit = np.sort(usual)[int(share * len(usual) + 1e-9)]
    return float((strange < limit).mean())


def report(
    probabilities: Probabilities, labels: Sequence[str], classes: Sequence[str]
) -> dict[str, float]:
    """All figures of a held-out evaluation, by name, ready for JSON.

    `labels` are class names, one a row; a name that is not in `classes` is a ValueError.
    """
    column_of = {name: column for column, name in enumerate(classes)}
    unknown = set(labels) - column_of.keys()
    if unknown:
        raise ValueError(f"Labels must be classes of the model, got {sorted(unknown)}.")
    truth = np.array([column_of[label] for label in labels], dtype=np.intp)
    return {
        "tickets": float(len(truth)),
        "accuracy": accuracy(probabilities, truth),
        "macro_f1": macro_f1(probabilities, truth),
        "brier": brier(probabilities, truth),
        "log_loss": log_loss(probabilities, truth),
        "calibration_error": expected_calibration_error(probabilities, truth),
        "top_3": top_k(probabilities, truth, 3),
        "error_at_coverage_50": error_at_coverage(probabilities, truth, 0.5),
        "error_at_coverage_80": error_at_coverage(probabilities, truth, 0.8),
        "coverage_at_error_02": coverage_at_error(probabilities, truth, 0.02),
        "coverage_at_error_05": coverage_at_error(probabilities, truth, 0.05),
    }


def _risk_curve(
    probabilities: Probabilities, truth: Truth
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows answered and errors among them, at each threshold; equal rows stand or fall together."""
    top = probabilities.max(axis=1)
    wrong = probabilities.argmax(axis=1) != truth
    in_order = np.argsort(-top, kind="stable")
    sorted_top = top[in_order]
    last_of_equal = np.append(np.flatnonzero(np.diff(sorted_top)), len(top) - 1)
    return last_of_equal + 1, np.cumsum(wrong[in_order])[last_of_equal]


def _check(probabilities: Probabilities, truth: Truth) -> None:
    if probabilities.ndim != 2 or len(probabilities) != len(truth):
        raise ValueError(
            "Probabilities must be rows of a table, one for each truth, "
            f"got shape {probabilities.shape} and {len(truth)} truths."
        )
    if not len(truth):
        raise ValueError("An evaluation needs at least one row, got none.")
    if truth.min() < 0 or truth.max() >= probabilities.shape[1]:
        raise ValueError(
            f"A truth must be a column from 0 to {probabilities.shape[1] - 1}, "
            f"got {truth.min()} to {truth.max()}."
        )


def _check_scores(usual: NDArray[np.floating], strange: NDArray[np.floating]) -> None:
    if not len(usual) or not len(strange):
        raise ValueError(
            "Scope is judged by usual and by strange texts, "
            f"got {len(usual)} and {len(strange)} of them."
        )
