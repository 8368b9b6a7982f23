"""One text in, calibrated probabilities and how usual the text is out; in one tier or two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from triage.learning.features import Features, Row
from triage.learning.scope import Scope, check_shapes
from triage.learning.second import Encoder, SecondTier

N_SIGNS = 2
# Stranger than this to the first tier, and the second is asked as well, however sure the first is.
STRANGE = 0.01
_LEAST = 1e-12


class Ask(StrEnum):
    """Which texts the second tier answers, where there is one."""

    UNSURE = "unsure"
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True)
class Predictions:
    """What a classifier says of n texts, with the rows it said it from (for the explanation).

    probabilities : float array of shape (n, k), rows sum to 1, columns as `classes`
    in_scope : float array of shape (n,), 0 to 1; see Classifier.in_scope
    tiers : int array of shape (n,), 1 or 2: which tier answered
    """

    classes: list[str]
    probabilities: NDArray[np.float64]
    in_scope: NDArray[np.float64]
    rows: Row
    tiers: NDArray[np.int8]

    @property
    def labels(self) -> list[str]:
        """The most probable class of each text."""
        return [self.classes[best] for best in self.probabilities.argmax(axis=1)]

    def __len__(self) -> int:
        return len(self.probabilities)


@dataclass(frozen=True)
class Classifier:
    """A fitted model. First tier: probabilities = softmax(rows @ weights + intercept).

    Attributes
    ----------
    classes_ : sorted class names, k of them
    weights : float32 array of shape (n_columns, k), calibration folded in, row-major, so that
        a text touches one short run of memory per term
    centroids : float32 array of shape (n_columns, k), the mean row of each class, length 1
    scope : of two signs: the winner's score, the best cosine to a class's mean
    calibration : the calibration method chosen, for the record
    second : the second tier; None where there was no encoder, or where it did not pay
    unsure_below : where the first tier's two best log probabilities lie closer, the second is asked
    """

    classes_: list[str]
    features: Features
    weights: NDArray[np.float32]
    intercept: NDArray[np.float64]
    centroids: NDArray[np.float32]
    scope: Scope
    calibration: str
    second: SecondTier | None = None
    unsure_below: float = 0.0

    def predict(
        self, texts: Sequence[str], *, encoder: Encoder | None = None, ask: Ask = Ask.UNSURE
    ) -> Predictions:
        """Everything there is to say of the texts, their features computed once.

        Without the encoder that the second tier was trained with, the first tier answers alone.
        """
        rows = self.features.rows(texts)
        scores, in_scope = self._first(rows)
        probabilities = np.asarray(softmax(scores, axis=1), dtype=np.float64)
        tiers = np.ones(len(texts), dtype=np.int8)
        if encoder is not None and ask != Ask.NEVER and self.is_two_tiered(encoder):
            wanted = np.ones(len(texts), dtype=bool)
            if ask == Ask.UNSURE:
                wanted = is_unsure(probabilities, in_scope, self.unsure_below)
            places = np.flatnonzero(wanted)
            if self.second is not None and len(places):
                vectors = encoder.encode([texts[place] for place in places.tolist()])
                answer = self.second.answer(rows[places], vectors, scores[places])
                probabilities[places], in_scope[places] = answer
                tiers[places] = 2
        return Predictions(self.classes_, probabilities, in_scope, rows, tiers)

    def predict_proba(
        self, texts: Sequence[str], *, encoder: Encoder | None = None, ask: Ask = Ask.UNSURE
    ) -> NDArray[np.float64]:
        """Calibrated probabilities of shape (n_texts, k); each row sums to 1."""
        return self.predict(texts, encoder=encoder, ask=ask).probabilities

    def in_scope(self, texts: Sequence[str], *, encoder: Encoder | None = None) -> NDArray[Any]:
        """How usual each text is among those trained on, shape (n_texts,), 0 to 1.

        The share of training texts, each held out, that look stranger to the tier that answers.
        """
        return self.predict(texts, encoder=encoder).in_scope

    def is_two_tiered(self, encoder: Encoder | None) -> bool:
        """Whether both tiers can answer with this encoder."""
        if self.second is None or encoder is None:
            return False
        return self.second.encoder == encoder.sha256

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
            "scope": self.scope.state(),
            "calibration": self.calibration,
            "second": self.second.state() if self.second is not None else {},
            "unsure_below": np.array([self.unsure_below]),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Classifier:
        """Raises ValueError where the arrays do not fit the vocabulary and the classes."""
        words, pieces = _numbered(state["words"]), _numbered(state["pieces"])
        n_columns, k = len(words) + len(pieces), len(state["classes"])
        check_shapes(
            state,
            {
                "idf": (n_columns,),
                "weights": (n_columns, k),
                "centroids": (n_columns, k),
                "intercept": (k,),
                "unsure_below": (1,),
            },
        )
        second = state["second"]
        return cls(
            classes_=list(state["classes"]),
            features=Features(words, pieces, state["idf"]),
            weights=state["weights"],
            intercept=state["intercept"],
            centroids=state["centroids"],
            scope=Scope.from_state(state["scope"], N_SIGNS),
            calibration=state["calibration"],
            second=SecondTier.from_state(second, n_columns, k) if second else None,
            unsure_below=float(state["unsure_below"][0]),
        )

    def pruned(
        self, features: Features, columns: NDArray[np.intp], prints: set[bytes]
    ) -> Classifier:
        """With these columns only, named by `features`, and without the texts of these prints."""
        return replace(
            self,
            features=features,
            weights=np.ascontiguousarray(self.weights[columns]),
            centroids=np.ascontiguousarray(self.centroids[columns]),
            second=self.second.pruned(columns, prints) if self.second is not None else None,
        )

    def _first(self, rows: Row) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Scores, shape (n, k), whose softmax is the probabilities, and in scope, shape (n,)."""
        scores = np.asarray(rows @ self.weights, dtype=np.float64) + self.intercept
        in_scope = self.scope.share_below(signs_of(scores, rows, self.centroids))
        # Whatever else there was in training, a text of which nothing is known is strange.
        in_scope[np.diff(rows.indptr) == 0] = 0
        return scores, in_scope


def signs_of(
    scores: NDArray[np.float64], rows: Row, centroids: NDArray[np.float32]
) -> NDArray[np.float64]:
    """What `Classifier.scope` judges, shape (n, 2)."""
    return np.column_stack([scores.max(axis=1), (rows @ centroids).max(axis=1)])


def gaps(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far the logarithms of the two best probabilities of each row lie apart, shape (n,)."""
    two = np.log(np.partition(probabilities, -2, axis=1)[:, -2:] + _LEAST)
    return np.asarray(two[:, 1] - two[:, 0])


def is_unsure(
    probabilities: NDArray[np.float64], in_scope: NDArray[np.float64], below: float
) -> NDArray[np.bool_]:
    return (gaps(probabilities) < below) | (in_scope < STRANGE)


def _joined(vocabulary: Mapping[str, int]) -> NDArray[np.uint8]:
    """The terms in column order, a line each; none of them can hold a line break."""
    return np.frombuffer("\n".join(vocabulary).encode(), dtype=np.uint8)


def _numbered(joined: NDArray[np.uint8]) -> dict[str, int]:
    listed = joined.tobytes().decode()
    return {term: column for column, term in enumerate(listed.split("\n"))} if listed else {}
