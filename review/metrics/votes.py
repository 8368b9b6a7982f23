"""Votes on what metrics mean: secret, counted when they close.

A ballot is no entry of the ledger, and is gone once it is counted. Of an open vote nothing but how
many took part is told, so that nobody closes it when it suits them.
"""

from collections import Counter
from math import ceil

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from review.metrics.definition_rows import (
    ACTIVATES,
    SHAPES,
    Refused,
    Status,
    locked,
    moment,
    record,
)
from review.models import Ballot, MetricDefinition
from review.models.definitions import LEAST_VOTES

BACKEND = "django.contrib.auth.backends.ModelBackend"


def electorate() -> QuerySet[User]:
    """Who may vote: those that a role lets shape definitions. A superuser without one is not."""
    people = User.objects.with_perm(SHAPES, include_superusers=False, backend=BACKEND)
    return people.filter(is_active=True)


def leads_vote(row: MetricDefinition, by: User) -> bool:
    """Whether somebody may open and close the vote: who proposed it, team leads, AI owners."""
    is_own = row.proposer_id == by.pk and by.has_perm(SHAPES)
    return is_own or by.has_perm(ACTIVATES)


@transaction.atomic
def open_vote(pk: int, *, by: User) -> MetricDefinition:
    """Closes the discussion. Of one metric only one vote is open at a time."""
    row = locked(pk)
    if row.status != Status.PROPOSED:
        raise Refused(_("A vote can be opened only on a version that is discussed."))
    row.opened_at = moment(row)
    try:
        with transaction.atomic():
            row.save(update_fields=["opened_at"])
    except IntegrityError as error:
        raise Refused(_("Another version of this metric is being voted on; close it first.")) from (
            error
        )
    record(row, "vote opened", by)
    return row


@transaction.atomic
def vote(pk: int, *, by: User, says_yes: bool, reason: str = "") -> None:
    """Cast or change one's ballot while the vote is open; the last one counts."""
    row = locked(pk)
    if row.status != Status.DISCUSSED:
        raise Refused(_("The vote is not open; your vote was not counted."))
    if not electorate().filter(pk=by.pk).exists():
        raise Refused(_("Only technicians, team leads and AI owners vote."))
    Ballot.objects.update_or_create(
        definition=row, person=by, defaults={"says_yes": says_yes, "reason": reason}
    )


@transaction.atomic
def close_vote(pk: int, *, by: User) -> MetricDefinition:
    """Count the ballots of those who may vote now, keep the counts, and delete the ballots."""
    row = locked(pk)
    if row.status != Status.DISCUSSED:
        raise Refused(_("This vote is not open."))
    voters = set(electorate().values_list("pk", flat=True))
    ballots = [one for one in row.ballots.all() if one.person_id in voters]
    row.votes_yes = sum(one.says_yes for one in ballots)
    row.votes_no = len(ballots) - row.votes_yes
    row.votes_needed = votes_needed(len(voters))
    if len(ballots) >= LEAST_VOTES:
        row.reasons_counted = dict(Counter(one.reason for one in ballots if one.reason))
    row.closed_at = moment(row)
    row.save()
    row.ballots.all().delete()
    record(row, "vote closed", by, **_counts(row))
    return row


def votes_needed(voters: int) -> int:
    """How many have to take part, of so many who may."""
    return max(LEAST_VOTES, ceil(voters * settings.METRIC_VOTE_TURNOUT_PERCENT / 100))


def _counts(row: MetricDefinition) -> dict[str, object]:
    counts: dict[str, object] = {"ratified": row.is_ratified, "needed": row.votes_needed}
    if row.shows_counts:
        counts |= {"yes": row.votes_yes, "no": row.votes_no}
    return counts
