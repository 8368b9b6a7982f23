"""The linear tier: one text in, calibrated probabilities and how usual the text is out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.linear_model import SGDClassifier
from threadpoolctl import threadpool_limits

from triage.learning.calibration import calibrate
from triage.learning.features import Features, Row

Progress = Callable[[float, str], None]
"""Called with the share of the work done (0 to 1) and what comes next, for people to read."""

_FOLDS = 5
# Alike for every size of training set: L2 strength C = 1 / (alpha * n).
_C = 6.4
_SCOPE_STEPS = 1_001


@dataclass(frozen=True)
class Predictions:
    """What a classifier says of n texts, with the rows it said it from (for the explanation).

    probabilities : float array of shape (n, k), rows sum to 1, columns as `classes`
    in_scope : float array of shape (n,), 0 to 1; see Classifier.in_scope
    """

    classes: list[str]
    probabilities: NDArray[np.float64]
    in_scope: NDArray[np.float64]
    rows: Row

    @property
    def labels(self) -> list[str]:
        """The most probable class of each text."""
        return [self.classes[best] for best in self.probabilities.argmax(axis=1)]

    def __len__(self) -> int:
        return len(self.probabilities)


@dataclass(frozen=True)
class Classifier:
    """A fitted model: probabilities = softmax(rows @ weights + intercept).

    Attributes
    ----------
    classes_ : sorted class names, k of them
    weights : float32 array of shape (n_columns, k), calibration folded in, row-major, so that
        a text touches one short run of memory per term
    centroids : float32 array of shape (n_columns, k), the mean row of each class, length 1
    scope_levels : float32 array, quantiles of the best cosine of held-out training texts
    calibration : the calibration method chosen, for the record
    """

    classes_: list[str]
    features: Features
    weights: NDArray[np.float32]
    intercept: NDArray[np.float64]
    centroids: NDArray[np.float32]
    scope_levels: NDArray[np.float32]
    calibration: str

    @classmethod
    def fit(
        cls,
        texts: Sequence[str],
        labels: Sequence[str],
        *,
        seed: int,
        progress: Progress | None = None,
    ) -> Classifier:
        """Train on texts and their labels; the same input and seed give the same model.

        Raises
        ------
        ValueError
            If there is no text, the lengths differ, there are fewer than two classes,
            or no class has two texts (nothing could be held out to calibrate on).
        """
        classes, codes = _checked(texts, labels)
        # Threads of the algebra library wait by spinning: measured, one is three times as
        # fast as two on a busy machine.
        with threadpool_limits(1):
            return cls._fitted(texts, classes, codes, seed, progress or _silent)

    @classmethod
    def _fitted(
        cls,
        texts: Sequence[str],
        classes: list[str],
        codes: NDArray[np.intp],
        seed: int,
        tell: Progress,
    ) -> Classifier:
        folds = _folds(codes, seed)
        tell(0.0, "counting words")
        features, rows = Features.fit(texts)
        scores, nearness = _out_of_fold(features, rows, codes, folds, seed, tell)
        tell(0.8, "calibrating")
        held = folds >= 0
        calibration = calibrate(scores[held], codes[held], folds[held])
        tell(0.85, "fitting on everything")
        weights, intercept = _linear(rows, codes, seed)
        classifier = cls(
            classes_=classes,
            features=features,
            weights=np.ascontiguousarray(weights @ calibration.matrix, dtype=np.float32),
            intercept=intercept @ calibration.matrix + calibration.offset,
            centroids=_centroids(rows, codes, len(classes)),
            scope_levels=np.quantile(nearness[held], np.linspace(0, 1, _SCOPE_STEPS)).astype(
                np.float32
            ),
            calibration=calibration.method,
        )
        tell(1.0, "done")
        return classifier

    def predict(self, texts: Sequence[str]) -> Predictions:
        """Everything there is to say of the texts, their features computed once."""
        rows = self.features.rows(texts)
        return Predictions(self.classes_, self._probabilities(rows), self._in_scope(rows), rows)

    def predict_proba(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Calibrated probabilities of shape (n_texts, k); each row sums to 1."""
        return self._probabilities(self.features.rows(texts))

    def in_scope(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """How usual each text is among those trained on, shape (n_texts,), 0 to 1.

        The share of training texts, each held out, that lie farther from every class
        than this one does (best cosine to a class's mean). Not the top probability:
        a usual text may be torn between two classes, an alien one look certain.
        """
        return self._in_scope(self.features.rows(texts))

    def state(self) -> dict[str, Any]:
        """Plain arrays, strings and lists that `from_state` makes an equal classifier of."""
        return {
            "classes": self.classes_,
            "words": _joined(self.features.words),
            "pieces": _joined(self.features.pieces),
            "idf": self.features.idf,
            "weights": self.weights,
            "intercept": self.intercept,
            "centroids": self.centroids,
            "scope_levels": self.scope_levels,
            "calibration": self.calibration,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Classifier:
        """Raises ValueError where the arrays do not fit the vocabulary and the classes."""
        words, pieces = _numbered(state["words"]), _numbered(state["pieces"])
        shape = (len(words) + len(pieces), len(state["classes"]))
        for name, expected in (
            ("idf", shape[:1]),
            ("weights", shape),
            ("centroids", shape),
            ("intercept", shape[1:]),
            ("scope_levels", (_SCOPE_STEPS,)),
        ):
            if state[name].shape != expected:
                raise ValueError(f"{name} must have shape {expected}, got {state[name].shape}.")
        return cls(
            classes_=list(state["classes"]),
            features=Features(words, pieces, state["idf"]),
            weights=state["weights"],
            intercept=state["intercept"],
            centroids=state["centroids"],
            scope_levels=state["scope_levels"],
            calibration=state["calibration"],
        )

    def _probabilities(self, rows: Row) -> NDArray[np.float64]:
        scores = np.asarray(rows @ self.weights, dtype=np.float64) + self.intercept
        return np.asarray(softmax(scores, axis=1), dtype=np.float64)

    def _in_scope(self, rows: Row) -> NDArray[np.float64]:
        nearness = (rows @ self.centroids).max(axis=1)
        lower = np.searchsorted(self.scope_levels, nearness, side="left")
        return np.asarray(lower / len(self.scope_levels), dtype=np.float64)


def _silent(done: float, what: str) -> None:
    return None


def _joined(vocabulary: Mapping[str, int]) -> NDArray[np.uint8]:
    """The terms in column order, a line each; none of them can hold a line break."""
    return np.frombuffer("\n".join(vocabulary).encode(), dtype=np.uint8)


def _numbered(joined: NDArray[np.uint8]) -> dict[str, int]:
    listed = joined.tobytes().decode()
    return {term: column for column, term in enumerate(listed.split("\n"))} if listed else {}


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
    rows: Row, codes: NDArray[np.intp], seed: int
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """One-against-the-rest logistic coefficients (n_columns, k) and intercepts (k,)."""
    model = SGDClassifier(
        loss="log_loss", alpha=1 / (_C * rows.shape[0]), random_state=seed, n_jobs=2
    ).fit(rows, codes)
    weights, intercept = model.coef_.T, model.intercept_
    if weights.shape[1] == 1:
        weights = np.hstack([-weights, weights])
        intercept = np.concatenate([-intercept, intercept])
    return weights.astype(np.float32), intercept.astype(np.float64)


def _out_of_fold(
    features: Features,
    rows: Row,
    codes: NDArray[np.intp],
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
        seen, seen_codes = rows[folds != fold], codes[folds != fold]
        unseen = features.as_if_unseen(rows[held], seen)
        weights, intercept = _linear(seen, seen_codes, seed)
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
