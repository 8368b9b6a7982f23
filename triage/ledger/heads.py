"""Signed heads: what an auditor keeps, so that a cut tail or a rewritten chain is found.

A head is one line of JSON: how many entries the ledger has, the hash of the last one, when that
was, and an Ed25519 signature over the other four values as canonical JSON (sorted keys, no
spaces). It is checked with the public key alone.
"""

import fcntl
import hashlib
import json
import logging
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from django.utils import timezone

from triage.ledger.chain import GENESIS
from triage.models import LedgerEntry, LedgerHead

logger = logging.getLogger(__name__)

EVERY_SECONDS = 3600
# After an export that failed, or while there is nothing to export.
LOOK_AGAIN_SECONDS = 300
LONGEST_LINE_BYTES = 1000
FILES = "heads-*.jsonl"
_PURPOSE = b"countersign ledger head 1"
_MOMENT = "%Y-%m-%dT%H:%M:%SZ"


class NotAHead(ValueError):
    """The line is no head; the message says what it must be."""


@dataclass(frozen=True)
class Head:
    """`at` is a UTC moment as 2026-03-02T09:30:00Z; `key` names the public key; hexadecimal."""

    sequence: int
    hash: str
    at: str
    key: str
    signature: str

    @property
    def line(self) -> str:
        return _canonical(asdict(self))

    @property
    def signed(self) -> bytes:
        """What the signature is over: all but itself."""
        content = {name: value for name, value in asdict(self).items() if name != "signature"}
        return _canonical(content).encode()

    @property
    def moment(self) -> datetime:
        return datetime.strptime(self.at, _MOMENT).replace(tzinfo=UTC)

    def is_signed_by(self, public: Ed25519PublicKey) -> bool:
        try:
            public.verify(bytes.fromhex(self.signature), self.signed)
        except InvalidSignature:
            return False
        return True


def _canonical(content: dict[str, Any]) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


def parse(line: bytes) -> Head:
    """A head from its line; NotAHead for anything else. The signature is not checked."""
    try:
        if len(line) > LONGEST_LINE_BYTES:
            raise ValueError(f"at most {LONGEST_LINE_BYTES} bytes are taken")
        head = Head(**json.loads(line))
        if type(head.sequence) is not int or head.sequence < 0:
            raise ValueError(f"sequence must be a whole number, got {head.sequence!r}")
        for name, digits in (("hash", 64), ("key", 16), ("signature", 128)):
            if not re.fullmatch(rf"[0-9a-f]{{{digits}}}", getattr(head, name)):
                raise ValueError(f"{name} must be {digits} of 0-9 and a-f")
        if head.moment.strftime(_MOMENT) != head.at:
            raise ValueError(f"at must be written like 2026-03-02T09:30:00Z, got {head.at!r}")
    except (ValueError, TypeError, RecursionError) as error:
        raise NotAHead(f"it must be the JSON of a signed head: {error}") from error
    return head


# --- Signing --------------------------------------------------------------------------------
@lru_cache(maxsize=4)
def _private(secret: str) -> Ed25519PrivateKey:
    derived = HKDF(SHA256(), 32, salt=None, info=_PURPOSE).derive(secret.encode())
    return Ed25519PrivateKey.from_private_bytes(derived)


def public_key() -> Ed25519PublicKey:
    """What this service's heads are checked with; follows from COUNTERSIGN_LEDGER_KEY."""
    return _private(settings.COUNTERSIGN_LEDGER_KEY).public_key()


def as_pem(public: Ed25519PublicKey) -> str:
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def name_of(public: Ed25519PublicKey) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of the key's 32 bytes."""
    raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return hashlib.sha256(raw).hexdigest()[:16]


def sign() -> Head:
    """The head as it is now, committed. An empty ledger has sequence 0 and a hash of zeros."""
    row = LedgerHead.objects.filter(pk=1).first() or LedgerHead(hash=GENESIS)
    at = timezone.now().astimezone(UTC).strftime(_MOMENT)
    head = Head(row.sequence, row.hash, at, name_of(public_key()), signature="")
    signature = _private(settings.COUNTERSIGN_LEDGER_KEY).sign(head.signed)
    return replace(head, signature=signature.hex())


# --- Export ---------------------------------------------------------------------------------
def directory() -> Path:
    return Path(settings.COUNTERSIGN_LEDGER_DIR)


def export() -> tuple[Head, Path]:
    """Append the head to the file of its month, flushed to disk; log it, too. May be repeated."""
    with _alone(directory()):
        return _export()


def _export() -> tuple[Head, Path]:
    head = sign()
    path = directory() / f"heads-{head.at[:7]}.jsonl"
    _append(path, f"{head.line}\n".encode())
    logger.info("ledger head %s", head.line)
    return head, path


def _append(path: Path, line: bytes) -> None:
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        size = os.fstat(file).st_size
        # A line torn by a power failure stays one line of its own.
        if size and os.pread(file, 1, size - 1) != b"\n":
            line = b"\n" + line
        if os.write(file, line) != len(line):
            raise OSError(f"{path}: the disk took only a part of the head")
        os.fsync(file)
    finally:
        os.close(file)
    if not size:
        _sync(path.parent)


def _sync(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Makes the folder where it is missing, and keeps other processes out of it meanwhile."""
    folder.mkdir(parents=True, exist_ok=True)
    opened = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield
    finally:
        os.close(opened)


def last_exported() -> Head | None:
    """The last line of the newest file; None where there is none or it is not one of ours."""
    files = sorted(directory().glob(FILES))
    lines = files[-1].read_bytes().splitlines() if files else []
    try:
        head = parse(lines[-1]) if lines else None
    except NotAHead:
        return None
    return head if head is not None and head.is_signed_by(public_key()) else None


class Exporter:
    """Exports once an hour however often, and from however many processes, it is asked.

    An unchanged ledger is exported again: a line costs 300 bytes, and an hour without one then
    always means that nobody exported. An empty ledger is not: it has nothing that could be cut.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._look_again_at = float("-inf")

    def export_if_due(self) -> Head | None:
        """The head if one was exported now. A folder that cannot be written to is logged."""
        if self._clock() < self._look_again_at:
            return None
        self._look_again_at = self._clock() + LOOK_AGAIN_SECONDS
        try:
            with _alone(directory()):
                return self._export_if_due()
        except OSError as error:
            logger.error("the ledger's head was not exported: %s", error)
            return None

    def _export_if_due(self) -> Head | None:
        before = last_exported()
        age = None if before is None else (timezone.now() - before.moment).total_seconds()
        # One from the future was written by a clock that was wrong: it must not silence us.
        if age is not None and 0 <= age < EVERY_SECONDS:
            self._look_again_at = self._clock() + EVERY_SECONDS - age
            return None
        if before is not None and not _is_in_the_chain(before):
            logger.critical(
                "The ledger was cut or rewritten: entry %s of the head exported at %s is not in "
                "it. Run verify_ledger.",
                before.sequence,
                before.at,
            )
        if before is None and not LedgerEntry.objects.exists():
            return None
        head, _ = _export()
        self._look_again_at = self._clock() + EVERY_SECONDS
        return head


def _is_in_the_chain(head: Head) -> bool:
    found = LedgerEntry.objects.filter(sequence=head.sequence, hash=head.hash)
    return head.sequence == 0 or found.exists()


_exporter = Exporter()


def export_if_due() -> None:
    """To be called every few seconds: exports the signed head once an hour."""
    _exporter.export_if_due()
