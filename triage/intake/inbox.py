"""From a stored delivery to a ticket at a version, or to an event of a ticket."""

import json

from django.db import transaction

from triage.helpdesks import dialect
from triage.helpdesks.base import EventMessage, TicketMessage, Unreadable
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

CLOSING = (TicketEvent.Kind.RESOLVED, TicketEvent.Kind.CLOSED)


class TicketNotThereYet(Exception):
    """An event overtook its ticket; the job is tried again until the ticket has come."""


def read(delivery: Delivery) -> TicketVersion | None:
    """Apply one delivery; answers the ticket version that needs a proposal, if any.

    Safe to repeat: an older or equal version and a known event change nothing. The ticket row is
    locked, so two deliveries about one ticket follow each other and the highest version wins.
    """
    try:
        message = dialect(delivery.source).parse(json.loads(bytes(delivery.body)))
    except (Unreadable, ValueError, RecursionError) as error:
        _conclude(delivery, Delivery.Outcome.REFUSED, str(error))
        return None
    with transaction.atomic():
        if isinstance(message, EventMessage):
            _apply_event(delivery, message)
            return None
        return _apply_version(delivery, message)


def _apply_version(delivery: Delivery, message: TicketMessage) -> TicketVersion | None:
    ticket, created = _locked(delivery, message)
    if not created and message.version <= ticket.version:
        _kept(ticket, message, delivery)
        said = f"Version {message.version} is not newer than {ticket.version}."
        _conclude(delivery, Delivery.Outcome.STALE, said)
        return None
    if not created:
        _take_over(ticket, message)
    version = _kept(ticket, message, delivery)
    if _is_own_echo(ticket, message):
        _conclude(delivery, Delivery.Outcome.ECHO, f"Caused by {message.caused_by}.")
        return None
    _conclude(delivery, Delivery.Outcome.APPLIED)
    return version if created or _wants_proposal(ticket) else None


def _locked(delivery: Delivery, message: TicketMessage) -> tuple[Ticket, bool]:
    _, created = Ticket.objects.get_or_create(
        source_id=delivery.source_id,
        external_id=message.external_id,
        defaults={
            "version": message.version,
            "subject": message.subject,
            "body": message.body,
            "requester": message.requester,
            "requester_name": message.requester_name,
            "url": message.url,
            "values": dict(message.values),
            "opened_at": message.opened_at,
        },
    )
    ticket = Ticket.objects.select_for_update().get(
        source_id=delivery.source_id, external_id=message.external_id
    )
    return ticket, created


def _kept(ticket: Ticket, message: TicketMessage, delivery: Delivery) -> TicketVersion:
    """The row of this version; one that came late is kept beside the newer ones."""
    version, _ = TicketVersion.objects.get_or_create(
        ticket=ticket,
        version=message.version,
        defaults={
            "subject": message.subject,
            "body": message.body,
            "values": dict(message.values),
            "delivery": delivery,
        },
    )
    return version


def _take_over(ticket: Ticket, message: TicketMessage) -> None:
    ticket.version = message.version
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
    if ticket.closed_at is not None:
        return False
    if Waiting.objects.filter(ticket=ticket).exists():
        return True
    last = Proposal.objects.filter(ticket=ticket).order_by("-created_at").first()
    if last is None or last.route == Proposal.Route.SHADOW:
        return True
    return ticket.events.filter(
        kind=TicketEvent.Kind.REOPENED, happened_at__gt=last.created_at
    ).exists()


def _apply_event(delivery: Delivery, message: EventMessage) -> None:
    ticket = (
        Ticket.objects.select_for_update()
        .filter(source_id=delivery.source_id, external_id=message.external_id)
        .first()
    )
    if ticket is None:
        raise TicketNotThereYet(f"Event {message.key} is about a ticket we do not know yet.")
    choice = Choice.objects.filter(
        field__source_id=delivery.source_id, field__key=message.field, key=message.choice
    ).first()
    _, created = TicketEvent.objects.get_or_create(
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
    if not created:
        _conclude(delivery, Delivery.Outcome.REPEATED, f"Event {message.key} is known.")
        return
    if message.resolution:
        ticket.resolution = message.resolution
    settle(ticket)
    _conclude(delivery, Delivery.Outcome.APPLIED)


def settle(ticket: Ticket) -> None:
    """Set what follows from all events, in the order they happened, whenever they arrived."""
    events = list(ticket.events.order_by("happened_at", "pk"))
    ticket.closed_at = None
    for event in events:
        if event.kind in CLOSING:
            ticket.closed_at = ticket.closed_at or event.happened_at
        elif event.kind == TicketEvent.Kind.REOPENED:
            ticket.closed_at = None
    ticket.reopened_count = sum(event.kind == TicketEvent.Kind.REOPENED for event in events)
    ticket.save(update_fields=["closed_at", "reopened_count", "resolution"])
    if ticket.closed_at is not None:
        Waiting.objects.filter(ticket=ticket).delete()


def _conclude(delivery: Delivery, outcome: str, explanation: str = "") -> None:
    Delivery.objects.filter(pk=delivery.pk).update(outcome=outcome, explanation=explanation[:300])
