"""A reviewer's final word: one transaction for decision, labels, effects and ledger."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from review.models import DecidedValue, Decision, Reason
from triage import ledger, steps
from triage.models import (
    Choice,
    Delivery,
    Field,
    Label,
    LedgerEntry,
    Proposal,
    ProposedValue,
    Ticket,
    Waiting,
)


class DecisionError(Exception):
    pass


class AlreadyDecided(DecisionError):
    """Somebody was first; `decision` is theirs."""

    def __init__(self, decision: Decision) -> None:
        name = decision.reviewer.get_full_name() or decision.reviewer.get_username()
        said = {"name": name, "verdict": decision.get_verdict_display()}
        super().__init__(_("%(name)s has already %(verdict)s this proposal.") % said)
        self.decision = decision


class Superseded(DecisionError):
    """The ticket changed, was closed, or has a newer proposal."""


class DecisionRefused(DecisionError):
    """The decision lacks something; the message is for the reviewer."""


@dataclass
class _Word:
    """What the reviewer said, checked."""

    verdict: str
    finals: dict[str, Choice] = field(default_factory=dict)
    reasons: Mapping[str, Reason] = field(default_factory=dict)
    reason: Reason | None = None
    text: str = ""
    with_playbook: bool = False
    via: str = ""


@transaction.atomic
def decide(
    *,
    proposal: Proposal,
    reviewer: User,
    choices: Mapping[str, Choice | None],
    reasons: Mapping[str, Reason],
    with_playbook: bool,
    text: str = "",
    via: str = "",
) -> Decision:
    """Accept or override each value of a proposal.

    `choices` and `reasons` are by field key; a field that is missing from `choices` keeps the
    proposed value. Changing a proposed value needs a reason, filling one that was left open
    does not. `via` tells the ledger of another way than the pages. Raises AlreadyDecided naming
    the first reviewer, Superseded, or DecisionRefused.
    """
    _lock(proposal)
    proposed = _proposed(proposal)
    finals = {key: value.choice for key, value in proposed.items() if value.choice}
    for key, choice in choices.items():
        if key not in proposed:
            raise DecisionRefused(_("This proposal has no field %(key)r.") % {"key": key})
        if choice is None:
            name = proposed[key].field.name
            raise DecisionRefused(_("Choose a value for %(field)s.") % {"field": name})
        _check_choice(proposed[key].field, choice, proposed[key].choice)
        finals[key] = choice
    _require_main(proposed, finals)
    changed = [key for key, v in proposed.items() if v.choice and finals[key] != v.choice]
    for key in changed:
        _check_reason(reasons.get(key), Reason.AppliesTo.OVERRIDE, text, proposed[key].field.name)
    if with_playbook and proposal.playbook is None:
        raise DecisionRefused(_("This proposal offers no playbook."))
    # Where the main value was left open there was nothing to accept.
    is_filled = any(v.field.is_main and v.choice is None for v in proposed.values())
    overridden = bool(changed) or is_filled
    word = _Word(
        verdict=Decision.Verdict.OVERRIDDEN if overridden else Decision.Verdict.ACCEPTED,
        finals=finals,
        reasons={key: reasons[key] for key in changed},
        text=text,
        with_playbook=with_playbook,
        via=via,
    )
    return _store(proposal, reviewer, word, proposed)


@transaction.atomic
def escalate(
    *,
    proposal: Proposal,
    reviewer: User,
    reason: Reason,
    text: str = "",
    team: Choice | None = None,
    via: str = "",
) -> Decision:
    """Hand the ticket on without settling its values; with a team, it is routed there."""
    _lock(proposal)
    _check_reason(reason, Reason.AppliesTo.ESCALATE, text, _("escalating"))
    finals = {}
    if team is not None:
        proposed = _proposed(proposal)
        if team.field.key not in proposed:
            said = {"key": team.field.key}
            raise DecisionRefused(_("This proposal has no field %(key)r.") % said)
        _check_choice(proposed[team.field.key].field, team, None)
        finals = {team.field.key: team}
    word = _Word(Decision.Verdict.ESCALATED, finals=finals, reason=reason, text=text, via=via)
    return _store(proposal, reviewer, word, {})


@transaction.atomic
def send_back(
    *, proposal: Proposal, reviewer: User, reason: Reason, text: str = "", via: str = ""
) -> Decision:
    """Give the ticket back to the helpdesk untriaged, with a note that says why."""
    _lock(proposal)
    _check_reason(reason, Reason.AppliesTo.SEND_BACK, text, _("sending back"))
    word = _Word(Decision.Verdict.SENT_BACK, reason=reason, text=text, via=via)
    return _store(proposal, reviewer, word, {})


def _lock(proposal: Proposal) -> None:
    """Hold the ticket's row, then make sure that this proposal still waits for a decision."""
    Ticket.objects.select_for_update().get(pk=proposal.ticket_id)
    first = Decision.objects.select_related("reviewer").filter(stands_for=proposal).first()
    if first is not None:
        raise AlreadyDecided(first)
    if not Waiting.objects.filter(proposal=proposal).exists():
        raise Superseded(
            _("This proposal no longer waits: the ticket was closed or proposed anew.")
        )
    newer = proposal.ticket.versions.filter(
        version__gt=proposal.ticket_version.version, delivery__outcome=Delivery.Outcome.APPLIED
    )
    if newer.exists():
        raise Superseded(_("The ticket has changed since this was proposed; a new proposal comes."))


