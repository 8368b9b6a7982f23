"""Bulk import of solved tickets: every row becomes a ticket with its labels, or a refusal."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from triage import imports
from triage.imports import Catalogue, Refuse
from triage.models import Label, Source, Ticket, TicketVersion

LONGEST_BODY = 200_000


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
    refuse: Refuse,
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
    named = columns.named()
    with imports.opened(path, named, encoding=encoding, delimiter=delimiter) as reader:
        catalogue = Catalogue(source, columns.fields)
        for chunk in imports.chunks(reader):
            rows = []
            for number, raw in chunk:
                try:
                    rows.append(_row(source, columns, number, imports.cells_of(raw, named)))
                except ValueError as error:
                    tally.refused += 1
                    refuse(number, str(error))
            _store(source, catalogue, rows, tally)
            tally.read += len(chunk)
            progress(len(chunk))
    return tally


def _row(source: Source, columns: Columns, number: int, cells: Mapping[str, str]) -> Row:
    """ValueError says what is wrong with the row."""
    body = cells[columns.body]
    subject = cells.get(columns.subject, "")
    if not body and not subject:
        raise ValueError(f"column {columns.body!r} is empty")
    imports.check_length(columns.body, body, LONGEST_BODY)
    external_id = cells.get(columns.id) or f"row-{number}"
    imports.check_length(columns.id, external_id, imports.LONGEST_ID)
    labels = {key: cells[name] for key, name in columns.fields.items() if cells[name]}
    for key, value in labels.items():
        imports.check_length(columns.fields[key], value, imports.LONGEST_VALUE)
    opened = imports.moment(cells, columns.opened) or timezone.now()
    ticket = Ticket(
        source=source,
        external_id=external_id,
        version=0,
        subject=subject[:300],
        body=body,
        requester=cells.get(columns.requester, "").lower()[:254],
        values=labels,
        opened_at=opened,
        closed_at=imports.moment(cells, columns.closed) or opened,
        resolution=cells.get(columns.resolution, ""),
    )
    return Row(ticket, labels)


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
