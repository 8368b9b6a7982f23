"""What a classifier is fitted on: texts as rows, labels as columns, folds to hold out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from triage.learning.features import Features, Row

FOLDS = 5


@dataclass(frozen=True)
class Material:
    """Texts with labels, checked and counted once for all that is fitted on them.

    Attributes
    ----------
    classes : sorted class names, k of them
    codes : int array of shape (n,), the column of each label
    counts : float array of shape (n,), above 0: how much each label counts
    folds : int array of shape (n,), the fold each row is held out in; -1: never
    """

    classes: list[str]
    features: Features
    rows: Row
    codes: NDArray[np.intp]
    counts: NDArray[np.float64]
    folds: NDArray[np.intp]

    @classmethod
    def of(
        cls,
        texts: Sequence[str],
        labels: Sequence[str],
        weights: Sequence[float] | None,
        seed: int,
    ) -> Material:
        """Raises ValueError for what cannot be trained on, see fitting.fit."""
        classes, codes = _checked(texts, labels)
        counts = np.ones(len(codes)) if weights is None else np.asarray(weights, dtype=np.float64)
        if counts.shape != codes.shape or not (counts > 0).all():
            raise ValueError(
                f"Every text needs one weight above 0, got {len(counts)} weights"
                f"{f', the least {counts.min()}' if len(counts) else ''}."
            )
        features, rows = Features.fit(texts)
        return cls(classes, features, rows, codes, counts, _folds(codes, seed))

    @property
    def k(self) -> int:
        return len(self.classes)

    @cached_property
    def held(self) -> NDArray[np.bool_]:
        """The rows that are held out once, shape (n,)."""
        return self.folds >= 0

    def parts(self) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp], Row]]:
        """For each fold that is not empty: the learnt rows, the held ones, these as if unseen.

        Columns that only held-out texts use are blanked, as unknown words are in real use;
        otherwise the model would look less sure than it will be.
        """
        for fold in range(FOLDS):
            learnt, held = np.flatnonzero(self.folds != fold), np.flatnonzero(self.folds == fold)
            if len(held):
                yield learnt, held, self.features.as_if_unseen(self.rows[held], self.rows[learnt])


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
            folds[members] = (dealt + np.arange(len(members))) % FOLDS
            dealt += len(members)
    return folds


def two_columns(
    weights: NDArray[np.floating], intercept: NDArray[np.floating]
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Coefficients (n_columns, k) and intercepts (k,), also of the one that two classes share."""
    if weights.shape[1] == 1:
        weights = np.hstack([-weights, weights])
        intercept = np.concatenate([-intercept, intercept])
    return weights.astype(np.float32), intercept.astype(np.float64)
