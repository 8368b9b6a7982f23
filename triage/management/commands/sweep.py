"""Run the sweeper: the process that finds work when the broker is silent."""

import logging
import signal
from threading import Event
from typing import Any

from django.core.management.base import BaseCommand

from triage.jobs.sweeper import sweep
from triage.tasks import work_once

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = (
        "Look every 2 seconds for jobs that no worker was told of and do them; dead-letter those "
        "that failed five times. Needs PostgreSQL only. Ends on SIGTERM or Ctrl-C."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        stop = Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        logger.info("sweeper started")
        sweep(work_once, stop)
        logger.info("sweeper stopped")
