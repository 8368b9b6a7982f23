"""The record is tampered with by somebody who has the database, and found out each time."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from django.db import Error, connection, transaction

from bench.chaos.forgeries import Forgery, all_of, sql
from bench.checks import Check, Result
from bench.invariant import until_quiet
from bench.load import Sender, ticket
from bench.stack import Stack
from bench.world import new_desk
from triage import ledger
from triage.ledger import audit, heads
from triage.models import LedgerEntry, LedgerHead

SEED = 20_260_302
QUIET_SECONDS = 120.0
PLAIN_ROLE = "bench_plain"
REFUSED = ("pgtrigger: Cannot update or delete", "The ledger is append-only")
CHANGES = (
    "UPDATE triage_ledgerentry SET actor = 'user:666' WHERE sequence = 1",
    "UPDATE triage_ledgerentry SET actor = actor",
    "UPDATE triage_ledgerentry SET sequence = 1000000000 WHERE sequence = 1",
    "DELETE FROM triage_ledgerentry WHERE sequence = 1",
    "DELETE FROM triage_ledgerentry",
    "TRUNCATE triage_ledgerentry",
    "TRUNCATE triage_ledgerentry, triage_ledgerhead CASCADE",
    "WITH gone AS (DELETE FROM triage_ledgerentry RETURNING 1) SELECT count(*) FROM gone",
    "INSERT INTO triage_ledgerentry SELECT * FROM triage_ledgerentry WHERE sequence = 1 "
    "ON CONFLICT (sequence) DO UPDATE SET actor = 'user:666'",
    "MERGE INTO triage_ledgerentry a USING (SELECT 1 AS n) b ON a.sequence = b.n "
    "WHEN MATCHED THEN DELETE",
)


def tampering(stack: Stack, *, entries: int, tamperings: int) -> Result:
    """Every forgery is committed to the first entries of the real record and rolled back again."""
    stack.up()
    _work(stack, entries - LedgerEntry.objects.count())
    before = LedgerEntry.objects.count()
    found = named = tried = 0
    wrong: list[str] = []
    with transaction.atomic(), _a_record_of(entries) as exported:
        rng = Random(SEED)
        while tried < tamperings:
            for forgery in all_of(entries, rng):
                if tried == tamperings:
                    break
                tried += 1
                is_found, said = _judge(forgery, exported)
                found += is_found
                named += not said
                wrong += [f"{forgery.name}: {said}"] if said else []
        transaction.set_rollback(True)
    fault = ledger.verify()
    after = LedgerEntry.objects.count()
    return Result(
        passed=found == named == tamperings and fault is None and after >= before >= entries,
        figure=f"{found} of {tried} found, {named} with the first broken entry named; "
        f"afterwards {after:,} entries, {'broken' if fault else 'whole'}"
        + (f"; {'; '.join(wrong[:3])}" if wrong else ""),
    )


def _judge(forgery: Forgery, exported: Path) -> tuple[bool, str]:
    """Whether it was found, and what is wrong with how it was named; "" if nothing."""
    with transaction.atomic():
        forgery.commit()
        fault = ledger.verify()
        problems = [
            each.problem for each in audit.check_heads(exported, heads.public_key()) if each.problem
        ]
        transaction.set_rollback(True)
    at = None if fault is None else fault.sequence
    if at != forgery.broken_at:
        return fault is not None, f"entry {at} was named, not {forgery.broken_at}"
    if forgery.broken_at is None:
        return bool(problems), "" if problems else "no exported head found it"
    return True, ""


@contextmanager
def _a_record_of(entries: int) -> Iterator[Path]:
    """The first entries of the record alone, with heads exported half-way and at the end.

    Without triggers, in the transaction around it.
    """
    sql("SET LOCAL session_replication_role = replica")
    _cut(entries)
    last = LedgerEntry.objects.get(sequence=entries)
    half = LedgerEntry.objects.get(sequence=entries // 2)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "heads-2026-03.jsonl"
        lines = []
        for entry in (half, last):
            LedgerHead.objects.update(sequence=entry.sequence, hash=entry.hash)
            lines.append(heads.sign().line)
        path.write_text("".join(f"{line}\n" for line in lines))
        if (fault := ledger.verify()) is not None:
            raise RuntimeError(f"The record is broken before anybody touched it: {fault}")
        yield path


def _work(stack: Stack, entries: int) -> None:
    """Let the service itself write so many more entries, by proposing for tickets."""
    sender = Sender(stack.url, new_desk())
    for number in range(entries):
        sender.deliver(ticket(number))
    until_quiet(QUIET_SECONDS)


def _cut(entries: int) -> None:
    sql(f"DELETE FROM triage_ledgerentry WHERE sequence > {entries}")
    last = LedgerEntry.objects.get(sequence=entries)
    LedgerHead.objects.update(sequence=entries, hash=last.hash)


def _append() -> None:
    """One more entry, like no other."""
    have = LedgerEntry.objects.count()
    ledger.append(kind="policy", subject=f"rule:{have}", payload={"n": have, "share": 0.25})


def exported_lines(stack: Stack, *, bits: int) -> Result:
    """Single bits of an exported head are turned over; and heads of another key are offered."""
    stack.up()
    _append()
    line = bytearray(f"{heads.sign().line}\n".encode())
    places = Random(SEED).sample(range(8 * (len(line) - 1)), bits)
    missed = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "heads-2026-03.jsonl"
        for place in places:
            line[place // 8] ^= 1 << place % 8
            path.write_bytes(line)
            line[place // 8] ^= 1 << place % 8
            seen = list(audit.check_heads(path, heads.public_key()))
            if not any(each.problem for each in seen):
                missed.append(place)
        path.write_bytes(line)
        control = [each.problem for each in audit.check_heads(path, heads.public_key())]
    return Result(
        passed=not missed and control == [""],
        figure=f"{bits} bits turned over, {len(missed)} unnoticed; untouched: "
        f"{control[0] or 'holds'}",
    )


def guards(stack: Stack) -> Result:
    """The service's own role, and one that merely may do anything to the tables, try to change."""
    stack.up()
    _append()
    before = _fingerprint()
    answers = []
    with transaction.atomic():
        sql(
            f"CREATE ROLE {PLAIN_ROLE} NOSUPERUSER",
            f"GRANT ALL ON triage_ledgerentry, triage_ledgerhead TO {PLAIN_ROLE}",
        )
        for role in ("the service's own", PLAIN_ROLE):
            answers += [(role, change, _try(change, role)) for change in CHANGES]
        escape = _try("SET session_replication_role = replica", PLAIN_ROLE)
        transaction.set_rollback(True)
    let = [
        f"{change} as {role}: {said}"
        for role, change, said in answers
        if not said.startswith(REFUSED)
    ]
    missing = audit.missing_guards()
    return Result(
        passed=not let
        and not missing
        and "permission denied" in escape
        and before == _fingerprint(),
        figure=f"{len(answers) - len(let)} of {len(answers)} changes refused by the triggers"
        + (f"; not: {'; '.join(let[:3])}" if let else "")
        + (f"; {'; '.join(missing)}" if missing else ""),
    )


def _try(statement: str, role: str) -> str:
    """The first line of what the database says against it; "done" if nothing."""
    try:
        with transaction.atomic():
            if role == PLAIN_ROLE:
                sql(f"SET LOCAL ROLE {PLAIN_ROLE}")
            try:
                sql(statement)
            finally:
                transaction.set_rollback(True)
    except Error as error:
        return str(error).splitlines()[0]
    return "done"


def _fingerprint() -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT md5(string_agg(e::text, '|' ORDER BY sequence)) FROM triage_ledgerentry e"
        )
        return str(cursor.fetchone()[0])


CHECKS = [
    Check(
        "ledger tampering",
        tampering,
        full={"entries": 200, "tamperings": 200},
        small={"entries": 30, "tamperings": 70},
    ),
    Check("ledger heads forged", exported_lines, full={"bits": 2000}, small={"bits": 200}),
    Check("ledger guarded", guards),
]
