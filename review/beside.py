"""An earlier ticket beside the present one: both texts, and how the earlier one went."""

from dataclasses import dataclass

from django.db.models import QuerySet

from review.catalogue import Catalogue
from review.models import Decision
from review.ticket import SIMILAR_SHOWN, DecisionLine, with_changes
from triage.learning.text import document
from triage.models import Proposal, Ticket
from triage.outcomes import Outcome, outcomes
from triage.similar import shared_words

# Marking more would mark everything.
MOST_MARKED = 12


@dataclass(frozen=True)
class Beside:
    """`place` counts from 1 among the similar ones; 0 for a ticket that is none of them."""

    ticket: Ticket
    earlier: Ticket
    outcome: Outcome
    path: str
    similarity: float | None
    decisions: list[DecisionLine]
    shared: list[str]
    place: int
    of: int
    previous: int | None
    following: int | None


def beside(pk: int, other: int, choices: Catalogue) -> Beside:
    """Raises Ticket.DoesNotExist, also for two tickets that are not of one source, and while one
    of them is to be answered blind: how the other went would be advice.
    """
    ticket = _tickets().get(pk=pk)
    earlier = _tickets().exclude(pk=pk).get(pk=other, source=ticket.source_id)
    alike = _alike(ticket)
    keys = list(alike)
    at = keys.index(earlier.pk) if earlier.pk in alike else None
    return Beside(
        ticket=ticket,
        earlier=earlier,
        outcome=outcomes([earlier.pk])[earlier.pk],
        path=settled_path(earlier, choices),
        similarity=alike.get(earlier.pk),
        decisions=_decisions(earlier, choices),
        shared=shared_words(
            ticket.source_id,
            document(ticket.subject, ticket.body),
            document(earlier.subject, earlier.body),
            MOST_MARKED,
        ),
        place=0 if at is None else at + 1,
        of=len(keys),
        previous=keys[at - 1] if at else None,
        following=keys[at + 1] if at is not None and at + 1 < len(keys) else None,
    )


def settled_path(ticket: Ticket, choices: Catalogue) -> str:
    """The main value that the helpdesk holds at last; costs no query."""
    main = choices.main_field(ticket.source_id)
    key = ticket.values.get(main.key) if main else None
    return choices.key_path(main, key) if main and isinstance(key, str) else ""


def _tickets() -> QuerySet[Ticket]:
    shown = Ticket.objects.filter(waiting__blind_at__isnull=True)
    return shown.select_related("source").defer("search")


def _alike(ticket: Ticket) -> dict[int, float]:
    """Similarity by primary key, as the ticket's page has them, most alike first."""
    newest = (
        Proposal.objects.filter(ticket=ticket)
        .exclude(route=Proposal.Route.SHADOW)
        .order_by("-ticket_version__version")
        .values_list("similar", flat=True)
        .first()
    )
    found = [(float(one["similarity"]), one["ticket"]) for one in (newest or [])[:SIMILAR_SHOWN]]
    # One that is gone from the database is on no page.
    there = set(Ticket.objects.filter(pk__in=[pk for _, pk in found]).values_list("pk", flat=True))
    ordered = sorted((one for one in found if one[1] in there), key=lambda one: -one[0])
    return {pk: similarity for similarity, pk in ordered}


def _decisions(ticket: Ticket, choices: Catalogue) -> list[DecisionLine]:
    """What stands; what was taken back is in the ticket's own story."""
    standing = (
        Decision.objects.filter(proposal__ticket=ticket, stands_for__isnull=False)
        .select_related("reviewer", "reason", "withdrawal__by")
        .order_by("-decided_at")
    )
    return with_changes(standing, choices)
