"""An end for one exchange over HTTP, however slowly its bytes drip."""

import socket
import threading
from types import TracebackType
from typing import Any, Self

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool


class Deadline:
    """Cuts the connections of the sessions it watches once its time is over.

    A read timeout bounds the silence between two bytes only; head lines and the TLS handshake
    are read inside libraries that know no other limit. What was read when the line was cut may
    look complete: ask `is_over` before it is used.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.is_over = False
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        with self._lock:
            for copy in self._sockets:
                copy.close()
            self._sockets.clear()

    def watch(self, session: Any) -> None:
        """Hold on to every socket that a requests session opens from here on."""
        for adapter in session.adapters.values():
            adapter.poolmanager.pool_classes_by_scheme = self._pools()

    def hold(self, opened: socket.socket) -> socket.socket:
        with self._lock:
            # A copy, because TLS takes the original's place; cutting either cuts both.
            self._sockets.append(opened.dup())
        if self.is_over:
            self._cut()
        return opened

    def _cut(self) -> None:
        self.is_over = True
        with self._lock:
            for copy in self._sockets:
                try:
                    copy.shutdown(socket.SHUT_RDWR)
                except OSError:
                    # The other side was quicker.
                    continue

    def _pools(self) -> dict[str, type[HTTPConnectionPool]]:
        hold = self.hold

        class Plain(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                return hold(super()._new_conn())

        class Safe(HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                return hold(super()._new_conn())

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class SafePool(HTTPSConnectionPool):
            ConnectionCls = Safe

        return {"http": PlainPool, "https": SafePool}
