"""Checked proposals in cells: those of which AI, person and truth said the same."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from django.db.models import Q, QuerySet

from review.metrics import cohorts
from review.metrics.aggregates import PlainSum
from review.metrics.counts import counted
from review.metrics.estimators import Repeated, WeightedSums
from review.metrics.figures import Bucket
from review.metrics.groups import (
    COUNTED_COLUMNS,
    Columns,
    Named,
    in_group,
    names_of,
    rows_by,
)
from review.metrics.window import Scope
from review.models import CheckCount
from triage.models import Proposal

FLAGS = ("is_auto", "is_twice", "is_right", "kept", "final_right", "first_right", "first_agreed")
REASON = Columns("reason_id", ("reason__label",))


class Cell(NamedTuple):
    """`n` checked proposals of one group; see CheckCount for the rest. `reason` by its label."""

    group: Named
    propensity: float
    is_auto: bool
    is_twice: bool
    is_right: bool
    kept: bool | None
    final_right: bool | None
    first_right: bool | None
    first_agreed: bool | None
    reason: Named | None
    n: int
    weight: float


Which = Callable[[Cell], bool]
Cells = Sequence[Cell]


def cells(scope: Scope, columns: Columns | None = None) -> list[Cell]:
    """One aggregate query over counts of days, by the scope's group or by other columns.

    The names of groups and reasons are looked up beside it, once a page.
    """
    columns = columns or COUNTED_COLUMNS[scope.group]
    rows = counted(CheckCount, scope, columns)
    split = ("propensity", *FLAGS, REASON.key)
    found = rows_by(rows, scope, columns, {"count": PlainSum("n")}, *split)
    reasons: dict[Any, Named | None] = dict(
        names_of({row[-2] for row in found}, CheckCount, scope, REASON)
    )
    reasons[None] = None
    return [Cell._make((*said, reasons[reason], n, 1 / said[1])) for *said, reason, n in found]


def count(some: Cells) -> int:
    return sum(cell.n for cell in some)


def sums(some: Cells, is_hit: Which) -> WeightedSums:
    """What a weighted rate needs: w is one by the probability at which a check was drawn."""
    n, w, ww, wx, wwx = 0, 0.0, 0.0, 0.0, 0.0
    for cell in some:
        own = cell.n * cell.weight
        n, w, ww = n + cell.n, w + own, ww + own * cell.weight
        if is_hit(cell):
            wx, wwx = wx + own, wwx + own * cell.weight
    return WeightedSums(n, w, ww, wx, wwx)


def repeated(some: Cells) -> Repeated:
    return Repeated([cell.n for cell in some])


def column(some: Cells, of: Which) -> list[int]:
    return [int(of(cell)) for cell in some]


def weights(some: Cells) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    return np.array([cell.weight for cell in some], dtype=np.float64)


def is_decided(cell: Cell) -> bool:
    """A person decided, and the truth does not hang on that person's own answer."""
    return cell.is_twice and cell.kept is not None


def is_answered(cell: Cell) -> bool:
    return is_decided(cell) and cell.first_right is not None


# What the cells of a figure's bucket ask of the rows behind it.
DECIDED = Q(is_twice=True, kept__isnull=False)
ANSWERED = DECIDED & Q(first_right__isnull=False)
CONDITIONS = {
    "checked": Q(),
    "wrong": Q(is_right=False),
    "auto": Q(route=Proposal.Route.AUTO),
    "auto-wrong": Q(route=Proposal.Route.AUTO, is_right=False),
    "wrong-decided": DECIDED & Q(is_right=False),
    "wrong-kept": DECIDED & Q(is_right=False, kept=True),
    "wrong-changed": DECIDED & Q(is_right=False, kept=False),
    "right-decided": DECIDED & Q(is_right=True),
    "right-kept": DECIDED & Q(is_right=True, kept=True),
    "right-changed": DECIDED & Q(is_right=True, kept=False),
    "overridden": DECIDED & Q(kept=False),
    "mended": DECIDED & Q(kept=False, is_right=False, final_right=True),
    "spoilt": DECIDED & Q(kept=False, is_right=True, final_right=False),
    "correctable": ANSWERED & Q(first_right=False, is_right=True),
    "corrected": ANSWERED & Q(first_right=False, is_right=True, final_right=True),
    "at-stake": ANSWERED & Q(first_right=True, is_right=False),
    "kept-own": ANSWERED & Q(first_right=True, is_right=False, final_right=True),
    "differed": ANSWERED & Q(first_agreed=False),
    "switched": ANSWERED & Q(first_agreed=False, kept=True),
    "switched-from-right": ANSWERED & Q(first_agreed=False, kept=True, first_right=True),
    "decided": DECIDED,
    "answered": ANSWERED,
    "first-right": ANSWERED & Q(first_right=True),
}


def listed(scope: Scope, bucket: Bucket) -> QuerySet[Proposal]:
    """The checked proposals that a figure counts."""
    rows = cohorts.checked(scope).filter(CONDITIONS[bucket.cell or "checked"])
    if bucket.of:
        rows = rows.filter(in_group(scope.group, bucket.of))
    if bucket.reason:
        rows = rows.filter(Q(decided__reason=int(bucket.reason)))
    return rows
