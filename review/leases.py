"""Who looks at which ticket: a lease that the page renews, and that ends by itself."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from review.models import Lease
from triage.models import Ticket, Waiting

LEASE_SECONDS = 45
# A page that is open renews three times within a lease, so that one lost request costs nothing.
BEAT_SECONDS = 15
TRIES = 3

# One statement each: whoever writes the row has the ticket, and nothing is read beforehand.
_KEEP = """
    holder_id = EXCLUDED.holder_id, "window" = EXCLUDED."window", until = EXCLUDED.until,
    taken_at = CASE
        WHEN lease.holder_id = EXCLUDED.holder_id AND lease.until >= EXCLUDED.taken_at
        THEN lease.taken_at ELSE EXCLUDED.taken_at
    END
"""
CLAIM = f"""
    WITH freed AS (
        DELETE FROM review_lease WHERE ticket_id IN (
            SELECT ticket_id FROM review_lease
            WHERE "window" = %(window)s AND holder_id = %(holder)s AND ticket_id <> %(ticket)s
            FOR UPDATE SKIP LOCKED
        )
    )
    INSERT INTO review_lease AS lease (ticket_id, holder_id, "window", taken_at, until)
    VALUES (%(ticket)s, %(holder)s, %(window)s, %(now)s, %(until)s)
    ON CONFLICT (ticket_id) DO UPDATE SET {_KEEP}
    WHERE lease.until < %(now)s OR lease.holder_id = EXCLUDED.holder_id
    RETURNING lease.ticket_id, lease.holder_id, lease."window", lease.taken_at, lease.until
"""
CLAIM_FIRST = f"""
    INSERT INTO review_lease AS lease (ticket_id, holder_id, "window", taken_at, until)
    SELECT waiting.ticket_id, %(holder)s, %(window)s, %(now)s, %(until)s
    FROM triage_waiting waiting
    WHERE waiting.ticket_id = ANY(%(tickets)s) AND NOT EXISTS (
        SELECT FROM review_lease taken
        WHERE taken.ticket_id = waiting.ticket_id AND taken.until >= %(now)s
            AND (taken."window" <> %(window)s OR taken.holder_id <> %(holder)s)
    )
    ORDER BY array_position(%(tickets)s, waiting.ticket_id)
    LIMIT 1 FOR UPDATE OF waiting SKIP LOCKED
    ON CONFLICT (ticket_id) DO UPDATE SET {_KEEP}
    WHERE lease.until < %(now)s
        OR lease."window" = EXCLUDED."window" AND lease.holder_id = EXCLUDED.holder_id
    RETURNING ticket_id
"""
RENEW = f"""
    INSERT INTO review_lease AS lease (ticket_id, holder_id, "window", taken_at, until)
    SELECT ticket_id, %(holder)s, %(window)s, %(now)s, %(until)s
    FROM triage_waiting WHERE ticket_id = ANY(%(tickets)s) ORDER BY ticket_id
    ON CONFLICT (ticket_id) DO UPDATE SET {_KEEP}
    WHERE lease.until < %(now)s
        OR lease."window" = EXCLUDED."window" AND lease.holder_id = EXCLUDED.holder_id
    RETURNING ticket_id,
        (SELECT proposal_id FROM triage_waiting WHERE ticket_id = lease.ticket_id)
"""


@dataclass(frozen=True)
class LeasedTo:
    """Somebody else looks at the ticket, by name, since then."""

    name: str
    since: datetime


def claim(ticket: Ticket, person: User, window: UUID) -> Lease | LeasedTo:
    """Take a ticket that this window opens, and let go of whatever else the window had.

    A person takes it over from another window of theirs, which learns so when it renews.
    """
    for _ in range(TRIES):
        taken = list(Lease.objects.raw(CLAIM, _values(person, window, ticket=ticket.pk)))
        if taken:
            return taken[0]
        # None: it ended between the two statements.
        if held := other(ticket, person):
            return leased_to(held)
    return LeasedTo("", timezone.now())


def claim_first(tickets: Sequence[int], person: User, window: UUID) -> int | None:
    """Take the first of these tickets that waits and that no other window has; None if none is."""
    rows = _returned(CLAIM_FIRST, _values(person, window, tickets=list(tickets)))
    return rows[0][0] if rows else None


def renew(tickets: Collection[int], person: User, window: UUID) -> dict[int, int]:
    """Go on holding these, and answer which are held: ticket to the proposal that waits there.

    One that nobody took meanwhile is held again, even if its lease had ended. One that is
    missing from the answer has another holder, another window of the same person, or waits no
    more.
    """
    return dict(_returned(RENEW, _values(person, window, tickets=list(tickets))))


def release(window: UUID, person: User) -> None:
    """The window was closed: whatever it held is free."""
    Lease.objects.filter(window=window, holder=person).delete()


def release_ticket(ticket: int, person: User | None = None) -> None:
    """It needs no look any more, or not by this person."""
    held = Lease.objects.filter(ticket=ticket)
    (held if person is None else held.filter(holder=person)).delete()


def other(ticket: Ticket, person: User) -> Lease | None:
    """The lease that keeps this person from deciding, if there is one."""
    live = Lease.objects.filter(ticket=ticket, until__gte=timezone.now())
    return live.exclude(holder=person).select_related("holder").first()


def leased_to(lease: Lease) -> LeasedTo:
    name = lease.holder.get_full_name() or lease.holder.get_username()
    return LeasedTo(name, lease.taken_at)


def is_held(proposal: int, person: User, window: UUID) -> bool:
    """Whether the proposal still waits and this window has its ticket."""
    return Waiting.objects.filter(
        proposal=proposal,
        ticket__lease__window=window,
        ticket__lease__holder=person,
        ticket__lease__until__gte=timezone.now(),
    ).exists()


def not_with_others(rows: QuerySet[Waiting], person: User, window: UUID) -> QuerySet[Waiting]:
    """What no other window looks at."""
    taken = Lease.objects.filter(ticket=OuterRef("ticket"), until__gte=timezone.now())
    return rows.exclude(Exists(taken.exclude(window=window, holder=person)))


def tidy() -> None:
    """Forget those that ended; a free ticket does not need its last lease."""
    Lease.objects.filter(until__lt=timezone.now() - timedelta(hours=1)).delete()


def _values(person: User, window: UUID, **more: Any) -> dict[str, Any]:
    now = timezone.now()
    until = now + timedelta(seconds=LEASE_SECONDS)
    return {"holder": person.pk, "window": window, "now": now, "until": until, **more}


def _returned(statement: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
