"""Which decisions stand, what they settled, and which can still be taken back."""

from collections.abc import Mapping

from django.db.models import (
    BooleanField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
)
from django.db.models.functions import Coalesce

from review.models import DecidedValue, Decision, Reason
from triage.effects.plan import BEGUN
from triage.models import Choice, Delivery, Effect, Field, Proposal, Ticket, TicketVersion

Verdict = Decision.Verdict


def turns(proposal: Proposal) -> int:
    """How often something was decided on, or applied for, a proposal; taken back or not."""
    return Decision.objects.filter(proposal=proposal).count() + _is_automatic(proposal)


def turn_of(decision: Decision) -> int:
    """The how-manieth of them a decision was."""
    earlier = Decision.objects.filter(proposal=decision.proposal_id, pk__lt=decision.pk)
    return earlier.count() + _is_automatic(decision.proposal) + 1


def _is_automatic(proposal: Proposal) -> bool:
    return proposal.route == Proposal.Route.AUTO


def settled(
    proposal: Proposal, decision: Decision | None
) -> tuple[dict[str, Choice], dict[str, Reason]]:
    """What stands for a proposal by field key, and why where somebody overrode it.

    Escalating and sending back settle nothing: then it is what was proposed, as where nobody
    decided.
    """
    if decision is None or decision.verdict not in (Verdict.ACCEPTED, Verdict.OVERRIDDEN):
        values = proposal.values.filter(choice__isnull=False).select_related("field", "choice")
        return {value.field.key: value.choice for value in values if value.choice}, {}
    said = decision.values.select_related("field", "final", "reason")
    return (
        {value.field.key: value.final for value in said if value.final},
        {value.field.key: value.reason for value in said if value.reason},
    )


def truths(ticket: Ticket) -> Mapping[Field, Choice]:
    """What the latest standing decision on a ticket says of each field."""
    said = DecidedValue.objects.filter(
        decision__proposal__ticket=ticket,
        decision__stands_for__isnull=False,
        final__isnull=False,
    )
    ordered = said.select_related("field", "final").order_by("decision__decided_at", "decision")
    return {value.field: value.final for value in ordered if value.final}


def newer_proposals(proposal: Proposal) -> QuerySet[Proposal]:
    """Of its ticket, those that people can see."""
    newer = Proposal.objects.filter(
        ticket=proposal.ticket_id, ticket_version__version__gt=proposal.ticket_version.version
    )
    return newer.exclude(route=Proposal.Route.SHADOW)


def news_since(decision: Decision) -> QuerySet[TicketVersion]:
    """What the helpdesk told of the ticket after the decision, but for our own writes; as in
    `undoable`."""
    return TicketVersion.objects.filter(
        ticket=decision.proposal.ticket_id,
        delivery__outcome=Delivery.Outcome.APPLIED,
        version__gt=_seen(decision),
    ).order_by("version")


def _seen(decision: Decision) -> int:
    """The ticket's version that the decision was based on."""
    seen: int | None = (
        Effect.objects.filter(proposal=decision.proposal_id, undoes__isnull=True)
        .order_by("-seen_version")
        .values_list("seen_version", flat=True)
        .first()
    )
    return decision.proposal.ticket_version.version if seen is None else seen


def status_changes(proposal: Proposal) -> QuerySet[Effect]:
    """Our own changes of the ticket's status that stand, or are on their way."""
    return Effect.objects.filter(
        proposal=proposal,
        kind=Effect.Kind.STATUS,
        undoes__isnull=True,
        undone_by__isnull=True,
        state__in=BEGUN,
    )


def undoable(decisions: QuerySet[Decision]) -> QuerySet[Decision]:
    """With `can_undo`: whether the reviewer may still take each back. No further query.

    The same as review.undo asks under the ticket's lock.
    """
    effects = Effect.objects.filter(proposal=OuterRef(OuterRef("proposal")), undoes__isnull=True)
    seen = effects.order_by("-seen_version").values("seen_version")[:1]
    news = TicketVersion.objects.filter(
        ticket=OuterRef("proposal__ticket"), delivery__outcome=Delivery.Outcome.APPLIED
    ).filter(version__gt=Coalesce(Subquery(seen), OuterRef("proposal__ticket_version__version")))
    newer = Proposal.objects.filter(
        ticket=OuterRef("proposal__ticket"),
        ticket_version__version__gt=OuterRef("proposal__ticket_version__version"),
    ).exclude(route=Proposal.Route.SHADOW)
    closing = Effect.objects.filter(
        proposal=OuterRef("proposal"),
        kind=Effect.Kind.STATUS,
        undoes__isnull=True,
        undone_by__isnull=True,
        state__in=BEGUN,
    )
    is_open = Q(proposal__ticket__closed_at__isnull=True) | Q(
        proposal__ticket__closed_at__lte=F("decided_at")
    )
    can_undo = (
        Q(stands_for__isnull=False, proposal__ticket__erased_at__isnull=True)
        & (is_open | Exists(closing))
        & ~Exists(news)
        & ~Exists(newer)
    )
    return decisions.annotate(can_undo=ExpressionWrapper(can_undo, output_field=BooleanField()))
