"""The linear tier: one text in, calibrated probabilities and how usual the text is out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from triage.learning.features import Features, Row

# How finely the strangeness of held-out training texts is kept.
SCOPE_STEPS = 1_001


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
            ("scope_levels", (SCOPE_STEPS,)),
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


def _joined(vocabulary: Mapping[str, int]) -> NDArray[np.uint8]:
    """The terms in column order, a line each; none of them can hold a line break."""
    return np.frombuffer("\n".join(vocabulary).encode(), dtype=np.uint8)


def _numbered(joined: NDArray[np.uint8]) -> dict[str, int]:
    listed = joined.tobytes().decode()
    return {term: column for column, term in enumerate(listed.split("\n"))} if listed else {}
