"""A reviewer's final word: one transaction for decision, labels, effects and ledger.

It is said on a proposal that waits or, to reverse it, on one that was decided or applied already.
Taking a decision back is in review/undo.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from review import leases, standing
from review.models import DecidedValue, Decision, Reason, Withdrawal
from triage import ledger, steps
from triage.models import (
    Choice,
    Delivery,
    Effect,
    Field,
    LedgerEntry,
    Proposal,
    ProposedValue,
    Ticket,
    Waiting,
)

ANSWER_FIRST = _("Answer first: the proposal for this ticket is shown only after your own answer.")


class DecisionError(Exception):
    pass


class AlreadyDecided(DecisionError):
    """Somebody was first; `decision` is theirs."""

    def __init__(self, decision: Decision) -> None:
        name = decision.reviewer.get_full_name() or decision.reviewer.get_username()
        super().__init__(f"{name} has already {decision.get_verdict_display()} this proposal.")
        self.decision = decision


class Superseded(DecisionError):
    """The ticket changed, was closed, or has a newer proposal."""


class Leased(DecisionError):
    """Somebody else looks at the ticket; `to` says who and since when."""

    def __init__(self, to: leases.LeasedTo) -> None:
        super().__init__(
            f"{to.name} is looking at this ticket; it is free {leases.LEASE_SECONDS} seconds after "
            "they leave it."
        )
        self.to = to


class DecisionRefused(DecisionError):
    """The decision lacks something; the message is for the reviewer."""


class AnswerFirst(DecisionRefused):
    """It was drawn to be answered before the advice is shown, and has not been."""


@dataclass(frozen=True)
class Reversal:
    """That a decision takes the place of another or, with None, of what was applied by nobody."""

    of: Decision | None


@dataclass(frozen=True)
class _Ground:
    """What a decision is made on: nothing new to a proposal that waits.

    Of one that is reversed the values that stood, with the reasons why they did, and the ticket's
    newest version, which the reviewer has in view.
    """

    reversal: Reversal | None = None
    finals: Mapping[str, Choice] = field(default_factory=dict)
    reasons: Mapping[str, Reason] = field(default_factory=dict)
    seen_version: int | None = None


@dataclass
class _Word:
    """What the reviewer said, checked."""

    verdict: str
    ground: _Ground
    finals: Mapping[str, Choice] = field(default_factory=dict)
    reasons: Mapping[str, Reason] = field(default_factory=dict)
    reason: Reason | None = None
    text: str = ""
    with_playbook: bool = False


@transaction.atomic
def decide(
    *,
    proposal: Proposal,
    reviewer: User,
    choices: Mapping[str, Choice | None],
    reasons: Mapping[str, Reason],
    with_playbook: bool,
    text: str = "",
    reversal: Reversal | None = None,
) -> Decision:
    """Accept or override each value of a proposal.

    `choices` and `reasons` are by field key; a field that is missing from `choices` keeps the
    proposed value or, when a decision is reversed, the one that stands. Changing such a value
    needs a reason, filling one that was left open does not. Raises AlreadyDecided naming the
    first reviewer, Superseded, Leased, or DecisionRefused.
    """
    ground = _ground(proposal, reviewer, reversal)
    proposed = _proposed(proposal)
    before = {key: value.choice for key, value in proposed.items() if value.choice}
    before |= ground.finals
    finals = _finals(proposed, before, choices)
    changed = [key for key in before if finals[key] != before[key]]
    for key in changed:
        _check_reason(reasons.get(key), Reason.AppliesTo.OVERRIDE, text, proposed[key].field.name)
    _check_playbook(proposal, with_playbook)
    # Where the main value was left open there was nothing to accept.
    overridden = any(
        finals[key] != value.choice if value.choice else value.field.is_main
        for key, value in proposed.items()
    )
    word = _Word(
        verdict=Decision.Verdict.OVERRIDDEN if overridden else Decision.Verdict.ACCEPTED,
        ground=ground,
        finals=finals,
        reasons={
            **{key: why for key, why in ground.reasons.items() if key not in changed},
            **{key: reasons[key] for key in changed},
        },
        text=text,
        with_playbook=with_playbook,
    )
    if not changed and _says_the_same(word):
        raise DecisionRefused("Nothing differs from what stands: change a value, or leave it.")
    return _store(proposal, reviewer, word, proposed)


def _finals(
    proposed: Mapping[str, ProposedValue],
    before: Mapping[str, Choice],
    choices: Mapping[str, Choice | None],
) -> dict[str, Choice]:
    finals = dict(before)
    for key, choice in choices.items():
        if key not in proposed:
            raise DecisionRefused(f"This proposal has no field {key!r}.")
        if choice is None:
            raise DecisionRefused(f"Choose a value for {proposed[key].field.name}.")
        if choice != before.get(key):
            check_choice(proposed[key].field, choice, proposed[key].choice)
        finals[key] = choice
    for key, value in proposed.items():
        if value.field.is_main and key not in finals:
            name = value.field.name
            raise DecisionRefused(f"Choose a value for {name}: nothing was proposed for it.")
    return finals


def _says_the_same(word: _Word) -> bool:
    """Whether it fills nothing and replaces a decision on values by an equal one, or nobody's."""
    reversal = word.ground.reversal
    if reversal is None:
        return False
    stood = reversal.of.verdict if reversal.of else Decision.Verdict.ACCEPTED
    return stood == word.verdict and word.finals.keys() == word.ground.finals.keys()


