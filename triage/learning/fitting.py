"""How a classifier comes about: folds, out-of-fold scores, calibration, the final fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.linear_model import SGDClassifier
from threadpoolctl import threadpool_limits

from triage.learning.calibration import calibrate
from triage.learning.classifier import STRANGE, Classifier, gaps, signs_of
from triage.learning.features import Row
from triage.learning.material import Material, two_columns
from triage.learning.scope import Scope
from triage.learning.second import Encoder
from triage.learning.stacking import Stacked, stack

Progress = Callable[[float, str], None]
"""Called with the share of the work done (0 to 1) and what comes next, for people to read."""

# Alike for every size of training set: L2 strength C = 1 / (alpha * n).
_C = 6.4
# The second tier costs many times the first, see docs/evaluation.md. Asked for the fifth that is
# least sure, it costs a quarter of what it would for all, and brings nearly as much.
_SHARE_ASKED = 0.2
# A right answer held to be impossible costs log(1e12), not infinity.
_LEAST = 1e-12


@dataclass(frozen=True)
class Fit:
    """A classifier, and what models that had not seen each training text say of it.

    out_of_fold : float array of shape (n_texts, k), calibrated, columns as `classifier.classes_`,
        by both tiers where there are two; rows of nan where a text was never held out, being the
        only one of its class
    """

    classifier: Classifier
    out_of_fold: NDArray[np.float64]


@dataclass(frozen=True)
class _FirstTier:
    """The first tier fitted, with what it says out of fold.

    scores, out_of_fold : float arrays of shape (n, k), the latter the softmax of the former, with
        rows of nan where a text was never held out
    in_scope : float array of shape (n,)
    """

    classifier: Classifier
    scores: NDArray[np.float64]
    out_of_fold: NDArray[np.float64]
    in_scope: NDArray[np.float64]


def fit(
    texts: Sequence[str],
    labels: Sequence[str],
    *,
    seed: int,
    weights: Sequence[float] | None = None,
    encoder: Encoder | None = None,
    progress: Progress | None = None,
) -> Fit:
    """Train on texts and their labels; the same input and seed give the same model.

    `weights` (above 0, one a text, 1 by default) say how much each label counts. With an
    `encoder` there is a second tier, unless it turns out to be hardly better than the first.

    Raises
    ------
    ValueError
        If there is no text, the lengths differ, there are fewer than two classes,
        or no class has two texts (nothing could be held out to calibrate on).
    """
    tell = progress or _silent
    tell(0.0, "counting words")
    material = Material.of(texts, labels, weights, seed)
    # Threads of the algebra library wait by spinning: measured, one is three times as
    # fast as two on a busy machine.
    with threadpool_limits(1):
        alone = 1.0 if encoder is None else 0.2
        first = _first_tier(material, seed, lambda share, what: tell(alone * share, what))
        found = Fit(first.classifier, first.out_of_fold)
        if encoder is not None:
            stacked = stack(
                texts,
                material,
                first.scores,
                encoder,
                seed,
                lambda share, what: tell(0.2 + 0.78 * share, what),
            )
            found = _with_second(first, stacked, material)
    tell(1.0, "done")
    return found


def _first_tier(material: Material, seed: int, tell: Progress) -> _FirstTier:
    scores, cosines = _out_of_fold(material, seed, tell)
    tell(0.8, "calibrating")
    held, codes = material.held, material.codes
    calibration = calibrate(scores[held], codes[held], material.folds[held], material.counts[held])
    tell(0.85, "fitting on everything")
    weights, intercept = _linear(material.rows, codes, material.counts, seed)
    calibrated = scores @ calibration.matrix + calibration.offset
    signs = np.column_stack([calibrated.max(axis=1), cosines])
    classifier = Classifier(
        classes_=material.classes,
        features=material.features,
        weights=np.ascontiguousarray(weights @ calibration.matrix, dtype=np.float32),
        intercept=intercept @ calibration.matrix + calibration.offset,
        centroids=_centroids(material.rows, codes, material.k),
        scope=Scope.fit(signs[held]),
        calibration=calibration.method,
    )
    checked = np.full(scores.shape, np.nan)
    checked[held] = softmax(calibrated[held], axis=1)
    return _FirstTier(classifier, calibrated, checked, classifier.scope.share_below(signs))


def _with_second(first: _FirstTier, stacked: Stacked, material: Material) -> Fit:
    """Both tiers, the second for the unsure; the first alone where that is as good."""
    held = material.held
    truth = material.codes[held]
    once, twice = first.out_of_fold[held], stacked.out_of_fold[held]
    # Not by accuracy: what vectors are good for shows more when tickets change than before.
    if _log_loss(twice, truth) >= _log_loss(once, truth):
        return Fit(first.classifier, first.out_of_fold)
    below = _unsure_below(once, first.in_scope[held])
    classifier = replace(first.classifier, second=stacked.second, unsure_below=below)
    return Fit(classifier, stacked.out_of_fold)


def _unsure_below(once: NDArray[np.float64], in_scope: NDArray[np.float64]) -> float:
    """The gap under which the second tier is asked, so that it is asked for the wanted share."""
    left = max(0.0, _SHARE_ASKED - float((in_scope < STRANGE).mean()))
    return float(np.quantile(gaps(once[in_scope >= STRANGE]), left))


def _log_loss(probabilities: NDArray[np.float64], truth: NDArray[np.intp]) -> float:
    given = probabilities[np.arange(len(truth)), truth]
    return float(-np.log(np.maximum(given, _LEAST)).mean())


def _silent(done: float, what: str) -> None:
    return None


def _linear(
    rows: Row, codes: NDArray[np.intp], counts: NDArray[np.float64], seed: int
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """One-against-the-rest logistic coefficients (n_columns, k) and intercepts (k,)."""
    model = SGDClassifier(
        loss="log_loss", alpha=1 / (_C * rows.shape[0]), random_state=seed, n_jobs=2
    ).fit(rows, codes, sample_weight=counts)
    return two_columns(model.coef_.T, model.intercept_)


def _out_of_fold(
    material: Material, seed: int, tell: Progress
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Scores and best cosines of each held-out row, by models that have not seen it."""
    scores = np.zeros((len(material.codes), material.k))
    cosines = np.zeros(len(material.codes), dtype=np.float32)
    for number, (learnt, held, unseen) in enumerate(material.parts()):
        tell(0.2 + 0.12 * number, f"checking on part {number + 1}")
        seen, codes = material.rows[learnt], material.codes[learnt]
        weights, intercept = _linear(seen, codes, material.counts[learnt], seed)
        scores[held] = unseen @ weights + intercept
        cosines[held] = signs_of(scores[held], unseen, _centroids(seen, codes, material.k))[:, 1]
    return scores, cosines


def _centroids(rows: Row, codes: NDArray[np.intp], k: int) -> NDArray[np.float32]:
    """Mean row of each class as columns of length 1, for rows of any one length."""
    sums = np.column_stack(
        [np.asarray(rows[codes == code].sum(axis=0)).ravel() for code in range(k)]
    )
    lengths = np.linalg.norm(sums, axis=0)
    return np.ascontiguousarray(sums / np.where(lengths > 0, lengths, 1), dtype=np.float32)
