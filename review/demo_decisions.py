"""Rows of decisions that were taken in the demo's past, as the decision service leaves them."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db.models import F

from review.models import DecidedValue, Decision, Reason
from triage import ledger
from triage.models import (
    Choice,
    Effect,
    Label,
    LedgerEntry,
    Playbook,
    Proposal,
    ProposedValue,
    Ticket,
)

SENT_AFTER = timedelta(seconds=2)

Settled = tuple[ProposedValue, Choice | None, Reason | None]


@dataclass
class Word:
    """A reviewer's word on a proposal; `settled` holds value, final choice and reason by field."""

    proposal: Proposal
    reviewer: User
    decided_at: datetime
    verdict: str = Decision.Verdict.ACCEPTED
    reason: Reason | None = None
    settled: list[Settled] = field(default_factory=list)
    with_playbook: bool = False

    @property
    def finals(self) -> dict[str, Choice]:
        return {value.field.key: final for value, final, _ in self.settled if final is not None}


def _pace(word: Word) -> float | None:
    """Half a minute for most, and none after a pause; always the same for a proposal."""
    chance = random.Random(word.proposal.pk)
    return None if chance.random() < 0.2 else min(290.0, 1 + chance.lognormvariate(3.4, 0.8))


def store(words: Sequence[Word]) -> None:
    """Decisions with their values, labels, effects that were carried out, and ledger entries."""
    decisions = Decision.objects.bulk_create(
        Decision(
            proposal=word.proposal,
            stands_for=word.proposal,
            reviewer=word.reviewer,
            verdict=word.verdict,
            reason=word.reason,
            with_playbook=word.with_playbook,
            decided_at=word.decided_at,
            seconds_since_last=_pace(word),
        )
        for word in words
    )
    DecidedValue.objects.bulk_create(
        DecidedValue(
            decision=decision,
            field=value.field,
            proposed=value.choice,
            final=final,
            reason=reason,
        )
        for word, decision in zip(words, decisions, strict=True)
        for value, final, reason in word.settled
    )
    _store_labels(words)
    _store_effects(words)
    ledger.append_all([_entry(word) for word in words])


def _store_labels(words: Iterable[Word]) -> None:
    made = Label.objects.bulk_create(
        Label(
            ticket=word.proposal.ticket,
            field=value.field,
            choice=final,
            origin=Label.Origin.DECISION,
        )
        for word in words
        for value, final, _ in word.settled
        if final is not None
    )
    times = {word.proposal.ticket_id: word.decided_at for word in words}
    for label in made:
        label.created_at = times[label.ticket_id]
    Label.objects.bulk_update(made, ["created_at"], batch_size=500)


def _store_effects(words: Iterable[Word]) -> None:
    made = Effect.objects.bulk_create(effect for word in words for effect in _effects(word))
    # Set to this moment while storing.
    Effect.objects.filter(pk__in=[effect.pk for effect in made]).update(
        created_at=F("finished_at") - SENT_AFTER
    )
    # Our own writes came before what happened to the ticket later.
    newest = {effect.ticket_id: effect for effect in made if effect.applied_version is not None}
    tickets = list(Ticket.objects.filter(pk__in=newest))
    for ticket in tickets:
        ticket.version += newest[ticket.pk].position + 1
    Ticket.objects.bulk_update(tickets, ["version"], batch_size=500)


def _effects(word: Word) -> list[Effect]:
    steps: list[tuple[str, dict[str, Any]]] = []
    if word.finals:
        chosen = {key: choice.key for key, choice in word.finals.items()}
        steps.append((Effect.Kind.VALUES, {"values": chosen}))
    name = word.reviewer.get_full_name()
    verdict = Decision.Verdict(word.verdict).label
    steps.append((Effect.Kind.NOTE, {"text": f"Countersign: {verdict} by {name}."}))
    playbook = word.proposal.playbook
    if word.with_playbook and playbook is not None:
        if playbook.action_url:
            steps.append((Effect.Kind.CALL, {"url": playbook.action_url, "playbook": playbook.pk}))
        steps.append((Effect.Kind.REPLY, {"text": word.proposal.reply}))
        if playbook.follow_up != Playbook.FollowUp.OPEN:
            steps.append((Effect.Kind.STATUS, {"status": playbook.follow_up}))
    return [
        Effect(
            key=f"p{word.proposal.pk}-{kind}",
            ticket=word.proposal.ticket,
            proposal=word.proposal,
            position=position,
            kind=kind,
            payload=payload,
            seen_version=1,
            applied_version=None if kind == Effect.Kind.CALL else 2 + position,
            state=Effect.State.APPLIED,
            finished_at=word.decided_at + SENT_AFTER,
        )
        for position, (kind, payload) in enumerate(steps)
    ]


def _entry(word: Word) -> ledger.Entry:
    return ledger.Entry(
        kind=LedgerEntry.Kind.DECISION,
        subject=f"proposal:{word.proposal.pk}",
        payload={
            "demo": "past",
            "decided_at": word.decided_at.isoformat(),
            "verdict": word.verdict,
            "values": {key: choice.key for key, choice in word.finals.items()},
            "reasons": {value.field.key: why.key for value, _, why in word.settled if why},
            "reason": word.reason.key if word.reason else None,
            "playbook": word.with_playbook,
        },
        actor=ledger.actor_of(word.reviewer),
    )
