"""Which effects a decision or an automatic proposal has, under stable keys."""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any

from triage.jobs import leases
from triage.jobs.doorbell import ring_after_commit
from triage.jobs.lanes import Lane
from triage.models import Effect, Job, Playbook, Proposal

MARK = "Countersign"


def decided(
    proposal: Proposal, values: Mapping[str, str], *, note: str, with_playbook: bool
) -> list[Effect]:
    """Set values, leave a marked note and, if wanted, carry the playbook out."""
    steps: list[tuple[str, dict[str, Any]]] = []
    if values:
        steps.append((Effect.Kind.VALUES, {"values": dict(values)}))
    steps.append((Effect.Kind.NOTE, {"text": f"{MARK}: {note}"}))
    if with_playbook and proposal.playbook is not None:
        steps += _playbook(proposal.playbook, proposal.reply)
    return _store(proposal, steps, prefix="p")


def settled(proposals: Iterable[int]) -> set[int]:
    """Those of the proposals, by primary key, that were decided or applied: both leave a note."""
    keys = {f"p{pk}-{Effect.Kind.NOTE}": pk for pk in proposals}
    return {keys[key] for key in Effect.objects.filter(key__in=keys).values_list("key", flat=True)}


def automatic(
    proposal: Proposal, values: Mapping[str, str], *, with_playbook: bool
) -> list[Effect]:
    note = f"applied without a person: {_listed(proposal, values)}."
    return decided(proposal, values, note=note, with_playbook=with_playbook)


def prefill(proposal: Proposal, values: Mapping[str, str]) -> list[Effect]:
    """A marked suggestion in the helpdesk; the same suggestion is left once per ticket."""
    text = f"{MARK} suggests: {_listed(proposal, values)}. A person confirms."
    digest = sha256(text.encode()).hexdigest()[:12]
    return _store(
        proposal,
        [(Effect.Kind.NOTE, {"text": text})],
        prefix=f"t{proposal.ticket_id}-{digest}-",
        numbered=False,
    )


def _playbook(playbook: Playbook, reply: str) -> list[tuple[str, dict[str, Any]]]:
    steps: list[tuple[str, dict[str, Any]]] = []
    if playbook.action_url:
        steps.append((Effect.Kind.CALL, {"url": playbook.action_url, "playbook": playbook.pk}))
    steps.append((Effect.Kind.REPLY, {"text": reply}))
    if playbook.follow_up != Playbook.FollowUp.OPEN:
        steps.append((Effect.Kind.STATUS, {"status": playbook.follow_up}))
    return steps


def _store(
    proposal: Proposal,
    steps: Sequence[tuple[str, dict[str, Any]]],
    *,
    prefix: str,
    numbered: bool = True,
) -> list[Effect]:
    stem = f"{prefix}{proposal.pk}-" if numbered else prefix
    has_address = bool(proposal.ticket.source.api_url)
    seen = proposal.ticket_version.version
    Effect.objects.bulk_create(
        [
            Effect(
                key=f"{stem}{kind}",
                ticket_id=proposal.ticket_id,
                proposal=proposal,
                position=position,
                kind=kind,
                payload=payload,
                seen_version=seen,
                state=Effect.State.PENDING if has_address else Effect.State.SKIPPED,
            )
            for position, (kind, payload) in enumerate(steps)
        ],
        ignore_conflicts=True,
    )
    if has_address:
        leases.put(Job.Kind.EFFECT, [proposal.pk])
        ring_after_commit(Lane.EFFECTS)
    return list(Effect.objects.filter(proposal=proposal))


def _listed(proposal: Proposal, values: Mapping[str, str]) -> str:
    """The values as people in the helpdesk name them."""
    rows = proposal.values.filter(field__key__in=values).select_related("field", "choice")
    named = [f"{row.field.name}: {row.choice.name}" for row in rows if row.choice is not None]
    return ", ".join(named) or "nothing"
