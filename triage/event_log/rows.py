"""A line of an event log is an incident as it was at one moment, or is refused."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from triage import imports
from triage.imports import Cells, Refuse


class State(StrEnum):
    """What an incident does in a state of the helpdesk."""

    NEW = "new"
    STARTED = "started"
    PAUSED = "paused"
    AWAITING = "awaiting"
    RESOLVED = "resolved"
    CLOSED = "closed"


# In lower case: helpdesks differ in nothing more often than in capitals.
STATES: Mapping[str, State] = {
    "new": State.NEW,
    "open": State.NEW,
    "assigned": State.NEW,
    "active": State.STARTED,
    "in progress": State.STARTED,
    "work in progress": State.STARTED,
    "on hold": State.PAUSED,
    "awaiting problem": State.PAUSED,
    "awaiting vendor": State.PAUSED,
    "awaiting evidence": State.PAUSED,
    "awaiting change": State.PAUSED,
    "awaiting user info": State.AWAITING,
    "awaiting caller": State.AWAITING,
    "pending": State.AWAITING,
    "resolved": State.RESOLVED,
    "solved": State.RESOLVED,
    "closed": State.CLOSED,
    "canceled": State.CLOSED,
    "cancelled": State.CLOSED,
}


@dataclass(frozen=True)
class Columns:
    """Which column holds what; empty for what the log does not tell."""

    id: str
    updated: str
    state: str
    opened: str = ""
    resolved: str = ""
    closed: str = ""
    subject: str = ""
    reassigned_count: str = ""
    reopened_count: str = ""
    team: str = ""
    category: str = ""

    def named(self) -> list[str]:
        own = (self.id, self.updated, self.state, self.opened, self.resolved, self.closed)
        more = (self.subject, self.reassigned_count, self.reopened_count, self.team, self.category)
        return [name for name in (*own, *more) if name]


@dataclass(frozen=True)
class Reading:
    """How cells are read. `states` maps lower-case words of the helpdesk to what they mean.

    `empty` are values that mean nothing is known; `shape` is a time's form as for strptime, ISO
    8601 if empty; a time without an offset is one of `zone`. `in_file_order`: an incident's lines
    stand in the order in which they came to be, whatever their moments say.
    """

    states: Mapping[str, State] = field(default_factory=lambda: STATES)
    empty: frozenset[str] = frozenset()
    shape: str = ""
    zone: tzinfo | None = None
    in_file_order: bool = False
    encoding: str = "utf-8-sig"
    delimiter: str = ","


class Snapshot(NamedTuple):
    """An incident as one line shows it. Moments are seconds since 1970; what is not known is empty.

    Ordered by incident, then `rank`, then line: rank is the moment, so that the order of the file
    decides within one, or nothing where the file's order decides alone.
    """

    id: str
    rank: float
    line: int
    at: float
    state: str
    opened: float | None
    resolved: float | None
    closed: float | None
    subject: str
    reassigned: int
    reopened: int
    team: str
    category: str


def snapshots(
    path: Path,
    columns: Columns,
    reading: Reading,
    *,
    refuse: Refuse,
    progress: Callable[[int], object],
) -> Iterator[Snapshot]:
    """Snapshots in the order of the file.

    `refuse` gets the number of each line that cannot be taken and the reason, `progress` how many
    lines were read. Raises ImportRefused where the file or a column is not there.
    """
    named = columns.named()
    with imports.opened(
        path, named, encoding=reading.encoding, delimiter=reading.delimiter
    ) as reader:
        for chunk in imports.chunks(reader):
            for line, raw in chunk:
                try:
                    cells = imports.cells_of(raw, named)
                    snapshot = _snapshot(columns, reading, line, cells)
                except ValueError as error:
                    refuse(line, str(error))
                else:
                    yield snapshot
            progress(len(chunk))


def _snapshot(columns: Columns, reading: Reading, line: int, cells: Cells) -> Snapshot:
    """ValueError says what is wrong with the line."""
    cells = {name: "" if value in reading.empty else value for name, value in cells.items()}
    key = cells[columns.id]
    at = _seconds(cells, columns.updated, reading)
    if not key or at is None:
        raise ValueError(f"column {columns.updated if key else columns.id!r} is empty")
    imports.check_length(columns.id, key, imports.LONGEST_ID)
    for name in (columns.team, columns.category):
        imports.check_length(name, cells.get(name, ""), imports.LONGEST_VALUE)
    return Snapshot(
        id=key,
        rank=0.0 if reading.in_file_order else at,
        line=line,
        at=at,
        state=_state(cells, columns.state, reading),
        opened=_seconds(cells, columns.opened, reading),
        resolved=_seconds(cells, columns.resolved, reading),
        closed=_seconds(cells, columns.closed, reading),
        subject=cells.get(columns.subject, "")[:300],
        reassigned=_count(cells, columns.reassigned_count),
        reopened=_count(cells, columns.reopened_count),
        team=cells.get(columns.team, ""),
        category=cells.get(columns.category, ""),
    )


def _seconds(cells: Cells, column: str, reading: Reading) -> float | None:
    moment: datetime | None = imports.moment(cells, column, shape=reading.shape, zone=reading.zone)
    if moment is not None and not 1970 <= moment.year <= 2100:
        raise ValueError(f"column {column!r} must lie in 1970 to 2100; got {cells[column]!r}")
    return None if moment is None else moment.timestamp()


def _state(cells: Cells, column: str, reading: Reading) -> str:
    word = cells[column]
    if not word:
        return ""
    state = reading.states.get(word.lower())
    if state is None:
        raise ValueError(f"column {column!r} has the state {word!r}, which nothing is said about")
    return state.value


def _count(cells: Cells, column: str) -> int:
    value = cells.get(column, "")
    if not value:
        return 0
    if not (value.isascii() and value.isdecimal() and len(value) < 5):
        raise ValueError(f"column {column!r} must be a number from 0 to 9999; got {value!r}")
    return int(value)
