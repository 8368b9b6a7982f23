"""The count beside the bell: kept for a minute each, and left out where the cache is broken."""

import logging
import time
from datetime import datetime

from django.contrib.auth.models import User
from django.core.cache import cache
from redis import RedisError

from review import news

logger = logging.getLogger(__name__)

KEPT_SECONDS = 60
# A cache that does not answer costs seconds; it is asked again after this.
SILENT_SECONDS = 10.0
BROKEN = (RedisError, OSError)

_silent_until = 0.0


def remembered(person: User) -> int | None:
    """As of a minute ago at most, without a query; None if it is not known."""
    if time.monotonic() < _silent_until:
        return None
    try:
        found = cache.get(_key(person))
    except BROKEN as error:
        _fall_silent(error)
        return None
    return found if isinstance(found, int) else None


def count(person: User) -> int | None:
    """Counted anew where it is not remembered; None while the cache is broken."""
    found = remembered(person)
    if found is None and time.monotonic() >= _silent_until:
        found = news.unread(person)
        _remember(person, found)
    return found


def mark_read(person: User, upto: datetime) -> None:
    news.mark_read(person, upto)
    _remember(person, 0)


def _remember(person: User, number: int) -> None:
    if time.monotonic() < _silent_until:
        return
    try:
        cache.set(_key(person), number, KEPT_SECONDS)
    except BROKEN as error:
        _fall_silent(error)


def _fall_silent(error: BaseException) -> None:
    global _silent_until
    _silent_until = time.monotonic() + SILENT_SECONDS
    logger.warning("no count of news: the cache failed with %s", type(error).__name__)


def _key(person: User) -> str:
    return f"news:{person.pk}"
