"""Classifiers as files that are read only if we wrote them.

Layout: b"CSMODEL\\0", format (2 bytes, big-endian), HMAC-SHA256 (32 bytes) over the magic, the
format and all that follows; then the scikit-learn version (1 byte length, ASCII) and a skops
archive of arrays, strings and lists.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import os
import struct
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sklearn
import skops.io

from triage.learning.classifier import Classifier

FORMAT = 2
MAX_BYTES = 1 << 30

_MAGIC = b"CSMODEL\0"
_HEAD = struct.Struct(">8sH32s")
_SHORTEST_KEY = 16
# Narrower than what skops trusts by itself: no estimator and no function at all.
_ALLOWED = frozenset({"builtins.dict", "builtins.list", "builtins.str", "numpy.ndarray"})


class ArtefactRefused(Exception):
    """The file was not loaded; the message names the file, the rule and what came."""


@dataclass(frozen=True)
class Manifest:
    """What a saved file must still be: its SHA-256 (hex) and its size in bytes."""

    sha256: str
    bytes: int


def save(classifier: Classifier, path: Path, key: bytes) -> Manifest:
    """Write beside, flush to disk, rename: readers see the old file or the whole new one.

    Raises ValueError where the key is shorter than 16 bytes.
    """
    _check_key(key)
    version = sklearn.__version__.encode("ascii")
    rest = bytes([len(version)]) + version + skops.io.dumps(classifier.state())
    content = _HEAD.pack(_MAGIC, FORMAT, _seal(FORMAT, rest, key)) + rest
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as beside:
        try:
            beside.write(content)
            beside.flush()
            os.fsync(beside.fileno())
            Path(beside.name).replace(path)
        except BaseException:
            Path(beside.name).unlink(missing_ok=True)
            raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return Manifest(hashlib.sha256(content).hexdigest(), len(content))


def load(path: Path, key: bytes, *, sha256: str | None = None) -> Classifier:
    """Read a file that `save` wrote with this key, by this scikit-learn version.

    With `sha256` (hex) it must be that very file: another of ours is sealed as well.

    Raises
    ------
    ArtefactRefused
        For any other file. Nothing is parsed before the HMAC is found right.
    ValueError
        If the key is shorter than 16 bytes.
    """
    _check_key(key)
    content = _content(path)
    rest = _authentic(path, content, key)
    came = hashlib.sha256(content).hexdigest()
    if sha256 is not None and came != sha256:
        raise ArtefactRefused(
            f"{path}: the SHA-256 must be {sha256[:12]}..., as when it was saved, got "
            f"{came[:12]}.... Another model's file was put in its place."
        )
    version = rest[1 : 1 + rest[0]].decode("ascii", "replace")
    if version != sklearn.__version__:
        raise ArtefactRefused(
            f"{path}: a model must come from the scikit-learn in use, {sklearn.__version__}; "
            f"this one comes from {version}. Train it again."
        )
    try:
        return Classifier.from_state(_unpacked(path, rest[1 + rest[0] :]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ArtefactRefused(f"{path}: the content must be a classifier; {error!r}.") from error


def _check_key(key: bytes) -> None:
    if len(key) < _SHORTEST_KEY:
        raise ValueError(f"A model key must have at least {_SHORTEST_KEY} bytes, got {len(key)}.")


def _content(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise ArtefactRefused(f"{path}: a model must be at most {MAX_BYTES} bytes, got {size}.")
        return path.read_bytes()
    except OSError as error:
        raise ArtefactRefused(f"{path}: a model must be a readable file; {error}.") from error


def _authentic(path: Path, content: bytes, key: bytes) -> bytes:
    """What follows the head, once magic, format and HMAC are found right."""
    if len(content) <= _HEAD.size or not content.startswith(_MAGIC):
        raise ArtefactRefused(
            f"{path}: a model must begin with {_MAGIC!r}, got {content[:8]!r} "
            f"in {len(content)} bytes."
        )
    _, version, seal = _HEAD.unpack_from(content)
    if version != FORMAT:
        raise ArtefactRefused(f"{path}: the format must be {FORMAT}, got {version}.")
    rest = content[_HEAD.size :]
    if not hmac.compare_digest(seal, _seal(version, rest, key)):
        raise ArtefactRefused(
            f"{path}: the HMAC-SHA256 must match the content and this service's key; "
            f"{seal.hex()[:12]}... does not. The file was changed or sealed with another key."
        )
    return rest


def _seal(version: int, rest: bytes, key: bytes) -> bytes:
    seal = hmac.new(key, struct.pack(">8sH", _MAGIC, version), hashlib.sha256)
    seal.update(rest)
    return seal.digest()


def _unpacked(path: Path, archive: bytes) -> dict[str, Any]:
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as zipped:
            schema = json.loads(zipped.read("schema.json"))
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise ArtefactRefused(f"{path}: the content must be a skops archive; {error}.") from error
    foreign = set(_types(schema)) - _ALLOWED
    if foreign:
        raise ArtefactRefused(
            f"{path}: a model may hold {', '.join(sorted(_ALLOWED))} only, "
            f"got {', '.join(sorted(foreign))}."
        )
    state: dict[str, Any] = skops.io.loads(archive, trusted=[])
    return state


def _types(node: Any) -> Iterator[str]:
    """Names of all types that a skops schema asks for, however deep."""
    if isinstance(node, dict):
        if "__class__" in node:
            yield f"{node.get('__module__')}.{node['__class__']}"
        for inner in node.values():
            yield from _types(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _types(inner)
