"""Locks across all processes that free themselves when their process dies."""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b

from django.db import connection


class NotNow(Exception):
    """Nothing failed: the job is to come back after `seconds`, and this was no attempt."""

    def __init__(self, why: str, *, seconds: float) -> None:
        super().__init__(why)
        self.seconds = seconds


@contextmanager
def held(name: str) -> Iterator[bool]:
    """Answers whether the lock was free; if so, it is held until the block ends.

    It belongs to the thread's database session: whoever holds it may take it again.
    """
    digest = blake2b(name.encode(), digest_size=8).digest()
    key = int.from_bytes(digest, signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [key])
        if cursor.fetchone() != (True,):
            yield False
            return
        try:
            yield True
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [key])
