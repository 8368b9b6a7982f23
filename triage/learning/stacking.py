"""How the second tier comes about: vectors beside words, votes of neighbours, calibration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax
from sklearn.svm import LinearSVC

from triage.learning.calibration import Calibration, calibrate
from triage.learning.features import Row
from triage.learning.material import Material, two_columns
from triage.learning.scope import Scope
from triage.learning.second import (
    PRINT_BYTES,
    Encoder,
    Memory,
    SecondTier,
    Vectors,
    mixed,
    print_of,
    signs_of,
)

# A row of words and pieces has length 1.2: the vector is to count about as much.
_VECTOR_SCALE = np.float32(1.5)
_C = 0.6
# The newest of the training texts, as they are most like what comes; 60 MB, and 5 ms a text.
MOST_REMEMBERED = 40_000
# What more than one opinion must add to accuracy.
_WORTH = 0.001
_ENCODED_AT_ONCE = 1_024

_Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Stacked:
    """The second tier, and its out-of-fold probabilities (n, k), nan where never held out."""

    second: SecondTier
    out_of_fold: NDArray[np.float64]


@dataclass(frozen=True)
class _Checked:
    """What each text was given by models that had not seen it.

    linear, votes : float arrays of shape (n, k)
    signs : float array of shape (n, 3), what scope is judged by
    """

    linear: NDArray[np.float64]
    votes: NDArray[np.float64]
    signs: NDArray[np.float64]


def stack(
    texts: Sequence[str],
    material: Material,
    first: NDArray[np.float64],
    encoder: Encoder,
    seed: int,
    tell: _Progress,
) -> Stacked:
    """Fit on the words of `material` and the vectors of its texts, oldest text first.

    `first` are the first tier's scores out of fold, shape (n, k).
    """
    vectors = _encoded(texts, encoder, tell)
    checked = _out_of_fold(material, vectors, seed, tell)
    held, codes, counts = material.held, material.codes, material.counts
    opinions = (first, checked.linear, checked.votes)
    blend = _blend([opinion[held] for opinion in opinions], codes[held], counts[held])
    tell(0.85, "fitting sentence vectors on everything")
    scores = mixed(blend, opinions)
    calibration = calibrate(scores[held], codes[held], material.folds[held], counts[held])
    weights, sentence_weights, intercept = _linear(
        material.rows, vectors, codes, material.counts, seed
    )
    newest = slice(max(0, len(texts) - MOST_REMEMBERED), None)
    second = SecondTier(
        encoder=encoder.sha256,
        weights=weights,
        sentence_weights=sentence_weights,
        intercept=intercept,
        memory=Memory(vectors[newest], codes[newest], _prints(texts[newest])),
        blend=blend,
        matrix=calibration.matrix,
        offset=calibration.offset,
        calibration=calibration.method,
        centres=_centres(vectors, codes, material.k),
        scope=Scope.fit(checked.signs[held]),
    )
    return Stacked(second, _probabilities(scores, calibration, held))


def _encoded(texts: Sequence[str], encoder: Encoder, tell: _Progress) -> Vectors:
    made = []
    for start in range(0, len(texts), _ENCODED_AT_ONCE):
        tell(0.4 * start / len(texts), f"sentence vectors, {start:,} of {len(texts):,}")
        made.append(encoder.encode(texts[start : start + _ENCODED_AT_ONCE]))
    return np.concatenate(made)


def _out_of_fold(material: Material, vectors: Vectors, seed: int, tell: _Progress) -> _Checked:
    """One fold after the other: the solver draws from one source of chance for all threads."""
    n, k = len(material.codes), material.k
    checked = _Checked(np.zeros((n, k)), np.zeros((n, k)), np.zeros((n, 3)))
    for number, (learnt, held, unseen) in enumerate(material.parts()):
        tell(0.4 + 0.09 * number, f"checking sentence vectors on part {number + 1}")
        codes, own, asked = material.codes[learnt], vectors[learnt], vectors[held]
        weights, sentence_weights, intercept = _linear(
            material.rows[learnt], own, codes, material.counts[learnt], seed
        )
        linear = unseen @ weights + asked @ sentence_weights + intercept
        nameless = np.zeros((len(codes), PRINT_BYTES), dtype=np.uint8)
        votes, nearness = Memory(own, codes, nameless).ask(asked, k)
        checked.linear[held], checked.votes[held] = linear, votes
        checked.signs[held] = signs_of(linear, nearness, asked, _centres(own, codes, k))
    return checked


def _linear(
    rows: Row,
    vectors: Vectors,
    codes: NDArray[np.intp],
    counts: NDArray[np.float64],
    seed: int,
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float64]]:
    """One-against-the-rest coefficients of words (n_columns, k) and vectors (d, k), intercepts."""
    stacked = sp.hstack([rows, sp.csr_matrix(vectors * _VECTOR_SCALE)], format="csr")
    model = LinearSVC(C=_C, random_state=seed).fit(stacked, codes, sample_weight=counts)
    weights, intercept = two_columns(model.coef_.T, model.intercept_)
    split = rows.shape[1]
    return (
        np.ascontiguousarray(weights[:split]),
        np.ascontiguousarray(weights[split:] * _VECTOR_SCALE),
        intercept,
    )


def _blend(
    opinions: Sequence[NDArray[np.float64]],
    codes: NDArray[np.intp],
    counts: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Weights of the three opinions; of the linear one alone where the others hardly help.

    Texts that held-out ones are paraphrases of make votes look better than they will be.
    """
    _, linear, _ = opinions
    alone = np.array([0.0, *blend_of([linear], codes, counts), 0.0])
    together = blend_of(opinions, codes, counts)
    right = [
        float((mixed(blend, opinions).argmax(axis=1) == codes).mean())
        for blend in (alone, together)
    ]
    return together if right[1] - right[0] >= _WORTH else alone


