"""Carrying planned effects out: each once, in order, whatever fails in between."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import blake2b

from django.db import connection, transaction
from django.db.models import Max, Q
from django.utils import timezone
from standardwebhooks import Webhook

from triage import ledger
from triage.helpdesks import dialect, http
from triage.helpdesks.base import HelpdeskConflict, HelpdeskRefused, RemoteTicket
from triage.jobs import leases
from triage.models import (
    Delivery,
    Effect,
    EmergencyStop,
    Job,
    LedgerEntry,
    Proposal,
    SourceSecret,
    Ticket,
)

logger = logging.getLogger(__name__)

UNFINISHED = (Effect.State.PENDING, Effect.State.SENDING)
CHANGED = "The ticket changed in the helpdesk after it was proposed."


class TicketBusy(Exception):
    """Another worker is writing to this ticket; try again shortly."""


class Stopped(Exception):
    """An emergency stop came after an automatic proposal and before its effects."""


def send(proposal: Proposal) -> None:
    """Send a proposal's unfinished effects in order.

    `sending` is committed before any byte leaves, so that after a crash the next attempt knows
    to look first. A conflict or a refusal ends, in the same transaction, the later effects that
    change what the requester or the helpdesk would see; the internal note is always left.
    HelpdeskUnavailable and Stopped pass through and the job is tried again.
    """
    with _alone(proposal.ticket):
        _refuse_stopped(proposal)
        for effect in proposal.effects.filter(state__in=UNFINISHED).order_by("position"):
            try:
                _send(effect)
            except HelpdeskConflict:
                _end(effect, Effect.State.CONFLICT, CHANGED, CHANGED)
            except HelpdeskRefused as error:
                why = f"An earlier step was refused: {error}"
                _end(effect, Effect.State.REFUSED, str(error), why)


def _refuse_stopped(proposal: Proposal) -> None:
    """What nobody decided is not sent while a stop covers it, however long it has waited."""
    if proposal.route != Proposal.Route.AUTO:
        return
    choices = proposal.values.filter(choice__isnull=False).values("choice")
    stops = EmergencyStop.objects.filter(released_at__isnull=True).filter(
        Q(source=None, choice=None)
        | Q(source=proposal.ticket.source_id, choice=None)
        | Q(choice__in=choices)
    )
    if stops.exists():
        raise Stopped("An emergency stop is in force: nothing is applied without a person.")


@contextmanager
def _alone(ticket: Ticket) -> Iterator[None]:
    """One writer per ticket across all processes; freed when the process dies."""
    digest = blake2b(f"effects:{ticket.pk}".encode(), digest_size=8).digest()
    key = int.from_bytes(digest, signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [key])
        if cursor.fetchone() != (True,):
            raise TicketBusy(f"Ticket {ticket.pk} is being written to by another worker.")
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [key])


def _send(effect: Effect) -> None:
    begun = Effect.objects.filter(pk=effect.pk, state__in=UNFINISHED)
    if not begun.update(state=Effect.State.SENDING):
        return
    if effect.kind == Effect.Kind.CALL:
        _call_automation(effect)
        _finish(effect, Effect.State.APPLIED)
        return
    ticket = effect.ticket
    remote = dialect(ticket.source).read(ticket)
    if _is_applied(effect, remote):
        # Only an attempt that was cut off can have led to this version; else somebody else did.
        was_cut_off = effect.state == Effect.State.SENDING
        _finish(effect, Effect.State.APPLIED, version=remote.version if was_cut_off else None)
        return
    if remote.version > _known_version(effect):
        if effect.kind != Effect.Kind.NOTE:
            raise HelpdeskConflict
        # Once our note is on top, the change below it could not be told from our own writes.
        _end_later(effect, CHANGED)
    after = _write(effect, remote.version)
    _finish(effect, Effect.State.APPLIED, version=after, before=remote.version)


def _is_applied(effect: Effect, remote: RemoteTicket) -> bool:
    match effect.kind:
        case Effect.Kind.VALUES:
            wanted = effect.payload["values"]
            return all(remote.values.get(key) == value for key, value in wanted.items())
        case Effect.Kind.STATUS:
            return bool(remote.status == effect.payload["status"])
        case _:
            return effect.key in remote.markers


def _known_version(effect: Effect) -> int:
    """The newest version that the proposal was based on or our own writes have led to."""
    own = Effect.objects.filter(ticket=effect.ticket_id).aggregate(own=Max("applied_version"))
    return max(effect.seen_version, own["own"] or 0)


def _write(effect: Effect, version: int) -> int:
    helpdesk = dialect(effect.ticket.source)
    ticket, payload = effect.ticket, effect.payload
    match effect.kind:
        case Effect.Kind.VALUES:
            return helpdesk.set_values(ticket, payload["values"], version=version, key=effect.key)
        case Effect.Kind.STATUS:
            return helpdesk.set_status(ticket, payload["status"], version=version, key=effect.key)
        case Effect.Kind.REPLY:
            return helpdesk.add_note(ticket, payload["text"], is_public=True, key=effect.key)
        case _:
            return helpdesk.add_note(ticket, payload["text"], is_public=False, key=effect.key)


def _call_automation(effect: Effect) -> None:
    """A signed POST; its webhook-id is the effect's key, by which the receiver drops repeats."""
    source = effect.ticket.source
    secret = (
        source.secrets.filter(purpose=SourceSecret.Purpose.AUTOMATION, retired_at__isnull=True)
        .order_by("-created_at")
        .first()
    )
    if secret is None:
        raise HelpdeskRefused("The source has no live secret to sign playbook calls with.")
    body = json.dumps(
        {
            "type": "playbook.accepted",
            "data": {
                "ticket_id": effect.ticket.external_id,
                "requester": effect.ticket.requester,
                "playbook": effect.payload["playbook"],
            },
        }
    )
    now = datetime.now(UTC)
    value = secret.value()
    key: str | bytes = value if value.startswith("whsec_") else value.encode()
    http.call(
        "POST",
        effect.payload["url"],
        headers={
            "Content-Type": "application/json",
            "webhook-id": effect.key,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(key).sign(effect.key, now, body),
        },
        body=body.encode(),
        allows_private_addresses=source.allows_private_addresses,
    )


