"""How a classifier comes about: folds, out-of-fold scores, calibration, the final fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.linear_model import SGDClassifier
from threadpoolctl import threadpool_limits

from triage.learning.calibration import calibrate
from triage.learning.classifier import SCOPE_STEPS, Classifier
from triage.learning.features import Features, Row

Progress = Callable[[float, str], None]
"""Called with the share of the work done (0 to 1) and what comes next, for people to read."""

_FOLDS = 5
# Alike for every size of training set: L2 strength C = 1 / (alpha * n).
_C = 6.4


@dataclass(frozen=True)
class Fit:
    """A classifier, and what models that had not seen each training text say of it.

    out_of_fold : float array of shape (n_texts, k), calibrated, columns as `classifier.classes_`;
        rows of nan where a text was never held out, being the only one of its class
    """

    classifier: Classifier
    out_of_fold: NDArray[np.float64]


def fit(
    texts: Sequence[str],
    labels: Sequence[str],
    *,
    seed: int,
    weights: Sequence[float] | None = None,
    progress: Progress | None = None,
) -> Fit:
    """Train on texts and their labels; the same input and seed give the same model.

    `weights` (above 0, one a text, 1 by default) say how much each label counts.

    Raises
    ------
    ValueError
        If there is no text, the lengths differ, there are fewer than two classes,
        or no class has two texts (nothing could be held out to calibrate on).
    """
    classes, codes = _checked(texts, labels)
    counts = np.ones(len(codes)) if weights is None else np.asarray(weights, dtype=np.float64)
    if counts.shape != codes.shape or not (counts > 0).all():
        raise ValueError(f"Every text needs one weight above 0, got {counts.shape} weights.")
    # Threads of the algebra library wait by spinning: measured, one is three times as
    # fast as two on a busy machine.
    with threadpool_limits(1):
        return _fitted(texts, classes, codes, counts, seed, progress or _silent)


def _fitted(
    texts: Sequence[str],
    classes: list[str],
    codes: NDArray[np.intp],
    counts: NDArray[np.float64],
    seed: int,
    tell: Progress,
) -> Fit:
    folds = _folds(codes, seed)
    tell(0.0, "counting words")
    features, rows = Features.fit(texts)
    scores, nearness = _out_of_fold(features, rows, codes, counts, folds, seed, tell)
    tell(0.8, "calibrating")
    held = folds >= 0
    calibration = calibrate(scores[held], codes[held], folds[held])
    tell(0.85, "fitting on everything")
    weights, intercept = _linear(rows, codes, counts, seed)
    classifier = Classifier(
        classes_=classes,
        features=features,
        weights=np.ascontiguousarray(weights @ calibration.matrix, dtype=np.float32),
        intercept=intercept @ calibration.matrix + calibration.offset,
        centroids=_centroids(rows, codes, len(classes)),
        scope_levels=np.quantile(nearness[held], np.linspace(0, 1, SCOPE_STEPS)).astype(np.float32),
        calibration=calibration.method,
    )
    checked = np.full(scores.shape, np.nan)
    checked[held] = softmax(scores[held] @ calibration.matrix + calibration.offset, axis=1)
    tell(1.0, "done")
    return Fit(classifier, checked)


def _silent(done: float, what: str) -> None:
    return None


def _checked(texts: Sequence[str], labels: Sequence[str]) -> tuple[list[str], NDArray[np.intp]]:
    if len(texts) != len(labels):
        raise ValueError(
            f"Every text needs one label, got {len(texts)} texts and {len(labels)} labels."
        )
    if not len(texts):
        raise ValueError("Training needs texts, got none.")
    classes = sorted({str(label) for label in labels})
    if len(classes) < 2:
        raise ValueError(f"Training needs at least two classes, got only {classes[0]!r}.")
    code_of = {name: code for code, name in enumerate(classes)}
    codes = np.array([code_of[label] for label in labels], dtype=np.intp)
    if np.bincount(codes).max() < 2:
        raise ValueError(
            f"Training needs a class with at least two texts, got {len(classes)} with one each."
        )
    return classes, codes


def _folds(codes: NDArray[np.intp], seed: int) -> NDArray[np.intp]:
    """The fold each row is held out in, every class dealt out evenly.

    -1 where a class has one text only: it stays in training always, for a model that
    has never seen a class says nothing about it.
    """
    rng = np.random.default_rng(seed)
    folds = np.full(len(codes), -1, dtype=np.intp)
    dealt = 0
    for code in range(codes.max() + 1):
        members = rng.permutation(np.flatnonzero(codes == code))
        if len(members) > 1:
            folds[members] = (dealt + np.arange(len(members))) % _FOLDS
            dealt += len(members)
    return folds


def _linear(
    rows: Row, codes: NDArray[np.intp], counts: NDArray[np.float64], seed: int
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """One-against-the-rest logistic coefficients (n_columns, k) and intercepts (k,)."""
    model = SGDClassifier(
        loss="log_loss", alpha=1 / (_C * rows.shape[0]), random_state=seed, n_jobs=2
    ).fit(rows, codes, sample_weight=counts)
    weights, intercept = model.coef_.T, model.intercept_
    if weights.shape[1] == 1:
        weights = np.hstack([-weights, weights])
        intercept = np.concatenate([-intercept, intercept])
    return weights.astype(np.float32), intercept.astype(np.float64)


def _out_of_fold(
    features: Features,
    rows: Row,
    codes: NDArray[np.intp],
    counts: NDArray[np.float64],
    folds: NDArray[np.intp],
    seed: int,
    tell: Progress,
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Scores and best cosines of each held-out row, by models that have not seen it.

    Columns that only held-out texts use are blanked, as unknown words are in real use;
    otherwise the model would look less sure here than it will be.
    """
    k = int(codes.max()) + 1
    scores = np.zeros((len(codes), k))
    nearness = np.zeros(len(codes), dtype=np.float32)
    for fold in range(_FOLDS):
        tell(0.2 + 0.6 * fold / _FOLDS, f"checking on part {fold + 1} of {_FOLDS}")
        held = np.flatnonzero(folds == fold)
        if not len(held):
            continue
        learnt = folds != fold
        seen, seen_codes = rows[learnt], codes[learnt]
        unseen = features.as_if_unseen(rows[held], seen)
        weights, intercept = _linear(seen, seen_codes, counts[learnt], seed)
        scores[held] = unseen @ weights + intercept
        nearness[held] = (unseen @ _centroids(seen, seen_codes, k)).max(axis=1)
    return scores, nearness


def _centroids(rows: Row, codes: NDArray[np.intp], k: int) -> NDArray[np.float32]:
    """Mean row of each class as columns of length 1, for rows of any one length."""
    sums = np.column_stack(
        [np.asarray(rows[codes == code].sum(axis=0)).ravel() for code in range(k)]
    )
    lengths = np.linalg.norm(sums, axis=0)
    return np.ascontiguousarray(sums / np.where(lengths > 0, lengths, 1), dtype=np.float32)
