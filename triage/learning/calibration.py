"""Scores of a linear model made into probabilities that mean what they say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression

_Fit = Callable[
    [NDArray[np.float64], NDArray[np.intp], NDArray[np.float64]],
    tuple[NDArray[np.float64], NDArray[np.float64]],
]
# Fewer held-out texts a class, or more classes, than these: one shared temperature only.
_FEWEST_FOR_MATRIX = 10
_MOST_CLASSES_FOR_MATRIX = 100


@dataclass(frozen=True)
class Calibration:
    """softmax(scores @ matrix + offset), fitted on scores of texts the model had not seen.

    Being linear, it can be folded into the coefficients of the model it calibrates.

    Attributes
    ----------
    method : "temperature" (one factor for all) or "matrix" (multinomial regression on the scores)
    matrix : float array of shape (k, k)
    offset : float array of shape (k,)
    log_loss : held-out (weighted) mean negative log probability of the truth, in nats
    """

    method: str
    matrix: NDArray[np.float64]
    offset: NDArray[np.float64]
    log_loss: float


def calibrate(
    scores: NDArray[np.float64],
    codes: NDArray[np.intp],
    folds: NDArray[np.intp],
    counts: NDArray[np.float64],
) -> Calibration:
    """The method with the lower log loss on folds it was not fitted on, then fitted on all.

    Parameters
    ----------
    scores : float array of shape (n, k), out of fold
    codes : int array of shape (n,), the column of the truth
    folds : int array of shape (n,), the fold each row was held out in
    counts : float array of shape (n,), above 0: how much each truth counts
    """
    sizes = np.bincount(codes, minlength=scores.shape[1])
    methods: dict[str, _Fit] = {"temperature": _temperature}
    if sizes.min() >= _FEWEST_FOR_MATRIX and scores.shape[1] <= _MOST_CLASSES_FOR_MATRIX:
        methods["matrix"] = _matrix
    losses = {
        name: _held_out_loss(fit, scores, codes, folds, counts) for name, fit in methods.items()
    }
    best = min(losses, key=lambda name: losses[name])
    matrix, offset = methods[best](scores, codes, counts)
    return Calibration(best, matrix, offset, losses[best])


def _held_out_loss(
    fit: _Fit,
    scores: NDArray[np.float64],
    codes: NDArray[np.intp],
    folds: NDArray[np.intp],
    counts: NDArray[np.float64],
) -> float:
    losses = np.zeros(len(codes))
    for fold in np.unique(folds):
        held = folds == fold
        fitted_on = ~held
        matrix, offset = fit(scores[fitted_on], codes[fitted_on], counts[fitted_on])
        logs = log_softmax(scores[held] @ matrix + offset, axis=1)
        losses[held] = -logs[np.arange(held.sum()), codes[held]]
    return float(np.average(losses, weights=counts))


def _temperature(
    scores: NDArray[np.float64], codes: NDArray[np.intp], counts: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The factor of least log loss (Guo, Pleiss, Sun, Weinberger 2017).

    Two imagined misses are spread over the rows, so that a few texts, all answered
    rightly, do not make for certainty.
    """
    n, k = scores.shape
    doubt = 2 / (n + 2)
    targets = np.full((n, k), doubt / k)
    targets[np.arange(n), codes] += 1 - doubt
    targets *= (counts / counts.sum())[:, None]

    def loss(log_factor: float) -> float:
        logs = log_softmax(scores * np.exp(log_factor), axis=1)
        return float(-(targets * logs).sum())

    factor = np.exp(minimize_scalar(loss, bounds=(-6, 6), method="bounded").x)
    return np.eye(k) * factor, np.zeros(k)


def _matrix(
    scores: NDArray[np.float64], codes: NDArray[np.intp], counts: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    spread = scores.std()
    fitted = LogisticRegression(C=1.0, max_iter=2_000).fit(scores / spread, codes, counts)
    matrix, offset = fitted.coef_.T / spread, fitted.intercept_
    if matrix.shape[1] == 1:
        matrix, offset = np.hstack([-matrix, matrix]) / 2, np.concatenate([-offset, offset]) / 2
    return matrix, offset
