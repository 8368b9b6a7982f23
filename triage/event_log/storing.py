"""What a log tells of incidents becomes tickets and their events, so that it happens once."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from operator import attrgetter

from django.db import transaction

from triage import bulk
from triage.event_log.changes import MOVES, Incident, incident
from triage.event_log.rows import Snapshot
from triage.imports import CHUNK_ROWS, Catalogue, Refuse
from triage.intake.inbox import settle, settled
from triage.models import Label, Source, Ticket, TicketEvent, TicketVersion

# More lines than any incident has; they would all be held at once.
LONGEST_STORY = 10_000


@dataclass
class Tally:
    """Tickets new, tickets known before, of these left alone, and events new."""

    created: int = 0
    known: int = 0
    left: int = 0
    events: int = 0


@dataclass(frozen=True)
class Kept:
    """A ticket that is there already, with the keys of its events."""

    ticket: Ticket
    keys: frozenset[str]

    @property
    def is_told_otherwise(self) -> bool:
        """By its helpdesk's webhooks, say: the log would tell the same a second time."""
        return any(not key.startswith("log-") for key in self.keys)


def store(
    snapshots: Iterable[Snapshot],
    source: Source,
    keys: Mapping[str, str],
    *,
    refuse: Refuse,
    progress: Callable[[int], object],
) -> Tally:
    """Import snapshots in the order of incidents, in chunks, each its own transaction.

    Safe to repeat and to resume: an incident's id is the ticket's external id and an event's key
    follows from what happened when, so only what is missing is added, also from a longer log. A
    ticket that has events from elsewhere is left as it is. `keys` maps `team` and `category`, or
    one of them, to the field keys of the source. `progress` gets how many snapshots were done.
    """
    tally = Tally()
    fields = [keys[name] for name in MOVES if name in keys]
    catalogue = Catalogue(source, fields)
    for chunk in _chunks(snapshots, refuse):
        _store(source, catalogue, keys, chunk, tally)
        progress(sum(rows for _, rows in chunk))
    return tally


def _chunks(snapshots: Iterable[Snapshot], refuse: Refuse) -> Iterator[list[tuple[Incident, int]]]:
    """Incidents with the number of their snapshots, about CHUNK_ROWS snapshots at a time."""
    chunk: list[tuple[Incident, int]] = []
    size = 0
    for key, group in groupby(snapshots, key=attrgetter("id")):
        story = list(islice(group, LONGEST_STORY + 1))
        if len(story) > LONGEST_STORY:
            refuse(story[0].line, f"{key} has more than {LONGEST_STORY} lines")
            continue
        chunk.append((incident(story), len(story)))
        size += len(story)
        if size >= CHUNK_ROWS:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


@transaction.atomic
def _store(
    source: Source,
    catalogue: Catalogue,
    keys: Mapping[str, str],
    chunk: Sequence[tuple[Incident, int]],
    tally: Tally,
) -> None:
    incidents = [each for each, _ in chunk]
    known = _known(source, incidents)
    fresh = [each for each in incidents if each.id not in known]
    created = _open(source, keys, fresh)
    events = []
    gained: dict[int, tuple[Ticket, Incident]] = {}
    for each in incidents:
        kept = known.get(each.id) or Kept(created[each.id], frozenset())
        if kept.is_told_otherwise:
            tally.left += 1
            continue
        missing = list(_missing(each, kept, catalogue, keys))
        events += missing
        if missing and each.id in known:
            gained[kept.ticket.pk] = (kept.ticket, each)
    TicketEvent.objects.bulk_create(events)
    for ticket, _ in gained.values():
        settle(ticket)
    _refresh(gained, keys)
    tally.created += len(fresh)
    tally.known += len(known)
    tally.events += len(events)


def _known(source: Source, incidents: Collection[Incident]) -> dict[str, Kept]:
    """Locked, so that an event that a webhook brings meanwhile waits."""
    tickets = list(
        Ticket.objects.filter(source=source, external_id__in=[each.id for each in incidents])
        .defer("subject", "body", "search")
        .order_by("pk")
        .select_for_update()
    )
    met: dict[int, set[str]] = {ticket.pk: set() for ticket in tickets}
    told = TicketEvent.objects.filter(ticket__in=bulk.among(met)).order_by()
    for pk, key in told.values_list("ticket", "key"):
        met[pk].add(key)
    return {ticket.external_id: Kept(ticket, frozenset(met[ticket.pk])) for ticket in tickets}


def _open(source: Source, keys: Mapping[str, str], fresh: Sequence[Incident]) -> dict[str, Ticket]:
    """Its only version holds what it was filed under at first; the ticket what it came to."""
    tickets = []
    for each in fresh:
        closed_at, reopened = settled((told.kind, told.at) for told in each.happenings)
        tickets.append(
            Ticket(
                source=source,
                external_id=each.id,
                version=0,
                subject=each.subject,
                values=_values(each.last, keys),
                opened_at=each.opened_at,
                closed_at=closed_at,
                reopened_count=reopened,
            )
        )
    Ticket.objects.bulk_create(tickets)
    TicketVersion.objects.bulk_create(
        TicketVersion(
            ticket=ticket, version=0, subject=each.subject, values=_values(each.first, keys)
        )
        for ticket, each in zip(tickets, fresh, strict=True)
    )
    return {ticket.external_id: ticket for ticket in tickets}


def _missing(
    each: Incident, kept: Kept, catalogue: Catalogue, keys: Mapping[str, str]
) -> Iterator[TicketEvent]:
    # What an incident was filed under at first is a value of the helpdesk as well.
    for name, value in each.first.items():
        catalogue.choice(keys[name], value)
    for key, told in each.keyed():
        if key not in kept.keys:
            yield TicketEvent(
                ticket=kept.ticket,
                key=key,
                kind=told.kind,
                happened_at=told.at,
                choice=catalogue.choice(keys[told.field], told.value) if told.field else None,
            )


def _refresh(gained: Mapping[int, tuple[Ticket, Incident]], keys: Mapping[str, str]) -> None:
    """What an earlier, shorter log brought has its newer values; of others the log knows less."""
    brought = (
        Ticket.objects.filter(pk__in=gained)
        .exclude(labels__origin=Label.Origin.HISTORY)
        .exclude(versions__delivery__isnull=False)
    )
    for pk in brought.values_list("pk", flat=True):
        ticket, each = gained[pk]
        ticket.values = {**ticket.values, **_values(each.last, keys)}
        ticket.save(update_fields=["values"])


def _values(told: Mapping[str, str], keys: Mapping[str, str]) -> dict[str, str]:
    return {keys[name]: value for name, value in told.items()}
