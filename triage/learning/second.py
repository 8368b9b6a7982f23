"""The second tier: sentence vectors stacked beside the words, and what near texts were called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from triage.learning.features import Row
from triage.learning.scope import Scope, check_shapes

NEIGHBOURS = 20
# Of the neighbours these tell how near the training texts are.
_NEAREST = 3
# How fast a neighbour's vote falls with its distance: by a factor of e for each 0.05 of cosine.
_STEEPNESS = 20.0
# What a class without a neighbour is given, so that its logarithm is finite.
_NO_VOTE = 0.02
# Queries compared with all training texts at once: some 40 MB at 40,000 texts.
_AT_ONCE = 256
PRINT_BYTES = 8
N_SIGNS = 3
N_OPINIONS = 3

Vectors = NDArray[np.float32]


class Encoder(Protocol):
    """Makes sentence vectors; `sha256` names the file it does it with."""

    sha256: str

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Shape (n_texts, n_dimensions), each of length 1; the same text, the same vector."""


@dataclass(frozen=True)
class Memory:
    """Training texts as vectors, to vote for their classes where a new text comes near.

    Attributes
    ----------
    vectors : float32 array of shape (m, d), rows of length 1
    codes : int array of shape (m,), the column of each one's class
    prints : uint8 array of shape (m, 8), `print_of` each text, so that it can be forgotten
    """

    vectors: Vectors
    codes: NDArray[np.intp]
    prints: NDArray[np.uint8]

    def ask(self, asked: Vectors, k: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Log votes of shape (n, k) for each class, and the mean cosine of the nearest, (n,)."""
        votes = np.zeros((len(asked), k))
        nearness = np.zeros(len(asked))
        wanted = min(NEIGHBOURS, len(self.codes))
        for start in range(0, len(asked), _AT_ONCE):
            cosines = asked[start : start + _AT_ONCE] @ self.vectors.T
            near = np.argpartition(-cosines, wanted - 1, axis=1)[:, :wanted]
            found = np.take_along_axis(cosines, near, axis=1).astype(np.float64)
            strength = np.exp((found - 1) * _STEEPNESS)
            rows = np.repeat(np.arange(start, start + len(near)), wanted)
            np.add.at(votes, (rows, self.codes[near].ravel()), strength.ravel())
            nearest = -np.sort(-found, axis=1)[:, :_NEAREST]
            nearness[start : start + len(near)] = nearest.mean(axis=1)
        shares = votes / np.maximum(votes.sum(axis=1, keepdims=True), 1e-300)
        return np.log(shares + _NO_VOTE), nearness

    def known(self) -> set[bytes]:
        """The prints of all texts that are remembered."""
        return {row.tobytes() for row in self.prints}

    def without(self, prints: set[bytes]) -> Memory:
        kept = np.array([row.tobytes() not in prints for row in self.prints], dtype=bool)
        return Memory(self.vectors[kept], self.codes[kept], self.prints[kept])


@dataclass(frozen=True)
class SecondTier:
    """Three opinions, blended: the first tier's scores, a linear model on words and vectors
    (words @ weights + vectors @ sentence_weights + intercept), the votes of near texts.

    probabilities = softmax(blend @ opinions @ matrix + offset).

    Attributes
    ----------
    encoder : SHA-256 (hex) of the model file that the vectors must come from
    blend : float array of shape (3,), how much each opinion counts
    weights : float32 array of shape (n_columns, k)
    sentence_weights : float32 array of shape (d, k)
    intercept, offset : float arrays of shape (k,); matrix : (k, k), the calibration
    centres : float32 array of shape (d, k), the mean vector of each class, length 1
    scope : of three signs: the winner's score, near training texts, the nearest class's mean
    """

    encoder: str
    weights: NDArray[np.float32]
    sentence_weights: NDArray[np.float32]
    intercept: NDArray[np.float64]
    memory: Memory
    blend: NDArray[np.float64]
    matrix: NDArray[np.float64]
    offset: NDArray[np.float64]
    calibration: str
    centres: NDArray[np.float32]
    scope: Scope

    def answer(
        self, rows: Row, vectors: Vectors, first: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Probabilities of shape (n, k) and in-scope scores of shape (n,).

        `first` are the first tier's scores of the same rows, shape (n, k).
        """
        linear = np.asarray(rows @ self.weights, dtype=np.float64)
        linear += vectors @ self.sentence_weights + self.intercept
        votes, nearness = self.memory.ask(vectors, len(self.intercept))
        scores = mixed(self.blend, (first, linear, votes)) @ self.matrix + self.offset
        signs = signs_of(linear, nearness, vectors, self.centres)
        return np.asarray(softmax(scores, axis=1)), self.scope.share_below(signs)

    def pruned(self, columns: NDArray[np.intp], prints: set[bytes]) -> SecondTier | None:
        """With these columns only and without the texts; None where no text would be left."""
        memory = self.memory.without(prints)
        if not len(memory.codes):
            return None
        return replace(self, weights=np.ascontiguousarray(self.weights[columns]), memory=memory)

    def state(self) -> dict[str, Any]:
        return {
            "encoder": self.encoder,
            "weights": self.weights,
            "sentence_weights": self.sentence_weights,
            "intercept": self.intercept,
            # Half as precise is as good: measured, no answer differs.
            "memory": self.memory.vectors.astype(np.float16),
            "memory_codes": self.memory.codes,
            "memory_prints": self.memory.prints,
            "blend": self.blend,
            "matrix": self.matrix,
            "offset": self.offset,
            "calibration": self.calibration,
            "centres": self.centres,
            "scope": self.scope.state(),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any], n_columns: int, k: int) -> SecondTier:
        """Raises ValueError where the arrays do not fit each other, the columns or the classes."""
        m, d = state["memory"].shape
        check_shapes(
            state,
            {
                "weights": (n_columns, k),
                "sentence_weights": (d, k),
                "intercept": (k,),
                "memory_codes": (m,),
                "memory_prints": (m, PRINT_BYTES),
                "blend": (N_OPINIONS,),
                "matrix": (k, k),
                "offset": (k,),
                "centres": (d, k),
            },
        )
        codes = state["memory_codes"]
        if not m or codes.min() < 0 or codes.max() >= k:
            raise ValueError(
                f"memory_codes must name columns from 0 to {k - 1}, of 1 text at least."
            )
        return cls(
            encoder=state["encoder"],
            weights=state["weights"],
            sentence_weights=state["sentence_weights"],
            intercept=state["intercept"],
            memory=Memory(state["memory"].astype(np.float32), codes, state["memory_prints"]),
            blend=state["blend"],
            matrix=state["matrix"],
            offset=state["offset"],
            calibration=state["calibration"],
            centres=state["centres"],
            scope=Scope.from_state(state["scope"], N_SIGNS),
        )


def mixed(
    blend: NDArray[np.float64], opinions: Sequence[NDArray[np.float64]]
) -> NDArray[np.float64]:
    """The opinions, each of shape (n, k), times their weights, added."""
    total = np.zeros_like(opinions[0])
    for weight, opinion in zip(blend, opinions, strict=True):
        total += weight * opinion
    return total


def signs_of(
    linear: NDArray[np.float64],
    nearness: NDArray[np.float64],
    vectors: Vectors,
    centres: NDArray[np.float32],
) -> NDArray[np.float64]:
    """What `SecondTier.scope` judges, shape (n, 3)."""
    return np.column_stack([linear.max(axis=1), nearness, (vectors @ centres).max(axis=1)])


def print_of(text: str) -> bytes:
    """Eight bytes by which a text is known again and nothing of it can be read."""
    return sha256(text.encode("utf-8", "surrogatepass")).digest()[:PRINT_BYTES]
