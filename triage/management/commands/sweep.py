"""Run the sweeper: the process that finds work when the broker is silent."""

import logging
import signal
from functools import partial
from threading import Event, Thread
from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection

from triage import ledger
from triage.jobs.doorbell import Doorbell
from triage.jobs.keeping import ending
from triage.jobs.lanes import KINDS, Lane
from triage.jobs.sweeper import OVERDUE_SECONDS, is_abandoned, sweep
from triage.tasks import work_once

logger = logging.getLogger(__name__)

# As many slow helpdesks may be waited for at once, should the broker be away.
EFFECT_THREADS = 4
# A trainer is rung for first; only if none comes within this, the sweeper trains.
NO_TRAINER_SECONDS = 30.0


class Command(BaseCommand):
    help = (
        "Look every 2 seconds for jobs that no worker was told of and do them; dead-letter those "
        "that failed five times; export the ledger's signed head once an hour. Needs PostgreSQL "
        "only. Ends on SIGTERM or Ctrl-C."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        stop = ending
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        logger.info("sweeper started")
        # Neither a silent helpdesk nor a training may hold up triage here either.
        threads = [Thread(target=_sweep_effects, args=(stop,)) for _ in range(EFFECT_THREADS)]
        threads.append(Thread(target=_sweep_trainings, args=(stop,)))
        for thread in threads:
            thread.start()
        kinds = KINDS[Lane.TRIAGE]
        sweep(partial(work_once, kinds), stop, kinds=kinds, each_round=ledger.export_if_due)
        for thread in threads:
            thread.join()
        logger.info("sweeper stopped")


def _sweep_effects(stop: Event) -> None:
    kinds = KINDS[Lane.EFFECTS]
    try:
        sweep(partial(work_once, kinds), stop, kinds=kinds)
    finally:
        connection.close()


def _sweep_trainings(stop: Event) -> None:
    kinds, bell = KINDS[Lane.LEARNING], Doorbell(Lane.LEARNING)

    def ring() -> None:
        if is_abandoned(kinds, after_seconds=OVERDUE_SECONDS):
            bell.ring_now()

    nobody_came = partial(is_abandoned, kinds, after_seconds=NO_TRAINER_SECONDS)
    try:
        sweep(partial(work_once, kinds), stop, kinds=kinds, each_round=ring, is_due=nobody_came)
    finally:
        connection.close()
