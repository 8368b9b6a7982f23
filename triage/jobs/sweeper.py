"""Finds work that no bell announced: a process of its own that needs no broker."""

import logging
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from threading import Event

from django.conf import settings
from django.db import Error, close_old_connections
from django.db.models import Q
from django.utils import timezone

from triage.jobs import leases
from triage.jobs.lanes import ALL_KINDS
from triage.models import Job

logger = logging.getLogger(__name__)

EVERY_SECONDS = 2.0
OVERDUE_SECONDS = 3.0


def is_overdue(kinds: Sequence[str] = ALL_KINDS) -> bool:
    """Whether a due job has been left alone for so long that no worker can have been told."""
    now = timezone.now()
    overdue = now - timedelta(seconds=OVERDUE_SECONDS)
    return Job.objects.filter(
        # A lease that has run out is overdue by itself: its worker has been told and is gone.
        Q(lease_until__isnull=True, next_attempt_at__lt=overdue) | Q(lease_until__lt=now),
        kind__in=kinds,
        dead_at__isnull=True,
        attempts__lt=settings.JOB_MAX_ATTEMPTS,
    ).exists()


def is_abandoned(kinds: Sequence[str], *, after_seconds: float) -> bool:
    """Whether jobs of a lane that takes one at a time wait although nobody works on another."""
    now = timezone.now()
    alive = Job.objects.filter(
        kind__in=kinds, dead_at__isnull=True, attempts__lt=settings.JOB_MAX_ATTEMPTS
    )
    if alive.filter(lease_until__gt=now).exists():
        return False
    long_ago = now - timedelta(seconds=after_seconds)
    waits = Q(lease_until__isnull=True, next_attempt_at__lt=long_ago) | Q(lease_until__lt=long_ago)
    return alive.filter(waits).exists()


def sweep(
    work_once: Callable[[], int],
    stop: Event,
    *,
    kinds: Sequence[str] = ALL_KINDS,
    each_round: Callable[[], None] = lambda: None,
    is_due: Callable[[], bool] | None = None,
) -> None:
    """Until told to stop: bury what is exhausted, do what is overdue, look again.

    `work_once` does a batch of `kinds` and answers how many jobs that was; `each_round` is
    called once in EVERY_SECONDS; `is_due` says otherwise than `is_overdue` when to work. A
    database that is away is waited for.
    """
    has_work = is_due or partial(is_overdue, kinds)
    while not stop.is_set():
        started = time.monotonic()
        try:
            close_old_connections()
            buried = leases.bury_exhausted()
            if buried:
                logger.error("%s jobs became dead letters", buried)
            each_round()
            while not stop.is_set() and has_work() and work_once():
                pass
        except Error as error:
            logger.warning("the database did not answer: %s", type(error).__name__)
        stop.wait(max(0.0, EVERY_SECONDS - (time.monotonic() - started)))
