"""How earlier tickets went, for whoever looks at one that reads alike."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

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
    """By primary key, in three statements; keys that are no ticket's are left out."""
    reassigned: Counter[int] = Counter()
    ratings: dict[int, int] = {}
    events = TicketEvent.objects.filter(
        ticket__in=tickets, kind__in=[TicketEvent.Kind.REASSIGNED, TicketEvent.Kind.RATED]
    )
    for pk, kind, score in events.values_list("ticket_id", "kind", "score"):
        if kind == TicketEvent.Kind.REASSIGNED:
            reassigned[pk] += 1
        elif score is not None:
            ratings[pk] = score
    replies = Effect.objects.filter(
        ticket__in=tickets, kind=Effect.Kind.REPLY, state=Effect.State.APPLIED
    ).order_by("created_at")
    answered = {
        pk: (name or "", route == Proposal.Route.AUTO)
        for pk, name, route in replies.values_list(
            "ticket_id", "proposal__playbook__name", "proposal__route"
        )
    }
    return {
        ticket.pk: Outcome(
            ticket,
            reassigned[ticket.pk],
            ratings.get(ticket.pk),
            *answered.get(ticket.pk, ("", False)),
        )
        for ticket in Ticket.objects.filter(pk__in=tickets).defer("body", "search")
    }
