"""Leaving a proposal to others. It waits on for them; no decision, so nothing in the ledger."""

from django.contrib.auth.models import User
from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery
from django.utils import timezone

from review.models import Reason, Skip
from triage.models import Proposal, Waiting

# More than these are counted as that many and one.
MOST_SHOWN = 100


def skip(proposal: Proposal, person: User, *, reason: Reason, text: str = "") -> Skip:
    """Leave it to others; once more only changes the reason."""
    row, _ = Skip.objects.update_or_create(
        proposal=proposal,
        person=person,
        defaults={"reason": reason, "text": text.strip()[:500], "at": timezone.now()},
    )
    return row


def take_back(proposal: Proposal, person: User) -> None:
    """Let it come before this person again; safe to repeat."""
    Skip.objects.filter(proposal=proposal, person=person).delete()


def unskipped(rows: QuerySet[Waiting], person: User) -> QuerySet[Waiting]:
    """What this person has not left to others."""
    mine = Skip.objects.filter(proposal=OuterRef("proposal"), person=person)
    return rows.exclude(Exists(mine))


def skipped_by(person: User) -> QuerySet[Skip]:
    """What this person left and what still waits, newest first."""
    return (
        Skip.objects.filter(person=person, proposal__waiting__isnull=False)
        .select_related("reason", "proposal__ticket__source")
        .defer("proposal__reply", "proposal__ticket__body", "proposal__ticket__search")
        .order_by("-at", "-pk")
    )


def times_skipped() -> Subquery:
    """Of the proposal of a waiting row, by how many people."""
    rows = Skip.objects.filter(proposal=OuterRef("proposal")).order_by().values("proposal")
    return Subquery(rows.annotate(people=Count("pk")).values("people"))


def count_of(person: User) -> int:
    """How many, counted up to one more than are shown."""
    return skipped_by(person)[: MOST_SHOWN + 1].count()
