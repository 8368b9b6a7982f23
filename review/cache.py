"""The cache, which is left alone for a while once it has kept silent.

Nothing here needs it: what it remembers is asked of the database again, or left out. But a page
that waits for three answers that do not come costs seconds.
"""

import logging
import time
from typing import Any, ClassVar

from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis import Redis
from redis.exceptions import ConnectionError as NoConnection
from redis.exceptions import TimeoutError as NoAnswer

logger = logging.getLogger(__name__)

SILENT_SECONDS = 10.0


class PatientRedis(Redis):
    """Raises at once, as if there were no connection, until the pause is over."""

    silent_until: ClassVar[float] = 0.0

    def execute_command(self, *args: Any, **options: Any) -> Any:
        if time.monotonic() < PatientRedis.silent_until:
            raise NoConnection("The cache kept silent a moment ago.")
        try:
            return super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
        except (NoConnection, NoAnswer) as error:
            PatientRedis.silent_until = time.monotonic() + SILENT_SECONDS
            # Once, here: whoever goes without an answer meanwhile need not say so again.
            logger.warning("the cache is left alone for a while: %s", type(error).__name__)
            raise


class PatientClient(RedisCacheClient):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._client = PatientRedis


class PatientCache(RedisCache):
    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = PatientClient
