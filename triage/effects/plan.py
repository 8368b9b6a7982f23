"""Which effects a decision or an automatic proposal has, under stable keys.

A proposal may be decided more than once, because decisions are taken back. Each time is a turn,
counted from 1, and what was applied without a person is the first. The effects of a turn, and
those that make them good, are told apart by the part of their keys before the hyphen.
"""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any

from django.db.models import Max, QuerySet
from django.utils import timezone

from triage import ledger
from triage.jobs import leases
from triage.jobs.doorbell import ring_after_commit
from triage.jobs.lanes import Lane
from triage.models import Effect, Job, LedgerEntry, Playbook, Proposal

MARK = "Countersign"
BEGUN = (Effect.State.SENDING, Effect.State.APPLIED)

Step = tuple[str, dict[str, Any]]


def decided(
    proposal: Proposal,
    values: Mapping[str, str],
    *,
    note: str,
    with_playbook: bool,
    turn: int = 1,
    seen_version: int | None = None,
) -> list[Effect]:
    """Set values, leave a marked note and, if wanted, carry the playbook out.

    `seen_version` is that of the ticket that the decision was based on, by default the one that
    was proposed for. What earlier turns had planned and not begun is dropped.
    """
    steps: list[Step] = []
    if values:
        steps.append((Effect.Kind.VALUES, {"values": dict(values)}))
    steps.append((Effect.Kind.NOTE, {"text": f"{MARK}: {note}"}))
    if with_playbook and proposal.playbook is not None:
        steps += _playbook(proposal.playbook, proposal.reply)
    dropped = _drop(_originals(proposal)) if turn > 1 else []
    seen = proposal.ticket_version.version if seen_version is None else seen_version
    key = stem(proposal, turn)
    first = 0 if turn == 1 else _next_position(proposal)
    stored = _store(
        proposal,
        [
            _effect(proposal, f"{key}-{kind}", kind, payload, position, seen)
            for position, (kind, payload) in enumerate(steps, first)
        ],
    )
    _record(dropped)
    return stored


def taken_back(proposal: Proposal, *, turn: int, by: str) -> list[Effect]:
    """Make the effects of a turn good, the last one first; what was not begun is dropped at once.

    What cannot be taken back stays, and the note that is left says so. The note is planned
    whatever became of the decision's own: by it the turn is known to be undone.
    """
    key = stem(proposal, turn)
    own = _originals(proposal).filter(key__startswith=f"{key}-")
    dropped = _drop(own)
    left = list(own.exclude(state=Effect.State.DROPPED).order_by("-position"))
    note = f"{MARK}: taken back by {by}.{_what_stays(proposal, left)}"
    first = _next_position(proposal)
    planned: list[Effect] = []
    for effect in left:
        if not _is_made_good(proposal, effect):
            continue
        payload = _undoing(effect, note)
        position, seen = first + len(planned), effect.seen_version
        kind = effect.kind
        planned.append(_effect(proposal, f"{key}u-{kind}", kind, payload, position, seen, effect))
    stored = _store(proposal, planned)
    _record(dropped)
    return stored


def stem(proposal: Proposal, turn: int) -> str:
    """What the keys of a turn begin with. The first has the form it always had."""
    return f"p{proposal.pk}" if turn == 1 else f"p{proposal.pk}.{turn}"


def unwritten(proposal: Proposal, values: Mapping[str, str]) -> dict[str, str]:
    """Those of the values that were not applied without a person, or not yet."""
    automatic = Effect.objects.filter(
        key=f"{stem(proposal, 1)}-{Effect.Kind.VALUES}", state=Effect.State.APPLIED
    )
    applied: dict[str, str] = {}
    for effect in automatic:
        applied |= effect.payload["values"]
    return {key: value for key, value in values.items() if applied.get(key) != value}


def settled(proposals: Iterable[int]) -> set[int]:
    """Those of the proposals, by primary key, that were decided or applied: both leave a note."""
    notes = Effect.objects.filter(
        proposal__in=list(proposals),
        kind=Effect.Kind.NOTE,
        key__startswith="p",
        undoes__isnull=True,
        undone_by__isnull=True,
    )
    return set(notes.exclude(state=Effect.State.DROPPED).values_list("proposal_id", flat=True))


def automatic(
    proposal: Proposal, values: Mapping[str, str], *, with_playbook: bool
) -> list[Effect]:
    note = f"applied without a person: {_listed(proposal, values)}."
    return decided(proposal, values, note=note, with_playbook=with_playbook)


def prefill(proposal: Proposal, values: Mapping[str, str]) -> list[Effect]:
    """A marked suggestion in the helpdesk; the same suggestion is left once per ticket."""
    text = f"{MARK} suggests: {_listed(proposal, values)}. A person confirms."
    digest = sha256(text.encode()).hexdigest()[:12]
    key = f"t{proposal.ticket_id}-{digest}-{Effect.Kind.NOTE}"
    seen = proposal.ticket_version.version
    return _store(proposal, [_effect(proposal, key, Effect.Kind.NOTE, {"text": text}, 0, seen)])


