"""The ticket that a person gets next: it is claimed for their window, so nobody else gets it."""

from collections.abc import Iterator
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import QuerySet

from review import leases
from review.catalogue import Catalogue
from review.fairness import LOOKED_AT, in_fair_order
from review.queue import QueueFilter, from_on, waiting
from review.skips import unskipped
from triage.models import Waiting

# Others may have taken all of these between reading and claiming them.
TRIES = 5


def claim_next(
    chosen: QueueFilter,
    choices: Catalogue,
    *,
    person: User,
    window: UUID,
    after: Waiting | None = None,
) -> int | None:
    """Claim the ticket to look at when `after` is done: the following one, else the first, unless
    a fair share of novel tickets asks for another near it.

    Not one that another window has, nor one that this person skipped. Whatever else this window
    holds it goes on holding.
    """
    rows = unskipped(waiting(chosen, choices), person)
    if after is not None:
        rows = rows.exclude(proposal=after.proposal_id)
    for _ in range(TRIES):
        line = _in_line(leases.not_with_others(rows, person, window), after)
        if not line:
            return None
        fair = in_fair_order(line, person)
        claimed = leases.claim_first([row.ticket_id for row in fair], person, window)
        if claimed is not None:
            return claimed
    return None


def _in_line(rows: QuerySet[Waiting], after: Waiting | None) -> list[Waiting]:
    return next((line for line in _lines(rows, after) if line), [])


def _lines(rows: QuerySet[Waiting], after: Waiting | None) -> Iterator[list[Waiting]]:
    if after is not None:
        yield list(rows.filter(from_on(after))[:LOOKED_AT])
    yield list(rows[:LOOKED_AT])
