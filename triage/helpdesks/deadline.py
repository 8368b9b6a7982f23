"""An end for one exchange over HTTP, however slowly its bytes drip."""

import socket
import threading
import time
from types import TracebackType
from typing import Self


class Deadline:
    """Cuts the connections it holds once its time is over.

    A read timeout bounds the silence between two bytes only; head lines and the TLS handshake
    are read inside libraries that know no other limit. What was read when the line was cut may
    look complete: ask `is_over` before it is used.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._ends = time.monotonic() + seconds
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

    @property
    def left(self) -> float:
        """Seconds, never negative."""
        return max(0.0, self._ends - time.monotonic())

    @property
    def is_over(self) -> bool:
        return self.left == 0.0

    def hold(self, opened: socket.socket) -> socket.socket:
        with self._lock:
            # A copy, because TLS takes the original's place; cutting either cuts both.
            self._sockets.append(opened.dup())
        if self.is_over:
            self._cut()
        return opened

    def _cut(self) -> None:
        with self._lock:
            for copy in self._sockets:
                try:
                    copy.shutdown(socket.SHUT_RDWR)
                except OSError:
                    # The other side was quicker.
                    continue
