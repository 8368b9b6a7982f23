"""What imports of CSV files share: reading them, checking cells, and filling the catalogue."""

import csv
import gzip
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, tzinfo
from itertools import islice
from pathlib import Path
from typing import IO, Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from triage.models import Choice, Field, Source
from triage.storable import refuse_unstorable

CHUNK_ROWS = 1000
# Above this the reader gives the whole file up; up to it only the row is refused.
LONGEST_CELL = 10_000_000
LONGEST_ID = 64
LONGEST_VALUE = 120

Cells = dict[str, str]
Refuse = Callable[[int, str], None]


class ImportRefused(Exception):
    """The file or the mapping cannot be used at all."""


@contextmanager
def opened(
    path: Path, named: Iterable[str], *, encoding: str, delimiter: str
) -> "Iterator[csv.DictReader[str]]":
    """Rows of a plain or gzipped CSV file that has all columns `named`.

    Raises ImportRefused where it has not, and for whatever is wrong with the file.
    """
    csv.field_size_limit(LONGEST_CELL)
    with _text(path, encoding) as file:
        reader = csv.DictReader(file, delimiter=delimiter)
        header = reader.fieldnames
        missing = next((name for name in named if name not in (header or [])), None)
        if missing is not None:
            has = ", ".join(header or []) or "none"
            raise ImportRefused(f"The file has no column {missing!r}; it has: {has}.")
        yield reader


@contextmanager
def _text(path: Path, encoding: str) -> Iterator[IO[str]]:
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding=encoding, newline="") as file:
            yield file
    except (UnicodeDecodeError, gzip.BadGzipFile, EOFError, csv.Error) as error:
        raise ImportRefused(f"{path} is not the CSV it should be: {error}.") from error
    except OSError as error:
        raise ImportRefused(f"{path} cannot be read: {error.strerror}.") from error


def chunks(reader: Iterable[dict[Any, Any]]) -> Iterator[list[tuple[int, dict[Any, Any]]]]:
    """Rows with their numbers, counted from 1 below the header, at most CHUNK_ROWS at a time."""
    numbered = enumerate(reader, start=1)
    while chunk := list(islice(numbered, CHUNK_ROWS)):
        yield chunk


def cells_of(raw: Mapping[Any, Any], named: Iterable[str]) -> Cells:
    """The cells of these columns without the space around them; ValueError for a broken row."""
    if None in raw:
        raise ValueError("it has more cells than the header")
    cells = {name: (raw[name] or "").strip() for name in named}
    refuse_unstorable(cells)
    return cells


def check_length(column: str, value: str, longest: int) -> None:
    if len(value) > longest:
        raise ValueError(f"column {column!r} has more than {longest} characters")


def moment(
    cells: Mapping[str, str], column: str, *, shape: str = "", zone: tzinfo | None = None
) -> datetime | None:
    """None for an empty cell. `shape` as for strptime, else ISO 8601.

    A time without an offset is one of `zone`, by default the service's.
    """
    value = cells.get(column, "")
    if not value:
        return None
    try:
        found = datetime.strptime(value, shape) if shape else parse_datetime(value)  # noqa: DTZ007
    except ValueError:
        found = None
    if found is None:
        wanted = f"in the form {shape}" if shape else "like 2026-03-01T09:30Z"
        raise ValueError(f"column {column!r} must be a time {wanted}; got {value!r}")
    return found if timezone.is_aware(found) else timezone.make_aware(found, zone)


class Catalogue:
    """Fields and choices by key, made when a value is met for the first time.

    The first of `keys` becomes the main field of a source that has none.
    """

    def __init__(self, source: Source, keys: Iterable[str]) -> None:
        keys = tuple(keys)
        for position, key in enumerate(keys):
            is_first = not Field.objects.filter(source=source, is_main=True).exists()
            Field.objects.get_or_create(
                source=source,
                key=key,
                defaults={
                    "name": key.replace("_", " ").capitalize(),
                    "position": position,
                    "is_main": is_first and position == 0,
                },
            )
        self.fields = {f.key: f for f in Field.objects.filter(source=source, key__in=keys)}
        self.choices = {
            (choice.field_id, choice.key): choice
            for choice in Choice.objects.filter(field__in=self.fields.values())
        }

    def choice(self, key: str, value: str) -> Choice:
        own = self.fields[key]
        known = self.choices.get((own.pk, value))
        if known is None:
            known, _ = Choice.objects.get_or_create(field=own, key=value, defaults={"name": value})
            self.choices[own.pk, value] = known
        return known
