"""From a stored delivery to a ticket at a version, or to an event of a ticket."""

import json

from django.db import transaction
from django.db.models import QuerySet

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

_CONFLICT = Effect.State.CONFLICT
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
            return _apply_event(delivery, message)
        return _apply_version(delivery, message)


def _apply_version(delivery: Delivery, message: TicketMessage) -> TicketVersion | None:
    ticket, created = _locked(delivery, message)
    version, is_first = _kept(ticket, message, delivery)
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
    if ticket.closed_at is not None:
        return False
    if Waiting.objects.filter(ticket=ticket).exists():
        return True
    last = Proposal.objects.filter(ticket=ticket).order_by("-created_at").first()
    if last is None or last.route == Proposal.Route.SHADOW:
        return True
    if last.route == Proposal.Route.AUTO and last.effects.filter(state=_CONFLICT).exists():
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
        return None
    was_closed = ticket.closed_at is not None
    if message.resolution:
        ticket.resolution = message.resolution
    settle(ticket)
    _conclude(delivery, Delivery.Outcome.APPLIED)
    if not was_closed or ticket.closed_at is not None:
        return None
    return news(ticket.versions.all()).order_by("-version").first()


def settle(ticket: Ticket) -> None:
    """Set what follows from all events, in the order they happened, whenever they arrived.

    Events that neither close nor reopen leave a ticket as its import found it.
    """
    events = list(ticket.events.order_by("happened_at", "pk"))
    if any(event.kind in (*CLOSING, TicketEvent.Kind.REOPENED) for event in events):
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
