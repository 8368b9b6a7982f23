"""Files that must never be loaded as a model, made from one that may be."""

import io
import json
import pickle
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import joblib
import numpy as np
import sklearn

from triage.learning import artefacts

OTHER_KEY = b"the key of somebody else's service"
SEED = 20_260_302


class Trap:
    """What runs when it is unpickled leaves a file behind, by which it is found out."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Path.touch, (self.canary,)


def flipped(good: bytes, flips: int) -> Iterator[tuple[str, bytes]]:
    """One bit turned over in each: every bit of the head first, then places all over the rest."""
    rng = Random(SEED)
    head = 8 * artefacts._HEAD.size
    places = list(range(head)) if flips > 2 * head else rng.sample(range(head), flips // 4)
    left = flips - len(places)
    stretch = (8 * len(good) - head) / left
    places += [head + int((n + rng.random()) * stretch) for n in range(left)]
    for place in places:
        content = bytearray(good)
        content[place // 8] ^= 1 << place % 8
        yield f"bit {place} turned over", bytes(content)


def sealed(rest: bytes, key: bytes, *, version: int = artefacts.FORMAT) -> bytes:
    """A whole file around what follows the head, rightly sealed with the key."""
    seal = artefacts._seal(version, rest, key)
    return artefacts._HEAD.pack(artefacts._MAGIC, version, seal) + rest


def bad_files(good: bytes, key: bytes, canary: Path) -> Iterator[tuple[str, bytes]]:
    """Each with what it is. Those that carry a right seal are what the key's owner could make."""
    rest = good[artefacts._HEAD.size :]
    version = rest[: 1 + rest[0]]
    for length in (0, 1, 41, 42, 43, len(good) // 2, len(good) - 1):
        yield f"cut after {length} bytes", good[:length]
    yield "a byte more", good + b"\0"
    yield "sealed with another key", sealed(rest, OTHER_KEY)
    for number in (0, artefacts.FORMAT + 1, 0xFFFF):
        yield f"format {number}, rightly sealed", sealed(rest, key, version=number)
        relabelled = struct.pack(">8sH", artefacts._MAGIC, number) + good[10:]
        yield f"format {number} written over", relabelled
    other = sklearn.__version__.replace("1.", "0.", 1).encode()
    yield (
        "another scikit-learn, sealed",
        sealed(bytes([len(other)]) + other + rest[len(version) :], key),
    )
    yield from _pickles(rest[len(version) :], version, key, canary)


def _pickles(
    archive: bytes, version: bytes, key: bytes, canary: Path
) -> Iterator[tuple[str, bytes]]:
    trap = pickle.dumps(Trap(canary))
    written = io.BytesIO()
    joblib.dump(Trap(canary), written)
    arrays = io.BytesIO()
    np.save(arrays, np.array([Trap(canary)], dtype=object), allow_pickle=True)
    yield "a pickle", trap
    yield "a pickle behind our mark", artefacts._MAGIC + trap
    for name, content in (("pickle", trap), ("joblib file", written.getvalue())):
        yield f"a {name} behind a head, unsealed", artefacts._MAGIC + bytes(34) + content
        yield f"a {name}, sealed", sealed(version + content, key)
    yield (
        "an array of objects, sealed",
        sealed(version + _with_array(archive, arrays.getvalue()), key),
    )
    for module, name in (("posix", "system"), ("builtins", "eval"), ("operator", "methodcaller")):
        asks = _asking_for(archive, module, name)
        yield f"an archive that asks for {module}.{name}, sealed", sealed(version + asks, key)


def _with_array(archive: bytes, array: bytes) -> bytes:
    """The archive with the array in the place of each of its own."""
    return _rewritten(archive, lambda name, old: array if name.endswith(".npy") else old)


def _asking_for(archive: bytes, module: str, name: str) -> bytes:
    def edit(file: str, old: bytes) -> bytes:
        if file != "schema.json":
            return old
        schema = json.loads(old)
        schema["content"]["forged"] = {
            "__class__": name,
            "__module__": module,
            "__loader__": "FunctionNode",
            "__id__": 1,
            "content": name,
        }
        return json.dumps(schema).encode()

    return _rewritten(archive, edit)


def _rewritten(archive: bytes, edit: Callable[[str, bytes], bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(made, "w") as new:
        for name in old.namelist():
            new.writestr(name, edit(name, old.read(name)))
    if made.getvalue() == archive:
        raise ValueError("The archive has nothing to forge.")
    return made.getvalue()