def blend_of(
    opinions: Sequence[NDArray[np.float64]],
    codes: NDArray[np.intp],
    counts: NDArray[np.float64],
) -> NDArray[np.float64]:
    """How much each opinion counts so that the log loss of their sum is least; none below 0.

    `opinions` are score arrays of shape (n, k), from models that had not seen the rows;
    `counts` (n,), above 0, say how much each row counts. Answers an array of shape
    (n_opinions,). Convex, so there is one such blend.
    """
    rows, shares = np.arange(len(codes)), counts / counts.sum()

    def loss(blend: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        mixed = np.zeros_like(opinions[0])
        for weight, opinion in zip(blend, opinions, strict=True):
            mixed += weight * opinion
        logs = log_softmax(mixed, axis=1)
        wrong = np.exp(logs)
        wrong[rows, codes] -= 1
        wrong *= shares[:, None]
        slopes = [float((wrong * opinion).sum()) for opinion in opinions]
        return float(-(shares * logs[rows, codes]).sum()), np.array(slopes)

    found = minimize(
        loss,
        np.full(len(opinions), 0.5),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0, None)] * len(opinions),
    )
    return np.asarray(found.x, dtype=np.float64)


def _probabilities(
    scores: NDArray[np.float64], calibration: Calibration, held: NDArray[np.bool_]
) -> NDArray[np.float64]:
    found = np.full(scores.shape, np.nan)
    calibrated = scores[held] @ calibration.matrix + calibration.offset
    found[held] = softmax(calibrated, axis=1)
    return found


def _centres(vectors: Vectors, codes: NDArray[np.intp], k: int) -> NDArray[np.float32]:
    """Mean vector of each class as columns of length 1."""
    sums = np.zeros((k, vectors.shape[1]), dtype=np.float64)
    np.add.at(sums, codes, vectors)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    return np.ascontiguousarray((sums / np.where(lengths > 0, lengths, 1)).T, dtype=np.float32)


def _prints(texts: Sequence[str]) -> NDArray[np.uint8]:
    joined = b"".join(print_of(text) for text in texts)
    return np.frombuffer(joined, dtype=np.uint8).reshape(len(texts), -1)
