"""Holding on to leased jobs for as long as they are really being worked on."""

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Thread

from django.conf import settings
from django.db import Error, connection

from triage.jobs import leases
from triage.models import Job

logger = logging.getLogger(__name__)

# What still runs then is stuck, and another worker may try.
LONGEST_SECONDS = 120.0
# Trainings take minutes; Celery ends them a little earlier than this.
LONGEST_OF: dict[str, float] = {Job.Kind.TRAIN: settings.TRAINING_TIME_LIMIT_SECONDS + 120.0}
# A process that was told to end sets this, and long work gives its job back.
ending = Event()


@contextmanager
def kept(jobs: Sequence[Job]) -> Iterator[None]:
    """Renew the lease of jobs of one kind while the block runs, so that it can be short.

    A worker that was killed or frozen stops renewing and loses its jobs within one lease.
    """
    done = Event()
    thread = Thread(target=_renew, args=(jobs, done), daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _renew(jobs: Sequence[Job], done: Event) -> None:
    every = settings.JOB_LEASE_SECONDS / 3
    until = time.monotonic() + LONGEST_OF.get(jobs[0].kind, LONGEST_SECONDS)
    try:
        while not done.wait(every) and time.monotonic() < until:
            try:
                leases.renew(jobs)
            except Error as error:
                logger.warning("a lease was not renewed: %s", type(error).__name__)
                connection.close()
    finally:
        # A connection of this thread's own, opened only if the block took long.
        connection.close()
