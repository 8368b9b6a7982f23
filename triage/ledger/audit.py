"""What the chain cannot say of itself: whether it is guarded, and whether it is all of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from django.db import connection
from django.db.models import Max

from triage.ledger import heads
from triage.ledger.chain import GENESIS
from triage.ledger.heads import Head, NotAHead
from triage.models import LedgerEntry

LOOKED_UP_AT_ONCE = 500
# pg_trigger.tgtype: before each row updated or deleted; before a statement that truncates.
GUARDS = {"append_only": 1 + 2 + 8 + 16, "no_truncate": 2 + 32}
INSTALLED = """
    SELECT t.tgenabled IN ('O', 'A') AND t.tgqual IS NULL, t.tgtype, p.prosrc
    FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
    WHERE t.tgrelid = %s::regclass AND t.tgname = %s
"""


@dataclass(frozen=True)
class Checked:
    """One exported line: where it stands, what it says, and what is wrong; "" if nothing."""

    place: str
    head: Head | None
    problem: str = ""


@dataclass(frozen=True)
class _Line:
    place: str
    content: bytes


# --- Guards ---------------------------------------------------------------------------------
def missing_guards() -> list[str]:
    """Triggers that do not refuse changes as they should, each as a sentence."""
    table = LedgerEntry._meta.db_table
    found = []
    for trigger in LedgerEntry._meta.triggers:  # type: ignore[attr-defined]
        name = trigger.get_pgid(LedgerEntry)
        with connection.cursor() as cursor:
            cursor.execute(INSTALLED, [table, name])
            row = cursor.fetchone()
        if row is None:
            found.append(f"the trigger {trigger.name} is missing")
        elif not row[0]:
            found.append(f"the trigger {trigger.name} is switched off")
        elif (
            row[1] != GUARDS[trigger.name] or row[2] not in trigger.compile(LedgerEntry).install_sql
        ):
            found.append(f"the trigger {trigger.name} was altered")
    return found


# --- Exported heads -------------------------------------------------------------------------
def read_public_key(path: Path) -> Ed25519PublicKey:
    """ValueError if the file is no PEM of an Ed25519 public key; OSError if it is not there."""
    try:
        public = load_pem_public_key(path.read_bytes())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ValueError(f"{path}: must be the PEM of a public key; {error}") from error
    if not isinstance(public, Ed25519PublicKey):
        raise ValueError(f"{path}: must be an Ed25519 public key, got {type(public).__name__}")
    return public


def files_of(path: Path) -> list[Path]:
    """The file itself, or those of a directory in the order of their months, which may be none."""
    return [path] if path.is_file() else sorted(path.glob(heads.FILES))


def check_heads(path: Path, *keys: Ed25519PublicKey) -> Iterator[Checked]:
    """Every head in a file or directory: signed by one of the keys, and still in the chain."""
    known = {heads.name_of(key): key for key in keys}
    lines = (line for file in files_of(path) for line in _lines(file))
    last_good = 0
    while batch := [_read(line, known) for line in islice(lines, LOOKED_UP_AT_ONCE)]:
        asked = {each.head.sequence for each in batch if each.head}
        # Before the end is looked up: it only grows.
        rows = LedgerEntry.objects.filter(sequence__in=asked)
        hashes = dict(rows.values_list("sequence", "hash")) | {0: GENESIS}
        end = LedgerEntry.objects.aggregate(end=Max("sequence"))["end"] or 0
        for each in batch:
            head = each.head
            if head is None:
                yield each
            elif problem := _problem(head, hashes.get(head.sequence), end, last_good):
                yield Checked(each.place, head, problem)
            else:
                last_good = max(last_good, head.sequence)
                yield each


def _lines(file: Path) -> Iterator[_Line]:
    with file.open("rb") as opened:
        number = 0
        while content := opened.readline(heads.LONGEST_LINE_BYTES + 2):
            number += 1
            whole = content
            while whole and not whole.endswith(b"\n"):
                whole = opened.readline(heads.LONGEST_LINE_BYTES + 2)
            yield _Line(f"{file.name}, line {number}", content.rstrip(b"\n"))


def _read(line: _Line, known: Mapping[str, Ed25519PublicKey]) -> Checked:
    try:
        head = heads.parse(line.content)
    except NotAHead as error:
        return Checked(line.place, None, f"damaged: {error}")
    key = known.get(head.key)
    if key is None:
        listed = ", ".join(sorted(known))
        return Checked(line.place, None, f"signed by the key {head.key}; known: {listed}")
    if not head.is_signed_by(key):
        return Checked(line.place, None, "forged or damaged: the signature does not fit")
    return Checked(line.place, head)


def _problem(head: Head, hash_there: str | None, end: int, last_good: int) -> str:
    if hash_there == head.hash:
        return ""
    exported = f"the head exported at {head.at} counts {head.sequence} entries"
    if hash_there is None:
        rest = f"the chain ends at {end}" if end < head.sequence else "its last one is missing"
        return f"{exported}; {rest}"
    since = min(last_good, head.sequence - 1) + 1
    return f"{exported}; their last one has another hash now: rewritten from {since} on or later"
