"""Run the sweeper: the process that finds work when the broker is silent."""

import logging
import signal
from functools import partial
from threading import Event, Thread
from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection

from triage import ledger
from triage.jobs.lanes import KINDS, Lane
from triage.jobs.sweeper import sweep
from triage.tasks import work_once

logger = logging.getLogger(__name__)

# As many slow helpdesks may be waited for at once, should the broker be away.
EFFECT_THREADS = 4


class Command(BaseCommand):
    help = (
        "Look every 2 seconds for jobs that no worker was told of and do them; dead-letter those "
        "that failed five times; export the ledger's signed head once an hour. Needs PostgreSQL "
        "only. Ends on SIGTERM or Ctrl-C."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        stop = Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        logger.info("sweeper started")
        # A helpdesk that does not answer must not hold up triage here either.
        threads = [Thread(target=_sweep_effects, args=(stop,)) for _ in range(EFFECT_THREADS)]
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
