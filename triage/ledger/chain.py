"""The chain itself: append and verify."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import DecimalField, Func, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from triage import bulk
from triage.models import LedgerEntry, LedgerHead
from triage.storable import refuse_unstorable

GENESIS = "0" * 64
SERVICE = "service"
READ_AT_ONCE = 2000
HASHED = ("sequence", "previous", "kind", "subject", "payload", "actor", "at")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# A payload or a time that somebody wrote past the service need not be one that Python can read.
UNREADABLE = (ValueError, OverflowError, RecursionError, ArithmeticError)


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
    ValueError or TypeError for a payload that is not JSON or that PostgreSQL cannot store.
    """
    if not entries:
        return
    payloads = [as_read_back(entry.payload) for entry in entries]
    head = _locked_head()
    at = timezone.now()
    rows = []
    for entry, payload in zip(entries, payloads, strict=True):
        head.sequence += 1
        row = {
            "sequence": head.sequence,
            "previous": head.hash,
            "kind": entry.kind,
            "subject": entry.subject,
            "payload": payload,
            "actor": entry.actor,
            "at": at,
        }
        head.hash = _hash(row)
        rows.append({**row, "hash": head.hash})
    bulk.insert(LedgerEntry, rows)
    head.save(update_fields=["sequence", "hash"])


def _locked_head() -> LedgerHead:
    heads = LedgerHead.objects.select_for_update().filter(pk=1)
    if (head := heads.first()) is None:
        LedgerHead.objects.bulk_create([LedgerHead(pk=1, hash=GENESIS)], ignore_conflicts=True)
        head = heads.get()
    return head


def as_read_back(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The payload as jsonb will give it back, which is what the hash must be over.

    Keys become text and of equal ones the last stays; numbers lose an exponent, so that 1e22
    comes back as a whole number, and -0.0 its sign.
    """
    text = json.dumps(dict(payload), allow_nan=False)
    back: dict[str, Any] = json.loads(text, parse_float=_as_numeric)
    refuse_unstorable(back)
    return back


def _as_numeric(text: str) -> float | int:
    # Python writes an exponent of 16 and more, and what is that large has no fraction.
    return int(Decimal(text)) if "e+" in text else float(text) + 0.0


def digest(entry: LedgerEntry) -> str:
    """SHA-256 over canonical JSON: sorted keys, no spaces, UTC time with microseconds."""
    return _hash({name: getattr(entry, name) for name in HASHED})


def _hash(content: Mapping[str, Any]) -> str:
    at = content["at"].astimezone(UTC).isoformat(timespec="microseconds")
    text = json.dumps(
        {**content, "at": at}, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    return hashlib.sha256(text.encode()).hexdigest()


def verify(progress: Callable[[int], object] | None = None) -> Fault | None:
    """Walk the whole chain in constant memory; None where every link holds.

    May run while the service goes on appending. `progress` is told how many more entries held.
    """
    last, previous = 0, GENESIS
    while True:
        # Before the entries: whatever the head counts by then must be among them.
        head = LedgerHead.objects.filter(pk=1).first()
        rows = list(_rows_after(last))
        if not rows:
            return _fault_at_the_end(last, previous, head)
        for row in rows:
            if fault := _fault_of(row, last + 1, previous):
                return fault
            last, previous = row["sequence"], row["hash"]
        if progress is not None:
            progress(len(rows))


def _rows_after(last: int) -> Iterator[dict[str, Any]]:
    """Content as the database holds it, unread: it may be nothing that Python can read."""
    entries = LedgerEntry.objects.order_by("sequence")
    # From the very first, too: nothing stands before entry 1 that the service wrote.
    after = entries.filter(sequence__gt=last) if last else entries
    seconds = Func(
        "at", template="EXTRACT(EPOCH FROM %(expressions)s)", output_field=DecimalField()
    )
    plain = after.values("sequence", "previous", "hash", "kind", "subject", "actor")
    rows = plain.annotate(text=Cast("payload", TextField()), seconds=seconds)
    for row in rows[:READ_AT_ONCE]:
        yield dict(row)


def _fault_of(row: dict[str, Any], expected: int, previous: str) -> Fault | None:
    sequence = row["sequence"]
    if sequence > expected:
        return Fault(expected, f"entry {expected} is missing: {sequence} comes next")
    if sequence < expected:
        return Fault(sequence, f"it is one too many: {expected} should come next")
    if row["previous"] != previous:
        return Fault(sequence, "it does not point at the entry before it")
    try:
        fits = row["hash"] == digest(_entry(row))
    except UNREADABLE:
        fits = False
    return None if fits else Fault(sequence, "its content does not give its hash")


def _entry(row: dict[str, Any]) -> LedgerEntry:
    microseconds = row["seconds"] * 1_000_000
    if microseconds != int(microseconds):
        raise ValueError(f"A time has whole microseconds, got {row['seconds']} s.")
    return LedgerEntry(
        sequence=row["sequence"],
        previous=row["previous"],
        kind=row["kind"],
        subject=row["subject"],
        payload=json.loads(row["text"], parse_float=_exactly),
        actor=row["actor"],
        at=EPOCH + timedelta(microseconds=int(microseconds)),
    )


def _exactly(text: str) -> float | str:
    """The number, or its text where more digits were written than a float of ours has."""
    number = float(text)
    return number if Decimal(repr(number)) == Decimal(text) else text


def _fault_at_the_end(last: int, previous: str, head: LedgerHead | None) -> Fault | None:
    # The key forbids it; but where somebody took that away, pages may have hidden a second row.
    counted = LedgerEntry.objects.filter(sequence__lte=last).count()
    if counted != last:
        return Fault(last, f"{counted} rows stand where {last} entries were walked")
    if head is None:
        return Fault(last, "the head is missing") if last else None
    if head.sequence != last:
        least = min(head.sequence, last)
        return Fault(least + 1, f"the head says {head.sequence} entries, the chain has {last}")
    if head.hash != previous:
        return Fault(last, "the head holds another hash than this last entry")
    return None
