"""Proposals that were drawn to be answered first."""

from typing import Any

from tests.review.helpers import Desk, make_proposal
from triage.models import Proposal, Ticket, Waiting

SHARE = 0.05


def make_drawn(desk: Desk, ticket: Ticket | None = None, **over: Any) -> Proposal:
    """A waiting proposal that is answered before its advice is shown."""
    proposal = make_proposal(desk, ticket, **over)
    Waiting.objects.filter(proposal=proposal).update(blind_at=SHARE)
    return proposal


def answers(desk: Desk, **over: str) -> dict[str, str]:
    """What the form posts: choices by field, named by their keys; `unsure` as it is."""
    return {
        f"choice-{field}": key if key in ("", "unsure") else str(desk[key].pk)
        for field, key in {"category": "", "team": "", "priority": "", **over}.items()
    }
