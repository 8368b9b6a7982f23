"""Nothing lost, nothing doubled: asked of the rows that are there, in the database's own words.

acknowledged = stored = proposed once or dead-lettered;
effects = decisions + automatic proposals, each once.
"""

import time
from collections.abc import Collection
from dataclasses import dataclass

from django.db import connection

from bench.world import Desk
from triage.models import Delivery, Job, Proposal, Ticket, TicketVersion

POLL_SECONDS = 0.1

# Each finds what must not be there, as text; %(source)s is a source or NULL for all of them.
BREACHES = {
    "deliveries were stored and never read": """
        SELECT d.webhook_id FROM triage_delivery d
        WHERE d.outcome = '' AND (%(source)s IS NULL OR d.source_id = %(source)s)
          AND NOT EXISTS (
            SELECT FROM triage_job j WHERE j.kind = 'receive' AND j.subject = d.id)""",
    "read deliveries brought neither a ticket version nor an event": """
        SELECT d.webhook_id FROM triage_delivery d
        WHERE d.outcome = 'applied' AND (%(source)s IS NULL OR d.source_id = %(source)s)
          AND NOT EXISTS (SELECT FROM triage_ticketversion v WHERE v.delivery_id = d.id)
          AND NOT EXISTS (SELECT FROM triage_ticketevent e WHERE e.delivery_id = d.id)""",
    "open tickets were never proposed": """
        SELECT t.external_id FROM triage_ticket t
        WHERE t.closed_at IS NULL AND t.erased_at IS NULL
          AND (%(source)s IS NULL OR t.source_id = %(source)s)
          AND EXISTS (
            SELECT FROM triage_ticketversion v JOIN triage_delivery d ON d.id = v.delivery_id
            WHERE v.ticket_id = t.id AND d.outcome = 'applied')
          AND NOT EXISTS (SELECT FROM triage_proposal p WHERE p.ticket_id = t.id)
          AND NOT EXISTS (
            SELECT FROM triage_job j JOIN triage_ticketversion v ON v.id = j.subject
            WHERE j.kind = 'propose' AND v.ticket_id = t.id)""",
    "waiting proposals are about a version that is not the newest": """
        SELECT t.external_id FROM triage_waiting w
        JOIN triage_ticket t ON t.id = w.ticket_id
        JOIN triage_proposal p ON p.id = w.proposal_id
        JOIN triage_ticketversion seen ON seen.id = p.ticket_version_id
        JOIN triage_ticketversion newer
          ON newer.ticket_id = t.id AND newer.version > seen.version
        JOIN triage_delivery d ON d.id = newer.delivery_id AND d.outcome = 'applied'
        WHERE (%(source)s IS NULL OR t.source_id = %(source)s)
          AND p.route <> 'auto'
          AND NOT EXISTS (
            SELECT FROM triage_job j WHERE j.kind = 'propose' AND j.subject = newer.id)""",
    "last proposals of open tickets wait for nobody and were never decided": """
        SELECT t.external_id FROM triage_ticket t
        JOIN LATERAL (
          SELECT p.id, p.route FROM triage_proposal p
          JOIN triage_ticketversion v ON v.id = p.ticket_version_id
          WHERE p.ticket_id = t.id ORDER BY v.version DESC LIMIT 1) last ON true
        WHERE t.closed_at IS NULL AND t.erased_at IS NULL
          AND last.route IN ('review', 'hold')
          AND (%(source)s IS NULL OR t.source_id = %(source)s)
          AND NOT EXISTS (SELECT FROM triage_waiting w WHERE w.proposal_id = last.id)
          AND NOT EXISTS (
            SELECT FROM review_decision x JOIN triage_proposal p ON p.id = x.proposal_id
            WHERE p.ticket_id = t.id AND x.stands_for_id IS NOT NULL)""",
    "proposals are not in the ledger exactly once": """
        SELECT 'proposal:' || p.id FROM triage_proposal p
        JOIN triage_ticket t ON t.id = p.ticket_id
        LEFT JOIN triage_ledgerentry l
          ON l.kind = 'proposal' AND l.subject = 'proposal:' || p.id
        WHERE (%(source)s IS NULL OR t.source_id = %(source)s)
        GROUP BY p.id HAVING count(l.*) <> 1""",
    "decisions and automatic proposals have not one note each": """
        SELECT p.id::text FROM triage_proposal p
        JOIN triage_ticket t ON t.id = p.ticket_id
        WHERE (%(source)s IS NULL OR t.source_id = %(source)s)
          AND (SELECT count(*) FROM review_decision x WHERE x.proposal_id = p.id)
              + (p.route = 'auto')::int
            <> (SELECT count(*) FROM triage_effect e
                WHERE e.proposal_id = p.id AND e.kind = 'note' AND e.key LIKE 'p%%'
                  AND e.undoes_id IS NULL)""",
    "decisions were taken back and nothing of theirs was": """
        SELECT x.id::text FROM review_decision x
        JOIN review_withdrawal w ON w.decision_id = x.id AND w.reversed_by_id IS NULL
        JOIN triage_proposal p ON p.id = x.proposal_id
        JOIN triage_ticket t ON t.id = p.ticket_id
        WHERE (%(source)s IS NULL OR t.source_id = %(source)s)
          AND NOT EXISTS (
            SELECT FROM triage_effect e
            WHERE e.proposal_id = p.id AND (e.undoes_id IS NOT NULL OR e.state = 'dropped'))""",
    "effects have neither a decision nor an automatic proposal": """
        SELECT e.key FROM triage_effect e
        JOIN triage_proposal p ON p.id = e.proposal_id
        JOIN triage_ticket t ON t.id = e.ticket_id
        LEFT JOIN review_decision x ON x.proposal_id = p.id
        WHERE e.key LIKE 'p%%' AND x.id IS NULL AND p.route <> 'auto'
          AND (%(source)s IS NULL OR t.source_id = %(source)s)""",
    "effects are unfinished and no job is left to finish them": """
        SELECT e.key FROM triage_effect e JOIN triage_ticket t ON t.id = e.ticket_id
        WHERE e.state IN ('pending', 'sending')
          AND (%(source)s IS NULL OR t.source_id = %(source)s)
          AND NOT EXISTS (
            SELECT FROM triage_job j WHERE j.kind = 'effect' AND j.subject = e.proposal_id)""",
    "sent effects are not in the ledger exactly once": """
        SELECT e.key FROM triage_effect e JOIN triage_ticket t ON t.id = e.ticket_id
        LEFT JOIN triage_ledgerentry l ON l.kind = 'effect' AND l.subject = 'effect:' || e.key
        WHERE e.state IN ('applied', 'conflict', 'refused', 'dropped')
          AND (%(source)s IS NULL OR t.source_id = %(source)s)
        GROUP BY e.key HAVING count(l.*) <> 1""",
}
EXAMPLES = 3


