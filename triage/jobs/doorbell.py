"""Telling the workers through the broker that there is work. Never needed, only quicker."""

import logging
import os
import threading
import time
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import transaction
from kombu import Connection
from kombu.exceptions import OperationalError
from redis import RedisError

from triage.jobs.lanes import TASKS, Lane

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 2
SILENCE_AFTER_FAILURE_SECONDS = 10.0
# Rings within this time are one: the worker that hears it works until nothing is due.
GAP_SECONDS = 0.02
# Unheard rings in the queue wake that many workers; more of them would only be read for nothing.
ENOUGH_UNHEARD = 8
BROKEN = (OperationalError, RedisError, OSError)


class Doorbell:
    """Rings for one lane from a thread of its own, so that nobody waits for the broker.

    A broker that fails is left alone for a while; a process that ends may take a ring with it.
    In both cases the sweeper finds the work.
    """

    def __init__(self, lane: Lane) -> None:
        self.lane = lane
        self._rung = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._connection: Connection | None = None
        self._silent_until = 0.0

    def ring(self) -> None:
        """Returns at once."""
        self._rung.set()
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._keep_ringing, daemon=True)
                    self._thread.start()

    def ring_now(self) -> bool:
        """Ring in this thread; answers whether the broker has a ring that nobody has heard yet."""
        if time.monotonic() < self._silent_until:
            return False
        try:
            channel = self._channel()
            queue = current_app.amqp.router.route({}, TASKS[self.lane])["queue"]
            if channel.queue_declare(queue.name).message_count < ENOUGH_UNHEARD:
                producer = current_app.amqp.Producer(channel, auto_declare=False)
                current_app.send_task(TASKS[self.lane], producer=producer, retry=False)
        except BROKEN as error:
            self._silent_until = time.monotonic() + SILENCE_AFTER_FAILURE_SECONDS
            self._hang_up()
            logger.warning("The broker did not take a message: %s", type(error).__name__)
            return False
        return True

    def _keep_ringing(self) -> None:
        while True:
            self._rung.wait()
            self._rung.clear()
            self.ring_now()
            time.sleep(GAP_SECONDS)

    def _channel(self) -> Any:
        if self._connection is None:
            self._connection = current_app.connection_for_write(
                connect_timeout=TIMEOUT_SECONDS,
                transport_options={
                    **settings.CELERY_BROKER_TRANSPORT_OPTIONS,
                    "socket_timeout": TIMEOUT_SECONDS,
                    "socket_connect_timeout": TIMEOUT_SECONDS,
                },
            )
        return self._connection.default_channel

    def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.collect(socket_timeout=0)


_bells: dict[Lane, Doorbell] = {}


def _hang_bells() -> None:
    """Also in a forked child, which has the parent's connection but not its threads."""
    _bells.update({lane: Doorbell(lane) for lane in Lane})


_hang_bells()
os.register_at_fork(after_in_child=_hang_bells)


def ring_after_commit(lane: Lane = Lane.TRIAGE) -> None:
    """To be called inside the transaction that put the jobs; rings only if it commits."""
    transaction.on_commit(_bells[lane].ring, robust=True)
