"""How usual a text is among those trained on, from several signs of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

# How finely the strangeness of held-out training texts is kept.
_STEPS = 1_001
_ARRAYS = ("means", "spreads", "levels")


@dataclass(frozen=True)
class Scope:
    """Signs of being usual, each the higher the more usual, brought to one measure and added.

    Not the top probability: a usual text may be torn between two classes, an alien one look
    certain. Nor one sign alone: measured, a distance tells other subjects apart and the winner's
    score tells near misses apart, and each is weak at the other's work.

    Attributes
    ----------
    means, spreads : float arrays of shape (n_signs,), over held-out training texts
    levels : float array of shape (1_001,), quantiles of the sums over the same texts
    """

    means: NDArray[np.float64]
    spreads: NDArray[np.float64]
    levels: NDArray[np.float64]

    @classmethod
    def fit(cls, signs: NDArray[np.floating]) -> Scope:
        """`signs`, shape (n_texts, n_signs), come from models that had not seen the texts."""
        means = signs.mean(axis=0, dtype=np.float64)
        spreads = np.maximum(signs.std(axis=0, dtype=np.float64), 1e-9)
        sums = ((signs - means) / spreads).sum(axis=1)
        return cls(means, spreads, np.quantile(sums, np.linspace(0, 1, _STEPS)))

    def share_below(self, signs: NDArray[np.floating]) -> NDArray[np.float64]:
        """The share of training texts, 0 to 1, that look stranger than each row; shape (n,)."""
        sums = ((signs - self.means) / self.spreads).sum(axis=1)
        lower = np.searchsorted(self.levels, sums, side="left")
        return np.asarray(lower / len(self.levels), dtype=np.float64)

    def state(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _ARRAYS}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], n_signs: int) -> Scope:
        """Raises ValueError where the arrays are not of `n_signs` signs."""
        shapes = {"means": (n_signs,), "spreads": (n_signs,), "levels": (_STEPS,)}
        check_shapes(state, shapes)
        return cls(**{name: state[name] for name in _ARRAYS})


def check_shapes(state: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Raises ValueError for the first array that has another shape than it must."""
    for name, expected in shapes.items():
        if state[name].shape != expected:
            raise ValueError(f"{name} must have shape {expected}, got {state[name].shape}.")
