"""The record that cannot be rewritten unnoticed: append and verify."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from triage.models import LedgerEntry, LedgerHead

GENESIS = "0" * 64
SERVICE = "service"


@dataclass(frozen=True)
class Entry:
    """What is to be recorded. `subject` is type:id; `payload` is JSON and holds no ticket text."""

    kind: str
    subject: str
    payload: Mapping[str, Any]
    actor: str = SERVICE


@dataclass(frozen=True)
class Fault:
    """The first entry at which the chain does not hold, and why."""

    sequence: int
    problem: str


def actor_of(user: Any) -> str:
    """A person's pseudonymous id; names and addresses stay out of the ledger."""
    return f"user:{user.pk}"


def append(*, kind: str, subject: str, payload: Mapping[str, Any], actor: str = SERVICE) -> None:
    """Add one entry; part of the caller's transaction, so it exists exactly if the change does."""
    append_all([Entry(kind, subject, payload, actor)])


@transaction.atomic
def append_all(entries: Sequence[Entry]) -> None:
    """Add entries in order with one lock on the head.

    Writers wait for each other from here to their commit: append last in a transaction.
    """
    if not entries:
        return
    LedgerHead.objects.get_or_create(pk=1, defaults={"hash": GENESIS})
    head = LedgerHead.objects.select_for_update().get(pk=1)
    at = timezone.now()
    rows = []
    for entry in entries:
        head.sequence += 1
        row = LedgerEntry(
            sequence=head.sequence,
            previous=head.hash,
            kind=entry.kind,
            subject=entry.subject,
            payload=dict(entry.payload),
            actor=entry.actor,
            at=at,
        )
        row.hash = head.hash = digest(row)
        rows.append(row)
    LedgerEntry.objects.bulk_create(rows)
    head.save(update_fields=["sequence", "hash"])


def digest(entry: LedgerEntry) -> str:
    """SHA-256 over canonical JSON: sorted keys, no spaces, UTC time with microseconds."""
    content = {
        "sequence": entry.sequence,
        "previous": entry.previous,
        "kind": entry.kind,
        "subject": entry.subject,
        "payload": entry.payload,
        "actor": entry.actor,
        "at": _utc(entry.at),
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def verify() -> Fault | None:
    """Walk the whole chain in constant memory; None where every link holds."""
    expected, previous = 1, GENESIS
    for entry in _entries():
        if entry.sequence != expected:
            return Fault(expected, f"entry {expected} is missing: {entry.sequence} comes next")
        if entry.previous != previous:
            return Fault(expected, "it does not point at the entry before it")
        if entry.hash != digest(entry):
            return Fault(expected, "its content does not give its hash")
        expected, previous = expected + 1, entry.hash
    head = LedgerHead.objects.filter(pk=1).first()
    last = expected - 1
    if head is None and last:
        return Fault(last, "the head is missing")
    if head is not None and (head.sequence, head.hash) != (last, previous):
        return Fault(last + 1, f"the head says {head.sequence} entries, the chain has {last}")
    return None


def _entries() -> Iterator[LedgerEntry]:
    return LedgerEntry.objects.order_by("sequence").iterator(chunk_size=2000)
