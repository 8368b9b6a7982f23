"""A ticket as it was when it was proposed, for somebody who is to say what it should become."""

from copy import copy

from review.models import SpotCheck
from review.ticket import TicketPage
from triage.models import Delivery, Ticket, TicketVersion

VERSIONS_SHOWN = 10


def look_page(check: SpotCheck) -> TicketPage:
    """As the page of a ticket that is answered first, with nothing of what came afterwards.

    `check` comes with its proposal's ticket, that one's source and waiting, and its version.
    """
    proposal = check.proposal
    seen = proposal.ticket_version
    versions = TicketVersion.objects.filter(ticket=proposal.ticket_id, version__lte=seen.version)
    news = versions.exclude(delivery__outcome=Delivery.Outcome.ECHO)
    return TicketPage(
        ticket=_as_it_was(proposal.ticket, seen),
        state="waiting",
        proposal=proposal,
        lines=[],
        hits=[],
        holders=[],
        decisions=[],
        effects=[],
        similar=[],
        is_being_explained=False,
        events=[],
        events_cut=False,
        versions=list(news.order_by("-version")[:VERSIONS_SHOWN]),
        requester=None,
        waiting=None,
        is_blind=True,
    )


def _as_it_was(ticket: Ticket, seen: TicketVersion) -> Ticket:
    """A copy that is never saved."""
    then = copy(ticket)
    then.subject, then.body = seen.subject, seen.body
    then.closed_at, then.reopened_count = None, 0
    return then