def _playbook(playbook: Playbook, reply: str) -> list[Step]:
    steps: list[Step] = []
    if playbook.action_url:
        steps.append((Effect.Kind.CALL, {"url": playbook.action_url, "playbook": playbook.pk}))
    steps.append((Effect.Kind.REPLY, {"text": reply}))
    if playbook.follow_up != Playbook.FollowUp.OPEN:
        steps.append((Effect.Kind.STATUS, {"status": playbook.follow_up}))
    return steps


# --- Taking back ----------------------------------------------------------------------------
def _originals(proposal: Proposal) -> QuerySet[Effect]:
    """What decisions, or the service itself, changed; no suggestions and nothing made good."""
    return Effect.objects.filter(
        proposal=proposal, key__startswith=f"p{proposal.pk}", undoes__isnull=True
    )


def _drop(effects: QuerySet[Effect]) -> list[Effect]:
    """End what was not begun. A worker that begins one in this moment is faster or finds it gone.

    What had no address to go to is dropped as well, so that it counts as taken back.
    """
    unsent = effects.filter(state__in=(Effect.State.PENDING, Effect.State.SKIPPED))
    locked = list(unsent.select_for_update().order_by("pk"))
    Effect.objects.filter(pk__in=[effect.pk for effect in locked]).update(
        state=Effect.State.DROPPED, detail="", finished_at=timezone.now()
    )
    return locked


def _record(dropped: Iterable[Effect]) -> None:
    """Last, because all other writers wait for the ledger."""
    state = Effect.State.DROPPED
    ledger.append_all(
        [
            ledger.Entry(
                kind=LedgerEntry.Kind.EFFECT,
                subject=f"effect:{effect.key}",
                payload={"ticket": effect.ticket_id, "kind": effect.kind, "state": state},
            )
            for effect in dropped
        ]
    )


def _is_made_good(proposal: Proposal, effect: Effect) -> bool:
    if effect.kind == Effect.Kind.NOTE:
        return True
    if effect.kind == Effect.Kind.REPLY:
        return False
    if effect.kind == Effect.Kind.CALL:
        # One that was begun may have arrived, even if it ended in a conflict.
        was_begun = effect.state in BEGUN or effect.based_on_version is not None
        return was_begun and proposal.playbook is not None and proposal.playbook.is_reversible
    return effect.state in BEGUN


def _undoing(effect: Effect, note: str) -> dict[str, Any]:
    """What values and status go back to is filled in when it is sent: only then is it known."""
    if effect.kind == Effect.Kind.NOTE:
        return {"text": note}
    if effect.kind == Effect.Kind.CALL:
        return {**effect.payload, "type": "playbook.undone", "undoes": effect.key}
    return {}


def _what_stays(proposal: Proposal, left: Iterable[Effect]) -> str:
    begun = {effect.kind for effect in left if effect.state in BEGUN}
    said = ""
    if Effect.Kind.REPLY in begun:
        said += " The reply to the requester stays: a message that was sent cannot be taken back."
    is_final = proposal.playbook is not None and not proposal.playbook.is_reversible
    if Effect.Kind.CALL in begun and is_final:
        said += " What the automation did stays: it cannot be undone from here."
    return said


# --- Rows -----------------------------------------------------------------------------------
def _next_position(proposal: Proposal) -> int:
    last: int | None = proposal.effects.aggregate(last=Max("position"))["last"]
    return 0 if last is None else last + 1


def _effect(
    proposal: Proposal,
    key: str,
    kind: str,
    payload: dict[str, Any],
    position: int,
    seen: int,
    undoes: Effect | None = None,
) -> Effect:
    has_address = bool(proposal.ticket.source.api_url)
    return Effect(
        key=key,
        ticket_id=proposal.ticket_id,
        proposal=proposal,
        position=position,
        kind=kind,
        payload=payload,
        seen_version=seen,
        undoes=undoes,
        state=Effect.State.PENDING if has_address else Effect.State.SKIPPED,
        finished_at=None if has_address else timezone.now(),
    )


def _store(proposal: Proposal, effects: Sequence[Effect]) -> list[Effect]:
    """Those that are there already, by their keys, stay as they are."""
    Effect.objects.bulk_create(effects, ignore_conflicts=True)
    if any(effect.state == Effect.State.PENDING for effect in effects):
        leases.put(Job.Kind.EFFECT, [proposal.pk])
        ring_after_commit(Lane.EFFECTS)
    return list(Effect.objects.filter(proposal=proposal))


def _listed(proposal: Proposal, values: Mapping[str, str]) -> str:
    """The values as people in the helpdesk name them."""
    rows = proposal.values.filter(field__key__in=values).select_related("field", "choice")
    named = [f"{row.field.name}: {row.choice.name}" for row in rows if row.choice is not None]
    return ", ".join(named) or "nothing"
