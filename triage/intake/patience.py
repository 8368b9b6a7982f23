"""An end for waiting on a database that is frozen: it never says so, and holds its callers.

A server that is stopped in the middle enforces no timeout of its own, and libpq has none for
answers. So a thread cuts the connection of who has waited too long; the waiting call then fails
like any other whose server went away.
"""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator

from django.db.backends.base.base import BaseDatabaseWrapper

LOOK_EVERY_SECONDS = 0.5


class Patience:
    """Cuts database connections that are waited on for longer than `seconds`."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._lock = threading.Lock()
        self._somebody_waits = threading.Event()
        self._waiting: dict[int, tuple[float, BaseDatabaseWrapper]] = {}
        self._watcher: threading.Thread | None = None

    @contextlib.contextmanager
    def waiting(self, connection: BaseDatabaseWrapper) -> Iterator[None]:
        """The block may use this thread's connection until it has taken too long."""
        me = threading.get_ident()
        with self._lock:
            self._waiting[me] = (time.monotonic() + self.seconds, connection)
            if self._watcher is None or not self._watcher.is_alive():
                self._watcher = threading.Thread(target=self._watch, daemon=True)
                self._watcher.start()
        self._somebody_waits.set()
        try:
            yield
        finally:
            with self._lock:
                self._waiting.pop(me, None)

    def _watch(self) -> None:
        while True:
            self._somebody_waits.wait()
            time.sleep(LOOK_EVERY_SECONDS)
            now = time.monotonic()
            # Under the lock, so that nobody's connection is cut after they have their answer.
            with self._lock:
                for deadline, connection in self._waiting.values():
                    if deadline < now:
                        _cut(connection)
                if not self._waiting:
                    self._somebody_waits.clear()


def _cut(connection: BaseDatabaseWrapper) -> None:
    if connection.connection is None:
        # Still connecting, which has a timeout.
        return
    with contextlib.suppress(OSError):
        copy = socket.socket(fileno=os.dup(connection.connection.pgconn.socket))
        with copy:
            copy.shutdown(socket.SHUT_RDWR)
