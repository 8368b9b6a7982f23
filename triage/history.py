"""Bulk import of solved tickets: every row becomes a ticket with its labels, or a refusal."""

import csv
import gzip
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import IO

from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from triage.models import Choice, Field, Label, Source, Ticket, TicketVersion
from triage.storable import refuse_unstorable

CHUNK_ROWS = 1000
LONGEST_BODY = 200_000
# Above this the reader gives the whole file up; up to it only the row is refused.
LONGEST_CELL = 10_000_000


class ImportRefused(Exception):
    """The file or the mapping cannot be used at all."""


@dataclass(frozen=True)
class Columns:
    """Which column holds what; `fields` maps field key to column."""

    body: str
    subject: str = ""
    id: str = ""
    opened: str = ""
    closed: str = ""
    requester: str = ""
    resolution: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)

    def named(self) -> list[str]:
        own = (self.body, self.subject, self.id, self.opened, self.closed, self.requester)
        return [name for name in (*own, self.resolution, *self.fields.values()) if name]


@dataclass
class Tally:
    """Rows read, tickets new, tickets known from an earlier run, rows refused."""

    read: int = 0
    created: int = 0
    known: int = 0
    refused: int = 0


@dataclass(frozen=True)
class Row:
    ticket: Ticket
    labels: Mapping[str, str]


def load(
    path: Path,
    source: Source,
    columns: Columns,
    *,
    refuse: Callable[[int, str], None],
    progress: Callable[[int], object],
    encoding: str = "utf-8-sig",
    delimiter: str = ",",
) -> Tally:
    """Import a CSV file (also .gz) in chunks, each its own transaction.

    Safe to repeat and to resume: a row's id (its column, or its line in the file) is the
    ticket's external id, and a ticket that is there already is left as it is. `refuse` gets the
    line and the reason of each row that cannot be taken; `progress` the number of rows done.
    """
    tally = Tally()
    csv.field_size_limit(LONGEST_CELL)
    with _opened(path, encoding) as file:
        reader = csv.DictReader(file, delimiter=delimiter)
        _check_header(reader.fieldnames, columns)
        catalogue = Catalogue(source, columns.fields)
        numbered = enumerate(reader, start=1)
        while chunk := list(islice(numbered, CHUNK_ROWS)):
            rows = []
            for number, raw in chunk:
                try:
                    rows.append(_row(source, columns, number, raw))
                except ValueError as error:
                    tally.refused += 1
                    refuse(number, str(error))
            _store(source, catalogue, rows, tally)
            tally.read += len(chunk)
            progress(len(chunk))
    return tally


class Catalogue:
    """Fields and choices by key, made when a value is met for the first time."""

    def __init__(self, source: Source, keys: Mapping[str, str]) -> None:
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


@contextmanager
def _opened(path: Path, encoding: str) -> Iterator[IO[str]]:
    """Text of a plain or gzipped file; whatever is wrong with it becomes ImportRefused."""
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding=encoding, newline="") as file:
            yield file
    except (UnicodeDecodeError, gzip.BadGzipFile, EOFError, csv.Error) as error:
        raise ImportRefused(f"{path} is not the CSV it should be: {error}.") from error
    except OSError as error:
        raise ImportRefused(f"{path} cannot be read: {error.strerror}.") from error


def _check_header(header: Sequence[str] | None, columns: Columns) -> None:
    missing = [name for name in columns.named() if name not in (header or [])]
    if missing:
        raise ImportRefused(
            f"The file has no column {missing[0]!r}; it has: {', '.join(header or []) or 'none'}."
        )


def _row(source: Source, columns: Columns, number: int, raw: Mapping[str, str]) -> Row:
    """ValueError says what is wrong with the row."""
    if None in raw:
        raise ValueError("it has more cells than the header")
    cells = {name: (raw[name] or "").strip() for name in columns.named()}
    refuse_unstorable(cells)
    body = cells[columns.body]
    subject = cells.get(columns.subject, "")
    if not body and not subject:
        raise ValueError(f"column {columns.body!r} is empty")
    if len(body) > LONGEST_BODY:
        raise ValueError(f"column {columns.body!r} has more than {LONGEST_BODY} characters")
    external_id = cells.get(columns.id) or f"row-{number}"
    if len(external_id) > 64:
        raise ValueError(f"column {columns.id!r} has more than 64 characters")
    labels = {key: cells[name] for key, name in columns.fields.items() if cells[name]}
    for key, value in labels.items():
        if len(value) > 120:
            raise ValueError(f"column {columns.fields[key]!r} has more than 120 characters")
    opened = _moment(cells, columns.opened) or timezone.now()
    ticket = Ticket(
        source=source,
        external_id=external_id,
        version=0,
        subject=subject[:300],
        body=body,
        requester=cells.get(columns.requester, "").lower()[:254],
        values=labels,
        opened_at=opened,
        closed_at=_moment(cells, columns.closed) or opened,
        resolution=cells.get(columns.resolution, ""),
    )
    return Row(ticket, labels)


def _moment(cells: Mapping[str, str], column: str) -> datetime | None:
    value = cells.get(column, "")
    if not value:
        return None
    moment = parse_datetime(value)
    if moment is None:
        raise ValueError(f"column {column!r} must be a time like 2026-03-01T09:30Z; got {value!r}")
    return moment if timezone.is_aware(moment) else timezone.make_aware(moment)


@transaction.atomic
def _store(source: Source, catalogue: Catalogue, rows: Sequence[Row], tally: Tally) -> None:
    unique = {row.ticket.external_id: row for row in rows}
    known = set(
        Ticket.objects.filter(source=source, external_id__in=unique).values_list(
            "external_id", flat=True
        )
    )
    fresh = [row for key, row in unique.items() if key not in known]
    Ticket.objects.bulk_create([row.ticket for row in fresh])
    TicketVersion.objects.bulk_create(
        TicketVersion(
            ticket=row.ticket,
            version=0,
            subject=row.ticket.subject,
            body=row.ticket.body,
            values=row.ticket.values,
        )
        for row in fresh
    )
    Label.objects.bulk_create(
        Label(
            ticket=row.ticket,
            field=catalogue.fields[key],
            choice=catalogue.choice(key, value),
            origin=Label.Origin.HISTORY,
        )
        for row in fresh
        for key, value in row.labels.items()
    )
    tally.created += len(fresh)
    tally.known += len(rows) - len(fresh)
