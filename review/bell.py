"""The count beside the bell: kept for a minute each, and left out where the cache is broken."""

from contextlib import suppress
from datetime import datetime

from django.contrib.auth.models import User
from django.core.cache import cache
from redis import RedisError

from review import news

KEPT_SECONDS = 60
BROKEN = (RedisError, OSError)


def remembered(person: User) -> int | None:
    """As of a minute ago at most, without a query; None if it is not known."""
    try:
        return _kept(person)
    except BROKEN:
        return None


def count(person: User) -> int | None:
    """Counted anew where it is not remembered; None while the cache is broken."""
    try:
        found = _kept(person)
    except BROKEN:
        return None
    if found is None:
        found = news.unread(person)
        _remember(person, found)
    return found


def mark_read(person: User, upto: datetime) -> None:
    news.mark_read(person, upto)
    _remember(person, 0)


def _kept(person: User) -> int | None:
    found = cache.get(_key(person))
    return found if isinstance(found, int) else None


def _remember(person: User, number: int) -> None:
    with suppress(*BROKEN):
        cache.set(_key(person), number, KEPT_SECONDS)


def _key(person: User) -> str:
    return f"news:{person.pk}"
