"""What every report is made of, and how groups become its rows."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from review.metrics.counts import GroupCounts
from review.metrics.definitions import Definition, Text
from review.metrics.figures import Bucket, Column, Row
from review.metrics.window import Group, Scope

GROUP_NAMES: Mapping[Group, Text] = {
    Group.CATEGORY: _("Category"),
    Group.MODEL: _("Model version"),
    Group.SOURCE: _("Source"),
}
ALL = _("all")
# Makes a row of the name of a group, its key, and what was counted in it.
RowOf = Callable[[str, str, Mapping[str, int]], Row]


@dataclass(frozen=True)
class Note:
    """A sentence that belongs to a report, with the proposals it speaks of."""

    text: str
    bucket: Bucket | None = None


@dataclass(frozen=True)
class Report:
    """`totals` are the rows of everything together; `size` is how many cases stand behind it.

    `is_by_group`: the key of each row is that of a group of the scope. `is_gated`: it has passed
    review/metrics/gate.py.
    """

    definition: Definition
    scope: Scope
    labels: tuple[Text, ...]
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    totals: tuple[Row, ...]
    size: int
    notes: tuple[Note, ...] = ()
    is_by_group: bool = False
    is_gated: bool = False


def grouped(
    definition: Definition,
    scope: Scope,
    columns: Sequence[Column],
    found: Sequence[GroupCounts],
    row: RowOf,
    *,
    size: Sequence[str] = ("n",),
    notes: tuple[Note, ...] = (),
) -> Report:
    """A row a group, the largest first, and their sum; `row` makes one of (name, key, counts).

    The figures named by `size` add up to the number of cases. A group without one is left out.
    """
    total = row(str(ALL), "", summed(found))
    rows = by_size((row(g.group.name, g.group.key, g.counts) for g in found), size)
    return Report(
        definition,
        scope,
        labels=(GROUP_NAMES[scope.group],),
        columns=tuple(columns),
        rows=tuple(line for line in rows if _size(line, size)),
        totals=(total,),
        size=_size(total, size),
        notes=notes,
        is_by_group=True,
    )


def summed(found: Sequence[GroupCounts]) -> Counter[str]:
    total = Counter[str]()
    for group in found:
        total.update(group.counts)
    return total


def by_size(rows: Iterable[Row], size: Sequence[str] = ("n",)) -> tuple[Row, ...]:
    return tuple(sorted(rows, key=lambda row: (-_size(row, size), row.labels)))


def _size(row: Row, size: Sequence[str]) -> int:
    return sum(row.figures[name].n for name in size)
