"""Carrying planned effects out: each once, in order, whatever fails in between."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from triage import ledger
from triage.effects import automation, destinations, undoing
from triage.effects.locks import NotNow, held
from triage.helpdesks import dialect
from triage.helpdesks.base import HelpdeskConflict, HelpdeskRefused, RemoteTicket
from triage.jobs import leases
from triage.models import (
    Delivery,
    Effect,
    EmergencyStop,
    Job,
    LedgerEntry,
    Proposal,
    Ticket,
)

logger = logging.getLogger(__name__)

UNFINISHED = (Effect.State.PENDING, Effect.State.SENDING)
CHANGED = "The ticket changed in the helpdesk after it was proposed."
PERHAPS_CALLED = f"{CHANGED} Whether the automation got an earlier call is not known."
# No further effect is begun then: one alone may take four deadlines, and a worker holds on to
# a job for two minutes.
SECONDS_PER_TURN = 30.0


class TicketBusy(NotNow):
    """Another worker is writing to this ticket."""


class Unfinished(NotNow):
    """The helpdesk is slow: what is left is sent in another turn."""


class Stopped(Exception):
    """An emergency stop came after an automatic proposal and before its effects."""


def send(proposal: Proposal) -> None:
    """Send a proposal's unfinished effects in order.

    `sending` is committed before any byte leaves, and the version that a write follows before
    the write, so that after a crash the next attempt knows to look first, and for what. A
    conflict or a refusal ends, in the same transaction, the later effects of the same turn that
    change what the requester or the helpdesk would see; the internal note is always left.
    One that was taken back while it was being sent is looked for and not sent again; what makes
    it good then follows or, if it is not there, is dropped too.
    HelpdeskUnavailable and Stopped pass through and the job is tried again; NotNow means that
    it comes back without having been an attempt.
    """
    began = time.monotonic()
    with _alone(proposal.ticket):
        for effect in proposal.effects.filter(state__in=UNFINISHED).order_by("position"):
            if time.monotonic() - began > SECONDS_PER_TURN:
                raise Unfinished("The helpdesk is slow; the rest follows.", seconds=0.0)
            if undoing.is_automatic(effect) and not undoing.is_superseded(effect):
                _refuse_stopped(proposal)
            try:
                _send(effect)
            except HelpdeskConflict:
                _end(effect, Effect.State.CONFLICT, _what_changed(effect), CHANGED)
            except HelpdeskRefused as error:
                why = f"An earlier step was refused: {error}"
                _end(effect, Effect.State.REFUSED, str(error), why)


def _refuse_stopped(proposal: Proposal) -> None:
    """What nobody decided is not sent while a stop covers it, however long it has waited."""
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
    """One writer per ticket across all processes."""
    with held(f"effects:{ticket.pk}") as is_ours:
        if not is_ours:
            raise TicketBusy(f"Ticket {ticket.pk} is being written to.", seconds=1.0)
        yield


def _send(effect: Effect) -> None:
    begun = Effect.objects.filter(pk=effect.pk, state__in=UNFINISHED)
    if not begun.update(state=Effect.State.SENDING):
        return
    if why := undoing.fill_in(effect):
        _finish(effect, Effect.State.DROPPED, why)
        return
    ticket = effect.ticket
    with destinations.place(ticket.source.api_url):
        remote = dialect(ticket.source).read(ticket)
        if _is_applied(effect, remote):
            _finish_found(effect)
            return
        if undoing.is_superseded(effect):
            _finish(effect, Effect.State.DROPPED, undoing.why_withdrawn(effect))
            return
        has_moved = remote.version > _known_version(effect)
        if has_moved and not undoing.is_owed(effect):
            raise HelpdeskConflict
        if effect.kind != Effect.Kind.CALL:
            _write(effect, remote, has_moved=has_moved)
            return
    # The helpdesk's place is free again while the automation takes its time.
    with destinations.place(effect.payload["url"]):
        _remember_base(effect, remote)
        automation.call(effect)
    _finish(effect, Effect.State.APPLIED)


def _write(effect: Effect, remote: RemoteTicket, *, has_moved: bool) -> None:
    """Write once; if the ticket moved in this moment, find out whether that was our own doing.

    A request that was given up may be carried out late, and one may arrive twice: then the
    conflict is with ourselves. The internal note is left even where it was with somebody else.
    """
    if not has_moved:
        _remember_base(effect, remote)
        try:
            after = _put(effect, remote.version)
        except HelpdeskConflict:
            remote = dialect(effect.ticket.source).read(effect.ticket)
            if _is_applied(effect, remote):
                _finish_found(effect)
                return
            if effect.kind != Effect.Kind.NOTE:
                raise
        else:
            _finish(effect, Effect.State.APPLIED, version=after)
            return
    # Nothing that changes the ticket follows on what nobody here has seen.
    _end_later(effect, CHANGED)
    _remember_base(effect, remote)
    _finish(effect, Effect.State.APPLIED, version=_put(effect, None))


def _remember_base(effect: Effect, remote: RemoteTicket) -> None:
    """Committed before the write leaves: which version it follows, and what it replaces."""
    effect.based_on_version, effect.before = remote.version, _before(effect, remote)
    Effect.objects.filter(pk=effect.pk).update(
        based_on_version=effect.based_on_version, before=effect.before
    )


def _before(effect: Effect, remote: RemoteTicket) -> dict[str, Any] | None:
    match effect.kind:
        case Effect.Kind.VALUES:
            wanted = effect.payload["values"]
            return {"values": {key: remote.values.get(key) or None for key in wanted}}
        case Effect.Kind.STATUS:
            return {"status": remote.status}
        case _:
            return None


def _finish_found(effect: Effect) -> None:
    """It is there already: by a write of ours that was cut off, or by somebody else's.

    Ours led one version further than the one that it followed; what lies above is not ours.
    """
    base = effect.based_on_version
    _finish(effect, Effect.State.APPLIED, version=None if base is None else base + 1)


def _what_changed(effect: Effect) -> str:
    was_begun = effect.based_on_version is not None
    return PERHAPS_CALLED if effect.kind == Effect.Kind.CALL and was_begun else CHANGED


def _is_applied(effect: Effect, remote: RemoteTicket) -> bool:
    match effect.kind:
        case Effect.Kind.VALUES:
            wanted = effect.payload["values"]
            return all((remote.values.get(key) or None) == wanted[key] for key in wanted)
        case Effect.Kind.STATUS:
            return bool(remote.status == effect.payload["status"])
        case _:
            return effect.key in remote.markers


def _known_version(effect: Effect) -> int:
    """The newest version that our own writes alone have led to from the one proposed for."""
    known = effect.seen_version
    own = Effect.objects.filter(ticket=effect.ticket_id, applied_version__isnull=False)
    for before, after in own.order_by("applied_version").values_list(
        "based_on_version", "applied_version"
    ):
        if after is not None and (before is None or before <= known):
            known = max(known, after)
    return known


def _put(effect: Effect, version: int | None) -> int:
    """Write if the ticket is at `version`; the internal note at None too, whatever it is at."""
    helpdesk = dialect(effect.ticket.source)
    ticket, payload, key = effect.ticket, effect.payload, effect.key
    if effect.kind in (Effect.Kind.NOTE, Effect.Kind.REPLY):
        is_public = effect.kind == Effect.Kind.REPLY
        return helpdesk.add_note(
            ticket, payload["text"], is_public=is_public, version=version, key=key
        )
    assert version is not None
    if effect.kind == Effect.Kind.VALUES:
        return helpdesk.set_values(ticket, payload["values"], version=version, key=key)
    return helpdesk.set_status(ticket, payload["status"], version=version, key=key)


@transaction.atomic
def _end(effect: Effect, state: str, detail: str, why_later: str) -> None:
    _finish(effect, state, detail)
    _end_later(effect, why_later)
    if state == Effect.State.CONFLICT and undoing.is_automatic(effect):
        # Nobody has looked at this ticket: what it has changed to is proposed on its own.
        newest = effect.ticket.versions.filter(delivery__outcome=Delivery.Outcome.APPLIED)
        leases.put(Job.Kind.PROPOSE, newest.order_by("-version").values_list("pk", flat=True)[:1])


@transaction.atomic
def _end_later(effect: Effect, why: str) -> None:
    """Give up what follows an effect in its turn, but for what is owed in any case."""
    later = Effect.objects.filter(
        proposal=effect.proposal_id,
        key__startswith=f"{undoing.stem(effect)}-",
        position__gt=effect.position,
        state__in=UNFINISHED,
    )
    for other in later.order_by("position"):
        if not undoing.is_owed(other):
            _finish(other, Effect.State.CONFLICT, why)


@transaction.atomic
def _finish(
    effect: Effect,
    state: str,
    detail: str = "",
    *,
    version: int | None = None,
) -> None:
    ours = Effect.objects.filter(pk=effect.pk, state__in=UNFINISHED)
    if not ours.update(
        state=state, detail=detail[:500], applied_version=version, finished_at=timezone.now()
    ):
        return
    if version is not None and effect.based_on_version is not None:
        # Our own write must not come back as news; a change that it followed still has to come.
        ours_alone = Ticket.objects.filter(pk=effect.ticket_id, version=effect.based_on_version)
        ours_alone.update(version=version)
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
    values = {**ticket.values, **effect.payload["values"]}
    # None: the field was cleared.
    ticket.values = {key: value for key, value in values.items() if value is not None}
    ticket.save(update_fields=["values"])