@transaction.atomic
def escalate(
    *,
    proposal: Proposal,
    reviewer: User,
    reason: Reason,
    text: str = "",
    team: Choice | None = None,
    reversal: Reversal | None = None,
) -> Decision:
    """Hand the ticket on without settling its values; with a team, it is routed there."""
    ground = _ground(proposal, reviewer, reversal)
    _check_reason(reason, Reason.AppliesTo.ESCALATE, text, "escalating")
    finals = {}
    if team is not None:
        proposed = _proposed(proposal)
        if team.field.key not in proposed:
            raise DecisionRefused(f"This proposal has no field {team.field.key!r}.")
        check_choice(proposed[team.field.key].field, team, None)
        finals = {team.field.key: team}
    word = _Word(Decision.Verdict.ESCALATED, ground, finals=finals, reason=reason, text=text)
    return _store(proposal, reviewer, word, {})


@transaction.atomic
def send_back(
    *,
    proposal: Proposal,
    reviewer: User,
    reason: Reason,
    text: str = "",
    reversal: Reversal | None = None,
) -> Decision:
    """Give the ticket back to the helpdesk untriaged, with a note that says why."""
    ground = _ground(proposal, reviewer, reversal)
    _check_reason(reason, Reason.AppliesTo.SEND_BACK, text, "sending back")
    word = _Word(Decision.Verdict.SENT_BACK, ground, reason=reason, text=text)
    return _store(proposal, reviewer, word, {})


def _ground(proposal: Proposal, reviewer: User, reversal: Reversal | None) -> _Ground:
    """Hold the ticket's row, then make sure that there is something for this person to decide."""
    if reversal is None:
        if hold(proposal, reviewer).blind_at is not None:
            raise AnswerFirst(ANSWER_FIRST)
        return _Ground()
    ticket = Ticket.objects.select_for_update().get(pk=proposal.ticket_id)
    stands = _standing(proposal)
    if stands is not None and reversal.of != stands:
        raise AlreadyDecided(stands)
    _refuse_unless_settled(proposal, ticket, reversal)
    finals, reasons = standing.settled(proposal, stands)
    return _Ground(reversal, finals, reasons, ticket.version)


def _standing(proposal: Proposal) -> Decision | None:
    return Decision.objects.select_related("reviewer").filter(stands_for=proposal).first()


def hold(proposal: Proposal, reviewer: User) -> Waiting:
    """Hold the ticket's row, then make sure that this person may say something on what waits.

    A lease only spares two people the same work; what decides between them is the row. What was
    applied without a person is checked as it was proposed, whatever came since.
    """
    Ticket.objects.select_for_update().get(pk=proposal.ticket_id)
    stands = _standing(proposal)
    if stands is not None:
        raise AlreadyDecided(stands)
    waiting = Waiting.objects.select_related("proposal").filter(proposal=proposal).first()
    if waiting is None:
        raise Superseded("This proposal no longer waits: the ticket was closed or proposed anew.")
    newer = proposal.ticket.versions.filter(
        version__gt=proposal.ticket_version.version, delivery__outcome=Delivery.Outcome.APPLIED
    )
    if proposal.route != Proposal.Route.AUTO and newer.exists():
        raise Superseded("The ticket has changed since this was proposed; a new proposal comes.")
    if held := leases.other(proposal.ticket, reviewer):
        raise Leased(leases.leased_to(held))
    return waiting


