"""Taking a decision back, until the helpdesk changes the ticket; later it is reversed instead."""

from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from review import standing
from review.models import Decision, Withdrawal
from triage import ledger, steps
from triage.models import LedgerEntry, Ticket

# The key takes back the newest one; pressed by mistake in the morning, not last week's.
RECENT = timedelta(hours=12)


class UndoError(Exception):
    """The decision stays as it is; the message is for whoever wanted it back."""


class NotYours(UndoError):
    """Somebody else decided."""


class TooLate(UndoError):
    """Something happened that cannot be taken back with it."""


@transaction.atomic
def undo(decision: Decision, by: User) -> Withdrawal:
    """Take back one's own decision: the proposal waits again, and the helpdesk is put right.

    Under the ticket's row lock. Raises NotYours or TooLate, which says what happened. What the
    requester was sent stays sent; the note that is left in the helpdesk says so.
    """
    ticket = Ticket.objects.select_for_update().get(pk=decision.proposal.ticket_id)
    decision = Decision.objects.select_related(
        "proposal__ticket__source", "proposal__ticket_version", "proposal__playbook"
    ).get(pk=decision.pk)
    if decision.reviewer_id != by.pk:
        raise NotYours(_("Only who decided can take it back: reverse it instead."))
    _refuse_if_late(decision, ticket)
    proposal = decision.proposal
    waits = ticket.closed_at is None or standing.status_changes(proposal).exists()
    Decision.objects.filter(pk=decision.pk).update(stands_for=None)
    withdrawal = Withdrawal.objects.create(decision=decision, by=by, at=timezone.now())
    steps.relabel(ticket, standing.truths(ticket))
    if waits:
        steps.wait_again(proposal)
    name = by.get_full_name() or by.get_username()
    steps.take_back(proposal, turn=standing.turn_of(decision), by=name)
    ledger.append(
        kind=LedgerEntry.Kind.DECISION,
        subject=f"proposal:{proposal.pk}",
        payload={"undone": decision.pk, "verdict": decision.verdict},
        actor=ledger.actor_of(by),
    )
    return withdrawal


def newest_undoable(by: User) -> Decision | None:
    """A person's own last decision that can still be taken back, of the last twelve hours."""
    own = Decision.objects.filter(reviewer=by, decided_at__gte=timezone.now() - RECENT)
    return (
        standing.undoable(own)
        .filter(Q(can_undo=True))
        .select_related("proposal__ticket")
        .order_by("-decided_at", "-pk")
        .first()
    )


def _refuse_if_late(decision: Decision, ticket: Ticket) -> None:
    """Asked in one query for many by standing.undoable."""
    if decision.stands_for_id is None:
        raise TooLate(_("This decision has been taken back already."))
    if ticket.erased_at is not None:
        raise TooLate(_("The ticket was erased: what was decided stays on record."))
    if standing.newer_proposals(decision.proposal).exists():
        raise TooLate(_("The ticket has been proposed anew since: decide on that instead."))
    changed = standing.news_since(decision).first()
    if changed is not None:
        raise TooLate(
            _("The helpdesk changed the ticket %(time)s ago: reverse your decision instead.")
            % {"time": timesince(changed.created_at)}
        )
    closed = ticket.closed_at
    if closed is None or closed <= decision.decided_at:
        return
    if not standing.status_changes(decision.proposal).exists():
        raise TooLate(
            _("The ticket was closed in the helpdesk %(time)s ago: reverse your decision instead.")
            % {"time": timesince(closed)}
        )
