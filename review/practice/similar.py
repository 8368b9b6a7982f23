"""Solved tickets that read alike, as an exercise shows them."""

from dataclasses import dataclass

from review.catalogue import Catalogue
from triage.models import Field, Proposal, Ticket
from triage.outcomes import outcomes


@dataclass(frozen=True)
class Alike:
    """`similarity` is 0 to 1; `path` the main choice that the ticket ended in."""

    ticket: Ticket
    similarity: float
    path: str


def solved_like(proposal: Proposal, choices: Catalogue) -> list[Alike]:
    """Most alike first; those whose words were erased are left out."""
    alike = {item["ticket"]: float(item["similarity"]) for item in proposal.similar}
    main = Field.objects.filter(source=proposal.ticket.source_id, is_main=True).first()
    found = [
        Alike(
            outcome.ticket,
            alike[pk],
            choices.key_path(main, key)
            if main is not None and (key := outcome.ticket.values.get(main.key))
            else "",
        )
        for pk, outcome in (outcomes(alike) if alike else {}).items()
        if outcome.ticket.erased_at is None
    ]
    return sorted(found, key=lambda one: -one.similarity)
