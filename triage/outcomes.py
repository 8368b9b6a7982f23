"""How earlier tickets went, for whoever looks at one that reads alike."""

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce

from triage.models import Effect, Proposal, Ticket, TicketEvent


@dataclass(frozen=True)
class Outcome:
    """`rating` is the requester's last, 1 (bad) to 5 (good); `playbook` the one that answered.

    `values` of the ticket are what the helpdesk holds at last, also where a person changed them.
    """

    ticket: Ticket
    reassigned: int
    rating: int | None
    playbook: str
    was_automatic: bool

    @property
    def is_open_again(self) -> bool:
        return self.ticket.closed_at is None

    @property
    def noted(self) -> str:
        """The first line of what a technician noted when solving it."""
        lines = (line.strip() for line in self.ticket.resolution.splitlines())
        return next((line for line in lines if line), "")


def outcomes(tickets: Collection[int]) -> dict[int, Outcome]:
    """By primary key, in one statement; keys that are no ticket's are left out."""
    of_it = {"ticket": OuterRef("pk")}
    replies = Effect.objects.filter(
        **of_it, kind=Effect.Kind.REPLY, state=Effect.State.APPLIED
    ).order_by("-created_at")
    ratings = TicketEvent.objects.filter(
        **of_it, kind=TicketEvent.Kind.RATED, score__isnull=False
    ).order_by("-happened_at", "-pk")
    moves = TicketEvent.objects.filter(**of_it, kind=TicketEvent.Kind.REASSIGNED).order_by()
    counted = moves.values("ticket").annotate(count=Count("pk")).values("count")
    found = (
        Ticket.objects.filter(pk__in=tickets)
        .defer("body", "search")
        .annotate(
            reassigned=Coalesce(Subquery(counted), 0),
            rating=Subquery(ratings.values("score")[:1]),
            playbook=Subquery(replies.values("proposal__playbook__name")[:1]),
            reply_route=Subquery(replies.values("proposal__route")[:1]),
        )
    )
    return {
        ticket.pk: Outcome(
            ticket,
            ticket.reassigned,
            ticket.rating,
            ticket.playbook or "",
            ticket.reply_route == Proposal.Route.AUTO,
        )
        for ticket in found
    }
