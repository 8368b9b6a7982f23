"""What model cards and data cards are made of, and how they are written as Markdown. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from triage.admin.evidence import Table, is_number
from triage.learning.details import interval

# What Markdown, or a page that shows it, would take for more than a letter.
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#])")


@dataclass(frozen=True)
class Section:
    """A heading, then sentences, points and a table, each where there is any."""

    title: str
    paragraphs: Sequence[str] = ()
    points: Sequence[str] = ()
    table: Table | None = None


@dataclass(frozen=True)
class Card:
    title: str
    about: str
    sections: list[Section] = field(default_factory=list)


def markdown(card: Card) -> str:
    """The whole card as text; what names hold is no markup in it."""
    blocks = [f"# {_plain(card.title)}", _plain(card.about)]
    for section in card.sections:
        blocks.append(f"## {_plain(section.title)}")
        blocks += [_plain(paragraph) for paragraph in section.paragraphs]
        if section.points:
            blocks.append("\n".join(f"- {_plain(point)}" for point in section.points))
        if section.table is not None:
            blocks.append(_table(section.table))
    return "\n\n".join(blocks) + "\n"


def _table(table: Table) -> str:
    lines = [table.head, ["---"] * len(table.head), *table.rows]
    cells = [[cell if cell == "---" else _plain(cell) for cell in line] for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)


def _plain(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


# --- Reading evidence that may hold anything ------------------------------------------------
def group(evidence: object, key: str) -> Mapping[str, Any]:
    """A group of values by name; empty where there is none."""
    found = evidence.get(key) if isinstance(evidence, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def listed(evidence: object, key: str, *numbers: str) -> list[Mapping[str, Any]]:
    """Rows that have a number under each of these names; others are passed over."""
    found = evidence.get(key) if isinstance(evidence, Mapping) else None
    rows = found if isinstance(found, list) else []
    return [
        row
        for row in rows
        if isinstance(row, Mapping) and all(is_number(row.get(name)) for name in numbers)
    ]


def number(values: Mapping[str, Any], key: str) -> float | None:
    found = values.get(key)
    if found is None or not is_number(found) or not isfinite(found):
        return None
    return float(found)


def percent(share: float | None, *, digits: int = 1) -> str:
    """With a space that does not break, as tables are narrow."""
    return "-" if share is None else f"{100 * share:.{digits}f}\u00a0%"


def with_interval(share: float, tickets: float) -> str:
    """A share of so many tickets, with Wilson's 95 % interval."""
    low, high = interval(share, tickets)
    return f"{percent(share)} ({100 * low:.1f}\u00a0to\u00a0{100 * high:.1f})"


def counts(values: Mapping[str, Any]) -> dict[str, int]:
    """Those that are whole numbers, by name."""
    return {str(key): int(n) for key, n in values.items() if is_number(n) and float(n).is_integer()}
