"""What was exported finds what the chain cannot say of itself; only the right key can export."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import time_machine
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client, override_settings

from tests.triage.api.conftest import with_token
from tests.triage.test_ledger import tamper, write
from triage import ledger
from triage.ledger import audit, heads
from triage.ledger.audit import read_public_key as read
from triage.models import LedgerEntry, LedgerHead

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Any) -> Path:
    """Where heads are exported to; it is not there yet."""
    settings.COUNTERSIGN_LEDGER_DIR = tmp_path / "ledger"
    return tmp_path / "ledger"


def verified(**options: Any) -> str:
    out = StringIO()
    call_command("verify_ledger", stdout=out, **options)
    return out.getvalue()


def faults(**options: Any) -> list[str]:
    with pytest.raises(CommandError) as caught:
        verified(**options)
    return str(caught.value).splitlines()


def rewrite(first: int) -> None:
    """Change an entry and make every later hash and the head fit, as a careful forger would."""
    previous = ledger.GENESIS
    statements = []
    for entry in LedgerEntry.objects.order_by("sequence"):
        if entry.sequence == first:
            entry.actor = "user:666"
        entry.previous, entry.hash = previous, ""
        entry.hash = previous = ledger.digest(entry)
        statements.append(
            f"UPDATE triage_ledgerentry SET actor = '{entry.actor}', previous = "
            f"'{entry.previous}', hash = '{entry.hash}' WHERE sequence = {entry.sequence}"
        )
    tamper(*statements, f"UPDATE triage_ledgerhead SET hash = '{previous}'")


def cut(last: int) -> None:
    """Leave the first entries only, the head fitting them."""
    entry = LedgerEntry.objects.get(sequence=last)
    tamper(
        f"DELETE FROM triage_ledgerentry WHERE sequence > {last}",
        f"UPDATE triage_ledgerhead SET sequence = {last}, hash = '{entry.hash}'",
    )


# --- What is found --------------------------------------------------------------------------
def test_heads_of_an_untouched_ledger_hold(folder: Path) -> None:
    write(3)
    heads.export()
    write(2)
    heads.export()

    said = verified()

    assert "Ledger holds: 5 entries." in said
    assert "2 of 2 exported heads are in it; the last one that is counts 5 entries" in said


def test_without_any_exported_head_it_says_what_would_not_be_found() -> None:
    write(1)

    assert "a cut tail would not be found" in verified()


@time_machine.travel(NOON, tick=False)
def test_a_tail_that_was_cut_together_with_the_head_is_found() -> None:
    write(5)
    heads.export()
    cut(3)

    assert ledger.verify() is None
    assert faults() == [
        "heads-2026-03.jsonl, line 1: the head exported at 2026-03-02T12:00:00Z counts 5 entries; "
        "the chain ends at 3."
    ]


def test_an_emptied_ledger_is_found() -> None:
    write(2)
    heads.export()
    tamper("DELETE FROM triage_ledgerentry", "DELETE FROM triage_ledgerhead")

    assert ledger.verify() is None
    assert "counts 2 entries; the chain ends at 0" in faults()[0]


def test_a_chain_that_was_rewritten_as_a_whole_is_found_and_narrowed_down() -> None:
    for _ in range(3):
        write(2)
        heads.export()
    rewrite(4)

    assert ledger.verify() is None
    found = faults()
    assert [line.partition(":")[0].rpartition(" ")[2] for line in found] == ["2", "3"]
    assert "counts 4 entries; their last one has another hash now: rewritten from 3" in found[0]


def test_a_tail_that_was_cut_and_has_grown_again_is_found() -> None:
    write(5)
    heads.export()
    cut(3)
    write(9)

    assert ledger.verify() is None
    assert "counts 5 entries; their last one has another hash now" in faults()[0]


def test_a_broken_chain_is_named_before_the_heads_that_it_broke() -> None:
    write(5)
    heads.export()
    tamper("DELETE FROM triage_ledgerentry WHERE sequence IN (2, 5)")

    found = faults()

    assert found[0] == "Ledger broken at entry 2: entry 2 is missing: 3 comes next."
    assert "counts 5 entries; the chain ends at 4" in found[1]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda line: line.replace(b'"sequence":3', b'"sequence":2'), "forged or damaged"),
        (lambda line: line[:40], "damaged"),
        (lambda line: b"", "damaged"),
        (lambda line: b"\xff" + line, "damaged"),
        (lambda line: b"[" * 900, "damaged"),
        (lambda line: line.replace(b"Z", b""), "damaged"),
        (lambda line: line.replace(b"}", b',"more":1}'), "damaged"),
        (lambda line: line + b" " * 5000, "damaged"),
        (lambda line: line.replace(b'"hash":"', b'"hash":" '), "damaged"),
        (lambda line: line.replace(b'"sequence":3', b'"sequence":true'), "damaged"),
    ],
)
def test_a_line_that_was_changed_is_named_by_file_and_line(
    folder: Path, change: Callable[[bytes], bytes], said: str
) -> None:
    write(3)
    for _ in range(3):
        _, path = heads.export()
    lines = path.read_bytes().splitlines()
    path.write_bytes(b"\n".join([lines[0], change(lines[1]), lines[2]]) + b"\n")

    found = faults()

    assert len(found) == 1
    assert found[0].startswith(f"{path.name}, line 2: {said}")


def test_no_single_bit_of_a_line_can_change_unnoticed(folder: Path) -> None:
    write(1)
    _, path = heads.export()
    line = path.read_bytes()

    for bit in range(8 * (len(line) - 1)):
        changed = bytearray(line)
        changed[bit // 8] ^= 1 << bit % 8
        path.write_bytes(changed)
        seen = list(audit.check_heads(path, heads.public_key()))
        assert any(each.problem for each in seen), bit

    path.write_bytes(line)
    assert [each.problem for each in audit.check_heads(path, heads.public_key())] == [""]


def test_a_head_signed_by_another_key_is_refused_until_its_key_is_named(tmp_path: Path) -> None:
    write(2)
    with override_settings(COUNTERSIGN_LEDGER_KEY="the key that was used until last year, long"):
        heads.export()
        old = tmp_path / "old.pem"
        call_command("export_ledger_head", public_key=True, stdout=(out := StringIO()))
        old.write_text(out.getvalue())
    heads.export()
    new = tmp_path / "new.pem"
    new.write_text(heads.as_pem(heads.public_key()))

    assert "line 1: signed by the key " in faults()[0]
    assert "line 2: signed by the key " in faults(public_key=[read(old)])[0]
    assert "2 of 2" in verified(public_key=[read(old), read(new)])


def test_an_auditor_needs_the_public_key_alone(tmp_path: Path) -> None:
    write(2)
    head = json.loads(heads.sign().line)
    public = load_pem_public_key(heads.as_pem(heads.public_key()).encode())

    signature = bytes.fromhex(head.pop("signature"))

    public.verify(signature, json.dumps(head, sort_keys=True, separators=(",", ":")).encode())  # type: ignore[union-attr, call-arg]
    assert head["sequence"] == 2
    assert head["hash"] == LedgerEntry.objects.get(sequence=2).hash


@pytest.mark.parametrize(
    "content", ["", "nonsense", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"]
)
def test_a_public_key_that_is_none_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "key.pem"
    path.write_text(content)

    with pytest.raises(CommandError, match="must be the PEM of a public key"):
        call_command("verify_ledger", "--public-key", str(path))


def test_heads_that_are_not_where_they_are_said_to_be_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="There is no file or directory"):
        call_command("verify_ledger", "--heads", str(tmp_path / "none"))


# --- For programs ---------------------------------------------------------------------------
def test_an_auditor_reads_a_head_that_verifies_as_it_is(auditor: User, tmp_path: Path) -> None:
    write(4)
    answer = with_token(auditor).get("/api/v1/ledger/head/")
    kept = tmp_path / "kept.jsonl"
    kept.write_bytes(answer.content)

    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    assert answer.json()["sequence"] == 4
    assert "1 of 1 exported heads are in it" in verified(heads=kept)
    cut(2)
    assert "counts 4 entries; the chain ends at 2" in faults(heads=kept)[0]


def test_the_head_of_an_empty_ledger_is_zero(auditor: User) -> None:
    assert not LedgerHead.objects.exists()

    answer = with_token(auditor).get("/api/v1/ledger/head/").json()

    assert (answer["sequence"], answer["hash"]) == (0, ledger.GENESIS)


def test_the_head_is_for_those_who_may_read_the_ledger(technician: User, client: Client) -> None:
    assert client.get("/api/v1/ledger/head/").status_code == 401
    assert with_token(technician).get("/api/v1/ledger/head/").status_code == 403


def test_signing_and_verifying_only_read() -> None:
    write(3)
    heads.export()

    with connection.execute_wrapper(_only_reads):
        heads.sign()
        verified()


def _only_reads(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    assert sql.lstrip().startswith("SELECT"), sql
    return execute(sql, params, many, context)
