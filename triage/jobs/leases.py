"""Leased jobs: put, claim, finish, fail. All safe to run from many processes at once."""

import random
from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Min, Q
from django.utils import timezone

from triage.models import Job

BACKOFF_SECONDS = (2, 8, 30, 120)


def put(kind: str, subjects: Iterable[int]) -> None:
    """Make sure that each subject has a job that starts from now.

    One that is leased right now, waits after a failure or is dead starts afresh: something new
    happened to its subject, and whoever works on it at the moment will not finish it (`finish`).
    """
    now = timezone.now()
    Job.objects.bulk_create(
        [Job(kind=kind, subject=subject, next_attempt_at=now) for subject in subjects],
        update_conflicts=True,
        unique_fields=["kind", "subject"],
        update_fields=["next_attempt_at", "lease_until", "attempts", "dead_at"],
    )


@transaction.atomic
def claim(kinds: Collection[str], limit: int, *, alone: Collection[str] = ()) -> list[Job]:
    """Lease up to `limit` due jobs of one kind, oldest first, skipping what others hold.

    Kinds in `alone` come one by one: a job that waits behind a slow one in a batch would use up
    its lease, and with it an attempt, before it was begun.
    Committed on return: a worker that dies keeps its jobs only until the lease ends.
    """
    now = timezone.now()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    due = Job.objects.filter(
        free,
        kind__in=kinds,
        dead_at__isnull=True,
        next_attempt_at__lte=now,
        attempts__lt=settings.JOB_MAX_ATTEMPTS,
    )
    first = due.order_by("next_attempt_at").values_list("kind", "attempts").first()
    if first is None:
        return []
    kind, attempts = first
    # A job that failed before runs alone: if it kills its worker, it takes nobody with it.
    batch = due.filter(kind=kind, attempts=0) if attempts == 0 else due.filter(kind=kind)
    size = limit if attempts == 0 and kind not in alone else 1
    jobs = list(batch.order_by("next_attempt_at", "pk").select_for_update(skip_locked=True)[:size])
    lease = now + timedelta(seconds=settings.JOB_LEASE_SECONDS)
    for job in jobs:
        job.attempts += 1
        job.lease_until = lease
    Job.objects.bulk_update(jobs, ["attempts", "lease_until"])
    return jobs


def finish(jobs: Sequence[Job]) -> int:
    """Remove done jobs that are still ours; part of the transaction that stores their result.

    Answers how many were ours. A job whose lease ran out and was taken by another worker, or
    that was put anew meanwhile, stays: its result is then stored twice, which every step allows.
    """
    leases = {job.lease_until for job in jobs}
    return Job.objects.filter(pk__in=[job.pk for job in jobs], lease_until__in=leases).delete()[0]


def fail(job: Job, error: str) -> None:
    """Give a job back for a later attempt, or make it a dead letter after the last one.

    One that is no longer ours, as for `finish`, is left to whoever has it.
    """
    now = timezone.now()
    # The lease, as in `finish`: attempts may count the same again after the job was put anew.
    ours = Job.objects.filter(pk=job.pk, lease_until=job.lease_until)
    if job.attempts >= settings.JOB_MAX_ATTEMPTS:
        ours.update(dead_at=now, lease_until=None, last_error=error[:500])
        return
    wait = BACKOFF_SECONDS[min(job.attempts, len(BACKOFF_SECONDS)) - 1]
    # Spread out, so that jobs that failed together do not come back together.
    later = now + timedelta(seconds=wait * random.uniform(0.8, 1.2))
    ours.update(next_attempt_at=later, lease_until=None, last_error=error[:500])


def bury_exhausted(limit: int = 500) -> int:
    """Dead-letter jobs whose last attempt ended without a word: its worker was killed."""
    now = timezone.now()
    stuck = Job.objects.filter(
        dead_at__isnull=True, attempts__gte=settings.JOB_MAX_ATTEMPTS, lease_until__lt=now
    )
    # Asked of the rows that are updated too: one that was put anew meanwhile is not stuck.
    return stuck.filter(pk__in=stuck.values("pk")[:limit]).update(
        dead_at=now, lease_until=None, last_error="The worker stopped without an answer."
    )


def redeliver(jobs: Iterable[Job]) -> int:
    """Bring dead letters back with all their attempts; answers how many were dead."""
    return Job.objects.filter(pk__in=[job.pk for job in jobs], dead_at__isnull=False).update(
        dead_at=None, attempts=0, next_attempt_at=timezone.now(), lease_until=None, last_error=""
    )


def oldest_age_seconds() -> float:
    """Age of the oldest job that is neither done nor dead; 0 where there is none."""
    oldest = Job.objects.filter(dead_at__isnull=True).aggregate(oldest=Min("created_at"))["oldest"]
    return 0.0 if oldest is None else (timezone.now() - oldest).total_seconds()
