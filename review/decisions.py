"""A reviewer's final word: one transaction for decision, labels, effects and ledger.

It is said on a proposal that waits or, to reverse it, on one that was decided or applied already.
Taking a decision back is in review/undo.py.
"""

from collections.abc import Mapping

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from review import leases, standing
from review.models import Batch, Decision, Reason
from review.refusals import (
    AlreadyDecided,
    AnswerFirst,
    DecisionError,
    DecisionRefused,
    Leased,
    Superseded,
    check_choice,
    check_playbook,
    check_reason,
)
from review.said import Ground, Reversal, Word, store
from triage.models import Choice, Delivery, Proposal, ProposedValue, Ticket, Waiting

__all__ = [
    "AlreadyDecided",
    "AnswerFirst",
    "DecisionError",
    "DecisionRefused",
    "Leased",
    "Reversal",
    "Superseded",
    "check_choice",
    "decide",
    "escalate",
    "hold",
    "send_back",
]

ANSWER_FIRST = gettext_lazy(
    "Answer first: the proposal for this ticket is shown only after your own answer."
)


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
    batch: Batch | None = None,
    via: str = "",
) -> Decision:
    """Accept or override each value of a proposal.

    `choices` and `reasons` are by field key; a field that is missing from `choices` keeps the
    proposed value or, when a decision is reversed, the one that stands. Changing such a value
    needs a reason, filling one that was left open does not. Raises AlreadyDecided naming the
    first reviewer, Superseded, Leased, or DecisionRefused. `via` tells the ledger of another way
    than the pages.
    """
    ground = _ground(proposal, reviewer, reversal)
    proposed = _proposed(proposal)
    before = {key: value.choice for key, value in proposed.items() if value.choice}
    before |= ground.finals
    finals = _finals(proposed, before, choices)
    changed = [key for key in before if finals[key] != before[key]]
    for key in changed:
        check_reason(reasons.get(key), Reason.AppliesTo.OVERRIDE, text, proposed[key].field.name)
    check_playbook(proposal, with_playbook)
    # Where the main value was left open there was nothing to accept.
    overridden = any(
        finals[key] != value.choice if value.choice else value.field.is_main
        for key, value in proposed.items()
    )
    word = Word(
        verdict=Decision.Verdict.OVERRIDDEN if overridden else Decision.Verdict.ACCEPTED,
        ground=ground,
        finals=finals,
        reasons={
            **{key: why for key, why in ground.reasons.items() if key not in changed},
            **{key: reasons[key] for key in changed},
        },
        text=text,
        with_playbook=with_playbook,
        batch=batch,
        via=via,
    )
    if not changed and _says_the_same(word):
        raise DecisionRefused(_("Nothing differs from what stands: change a value, or leave it."))
    return store(proposal, reviewer, word, proposed)


def _finals(
    proposed: Mapping[str, ProposedValue],
    before: Mapping[str, Choice],
    choices: Mapping[str, Choice | None],
) -> dict[str, Choice]:
    finals = dict(before)
    for key, choice in choices.items():
        if key not in proposed:
            raise DecisionRefused(_("This proposal has no field %(key)r.") % {"key": key})
        if choice is None:
            name = proposed[key].field.name
            raise DecisionRefused(_("Choose a value for %(field)s.") % {"field": name})
        if choice != before.get(key):
            check_choice(proposed[key].field, choice, proposed[key].choice)
        finals[key] = choice
    for key, value in proposed.items():
        if value.field.is_main and key not in finals:
            said = _("Choose a value for %(field)s: nothing was proposed for it.")
            raise DecisionRefused(said % {"field": value.field.name})
    return finals


def _says_the_same(word: Word) -> bool:
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
    batch: Batch | None = None,
    via: str = "",
) -> Decision:
    """Hand the ticket on without settling its values; with a team, it is routed there."""
    ground = _ground(proposal, reviewer, reversal)
    check_reason(reason, Reason.AppliesTo.ESCALATE, text, _("escalating"))
    finals = {}
    if team is not None:
        proposed = _proposed(proposal)
        if team.field.key not in proposed:
            said = {"key": team.field.key}
            raise DecisionRefused(_("This proposal has no field %(key)r.") % said)
        check_choice(proposed[team.field.key].field, team, None)
        finals = {team.field.key: team}
    word = Word(
        Decision.Verdict.ESCALATED,
        ground,
        finals=finals,
        reason=reason,
        text=text,
        batch=batch,
        via=via,
    )
    return store(proposal, reviewer, word, {})


@transaction.atomic
def send_back(
    *,
    proposal: Proposal,
    reviewer: User,
    reason: Reason,
    text: str = "",
    reversal: Reversal | None = None,
    via: str = "",
) -> Decision:
    """Give the ticket back to the helpdesk untriaged, with a note that says why."""
    ground = _ground(proposal, reviewer, reversal)
    check_reason(reason, Reason.AppliesTo.SEND_BACK, text, _("sending back"))
    word = Word(Decision.Verdict.SENT_BACK, ground, reason=reason, text=text, via=via)
    return store(proposal, reviewer, word, {})


def _ground(proposal: Proposal, reviewer: User, reversal: Reversal | None) -> Ground:
    """Hold the ticket's row, then make sure that there is something for this person to decide."""
    if reversal is None:
        if hold(proposal, reviewer).blind_at is not None:
            raise AnswerFirst(ANSWER_FIRST)
        return Ground()
    ticket = Ticket.objects.select_for_update().get(pk=proposal.ticket_id)
    stands = _standing(proposal)
    if stands is not None and reversal.of != stands:
        raise AlreadyDecided(stands)
    _refuse_unless_settled(proposal, ticket, reversal)
    finals, reasons = standing.settled(proposal, stands)
    return Ground(reversal, finals, reasons, ticket.version)


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
        raise Superseded(
            _("This proposal no longer waits: the ticket was closed or proposed anew.")
        )
    newer = proposal.ticket.versions.filter(
        version__gt=proposal.ticket_version.version, delivery__outcome=Delivery.Outcome.APPLIED
    )
    if proposal.route != Proposal.Route.AUTO and newer.exists():
        raise Superseded(_("The ticket has changed since this was proposed; a new proposal comes."))
    if held := leases.other(proposal.ticket, reviewer):
        raise Leased(leases.leased_to(held))
    return waiting


def _refuse_unless_settled(proposal: Proposal, ticket: Ticket, reversal: Reversal) -> None:
    is_waiting = Waiting.objects.filter(proposal=proposal).exists()
    if is_waiting or (reversal.of is not None and reversal.of.stands_for_id is None):
        raise Superseded(_("What you want to reverse was taken back: the proposal can be decided."))
    if reversal.of is None and proposal.route != Proposal.Route.AUTO:
        raise Superseded(_("There is nothing to reverse: this was neither decided nor applied."))
    if ticket.erased_at is not None:
        raise Superseded(_("The ticket was erased: nothing is written to it any more."))
    if standing.newer_proposals(proposal).exists():
        raise Superseded(_("The ticket has been proposed anew since: decide on that instead."))


def _proposed(proposal: Proposal) -> dict[str, ProposedValue]:
    return {v.field.key: v for v in proposal.values.select_related("field", "choice__field")}
