"""Telling the workers through the broker that there is work. Never needed, only quicker."""

import logging
import threading
import time

from celery import current_app
from django.conf import settings
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)

WORK_TASK = "triage.work"
TIMEOUT_SECONDS = 2
SILENCE_AFTER_FAILURE_SECONDS = 10.0


class Doorbell:
    """Rings at most once per committed change; a broker that fails is left alone for a while.

    A dead broker costs one caller at most TIMEOUT_SECONDS in SILENCE_AFTER_FAILURE_SECONDS; the
    work is then found by the sweeper.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._silent_until = 0.0

    def ring(self) -> bool:
        """Answers whether the broker took it."""
        with self._lock:
            if time.monotonic() < self._silent_until:
                return False
        try:
            with current_app.connection_for_write(
                connect_timeout=TIMEOUT_SECONDS,
                transport_options={
                    **settings.CELERY_BROKER_TRANSPORT_OPTIONS,
                    "socket_timeout": TIMEOUT_SECONDS,
                    "socket_connect_timeout": TIMEOUT_SECONDS,
                },
            ) as connection:
                current_app.send_task(WORK_TASK, connection=connection, retry=False)
        except (OperationalError, OSError) as error:
            with self._lock:
                self._silent_until = time.monotonic() + SILENCE_AFTER_FAILURE_SECONDS
            logger.warning("The broker did not take a message: %s", type(error).__name__)
            return False
        return True


_bell = Doorbell()


def ring_after_commit() -> None:
    """To be called inside the transaction that put the jobs; rings only if it commits."""
    transaction.on_commit(_bell.ring, robust=True)
