"""What a reviewer said, once it is checked: decision, labels, effects and ledger together."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone, translation

from review import leases, load, standing
from review.models import Batch, DecidedValue, Decision, Reason, Withdrawal
from triage import ledger, steps
from triage.models import Choice, LedgerEntry, Proposal, ProposedValue, Waiting


@dataclass(frozen=True)
class Reversal:
    """That a decision takes the place of another or, with None, of what was applied by nobody."""

    of: Decision | None


@dataclass(frozen=True)
class Ground:
    """What a decision is made on: nothing new to a proposal that waits.

    Of one that is reversed the values that stood, with the reasons why they did, and the ticket's
    newest version, which the reviewer has in view.
    """

    reversal: Reversal | None = None
    finals: Mapping[str, Choice] = field(default_factory=dict)
    reasons: Mapping[str, Reason] = field(default_factory=dict)
    seen_version: int | None = None


@dataclass
class Word:
    """What the reviewer said, checked."""

    verdict: str
    ground: Ground
    finals: Mapping[str, Choice] = field(default_factory=dict)
    reasons: Mapping[str, Reason] = field(default_factory=dict)
    reason: Reason | None = None
    text: str = ""
    with_playbook: bool = False
    batch: Batch | None = None
    via: str = ""


def store(
    proposal: Proposal, reviewer: User, word: Word, proposed: Mapping[str, ProposedValue]
) -> Decision:
    """Write down what was said and plan what follows; inside the transaction that checked it."""
    turn = standing.turns(proposal) + 1
    decision = _keep(proposal, reviewer, word, proposed)
    Waiting.objects.filter(proposal=proposal).delete()
    leases.release_ticket(proposal.ticket_id)
    steps.relabel(proposal.ticket, standing.truths(proposal.ticket))
    steps.apply(
        proposal,
        values={key: choice.key for key, choice in word.finals.items()},
        note=_note(decision, word),
        with_playbook=word.with_playbook,
        turn=turn,
        seen_version=word.ground.seen_version,
    )
    ledger.append(
        kind=LedgerEntry.Kind.DECISION,
        subject=f"proposal:{proposal.pk}",
        payload=_payload(word),
        actor=ledger.actor_of(reviewer),
    )
    load.note_review(decision)
    return decision


def _keep(
    proposal: Proposal, reviewer: User, word: Word, proposed: Mapping[str, ProposedValue]
) -> Decision:
    replaced = word.ground.reversal.of if word.ground.reversal else None
    if replaced is not None:
        Decision.objects.filter(pk=replaced.pk).update(stands_for=None)
    now = timezone.now()
    decision = Decision.objects.create(
        proposal=proposal,
        stands_for=proposal,
        reviewer=reviewer,
        verdict=word.verdict,
        reason=word.reason,
        text=word.text.strip()[:500],
        with_playbook=word.with_playbook,
        decided_at=now,
        batch=word.batch,
        seconds_since_last=None if word.batch else load.seconds_since_last(reviewer, now),
    )
    DecidedValue.objects.bulk_create(
        DecidedValue(
            decision=decision,
            field=value.field,
            proposed=value.choice,
            final=word.finals.get(key),
            reason=word.reasons.get(key),
        )
        for key, value in proposed.items()
    )
    if replaced is not None:
        Withdrawal.objects.create(
            decision=replaced, by=reviewer, at=decision.decided_at, reversed_by=decision
        )
    return decision


def _payload(word: Word) -> dict[str, Any]:
    said: dict[str, Any] = {
        "verdict": word.verdict,
        "values": {key: choice.key for key, choice in word.finals.items()},
        "reasons": {key: reason.key for key, reason in word.reasons.items()},
        "reason": word.reason.key if word.reason else None,
        "playbook": word.with_playbook,
    }
    reversal = word.ground.reversal
    if word.via:
        said["via"] = word.via
    if reversal is not None:
        said["reverses"] = reversal.of.pk if reversal.of else "automatic"
    return said


def _note(decision: Decision, word: Word) -> str:
    """What the helpdesk's internal note says; people there know who stands behind it.

    In the service's language, whatever the reviewer reads in.
    """
    name = decision.reviewer.get_full_name() or decision.reviewer.get_username()
    with translation.override(settings.LANGUAGE_CODE):
        parts = [f"{decision.get_verdict_display()} by {name}{_instead_of(word)}."]
    if word.finals:
        listed = "; ".join(f"{c.field.name}: {c.name}" for c in word.finals.values())
        parts.append(f"{listed}.")
    reasons = [
        *(r.label for r in word.reasons.values()),
        *([word.reason.label] if word.reason else []),
    ]
    if reasons:
        parts.append(f"Why: {', '.join(dict.fromkeys(reasons))}.")
    if word.text.strip():
        parts.append(word.text.strip())
    return " ".join(parts)


def _instead_of(word: Word) -> str:
    reversal = word.ground.reversal
    if reversal is None:
        return ""
    if reversal.of is None:
        return ", in place of what was applied without a person"
    who = reversal.of.reviewer
    return f", in place of what {who.get_full_name() or who.get_username()} had decided"
