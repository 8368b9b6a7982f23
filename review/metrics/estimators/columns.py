"""Columns of numbers as the estimators take them: of one length, finite, within their limits."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


def numbers(name: str, values: ArrayLike, *, low: float, high: float = np.inf) -> Floats:
    """One column of finite numbers from low to high, both included.

    Raises ValueError that names the column, the rule, and the first value that breaks it.
    """
    column = np.asarray(values, dtype=np.float64)
    if column.ndim != 1:
        raise ValueError(f"{name} must be one column; it has {column.ndim} dimensions.")
    wrong = ~(np.isfinite(column) & (column >= low) & (column <= high))
    if wrong.any():
        at = int(np.argmax(wrong))
        rule = f"from {low:g} to {high:g}" if np.isfinite(high) else f"finite and at least {low:g}"
        raise ValueError(f"{name} must be {rule}; position {at} has {column[at]:g}.")
    return column


def flags(name: str, values: ArrayLike) -> Floats:
    """A column of yes and no, as 1.0 and 0.0. Raises ValueError for anything in between."""
    column = numbers(name, values, low=0, high=1)
    between = (column != 0) & (column != 1)
    if between.any():
        at = int(np.argmax(between))
        raise ValueError(f"{name} must be 0 or 1; position {at} has {column[at]:g}.")
    return column


def weights_of(weights: ArrayLike | None, n: int) -> Floats:
    """1 / propensity of each row; all 1 where None is given.

    Raises ValueError for a weight below 1: no propensity lies above 1.
    """
    column = np.ones(n) if weights is None else numbers("weights", weights, low=1)
    same_length(rows=np.empty(n), weights=column)
    return column


def clusters_of(clusters: ArrayLike | None, n: int) -> Indices:
    """Number of the cluster that each row belongs to; every row its own where None is given."""
    if clusters is None:
        return np.arange(n)
    keys = np.asarray(clusters)
    if keys.shape != (n,):
        raise ValueError(f"clusters must have one key a row: {n}, not the shape {keys.shape}.")
    _, index = np.unique(keys, return_inverse=True)
    return index


def same_length(**columns: NDArray[np.generic]) -> None:
    if len({len(column) for column in columns.values()}) > 1:
        lengths = ", ".join(f"{name} {len(column)}" for name, column in columns.items())
        raise ValueError(f"Columns must be of one length; got {lengths}.")
