"""Which of the proposals in the making are answered first, at which probability."""

from collections.abc import Iterable

from django.conf import settings

from triage import bulk
from triage.drafts import Draft
from triage.models import Label, Proposal, Source, Ticket
from triage.policy import draws

TO_PEOPLE = (Proposal.Route.REVIEW, Proposal.Route.HOLD)


def stratum_of(route: str) -> str:
    return draws.AUTO if route == Proposal.Route.AUTO else draws.WAITING


def chance(source: Source, ticket: Ticket, route: str) -> float | None:
    """The probability at which the ticket was drawn to be answered first; None: it was not."""
    if route == Proposal.Route.SHADOW:
        return None
    at = draws.probability(
        source.blind_share, stratum_of(route), least=settings.COUNTERSIGN_BLIND_LEAST
    )
    key = f"{source.pk}:{ticket.external_id}"
    return at if draws.draw(key, settings.COUNTERSIGN_BLIND_SALT) < at else None


def second_chance(ticket: Ticket) -> float | None:
    """The probability at which a second person's answer was drawn for the ticket's check.

    None: it was not. A draw of its own, so that it says nothing about the first one.
    """
    source = ticket.source
    at = draws.probability(
        source.second_share, draws.WAITING, least=settings.COUNTERSIGN_BLIND_LEAST
    )
    key = f"second:{source.pk}:{ticket.external_id}"
    return at if draws.draw(key, settings.COUNTERSIGN_BLIND_SALT) < at else None


def drawn(drafts: Iterable[Draft]) -> dict[int, float]:
    """Ticket to probability, of the tickets among the drafts that were drawn.

    A ticket is drawn once: when an earlier proposal of it was on show, people may have seen the
    advice. One that still waits to be answered first goes on doing so with its next version.
    Called before the rows of the drafts are written; asks the database only if any is drawn.
    """
    found = {}
    for draft in drafts:
        ticket = draft.version.ticket
        at = chance(ticket.source, ticket, draft.route)
        if at is not None:
            found[ticket.pk] = at
    if not found:
        return {}
    shown = Proposal.objects.filter(ticket__in=bulk.among(found)).exclude(
        route=Proposal.Route.SHADOW
    )
    for pk in shown.exclude(ticket__waiting__blind_at__isnull=False).values_list("ticket"):
        found.pop(pk[0], None)
    return found


def drawn_again(proposal: Proposal) -> float | None:
    """As it was drawn before its ticket was closed, unless it has been answered since."""
    at = chance(proposal.ticket.source, proposal.ticket, proposal.route)
    if at is None:
        return None
    is_answered = Label.objects.filter(
        ticket=proposal.ticket_id, origin=Label.Origin.SPOT_CHECK
    ).exists()
    return None if is_answered else at
