"""How many deliveries a source may send, counted in fixed windows of a minute.

Counted per web process: a limit that asks the broker would fall with the broker.
"""

import threading
import time

WINDOW_SECONDS = 60


class Rates:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counted: dict[int, tuple[int, int]] = {}

    def seconds_to_wait(self, source: int, limit: int) -> int:
        """Count one delivery; 0 if it may come in, else the whole seconds until the next window."""
        now = time.time()
        window = int(now // WINDOW_SECONDS)
        with self._lock:
            counted_in, count = self._counted.get(source, (window, 0))
            count = count + 1 if counted_in == window else 1
            self._counted[source] = (window, count)
        return 0 if count <= limit else max(1, int((window + 1) * WINDOW_SECONDS - now) + 1)