def _refuse_unless_settled(proposal: Proposal, ticket: Ticket, reversal: Reversal) -> None:
    is_waiting = Waiting.objects.filter(proposal=proposal).exists()
    if is_waiting or (reversal.of is not None and reversal.of.stands_for_id is None):
        raise Superseded("What you want to reverse was taken back: the proposal can be decided.")
    if reversal.of is None and proposal.route != Proposal.Route.AUTO:
        raise Superseded("There is nothing to reverse: this was neither decided nor applied.")
    if ticket.erased_at is not None:
        raise Superseded("The ticket was erased: nothing is written to it any more.")
    if standing.newer_proposals(proposal).exists():
        raise Superseded("The ticket has been proposed anew since: decide on that instead.")


def _proposed(proposal: Proposal) -> dict[str, ProposedValue]:
    return {v.field.key: v for v in proposal.values.select_related("field", "choice__field")}


def check_choice(field: Field, choice: Choice, proposed: Choice | None) -> None:
    if choice.field_id != field.pk:
        raise DecisionRefused(f"{choice.name!r} is not a choice of {field.name}.")
    if choice.retired_at is not None and choice != proposed:
        raise DecisionRefused(f"{choice.name!r} is retired; choose another {field.name}.")


def _check_playbook(proposal: Proposal, with_playbook: bool) -> None:
    if not with_playbook:
        return
    if proposal.playbook is None:
        raise DecisionRefused("This proposal offers no playbook.")
    if proposal.effects.filter(kind=Effect.Kind.REPLY, state__in=standing.BEGUN).exists():
        raise DecisionRefused("The requester got this reply already: it is not sent twice.")


def _check_reason(reason: Reason | None, applies_to: str, text: str, what: str) -> None:
    if reason is None:
        raise DecisionRefused(f"Say why: pick a reason for {what}.")
    if reason.applies_to != applies_to or not reason.is_active:
        raise DecisionRefused(f"{reason.label!r} is not a reason for {what}.")
    if reason.needs_text and not text.strip():
        raise DecisionRefused(f"The reason {reason.label!r} needs a few words.")


def _store(
    proposal: Proposal, reviewer: User, word: _Word, proposed: Mapping[str, ProposedValue]
) -> Decision:
    turn = standing.turns(proposal) + 1
    replaced = word.ground.reversal.of if word.ground.reversal else None
    if replaced is not None:
        Decision.objects.filter(pk=replaced.pk).update(stands_for=None)
    decision = Decision.objects.create(
        proposal=proposal,
        stands_for=proposal,
        reviewer=reviewer,
        verdict=word.verdict,
        reason=word.reason,
        text=word.text.strip()[:500],
        with_playbook=word.with_playbook,
        decided_at=timezone.now(),
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
    return decision


def _payload(word: _Word) -> dict[str, Any]:
    said = {
        "verdict": word.verdict,
        "values": {key: choice.key for key, choice in word.finals.items()},
        "reasons": {key: reason.key for key, reason in word.reasons.items()},
        "reason": word.reason.key if word.reason else None,
        "playbook": word.with_playbook,
    }
    reversal = word.ground.reversal
    if reversal is not None:
        said["reverses"] = reversal.of.pk if reversal.of else "automatic"
    return said


def _note(decision: Decision, word: _Word) -> str:
    """What the helpdesk's internal note says; people there know who stands behind it."""
    name = decision.reviewer.get_full_name() or decision.reviewer.get_username()
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


def _instead_of(word: _Word) -> str:
    reversal = word.ground.reversal
    if reversal is None:
        return ""
    if reversal.of is None:
        return ", in place of what was applied without a person"
    who = reversal.of.reviewer
    return f", in place of what {who.get_full_name() or who.get_username()} had decided"
