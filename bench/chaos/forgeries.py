"""Ways to tamper with the ledger, each with the entry that must be named as the first broken.

All of them are for a database on which the ledger's triggers do not fire.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from random import Random

from django.db import connection

from triage import ledger
from triage.models import LedgerEntry, LedgerHead

REST = "kind, subject, payload, actor, at FROM triage_ledgerentry"
INSERT = (
    "INSERT INTO triage_ledgerentry (sequence, previous, hash, kind, subject, payload, actor, at)"
)
# A new value for each column; none is what any entry holds.
EDITS = {
    "previous": "hash",
    "hash": "overlay(hash placing translate(substr(hash, 9, 1), '0123456789abcdef', "
    "'123456789abcdef0') from 9)",
    "kind": "CASE kind WHEN 'model' THEN 'policy' ELSE 'model' END",
    "subject": "subject || '1'",
    "actor": "'user:666'",
    "at": "at + interval '1 microsecond'",
    "payload": "payload || '{\"forged\": true}'",
}
PAYLOADS = {
    "one value more in a list": "payload || '{\"values\": [1]}'",
    "one key less": "CASE payload WHEN '{}' THEN '[]' "
    "ELSE payload - (SELECT min(k) FROM jsonb_object_keys(payload) k) END",
    "nothing left": "CASE payload WHEN '{}' THEN '[]' ELSE '{}'::jsonb END",
    "null": "'null'",
    "a number of 5,000 digits": "jsonb_build_object('n', repeat('9', 5000)::numeric)",
    "5,000 lists in each other": "(repeat('[', 5000) || repeat(']', 5000))::jsonb",
}
TIMES = {
    "a time without end": "'infinity'",
    "a time before Christ": "at - interval '4100 years'",
    "another day": "at - interval '1 day'",
}


@dataclass(frozen=True)
class Forgery:
    """`broken_at` is the first broken entry; None if the chain itself still holds."""

    name: str
    commit: Callable[[], None]
    broken_at: int | None


def sql(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _doing(*statements: str) -> Callable[[], None]:
    return lambda: sql(*statements)


def all_of(count: int, rng: Random) -> Iterator[Forgery]:
    """One of each sort at places drawn anew; `count` is how many entries there are."""
    yield from _edits(count, rng)
    yield from _removals(count, rng)
    yield from _orders(count, rng)
    yield from _insertions(count, rng)
    yield from _recomputed(count, rng)
    yield from _heads(count)


def _edits(count: int, rng: Random) -> Iterator[Forgery]:
    for column, value in EDITS.items():
        for place in (1, rng.randint(2, count - 1), count):
            yield _edit(f"{column} of {place} edited", column, value, place)
    for column, values in (("payload", PAYLOADS), ("at", TIMES)):
        for name, value in values.items():
            place = rng.randint(1, count)
            yield _edit(f"{column} of {place}: {name}", column, value, place)
    place = rng.randint(1, count)
    moved = f"UPDATE triage_ledgerentry SET sequence = {count + 5} WHERE sequence = {place}"
    yield Forgery(f"sequence of {place} edited", _doing(moved), place)


def _edit(name: str, column: str, value: str, place: int) -> Forgery:
    statement = f"UPDATE triage_ledgerentry SET {column} = {value} WHERE sequence = {place}"
    return Forgery(name, _doing(statement), place)


def _removals(count: int, rng: Random) -> Iterator[Forgery]:
    for first, last in ((1, 1), (place := rng.randint(2, count - 1), place), (count, count)):
        yield _removal(first, last)
    first = rng.randint(2, count - 5)
    yield _removal(first, first + 3)
    yield _removal(1, count)
    for kept in (count - 1, rng.randint(2, count - 2), 1):
        yield Forgery(
            f"tail after {kept} cut, the head's number fixed",
            _doing(_cut(kept), f"UPDATE triage_ledgerhead SET sequence = {kept}"),
            kept,
        )
        yield Forgery(f"tail after {kept} cut, the head fixed", _doing(*_cut_well(kept)), None)
    yield Forgery(
        "everything cut, the head too",
        _doing("DELETE FROM triage_ledgerentry", "DELETE FROM triage_ledgerhead"),
        None,
    )
    kept = rng.randint(1, count - 1)

    def regrow() -> None:
        sql(*_cut_well(kept))
        for number in range(count):
            ledger.append(kind="policy", subject=f"rule:{number}", payload={"regrown": True})

    yield Forgery(f"tail after {kept} cut and grown again", regrow, None)


def _removal(first: int, last: int) -> Forgery:
    statement = f"DELETE FROM triage_ledgerentry WHERE sequence BETWEEN {first} AND {last}"
    return Forgery(f"{first} to {last} deleted", _doing(statement), first)


def _cut(kept: int) -> str:
    return f"DELETE FROM triage_ledgerentry WHERE sequence > {kept}"


def _cut_well(kept: int) -> tuple[str, str]:
    return _cut(kept), (
        f"UPDATE triage_ledgerhead SET sequence = {kept}, hash = "
        f"(SELECT hash FROM triage_ledgerentry WHERE sequence = {kept})"
    )


def _orders(count: int, rng: Random) -> Iterator[Forgery]:
    for near in (True, False):
        first = rng.randint(1, count - 2)
        second = first + 1 if near else rng.randint(first + 2, count)
        yield Forgery(f"{first} and {second} swapped", _doing(*_swap(first, second)), first)
        contents = ", ".join(f"{column} = b.{column}" for column in ("kind", "subject", "payload"))
        yield Forgery(
            f"contents of {first} and {second} swapped",
            _doing(
                f"UPDATE triage_ledgerentry a SET {contents}, actor = b.actor "
                "FROM triage_ledgerentry b "
                f"WHERE a.sequence IN ({first}, {second}) "
                f"AND b.sequence = {first + second} - a.sequence"
            ),
            first,
        )


def _swap(first: int, second: int) -> tuple[str, str, str]:
    number = "UPDATE triage_ledgerentry SET sequence = {} WHERE sequence = {}"
    return number.format(0, first), number.format(first, second), number.format(second, 0)


def _insertions(count: int, rng: Random) -> Iterator[Forgery]:
    yield Forgery("put in before the first", _doing(_copy(1, 0)), 0)
    yield Forgery("put in far before the first", _doing(_copy(1, -7)), -7)
    yield Forgery("put in after the last", _doing(_copy(count, count + 1)), count + 1)
    place = rng.randint(2, count - 1)
    moved = (
        f"UPDATE triage_ledgerentry SET sequence = -sequence WHERE sequence >= {place}",
        "UPDATE triage_ledgerentry SET sequence = 1 - sequence WHERE sequence < 0",
    )
    yield Forgery(
        f"put in at {place}, the later ones moved on",
        _doing(*moved, _copy(place - 1, place)),
        place,
    )
    place = rng.randint(2, count - 1)
    twice = (
        "ALTER TABLE triage_ledgerentry DROP CONSTRAINT triage_ledgerentry_pkey",
        f"{INSERT} SELECT sequence, previous, hash, {REST} WHERE sequence = {place}",
    )
    yield Forgery(f"{place} stands there twice", _doing(*twice), place)
    # A good link with a good hash, but the head does not know it, or knows it without its hash.
    yield Forgery("a good link after the last", lambda: _link_on(count), count + 1)

    def known() -> None:
        _link_on(count)
        sql(f"UPDATE triage_ledgerhead SET sequence = {count + 1}")

    yield Forgery("a good link after the last, counted", known, count + 1)


def _copy(of: int, to: int) -> str:
    return f"{INSERT} SELECT {to}, hash, hash, {REST} WHERE sequence = {of}"


def _link_on(count: int) -> None:
    last = LedgerEntry.objects.get(sequence=count)
    entry = LedgerEntry(
        sequence=count + 1,
        previous=last.hash,
        kind="policy",
        subject="rung:1",
        payload={"level": "auto"},
        actor="user:666",
        at=last.at,
    )
    entry.hash = ledger.digest(entry)
    LedgerEntry.objects.bulk_create([entry])


def _recomputed(count: int, rng: Random) -> Iterator[Forgery]:
    """An edit of which the forger knew that hashes must fit."""
    for place in (1, rng.randint(2, count - 1)):
        yield Forgery(
            f"{place} edited and hashed again", partial(_rehashed, place, place), place + 1
        )
    yield Forgery(f"{count} edited and hashed again", partial(_rehashed, count, count), count)
    for place in (1, rng.randint(2, count - 1), count):
        yield Forgery(f"from {place} on all hashed again", partial(_rehashed, place, count), count)

        def with_head(at: int = place) -> None:
            LedgerHead.objects.update(hash=_rehash(at, count))

        yield Forgery(f"from {place} on all hashed again, the head too", with_head, None)


def _rehashed(first: int, last: int) -> None:
    _rehash(first, last)


def _rehash(first: int, last: int) -> str:
    """Edit the first of these entries and hash them all again; answers the last hash."""
    previous = ""
    for entry in LedgerEntry.objects.filter(sequence__range=(first, last)).order_by("sequence"):
        if entry.sequence == first:
            entry.actor = "user:666"
        else:
            entry.previous = previous
        entry.hash = previous = ledger.digest(entry)
        sql(
            f"UPDATE triage_ledgerentry SET actor = '{entry.actor}', previous = "
            f"'{entry.previous}', hash = '{entry.hash}' WHERE sequence = {entry.sequence}"
        )
    return previous


def _heads(count: int) -> Iterator[Forgery]:
    yield Forgery("the head deleted", _doing("DELETE FROM triage_ledgerhead"), count)
    more = _doing("UPDATE triage_ledgerhead SET sequence = sequence + 1")
    yield Forgery("the head counts one more", more, count + 1)
    fewer = _doing("UPDATE triage_ledgerhead SET sequence = sequence - 1")
    yield Forgery("the head counts one fewer", fewer, count)
    other = _doing("UPDATE triage_ledgerhead SET hash = reverse(hash)")
    yield Forgery("the head holds another hash", other, count)