def _proposed(proposal: Proposal) -> dict[str, ProposedValue]:
    return {v.field.key: v for v in proposal.values.select_related("field", "choice__field")}


def _require_main(proposed: Mapping[str, ProposedValue], finals: Mapping[str, Choice]) -> None:
    for key, value in proposed.items():
        if value.field.is_main and key not in finals:
            said = _("Choose a value for %(field)s: nothing was proposed for it.")
            raise DecisionRefused(said % {"field": value.field.name})


def _check_choice(field: Field, choice: Choice, proposed: Choice | None) -> None:
    if choice.field_id != field.pk:
        said = {"choice": choice.name, "field": field.name}
        raise DecisionRefused(_("%(choice)r is not a choice of %(field)s.") % said)
    if choice.retired_at is not None and choice != proposed:
        said = {"choice": choice.name, "field": field.name}
        raise DecisionRefused(_("%(choice)r is retired; choose another %(field)s.") % said)


def _check_reason(reason: Reason | None, applies_to: str, text: str, what: str) -> None:
    if reason is None:
        raise DecisionRefused(_("Say why: pick a reason for %(what)s.") % {"what": what})
    if reason.applies_to != applies_to or not reason.is_active:
        said = {"reason": reason.shown, "what": what}
        raise DecisionRefused(_("%(reason)r is not a reason for %(what)s.") % said)
    if reason.needs_text and not text.strip():
        said = {"reason": reason.shown}
        raise DecisionRefused(_("The reason %(reason)r needs a few words.") % said)


def _store(
    proposal: Proposal, reviewer: User, word: _Word, proposed: Mapping[str, ProposedValue]
) -> Decision:
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
    Waiting.objects.filter(proposal=proposal).delete()
    for key, value in proposed.items():
        if key in word.finals:
            steps.record_label(
                proposal.ticket, value.field, word.finals[key], origin=Label.Origin.DECISION
            )
    steps.apply(
        proposal,
        values={key: choice.key for key, choice in word.finals.items()},
        note=_note(decision, word),
        with_playbook=word.with_playbook,
    )
    ledger.append(
        kind=LedgerEntry.Kind.DECISION,
        subject=f"proposal:{proposal.pk}",
        payload={
            "verdict": word.verdict,
            "values": {key: choice.key for key, choice in word.finals.items()},
            "reasons": {key: reason.key for key, reason in word.reasons.items()},
            "reason": word.reason.key if word.reason else None,
            "playbook": word.with_playbook,
            **({"via": word.via} if word.via else {}),
        },
        actor=ledger.actor_of(reviewer),
    )
    return decision


def _note(decision: Decision, word: _Word) -> str:
    """What the helpdesk's internal note says; people there know who stands behind it.

    In the service's language, whatever the reviewer reads in.
    """
    name = decision.reviewer.get_full_name() or decision.reviewer.get_username()
    with translation.override(settings.LANGUAGE_CODE):
        parts = [f"{decision.get_verdict_display()} by {name}."]
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
