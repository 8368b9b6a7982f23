"""The record grows in one order, cannot be edited, and tells where it was tampered with."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import InternalError, ProgrammingError, connection, transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as trying
from hypothesis import strategies as st

from triage import ledger
from triage.ledger import audit
from triage.ledger.chain import as_read_back
from triage.models import LedgerEntry, LedgerHead

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_heads(tmp_path: Path, settings: Any) -> None:
    settings.COUNTERSIGN_LEDGER_DIR = tmp_path


REST = "hash, kind, subject, payload, actor, at FROM triage_ledgerentry"
COPY = (
    "INSERT INTO triage_ledgerentry (sequence, previous, hash, kind, subject, payload, actor, at)"
)


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
        # Numbers that Python would read as the ones that were written.
        (
            "UPDATE triage_ledgerentry SET payload = "
            "jsonb_set(payload, '{ü,0}', '1.50000000000000000000001') WHERE sequence = 3",
            3,
        ),
        (
            'UPDATE triage_ledgerentry SET payload = \'{"n": 2.0, "ü": [1.5]}\' WHERE sequence = 3',
            3,
        ),
        # What Python cannot read at all.
        ("UPDATE triage_ledgerentry SET at = 'infinity' WHERE sequence = 4", 4),
        ("UPDATE triage_ledgerentry SET at = at - interval '4100 years' WHERE sequence = 4", 4),
        (
            "UPDATE triage_ledgerentry SET payload = jsonb_build_object('n', repeat('9', 5000)"
            "::numeric) WHERE sequence = 2",
            2,
        ),
        (
            "UPDATE triage_ledgerentry SET payload = "
            "(repeat('[', 5000) || repeat(']', 5000))::jsonb WHERE sequence = 2",
            2,
        ),
        # Two entries change places, with and without their numbers.
        (
            "UPDATE triage_ledgerentry a SET payload = b.payload FROM triage_ledgerentry b "
            "WHERE a.sequence IN (2, 4) AND b.sequence = 6 - a.sequence",
            2,
        ),
        (
            "UPDATE triage_ledgerentry SET sequence = -2 WHERE sequence = 2;"
            "UPDATE triage_ledgerentry SET sequence = 2 WHERE sequence = 3;"
            "UPDATE triage_ledgerentry SET sequence = 3 WHERE sequence = -2",
            2,
        ),
        # One more: before the first, in between with all later ones moved up, after the last.
        (f"{COPY} SELECT 0, previous, {REST} WHERE sequence = 1", 0),
        (
            "UPDATE triage_ledgerentry SET sequence = -sequence WHERE sequence > 2;"
            "UPDATE triage_ledgerentry SET sequence = 1 - sequence WHERE sequence < 0;"
            f"{COPY} SELECT 3, hash, {REST} WHERE sequence = 2",
            3,
        ),
        (f"{COPY} SELECT 6, hash, {REST} WHERE sequence = 5", 6),
        # The tail and the head at once, but not the head's hash.
        (
            "DELETE FROM triage_ledgerentry WHERE sequence > 3; "
            "UPDATE triage_ledgerhead SET sequence = 3",
            3,
        ),
        ("DELETE FROM triage_ledgerhead", 5),
        ("UPDATE triage_ledgerhead SET sequence = 4", 5),
        (
            "ALTER TABLE triage_ledgerentry DROP CONSTRAINT triage_ledgerentry_pkey;"
            f"{COPY} SELECT 3, previous, {REST} WHERE sequence = 3",
            3,
        ),
    ],
)
def test_tampering_is_found_and_named(statement: str, broken_at: int) -> None:
    write(5)
    tamper(statement)

    fault = ledger.verify()

    assert fault is not None
    assert fault.sequence == broken_at
    with pytest.raises(CommandError, match=rf"Ledger broken at entry {broken_at}: "):
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


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("ALTER TABLE triage_ledgerentry DISABLE TRIGGER {append_only}", "is switched off"),
        ("ALTER TABLE triage_ledgerentry ENABLE REPLICA TRIGGER {append_only}", "is switched off"),
        ("DROP TRIGGER {append_only} ON triage_ledgerentry", "is missing"),
        (
            "CREATE OR REPLACE FUNCTION {append_only}() RETURNS trigger AS "
            "'BEGIN RETURN NEW; END' LANGUAGE plpgsql",
            "was altered",
        ),
        (
            "CREATE OR REPLACE TRIGGER {append_only} BEFORE UPDATE ON triage_ledgerentry "
            "FOR EACH ROW EXECUTE FUNCTION {append_only}()",
            "was altered",
        ),
        (
            "CREATE OR REPLACE TRIGGER {append_only} BEFORE UPDATE OR DELETE "
            "ON triage_ledgerentry FOR EACH ROW WHEN (false) EXECUTE FUNCTION {append_only}()",
            "is switched off",
        ),
    ],
)
def test_a_trigger_that_no_longer_refuses_is_found(statement: str, said: str) -> None:
    write(2)
    triggers = {each.name: each.get_pgid(LedgerEntry) for each in LedgerEntry._meta.triggers}  # type: ignore[attr-defined]
    assert audit.missing_guards() == []

    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(statement.format(**triggers))

    with pytest.raises(CommandError, match=rf"the trigger append_only {said}"):
        call_command("verify_ledger")


@pytest.mark.parametrize(
    "payload",
    [
        {"large": 1e22, "larger": 1.2345678901234567e300, "least": 5e-324, "small": 1e-07},
        {"minus": -0.0, "whole": 1.0, "half": 0.5, "big": 2**200, "whole minus": -1e16},
        {1: "number", "1": "text", None: "nothing", False: "no"},
        {"pair": (1, 2), "nested": {"b": [{}], "a": None, "": []}},
        {"text": "é e\u0301 \u2028 \u200f \U0001f600 \\u0041 \x7f \t\n"},
    ],
)
def test_a_payload_that_the_database_writes_otherwise_still_holds(payload: dict[Any, Any]) -> None:
    ledger.append(kind="policy", subject="rule:1", payload=payload)

    assert ledger.verify() is None
    assert LedgerEntry.objects.get().payload == as_read_back(payload)


_keys = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=5)
_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | _keys,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_keys, inner, max_size=4),
    max_leaves=8,
)


@trying(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(payload=st.dictionaries(_keys, _values, max_size=5))
def test_any_payload_is_hashed_as_the_database_gives_it_back(payload: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::jsonb::text", [json.dumps(payload)])
        (text,) = cursor.fetchone()

    assert json.dumps(as_read_back(payload), sort_keys=True) == json.dumps(
        json.loads(text), sort_keys=True
    )


@pytest.mark.parametrize(
    "payload",
    [
        {"n": float("nan")},
        {"n": float("inf")},
        {"text": "a\0b"},
        {"text": "\ud800"},
        {"list": ("\udfff",)},
        {"at": object()},
    ],
)
def test_a_payload_that_cannot_be_stored_is_refused_before_the_chain_is_touched(
    payload: dict[str, Any],
) -> None:
    with pytest.raises((ValueError, TypeError)):
        ledger.append(kind="policy", subject="rule:1", payload=payload)

    write(1)
    assert ledger.verify() is None


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


@pytest.mark.django_db(transaction=True)
def test_verifying_while_others_append_finds_nothing_wrong(
    in_threads: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("triage.ledger.chain.READ_AT_ONCE", 7)
    write(20)
    faults: list[object] = []

    def verifier() -> None:
        faults.extend(ledger.verify() for _ in range(15))

    in_threads([verifier, *[lambda: write(30)] * 3])

    assert faults == [None] * 15
    assert LedgerEntry.objects.count() == 110
