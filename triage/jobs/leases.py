"""Leased jobs: put, claim, finish, fail. All safe to run from many processes at once."""

import random
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from uuid import uuid4

from django.conf import settings
from django.db import connection
from django.db.models import F, Min, QuerySet
from django.utils import timezone

from triage import bulk
from triage.models import Job

BACKOFF_SECONDS = (2, 8, 30, 120)
# A job whose worker was killed comes back in small company, and then alone: if it is what
# killed the worker, it takes few with it at first and nobody later.
SMALL_COMPANY = 10

# One statement each, because these run for every batch: written with the ORM they are four.
PUT = """
    INSERT INTO triage_job
        (kind, subject, created_at, next_attempt_at, attempts, last_error)
    SELECT %(kind)s, subject, %(now)s, %(now)s, 0, ''
    FROM unnest(%(subjects)s::bigint[]) AS subject
    ON CONFLICT (kind, subject) DO UPDATE SET
        created_at = excluded.created_at, next_attempt_at = excluded.next_attempt_at,
        lease_until = NULL, token = NULL, attempts = 0, dead_at = NULL
"""
DUE = """kind = %(kind)s AND dead_at IS NULL AND next_attempt_at <= %(now)s
            AND attempts < %(most)s AND (lease_until IS NULL OR lease_until < %(now)s)"""
CLAIM = f"""
    WITH first AS (
        SELECT least(attempts, 2) AS attempts FROM triage_job WHERE {DUE}
        ORDER BY next_attempt_at LIMIT 1 FOR UPDATE SKIP LOCKED
    ), chosen AS (
        SELECT id FROM triage_job
        WHERE {DUE} AND least(attempts, 2) = (SELECT attempts FROM first)
        ORDER BY next_attempt_at
        LIMIT (SELECT (%(company)s::int[])[attempts + 1] FROM first)
        FOR UPDATE SKIP LOCKED
    )
    UPDATE triage_job AS job
    SET attempts = job.attempts + 1, lease_until = %(lease)s, token = %(token)s
    FROM chosen WHERE job.id = chosen.id
    RETURNING job.id, job.kind, job.subject, job.attempts, job.token, job.next_attempt_at
"""


def put(kind: str, subjects: Iterable[int]) -> None:
    """Make sure that each subject has a job that starts from now.

    One that is leased right now, waits after a failure or is dead starts afresh: something new
    happened to its subject, and whoever works on it at the moment will not finish it (`finish`).
    """
    with connection.cursor() as cursor:
        cursor.execute(PUT, {"kind": kind, "now": timezone.now(), "subjects": sorted(subjects)})


def take(kind: str, subject: int) -> Job:
    """Put a job that is the caller's own from the start, to be done at once and in this process.

    If the process dies, a worker takes it over when the lease ends.
    """
    now = timezone.now()
    job, _ = Job.objects.update_or_create(
        kind=kind,
        subject=subject,
        defaults={
            "created_at": now,
            "next_attempt_at": now,
            "attempts": 1,
            "lease_until": _lease_from(now),
            "token": uuid4(),
            "dead_at": None,
        },
    )
    return job


def claim(
    kinds: Sequence[str], limit: int, *, at_most: Mapping[str, int] = MappingProxyType({})
) -> list[Job]:
    """Lease up to `limit` due jobs of one kind, oldest first, skipping what others hold.

    The first of the kinds that has any is served; `at_most` lowers the limit for some. A worker
    that dies keeps its jobs only until the lease ends.
    """
    for kind in kinds:
        most = min(limit, at_most.get(kind, limit))
        if jobs := _claimed(kind, [most, min(most, SMALL_COMPANY), 1]):
            return jobs
    return []


def _claimed(kind: str, company: list[int]) -> list[Job]:
    now = timezone.now()
    found = Job.objects.raw(
        CLAIM,
        {
            "kind": kind,
            "now": now,
            "most": settings.JOB_MAX_ATTEMPTS,
            "company": company,
            "lease": _lease_from(now),
            "token": uuid4(),
        },
    )
    return sorted(found, key=lambda job: (job.next_attempt_at, job.pk))