@transaction.atomic
def _end(effect: Effect, state: str, detail: str, why_later: str) -> None:
    _finish(effect, state, detail)
    _end_later(effect, why_later)
    if state == Effect.State.CONFLICT and effect.proposal.route == Proposal.Route.AUTO:
        # Nobody has looked at this ticket: what it has changed to is proposed on its own.
        newest = effect.ticket.versions.filter(delivery__outcome=Delivery.Outcome.APPLIED)
        leases.put(Job.Kind.PROPOSE, newest.order_by("-version").values_list("pk", flat=True)[:1])


@transaction.atomic
def _end_later(effect: Effect, why: str) -> None:
    """Give up what follows an effect in its proposal, but for the internal note."""
    later = Effect.objects.filter(
        proposal=effect.proposal_id, position__gt=effect.position, state__in=UNFINISHED
    )
    for other in later.exclude(kind=Effect.Kind.NOTE).order_by("position"):
        _finish(other, Effect.State.CONFLICT, why)


@transaction.atomic
def _finish(
    effect: Effect,
    state: str,
    detail: str = "",
    *,
    version: int | None = None,
    before: int | None = None,
) -> None:
    ours = Effect.objects.filter(pk=effect.pk, state__in=UNFINISHED)
    if not ours.update(
        state=state, detail=detail[:500], applied_version=version, finished_at=timezone.now()
    ):
        return
    if version is not None and before is not None:
        # Our own write must not come back as news; a change that it followed still has to come.
        Ticket.objects.filter(pk=effect.ticket_id, version=before).update(version=version)
    if state == Effect.State.APPLIED and effect.kind == Effect.Kind.VALUES:
        _remember_values(effect)
    ledger.append(
        kind=LedgerEntry.Kind.EFFECT,
        subject=f"effect:{effect.key}",
        payload={"ticket": effect.ticket_id, "kind": effect.kind, "state": state},
    )
    logger.info("ticket %s effect %s: %s", effect.ticket_id, effect.key, state)


def _remember_values(effect: Effect) -> None:
    ticket = Ticket.objects.select_for_update().get(pk=effect.ticket_id)
    ticket.values = {**ticket.values, **effect.payload["values"]}
    ticket.save(update_fields=["values"])
