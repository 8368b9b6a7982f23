"""Sessions are rows. A copy of each is kept in the cache for a minute: most pages read no row.

A session that ends takes its copy with it. Only if the cache can't be reached at that moment does
the copy live on, for that minute at most. Without the cache every page reads the row.
"""

from collections.abc import Callable
from typing import Any

from django.contrib.sessions.backends.db import SessionStore as RowStore
from django.core.cache import BaseCache, caches
from django.utils import timezone
from redis import RedisError

LONGEST_SECONDS = 60


class Plain:
    """Copies are text that is signed already: nothing is ever unpickled."""

    def dumps(self, value: str) -> bytes:
        return value.encode()

    def loads(self, value: bytes) -> str:
        return value.decode()


class Copies:
    """The cache, or nothing while it is silent; review.cache sees to it that nobody waits."""

    def get(self, key: str) -> str | None:
        kept: str | None = self._ask(lambda cache: cache.get(key))
        return kept

    def put(self, key: str, text: str, seconds: float) -> None:
        self._ask(lambda cache: cache.set(key, text, int(min(seconds, LONGEST_SECONDS))))

    def drop(self, key: str) -> None:
        self._ask(lambda cache: cache.delete(key))

    def _ask(self, what: Callable[[BaseCache], Any]) -> Any:
        try:
            return what(caches["sessions"])
        except (RedisError, OSError):
            return None


copies = Copies()


class SessionStore(RowStore):
    def load(self) -> dict[str, Any]:
        key = self.session_key
        if key and (kept := copies.get(key)) and (data := self.decode(kept)):
            return dict(data)
        row = self._get_session_from_db()  # type: ignore[attr-defined]
        if row is None:
            return {}
        left = (row.expire_date - timezone.now()).total_seconds()
        copies.put(row.session_key, row.session_data, left)
        return dict(self.decode(row.session_data))

    def save(self, must_create: bool = False) -> None:
        super().save(must_create)
        if self.session_key:
            copies.drop(self.session_key)

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        super().delete(session_key)
        if key:
            copies.drop(key)
