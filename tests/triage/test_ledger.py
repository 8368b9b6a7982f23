"""The record grows in one order, cannot be edited, and tells where it was tampered with."""

import re
from collections.abc import Callable
from threading import Barrier

import pytest
from django.core.management import CommandError, call_command
from django.db import InternalError, ProgrammingError, connection, transaction

from triage import ledger
from triage.models import LedgerEntry, LedgerHead

pytestmark = pytest.mark.django_db


def write(count: int) -> None:
    for number in range(count):
        ledger.append(kind="policy", subject=f"rule:{number}", payload={"n": number, "ü": [1.5]})


def tamper(*statements: str) -> None:
    """Change rows behind the triggers' back, as somebody with the database in hand could."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE triage_ledgerentry DISABLE TRIGGER USER")
        for statement in statements:
            cursor.execute(statement)
        cursor.execute("ALTER TABLE triage_ledgerentry ENABLE TRIGGER USER")


def test_an_untouched_chain_holds() -> None:
    write(5)

    assert ledger.verify() is None
    assert list(LedgerEntry.objects.values_list("sequence", flat=True)) == [1, 2, 3, 4, 5]
    assert LedgerHead.objects.get().sequence == 5


def test_an_empty_ledger_holds() -> None:
    assert ledger.verify() is None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE triage_ledgerentry SET actor = 'user:9' WHERE sequence = 2",
        "DELETE FROM triage_ledgerentry WHERE sequence = 2",
        "TRUNCATE triage_ledgerentry",
    ],
)
def test_the_database_refuses_to_change_what_is_written(statement: str) -> None:
    write(3)

    with (
        pytest.raises((InternalError, ProgrammingError)),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)

    assert ledger.verify() is None
    assert LedgerEntry.objects.count() == 3


@pytest.mark.parametrize(
    ("statement", "broken_at"),
    [
        ("UPDATE triage_ledgerentry SET payload = '{\"n\": 9}' WHERE sequence = 3", 3),
        ("UPDATE triage_ledgerentry SET actor = 'user:9' WHERE sequence = 1", 1),
        ("UPDATE triage_ledgerentry SET at = at + interval '1 microsecond' WHERE sequence = 4", 4),
        ("DELETE FROM triage_ledgerentry WHERE sequence = 2", 2),
        ("DELETE FROM triage_ledgerentry WHERE sequence = 5", 5),
        ("UPDATE triage_ledgerentry SET previous = hash WHERE sequence = 2", 2),
    ],
)
def test_tampering_is_found_and_named(statement: str, broken_at: int) -> None:
    write(5)
    tamper(statement)

    fault = ledger.verify()

    assert fault is not None
    assert fault.sequence == broken_at
    with pytest.raises(CommandError, match=rf"entry {broken_at}: "):
        call_command("verify_ledger")


def test_an_entry_made_up_whole_is_found_by_the_link_after_it() -> None:
    write(5)
    entry = LedgerEntry.objects.get(sequence=3)
    entry.payload = {"n": 99}
    forged = ledger.digest(entry)
    tamper(
        "UPDATE triage_ledgerentry SET payload = '{\"n\": 99}', "
        f"hash = '{forged}' WHERE sequence = 3"
    )

    fault = ledger.verify()

    assert fault is not None
    assert fault.sequence == 4


def test_what_is_rolled_back_leaves_no_entry() -> None:
    write(1)

    with transaction.atomic():
        write(2)
        transaction.set_rollback(True)

    write(1)
    assert ledger.verify() is None
    assert LedgerEntry.objects.count() == 2


def test_hashes_are_hexadecimal_and_chained() -> None:
    write(2)
    first, second = LedgerEntry.objects.order_by("sequence")

    assert first.previous == ledger.GENESIS
    assert second.previous == first.hash
    assert re.fullmatch(r"[0-9a-f]{64}", second.hash)


@pytest.mark.django_db(transaction=True)
def test_eight_writers_at_once_make_one_chain(in_threads: Callable[..., None]) -> None:
    start = Barrier(8)

    def writer() -> None:
        start.wait()
        write(5)

    in_threads([writer] * 8)

    assert ledger.verify() is None
    assert LedgerEntry.objects.count() == 40
