"""Checks with a stated probability, from counts of days: the newest of a window."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from review.metrics.counts import counted
from review.metrics.estimators.columns import Floats
from review.metrics.groups import COUNTED_COLUMNS, Named, names_of
from review.metrics.window import Scope
from review.models import ScoredCount

# Of more, no interval would be much narrower, and the page would wait for them.
MOST_ROWS = 2_000

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Scored:
    """Checks by their probability, whether the value was right, and weight, each of shape (n,)."""

    probability: Floats
    is_right: Flags
    weight: Floats

    @property
    def n(self) -> int:
        return len(self.probability)

    def of(self, which: Any) -> "Scored":
        return Scored(self.probability[which], self.is_right[which], self.weight[which])


@dataclass(frozen=True)
class Newest:
    """`is_all`: no check of the window was left out. `groups` are those of the scope."""

    checks: Scored
    groups: dict[Named, Scored]
    is_all: bool


def newest(scope: Scope) -> Newest:
    """Whole days from the last one on, with MOST_ROWS rows at most.

    Of whole days, because the rows of one day have no order that says the same tomorrow; where
    those would be less than half of what may be read, a part of the next day comes with them.
    """
    columns = COUNTED_COLUMNS[scope.group]
    rows = (
        counted(ScoredCount, scope)
        .order_by("-day", "-pk")
        .values_list("day", columns.key, "probability", "is_right", "propensity", "n")
    )
    last = list(rows[: MOST_ROWS + 1])
    is_all = len(last) <= MOST_ROWS
    if not is_all:
        whole = [row for row in last if row[0] != last[-1][0]]
        last = whole if 2 * len(whole) >= MOST_ROWS else last[:MOST_ROWS]
    places = defaultdict[Any, list[int]](list)
    for place, row in enumerate(last):
        places[row[1]].append(place)
    names = names_of(places.keys(), ScoredCount, scope, columns)
    table = np.array([row[2:] for row in last], dtype=np.float64).reshape(-1, 4)
    probability, right, propensity, n = table.T
    times = n.astype(int)

    def some(which: Any) -> Scored:
        one = Scored(probability[which], right[which] > 0, 1 / propensity[which])
        return one.of(np.repeat(np.arange(one.n), times[which]))

    groups = {names[key]: some(own) for key, own in places.items()}
    return Newest(some(slice(None)), groups, is_all)
