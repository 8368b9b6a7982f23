"""Work that waits: jobs for the workers, proposals for people, changes for silent helpdesks."""

from collections.abc import Sequence

from django.db import connection
from django.utils import timezone
from prometheus_client.core import Metric

from triage.effects.silence import silent_since
from triage.jobs.lanes import ALL_KINDS, KINDS, Lane
from triage.models import Source, Waiting
from triage.telemetry.scrape import gauge

# More of one kind is shown as this many: a backlog is no reason to read all of it.
MOST_JOBS = 50_000
MOST_WAITING = 50_000
DUE, LEASED, LATER, DEAD = JOB_STATES = ("due", "leased", "later", "dead")

JOBS = """
    SELECT kind, state, count(*), extract(epoch FROM %(now)s - min(created_at))::float
    FROM unnest(%(kinds)s::text[]) AS kind CROSS JOIN LATERAL (
        (SELECT created_at, CASE
            WHEN lease_until >= %(now)s THEN 'leased'
            WHEN next_attempt_at <= %(now)s THEN 'due'
            ELSE 'later' END AS state
        FROM triage_job WHERE triage_job.kind = kind.kind AND dead_at IS NULL
        ORDER BY next_attempt_at LIMIT %(most)s)
        UNION ALL
        (SELECT created_at, 'dead' FROM triage_job
        WHERE triage_job.kind = kind.kind AND dead_at IS NOT NULL LIMIT %(most)s)
    ) AS job GROUP BY kind, state
"""
# In the order of the index, so that among too many those come first that are due first.
QUEUE = """
    SELECT slug, count(*) FILTER (WHERE NOT is_held), count(*) FILTER (WHERE is_held),
        count(blind_at), greatest(0, extract(epoch FROM %(now)s - min(look_by))::float)
    FROM triage_source AS source LEFT JOIN LATERAL (
        SELECT is_held, look_by, blind_at FROM triage_waiting WHERE source_id = source.id
        ORDER BY is_held DESC, look_by LIMIT %(most)s
    ) AS waiting ON true GROUP BY slug ORDER BY slug
"""


def jobs() -> Sequence[Metric]:
    """One statement, and of each kind MOST_JOBS rows at the most."""
    number = gauge(
        "jobs",
        "Jobs by lane and state: due, leased (a worker has it), later (waits for its next "
        f"attempt), dead (a dead letter, which needs a person). Up to {MOST_JOBS} of a kind.",
        "lane",
        "state",
    )
    oldest = gauge(
        "job_oldest_age_seconds",
        "Age of the oldest job of the lane that is neither done nor dead; 0 where there is none. "
        "Grows when workers are stuck, stopped or too few.",
        "lane",
    )
    with connection.cursor() as cursor:
        cursor.execute(JOBS, {"now": timezone.now(), "kinds": list(ALL_KINDS), "most": MOST_JOBS})
        rows: list[tuple[str, str, int, float]] = cursor.fetchall()
    for lane in Lane:
        mine = [row for row in rows if row[0] in KINDS[lane]]
        for state in JOB_STATES:
            number.add_metric([lane, state], sum(n for _, of, n, _ in mine if of == state))
        ages = [age for _, of, _, age in mine if of != DEAD]
        oldest.add_metric([lane], max(0.0, *ages) if ages else 0.0)
    return [number, oldest]


def queue() -> Sequence[Metric]:
    """Two statements."""
    number = gauge(
        "proposals_waiting",
        "Proposals that wait for a person, by whether a rule holds them. Up to "
        f"{MOST_WAITING} of a source.",
        "source",
        "held",
    )
    checks = gauge(
        "spot_checks_waiting",
        "Waiting proposals that were drawn to be answered before the advice is shown.",
        "source",
    )
    overdue = gauge(
        "look_overdue_seconds",
        "How long ago a person should have looked at the most overdue waiting proposal; 0 where "
        "all are in time.",
        "source",
    )
    with connection.cursor() as cursor:
        cursor.execute(QUEUE, {"now": timezone.now(), "most": MOST_WAITING})
        for slug, free, held, drawn, late in cursor.fetchall():
            number.add_metric([slug, "no"], free)
            number.add_metric([slug, "yes"], held)
            checks.add_metric([slug], drawn)
            overdue.add_metric([slug], late or 0.0)
    oldest = gauge(
        "proposal_oldest_waiting_seconds",
        "Age of the oldest proposal that waits for a person; 0 where none waits.",
    )
    # Proposals are numbered in the order in which they are made.
    first = Waiting.objects.order_by("proposal").values_list("proposal__created_at")[:1]
    since = [moment for (moment,) in first]
    age = (timezone.now() - since[0]).total_seconds() if since else 0.0
    oldest.add_metric([], max(0.0, age))
    return [number, checks, overdue, oldest]


def helpdesks() -> Sequence[Metric]:
    """Two statements while all answer, else three."""
    silent = gauge(
        "helpdesk_silent_seconds",
        "For how long an active source's helpdesk, or an automation, has left changes "
        "unanswered; 0 where it answers or nothing was tried.",
        "source",
    )
    since, now = silent_since(), timezone.now()
    for pk, slug in Source.objects.filter(is_active=True).values_list("pk", "slug"):
        begun = since.get(pk)
        silent.add_metric([slug], (now - begun).total_seconds() if begun else 0.0)
    return [silent]
