"""From a stored delivery to a ticket at a version, or to an event of a ticket."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from triage import bulk
from triage.helpdesks import dialect
from triage.helpdesks.base import EventMessage, Message, TicketMessage, Unreadable
from triage.models import (
    Choice,
    Delivery,
    Effect,
    Proposal,
    Ticket,
    TicketEvent,
    TicketVersion,
    Waiting,
)

_CONFLICT = Effect.State.CONFLICT
CLOSING = (TicketEvent.Kind.RESOLVED, TicketEvent.Kind.CLOSED)
ERASED = "The ticket was erased: nothing that is written about it is kept any more."


class TicketNotThereYet(Exception):
    """An event overtook its ticket; the job is tried again until the ticket has come."""


@transaction.atomic
def read(deliveries: Sequence[Delivery]) -> list[int]:
    """Apply deliveries; answers the ticket versions, by primary key, that need a proposal.

    Safe to repeat: an older or equal version and a known event change nothing. What opens tickets
    is written together; for the rest the ticket row is locked, so two deliveries about one ticket
    follow each other and the highest version wins.
    """
    deliveries = [delivery for delivery in deliveries if delivery.erased_at is None]
    messages = {delivery.pk: _parsed(delivery) for delivery in deliveries}
    opening = _opening(deliveries, messages)
    due = _open(opening)
    opened = {delivery.pk for delivery, _ in opening}
    for delivery in deliveries:
        message = messages[delivery.pk]
        if message is None or delivery.pk in opened:
            continue
        apply = _apply_event if isinstance(message, EventMessage) else _apply_version
        version = apply(delivery, message)  # type: ignore[arg-type]
        if version is not None:
            due.append(version.pk)
    return due


def _parsed(delivery: Delivery) -> Message | None:
    """None for one that cannot be read, which is then concluded."""
    try:
        return dialect(delivery.source).parse(json.loads(bytes(delivery.body)))
    except (Unreadable, ValueError, RecursionError) as error:
        _conclude(delivery, Delivery.Outcome.REFUSED, str(error))
        return None


def _opening(
    deliveries: Sequence[Delivery], messages: Mapping[int, Message | None]
) -> list[tuple[Delivery, TicketMessage]]:
    """Those about tickets that nobody has told us of, the first of each ticket."""
    first: dict[tuple[int, str], tuple[Delivery, TicketMessage]] = {}
    for delivery in deliveries:
        message = messages[delivery.pk]
        if message is not None:
            key = (delivery.source_id, message.external_id)
            if isinstance(message, TicketMessage) and not message.caused_by:
                first.setdefault(key, (delivery, message))
    known = set(
        Ticket.objects.filter(
            source__in={source for source, _ in first},
            external_id__in=[external_id for _, external_id in first],
        ).values_list("source_id", "external_id")
    )
    # In order, so that two workers that meet the same new tickets wait and do not deadlock.
    return [first[key] for key in sorted(first) if key not in known]


def _open(opening: Sequence[tuple[Delivery, TicketMessage]]) -> list[int]:
    """Raises IntegrityError where another worker opened one of the tickets just now."""
    if not opening:
        return []
    tickets = Ticket.objects.bulk_create(
        [_new_ticket(delivery, message) for delivery, message in opening]
    )
    versions = TicketVersion.objects.bulk_create(
        [
            _new_version(ticket, delivery, message)
            for ticket, (delivery, message) in zip(tickets, opening, strict=True)
        ]
    )
    Delivery.objects.filter(pk__in=bulk.among(delivery.pk for delivery, _ in opening)).update(
        outcome=Delivery.Outcome.APPLIED, explanation=""
    )
    return [version.pk for version in versions]


def _new_ticket(delivery: Delivery, message: TicketMessage) -> Ticket:
    return Ticket(source_id=delivery.source_id, external_id=message.external_id, **_told(message))


def _told(message: TicketMessage) -> dict[str, Any]:
    return {
        "version": message.version,
        "subject": message.subject,
        "body": message.body,
        "requester": message.requester,
        "requester_name": message.requester_name,
        "url": message.url,
        "values": dict(message.values),
        "opened_at": message.opened_at,
    }


def _new_version(ticket: Ticket, delivery: Delivery, message: TicketMessage) -> TicketVersion:
    return TicketVersion(
        ticket=ticket,
        version=message.version,
        subject=message.subject,
        body=message.body,
        values=dict(message.values),
        delivery=delivery,
    )


def _apply_version(delivery: Delivery, message: TicketMessage) -> TicketVersion | None:
    ticket, created = _locked(delivery, message)
    if ticket.erased_at is not None:
        _empty(delivery)
        _conclude(delivery, Delivery.Outcome.REFUSED, ERASED)
        return None
    version, is_first = _kept(ticket, message, delivery)
    if not is_first and version.delivery_id == delivery.pk:
        return version if _was_applied(delivery) and _wants_proposal(ticket) else None
    is_newer = created or message.version > ticket.version
    if not is_newer and not (is_first and _only_we_overtook(ticket, message)):
        said = f"Version {message.version} is not newer than {ticket.version}."
        _conclude(delivery, Delivery.Outcome.STALE, said)
        return None
    # An echo that came first has the text of this version and more.
    if not created and not ticket.versions.filter(version__gt=message.version).exists():
        _take_over(ticket, message)
    if _is_own_echo(ticket, message):
        _conclude(delivery, Delivery.Outcome.ECHO, f"Caused by {message.caused_by}.")
        return None
    _conclude(delivery, Delivery.Outcome.APPLIED)
    return version if created or _wants_proposal(ticket) else None


def news(versions: QuerySet[TicketVersion]) -> QuerySet[TicketVersion]:
    """Without those that our own writes caused or that came too late: what proposals are for."""
    outcomes = (Delivery.Outcome.ECHO, Delivery.Outcome.STALE)
    return versions.exclude(delivery__outcome__in=outcomes)


def _was_applied(delivery: Delivery) -> bool:
    """What an earlier reading of a delivery that brought something came to; it stays as it is."""
    return Delivery.objects.filter(pk=delivery.pk, outcome=Delivery.Outcome.APPLIED).exists()


def _only_we_overtook(ticket: Ticket, message: TicketMessage) -> bool:
    """Whether nothing but our own writes is newer than a version that is not one of these."""
    if _is_own_echo(ticket, message):
        return False
    if Effect.objects.filter(ticket=ticket, applied_version=message.version).exists():
        return False
    return not news(ticket.versions.filter(version__gt=message.version)).exists()


def _locked(delivery: Delivery, message: TicketMessage) -> tuple[Ticket, bool]:
    _, created = Ticket.objects.get_or_create(
        source_id=delivery.source_id,
        external_id=message.external_id,
        defaults=_told(message),
    )
    ticket = Ticket.objects.select_for_update().get(
        source_id=delivery.source_id, external_id=message.external_id
    )
    return ticket, created


def _kept(ticket: Ticket, message: TicketMessage, delivery: Delivery) -> tuple[TicketVersion, bool]:
    """The row of this version and whether it is new; a late one stays beside the newer ones."""
    return TicketVersion.objects.get_or_create(
        ticket=ticket,
        version=message.version,
        defaults={
            "subject": message.subject,
            "body": message.body,
            "values": dict(message.values),
            "delivery": delivery,
        },
    )


def _take_over(ticket: Ticket, message: TicketMessage) -> None:
    # Our own write may have led further already.
    ticket.version = max(ticket.version, message.version)
    ticket.subject = message.subject
    ticket.body = message.body
    ticket.requester = message.requester or ticket.requester
    ticket.requester_name = message.requester_name or ticket.requester_name
    ticket.url = message.url or ticket.url
    ticket.values = dict(message.values)
    ticket.save()


def _is_own_echo(ticket: Ticket, message: TicketMessage) -> bool:
    return (
        bool(message.caused_by)
        and Effect.objects.filter(key=message.caused_by, ticket=ticket).exists()
    )


def _wants_proposal(ticket: Ticket) -> bool:
    """An undecided ticket is proposed anew; a settled one only after it was reopened."""
    if ticket.closed_at is not None or ticket.erased_at is not None:
        return False
    # What was applied without a person and waits only to be checked is settled.
    if Waiting.objects.filter(ticket=ticket).exclude(proposal__route=Proposal.Route.AUTO).exists():
        return True
    last = Proposal.objects.filter(ticket=ticket).order_by("-created_at").first()
    if last is None or last.route == Proposal.Route.SHADOW:
        return True
    own = last.effects.filter(state=_CONFLICT, key__startswith=f"p{last.pk}-")
    if last.route == Proposal.Route.AUTO and own.exists():
        # Neither the service nor a person has settled it.
        return True
    return ticket.events.filter(
        kind=TicketEvent.Kind.REOPENED, happened_at__gt=last.created_at
    ).exists()


def _apply_event(delivery: Delivery, message: EventMessage) -> TicketVersion | None:
    """Answers the newest version if the event brought the ticket back to work."""
    ticket = (
        Ticket.objects.select_for_update()
        .filter(source_id=delivery.source_id, external_id=message.external_id)
        .first()
    )
    if ticket is None:
        raise TicketNotThereYet(f"Event {message.key} is about a ticket we do not know yet.")
    if ticket.erased_at is not None:
        # What happened still counts, what was written about it goes.
        _empty(delivery)
    choice = Choice.objects.filter(
        field__source_id=delivery.source_id, field__key=message.field, key=message.choice
    ).first()
    event, created = TicketEvent.objects.get_or_create(
        ticket=ticket,
        key=message.key,
        defaults={
            "kind": message.kind,
            "happened_at": message.happened_at,
            "choice": choice,
            "score": message.score,
            "delivery": delivery,
        },
    )
    if not created and event.delivery_id != delivery.pk:
        _conclude(delivery, Delivery.Outcome.REPEATED, f"Event {message.key} is known.")
        return None
    if not created:
        reopens = event.kind == TicketEvent.Kind.REOPENED and _wants_proposal(ticket)
        return _newest(ticket) if reopens else None
    was_closed = ticket.closed_at is not None
    if message.resolution and ticket.erased_at is None:
        ticket.resolution = message.resolution
    settle(ticket)
    _conclude(delivery, Delivery.Outcome.APPLIED)
    if not was_closed or ticket.closed_at is not None or ticket.erased_at is not None:
        return None
    return _newest(ticket)


def _newest(ticket: Ticket) -> TicketVersion | None:
    return news(ticket.versions.all()).order_by("-version").first()


def settle(ticket: Ticket) -> None:
    """Set what follows from all events, in the order they happened, whenever they arrived.

    Events that neither close nor reopen leave a ticket as its import found it.
    """
    events = ticket.events.order_by("happened_at", "pk").values_list("kind", "happened_at")
    ticket.closed_at, ticket.reopened_count = settled(events, closed_before=ticket.closed_at)
    ticket.save(update_fields=["closed_at", "reopened_count", "resolution"])
    if ticket.closed_at is not None:
        # What was applied without a person is checked all the same, or nothing that it closed
        # would ever be.
        waits = Waiting.objects.filter(ticket=ticket)
        waits.exclude(proposal__route=Proposal.Route.AUTO).delete()


def settled(
    events: Iterable[tuple[str, datetime]], *, closed_before: datetime | None = None
) -> tuple[datetime | None, int]:
    """When a ticket was closed, if it is, and how often it was reopened, by its events in order."""
    events = list(events)
    kinds = [kind for kind, _ in events]
    reopened = kinds.count(TicketEvent.Kind.REOPENED)
    if not reopened and not any(kind in CLOSING for kind in kinds):
        return closed_before, 0
    closed_at = None
    for kind, happened_at in events:
        if kind in CLOSING:
            closed_at = closed_at or happened_at
        elif kind == TicketEvent.Kind.REOPENED:
            closed_at = None
    return closed_at, reopened


def _empty(delivery: Delivery) -> None:
    """Of a delivery about an erased ticket the row stays, and its digest, by which it is known."""
    Delivery.objects.filter(pk=delivery.pk).update(body=b"", erased_at=timezone.now())


def _conclude(delivery: Delivery, outcome: str, explanation: str = "") -> None:
    Delivery.objects.filter(pk=delivery.pk).update(outcome=outcome, explanation=explanation[:300])
