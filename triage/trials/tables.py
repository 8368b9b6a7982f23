"""Labelled texts from a CSV file, whatever its columns are called."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

_LONGEST_CELL = 10_000_000
_GZIP = b"\x1f\x8b"
_SHOWN_COLUMNS = 20


class TrialRefused(Exception):
    """There is nothing to judge a model on; the message names the thing, the rule and what came."""


@dataclass(frozen=True)
class Columns:
    """Which column holds what; `order` may be empty: then the file's order counts."""

    text: str
    label: str
    order: str = ""

    def named(self) -> list[str]:
        return [name for name in (self.text, self.label, self.order) if name]


@dataclass(frozen=True)
class Table:
    """Rows that can be used, the oldest first, and sentences on those that cannot."""

    texts: list[str]
    labels: list[str]
    notes: list[str]


def read(path: Path, columns: Columns, *, delimiter: str = ",") -> Table:
    """Raises TrialRefused for a file that is missing, not UTF-8, no CSV, or lacks a column."""
    csv.field_size_limit(_LONGEST_CELL)
    with _opened(path) as file:
        reader = csv.reader(file, delimiter=delimiter)
        header = next(reader, [])
        places = [_place(path, header, name, delimiter) for name in columns.named()]
        rows = [row for row in reader if row]
    whole = [row for row in rows if len(row) == len(header)]
    cells = [[row[place].strip() for place in places] for row in whole]
    used = [found for found in cells if all(found)]
    notes = []
    if len(whole) < len(rows):
        notes.append(
            f"{len(rows) - len(whole):,} of {len(rows):,} rows have more or fewer cells than the "
            f"header's {len(header)} and are left out."
        )
    if len(used) < len(whole):
        empty = f"{len(whole) - len(used):,} of {len(rows):,} rows have an empty cell in "
        notes.append(f"{empty}{', '.join(columns.named())} and are left out.")
    if not used:
        raise TrialRefused(f"{path} must have rows with a text and a label, got none in all.")
    if columns.order:
        used = _in_order(used, path, columns.order)
    return Table([found[0] for found in used], [found[1] for found in used], notes)


@contextmanager
def _opened(path: Path) -> Iterator[IO[str]]:
    """The text of a file, gzipped or not; whatever is wrong with it becomes TrialRefused."""
    if not path.is_file():
        raise TrialRefused(f"{path} must be a CSV file, and there is no such file.")
    try:
        with path.open("rb") as raw:
            is_gzipped = raw.read(2) == _GZIP
        opener = gzip.open if is_gzipped else open
        with opener(path, "rb") as content:
            if b"\0" in content.read(4096):
                raise TrialRefused(f"{path} must be a CSV file in UTF-8, but it is no text in it.")
        with opener(path, "rt", encoding="utf-8-sig", newline="") as file:
            yield file
    except UnicodeDecodeError as error:
        found = error.object[error.start]
        raise TrialRefused(
            f"{path} must be in UTF-8, but holds the byte 0x{found:02x} as another encoding would; "
            "convert it, for example: iconv -f windows-1252 -t utf-8 OLD.csv > NEW.csv"
        ) from error
    except (csv.Error, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise TrialRefused(f"{path} must be a CSV file: {error}.") from error
    except OSError as error:
        raise TrialRefused(f"{path} cannot be read: {error.strerror}.") from error


def _place(path: Path, header: Sequence[str], name: str, delimiter: str) -> int:
    found = [place for place, column in enumerate(header) if column.strip() == name.strip()]
    if len(found) == 1:
        return found[0]
    if found:
        raise TrialRefused(f"{path} must have one column {name!r}, it has {len(found)}.")
    shown = ", ".join(repr(column) for column in header[:_SHOWN_COLUMNS]) or "none"
    more = f" and {len(header) - _SHOWN_COLUMNS} more" if len(header) > _SHOWN_COLUMNS else ""
    other = (
        [sign for sign in (";", "\t", ",", "|") if sign != delimiter and sign in header[0]]
        if (len(header) == 1)
        else []
    )
    hint = f" Is the delimiter {other[0]!r}? Say so with --delimiter." if other else ""
    raise TrialRefused(f"{path} must have a column {name!r}; it has: {shown}{more}.{hint}")


def _in_order(rows: list[list[str]], path: Path, name: str) -> list[list[str]]:
    """By the last cell: numbers, or dates as 2026-03-02 or 2026-03-02T10:00. Equal ones stay."""
    for measure in (_number, _moment):
        keys = [measure(row[-1]) for row in rows]
        if None not in keys:
            order = sorted(range(len(rows)), key=lambda place: keys[place] or 0.0)
            return [rows[place] for place in order]
    odd = next(row[-1] for row in rows if _number(row[-1]) is None)
    if _moment(odd) is not None:
        odd = next(row[-1] for row in rows if _moment(row[-1]) is None)
    raise TrialRefused(
        f"{path}: --order {name} must hold numbers throughout, or dates as 2026-03-02 or "
        f"2026-03-02T10:00, got {odd[:40]!r}."
    )


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def _moment(cell: str) -> float | None:
    """Seconds since 1970; a moment without a zone counts as UTC."""
    try:
        moment = datetime.fromisoformat(cell)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
