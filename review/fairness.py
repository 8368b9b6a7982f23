"""A fair share of what is unlike anything taught: it takes longest, and teaches people most.

Nobody gets all of it, nobody only what has to be waved through.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.models import User
from django.db.models import Count, Exists, OuterRef, Q
from django.utils import timezone

from review.models import Decision
from review.recalled import recalled
from triage.models import ProposedValue, Waiting
from triage.policy.worth import NOVEL_BADGE_FROM

# Among so many of the first in line one is picked, so that nothing is passed over for long.
LOOKED_AT = 10
SHIFT = timedelta(hours=8)
KEPT_SECONDS = 60.0
# As if everybody had already decided so many tickets with the team's share: the first ticket of
# the day is not evidence of anything.
BEGUN_WITH = 5


@dataclass(frozen=True)
class Candidate:
    """A ticket near the front of the line."""

    ticket: int
    is_novel: bool
    is_held: bool


@dataclass(frozen=True)
class Shares:
    """Of what was decided during a shift, how much was novel: 0 to 1."""

    mine: float
    team: float


def pick(
    candidates: Sequence[Candidate], share_of_mine: float, share_of_team: float
) -> Candidate | None:
    """Which of the first in line is given next; None where nobody waits.

    Who has had less than the team's share of novel tickets gets the first that is novel, who has
    had more the first that is not; otherwise it is the first. What a rule holds is never passed
    over, and what is passed over stays first for the next person.
    """
    if not candidates:
        return None
    first = candidates[0]
    if share_of_mine == share_of_team or first.is_held:
        return first
    wants_novel = share_of_mine < share_of_team
    fitting = (one for one in candidates[:LOOKED_AT] if one.is_novel == wants_novel)
    return next(fitting, first)


def novel_shares(person: User) -> Shares:
    """Over the last eight hours, by what stands; kept for a minute."""
    counts = recalled("novel shares", KEPT_SECONDS, _counts)
    return shares(counts, person.pk)


def shares(counts: Mapping[int, tuple[int, int]], person: int) -> Shares:
    """`counts`: of each person what they decided, and how much of it was novel."""
    decided = sum(number for number, _novel in counts.values())
    novel = sum(number for _decided, number in counts.values())
    team = novel / decided if decided else 0.0
    mine_decided, mine_novel = counts.get(person, (0, 0))
    mine = (mine_novel + BEGUN_WITH * team) / (mine_decided + BEGUN_WITH)
    return Shares(mine, team)


def in_fair_order(rows: Sequence[Waiting], person: User) -> list[Waiting]:
    """The rows from the front of the line, with the one that this person is given moved first."""
    candidates = [
        Candidate(row.ticket_id, row.novelty >= NOVEL_BADGE_FROM, row.is_held) for row in rows
    ]
    # Without any novel ticket in reach, or with nothing else, there is nothing to share out.
    if len({one.is_novel for one in candidates[:LOOKED_AT]}) < 2:
        return list(rows)
    known = novel_shares(person)
    given = pick(candidates, known.mine, known.team)
    # Stable: all others keep their places.
    return sorted(rows, key=lambda row: given is None or row.ticket_id != given.ticket)


def _counts() -> dict[int, tuple[int, int]]:
    novel = ProposedValue.objects.filter(
        proposal=OuterRef("proposal"),
        field__is_main=True,
        prediction__in_scope__lte=1 - NOVEL_BADGE_FROM,
    )
    rows = (
        Decision.objects.filter(decided_at__gte=timezone.now() - SHIFT, stands_for__isnull=False)
        .alias(was_novel=Exists(novel))
        .values("reviewer")
        .annotate(decided=Count("pk"), novel=Count("pk", filter=Q(was_novel=True)))
        .order_by()
    )
    return {row["reviewer"]: (row["decided"], row["novel"]) for row in rows}