def renew(jobs: Sequence[Job]) -> int:
    """Prolong the lease of jobs; answers how many were still ours."""
    return _ours(jobs).update(lease_until=_lease_from(timezone.now()))


def begin_again(jobs: Sequence[Job]) -> None:
    """Count one more attempt: they ran together and will now run each alone.

    Committed before they do, because one of them may kill the worker.
    """
    _ours(jobs).update(attempts=F("attempts") + 1)
    for job in jobs:
        job.attempts += 1


def finish(jobs: Sequence[Job]) -> int:
    """Remove done jobs that are still ours; part of the transaction that stores their result.

    Answers how many were ours. A job whose lease ran out and was taken by another worker, or
    that was put anew meanwhile, stays: its result is then stored twice, which every step allows.
    """
    return _ours(jobs).delete()[0]


def fail(job: Job, error: str) -> None:
    """Give a job back for a later attempt, or make it a dead letter after the last one.

    One that is no longer ours, as for `finish`, is left to whoever has it.
    """
    now = timezone.now()
    if job.attempts >= settings.JOB_MAX_ATTEMPTS:
        _ours([job]).update(
            dead_at=now,
            lease_until=None,
            token=None,
            attempts=job.attempts,
            last_error=error[:500],
        )
        return
    wait = BACKOFF_SECONDS[min(job.attempts, len(BACKOFF_SECONDS)) - 1]
    # Spread out, so that jobs that failed together do not come back together.
    later = now + timedelta(seconds=wait * random.uniform(0.8, 1.2))
    _ours([job]).update(next_attempt_at=later, lease_until=None, token=None, last_error=error[:500])


def put_back(job: Job, seconds: float) -> None:
    """Give a job back that could not be begun; the attempt does not count."""
    later = timezone.now() + timedelta(seconds=seconds * random.uniform(0.8, 1.2))
    _ours([job]).update(
        next_attempt_at=later, lease_until=None, token=None, attempts=job.attempts - 1
    )


def _ours(jobs: Sequence[Job]) -> QuerySet[Job]:
    """The token tells: attempts may count the same again after a job was put anew."""
    return Job.objects.filter(
        pk__in=bulk.among(job.pk for job in jobs), token__in={job.token for job in jobs}
    )


def _lease_from(now: datetime) -> datetime:
    return now + timedelta(seconds=settings.JOB_LEASE_SECONDS)


def bury_exhausted(limit: int = 500) -> int:
    """Dead-letter jobs whose last attempt ended without a word: its worker was killed."""
    now = timezone.now()
    stuck = Job.objects.filter(
        dead_at__isnull=True, attempts__gte=settings.JOB_MAX_ATTEMPTS, lease_until__lt=now
    )
    # Asked of the rows that are updated too: one that was put anew meanwhile is not stuck.
    return stuck.filter(pk__in=stuck.values("pk")[:limit]).update(
        dead_at=now,
        lease_until=None,
        token=None,
        last_error="The worker stopped without an answer.",
    )


def redeliver(jobs: Iterable[Job]) -> int:
    """Bring dead letters back with all their attempts; answers how many were dead."""
    now = timezone.now()
    # Its age starts anew too: what lay dead is no sign that nobody works.
    return Job.objects.filter(pk__in=[job.pk for job in jobs], dead_at__isnull=False).update(
        dead_at=None,
        attempts=0,
        created_at=now,
        next_attempt_at=now,
        lease_until=None,
        last_error="",
    )


def oldest_age_seconds(kinds: Collection[str] = ()) -> float:
    """Age of the oldest job that is neither done nor dead; 0 where there is none."""
    alive = Job.objects.filter(dead_at__isnull=True)
    if kinds:
        alive = alive.filter(kind__in=kinds)
    oldest = alive.aggregate(oldest=Min("created_at"))["oldest"]
    return 0.0 if oldest is None else (timezone.now() - oldest).total_seconds()
