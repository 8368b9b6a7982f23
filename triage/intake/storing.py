"""One delivery and its job, stored in one statement: both are there, or neither."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from django.conf import settings
from django.db import OperationalError, connection
from django.utils import timezone

from triage import ledger
from triage.jobs import leases
from triage.models import Delivery, Job, LedgerEntry

ASKED_EVERY_SECONDS = 2.0

# With the ORM this is five statements in a transaction, and most of what the door costs. It is
# prepared once per connection, because planning it takes as long as running it.
STORE = """
    WITH delivery AS (
        INSERT INTO triage_delivery
            (source_id, webhook_id, body, body_sha256, received_at, outcome, explanation)
        SELECT %(source)s::bigint, %(webhook_id)s::text, %(body)b::bytea, %(digest)s::text,
            %(now)s::timestamptz, '', ''
        WHERE EXISTS (
            SELECT 1 FROM triage_sourcesecret AS secret
            JOIN triage_source AS source ON source.id = secret.source_id
            WHERE secret.id = %(secret)s::bigint AND secret.retired_at IS NULL
                AND source.id = %(source)s::bigint AND source.is_active
        )
        ON CONFLICT (source_id, webhook_id) DO NOTHING
        RETURNING id
    ), job AS (
        INSERT INTO triage_job (kind, subject, created_at, next_attempt_at, attempts, last_error)
        SELECT 'receive', id, %(now)s::timestamptz, %(now)s::timestamptz, 0, '' FROM delivery
    )
    SELECT id FROM delivery
"""


@dataclass(frozen=True)
class Stored:
    """A delivery as the database has it; `digest` is of the body that was stored."""

    pk: int
    digest: str
    is_new: bool


def store(source: int, secret: int, webhook_id: str, body: bytes, digest: str) -> Stored | None:
    """Keep a delivery, unless one with its id is known; None if the secret no longer opens.

    Committed on return, where the caller has no transaction open. A connection that broke while
    it lay idle is replaced once: said twice, the same delivery is still stored once.
    """
    values = {
        "source": source,
        "secret": secret,
        "webhook_id": webhook_id,
        "body": body,
        "digest": digest,
        "now": timezone.now(),
    }
    # That replacement is what a health check would be for; it costs a question for each delivery.
    connection.health_check_done = True  # type: ignore[attr-defined]
    try:
        pk = _stored(values)
    except OperationalError:
        if connection.in_atomic_block or connection.is_usable():
            raise
        connection.close()
        pk = _stored(values)
    if pk is not None:
        return Stored(pk, digest, is_new=True)
    known = Delivery.objects.filter(source=source, webhook_id=webhook_id)
    found = known.values_list("pk", "body_sha256").first()
    return Stored(*found, is_new=False) if found else None


def _stored(values: Mapping[str, Any]) -> int | None:
    connection.ensure_connection()
    assert connection.connection is not None
    # psycopg's own cursor: Django's writes the values into the statement, which is new each time.
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        row = cursor.execute(STORE, values, prepare=True).fetchone()
    return row[0] if row else None


def record_other_body(stored: Stored, came: str) -> None:
    """That a known id came with another body: somebody's mistake, or somebody's try."""
    ledger.append(
        kind=LedgerEntry.Kind.INTAKE,
        subject=f"delivery:{stored.pk}",
        payload={"stored": stored.digest, "came": came},
    )


class Backlog:
    """Whether work has waited too long, asked of the database at most every two seconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked_at = float("-inf")
        self._is_behind = False

    def is_behind(self) -> bool:
        now = time.monotonic()
        with self._lock:
            if now - self._asked_at < ASKED_EVERY_SECONDS:
                return self._is_behind
            self._asked_at = now
        age = leases.oldest_age_seconds([Job.Kind.RECEIVE, Job.Kind.PROPOSE])
        self._is_behind = age > settings.INTAKE_OLDEST_JOB_SECONDS
        return self._is_behind


is_behind = Backlog().is_behind