class NotQuiet(Exception):
    """There was still work to do when patience ended; the message says how much of what."""


def until_quiet(timeout: float) -> None:
    """Wait until no job is left but dead letters. Raises NotQuiet after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while left := unfinished():
        if time.monotonic() > deadline:
            raise NotQuiet(f"After {timeout:.0f} s there were still jobs to do: {left}.")
        time.sleep(POLL_SECONDS)


def unfinished() -> dict[str, int]:
    """Jobs that are neither done nor dead, by kind."""
    counted: dict[str, int] = {}
    kinds = Job.objects.filter(dead_at__isnull=True).values_list("kind", flat=True)
    for kind in kinds:
        counted[kind] = counted.get(kind, 0) + 1
    return counted


def broken(desk: Desk | None = None) -> list[str]:
    """What breaks the invariant, one line each with examples; [] if it holds.

    To be asked when it is quiet: a job that is still to do counts as a promise kept later.
    """
    found = []
    with connection.cursor() as cursor:
        for what, query in BREACHES.items():
            cursor.execute(query, {"source": desk.source.pk if desk else None})
            rows = [str(row[0]) for row in cursor.fetchall()]
            if rows:
                found.append(f"{len(rows)} {what} (such as {', '.join(rows[:EXAMPLES])})")
    return found


@dataclass(frozen=True)
class Tally:
    """Of the tickets whose id starts with a prefix: how many there are, and what became of them."""

    tickets: int
    proposed: int
    proposals: int
    dead: int


def tally(desk: Desk, prefix: str) -> Tally:
    """`dead` counts dead letters about these tickets or about deliveries named like them."""
    own = Ticket.objects.filter(source=desk.source, external_id__startswith=prefix)
    proposals = Proposal.objects.filter(ticket__in=own)
    versions = TicketVersion.objects.filter(ticket__in=own)
    deliveries = Delivery.objects.filter(source=desk.source, webhook_id__startswith=prefix)
    dead = Job.objects.filter(dead_at__isnull=False)
    return Tally(
        tickets=own.count(),
        proposed=proposals.values("ticket").distinct().count(),
        proposals=proposals.count(),
        dead=dead.filter(kind=Job.Kind.PROPOSE, subject__in=versions.values("pk")).count()
        + dead.filter(kind=Job.Kind.RECEIVE, subject__in=deliveries.values("pk")).count(),
    )


def not_stored(desk: Desk, acknowledged: Collection[str]) -> list[str]:
    """Those of the acknowledged webhook ids that no row holds."""
    stored = Delivery.objects.filter(source=desk.source).values_list("webhook_id", flat=True)
    return sorted(set(acknowledged) - set(stored))
