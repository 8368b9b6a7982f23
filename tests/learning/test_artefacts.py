from __future__ import annotations

import hashlib
import os
import pickle
import random
from pathlib import Path

import pytest
import sklearn
import skops.io
from sklearn.linear_model import LogisticRegression

from triage.learning import artefacts
from triage.learning.artefacts import ArtefactRefused
from triage.learning.classifier import Classifier
from triage.learning.fitting import fit

KEY = b"0123456789abcdef0123456789abcdef"
TEXTS = [f"the {topic} is broken in room {n}" for topic in ("printer", "vpn") for n in range(6)]


@pytest.fixture(scope="module")
def small() -> Classifier:
    return fit(TEXTS, ["hardware"] * 6 + ["network"] * 6, seed=0).classifier


@pytest.fixture
def saved(small: Classifier, tmp_path: Path) -> Path:
    path = tmp_path / "models" / "category.model"
    artefacts.save(small, path, KEY)
    return path


def seal(path: Path, payload: bytes, version: str = sklearn.__version__) -> None:
    """A file that carries our own valid seal, whatever it holds."""
    rest = bytes([len(version)]) + version.encode() + payload
    sealed = artefacts._seal(artefacts.FORMAT, rest, KEY)
    head = artefacts._HEAD.pack(artefacts._MAGIC, artefacts.FORMAT, sealed)
    path.write_bytes(head + rest)


def test_a_round_trip_gives_identical_answers(small: Classifier, saved: Path) -> None:
    before, after = small.predict(TEXTS), artefacts.load(saved, KEY).predict(TEXTS)
    assert (before.probabilities == after.probabilities).all()
    assert (before.in_scope == after.in_scope).all()
    assert before.classes == after.classes


def test_the_manifest_describes_the_file_and_nothing_else_is_left(
    small: Classifier, tmp_path: Path
) -> None:
    path = tmp_path / "category.model"
    path.write_bytes(b"an older version")
    manifest = artefacts.save(small, path, KEY)
    assert manifest.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert manifest.bytes == path.stat().st_size
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_save_leaves_the_old_file_and_no_rest(
    small: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "category.model"
    path.write_bytes(b"an older version")

    def full(descriptor: int) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        artefacts.save(small, path, KEY)
    assert path.read_bytes() == b"an older version"
    assert list(tmp_path.iterdir()) == [path]


def test_another_key_is_refused(saved: Path) -> None:
    with pytest.raises(ArtefactRefused, match=r"category\.model: the HMAC-SHA256 must match"):
        artefacts.load(saved, b"f" * 32)


def test_another_file_of_ours_is_refused_where_one_was_named(
    small: Classifier, tmp_path: Path, saved: Path
) -> None:
    older = tmp_path / "older.model"
    mine = artefacts.save(small, older, KEY)
    wanted = hashlib.sha256(saved.read_bytes()).hexdigest()
    assert mine.sha256 != wanted
    saved.write_bytes(older.read_bytes())

    with pytest.raises(ArtefactRefused, match=rf"the SHA-256 must be {wanted[:12]}"):
        artefacts.load(saved, KEY, sha256=wanted)

    assert artefacts.load(saved, KEY, sha256=mine.sha256).classes_ == small.classes_


def test_two_hundred_flipped_bits_never_load(saved: Path) -> None:
    content = saved.read_bytes()
    rng = random.Random(11)
    places = [*range(artefacts._HEAD.size * 8)][:: artefacts._HEAD.size * 8 // 60]
    places += [rng.randrange(len(content) * 8) for _ in range(200 - len(places))]
    for place in places:
        flipped = bytearray(content)
        flipped[place // 8] ^= 1 << place % 8
        saved.write_bytes(flipped)
        with pytest.raises(ArtefactRefused):
            artefacts.load(saved, KEY)


@pytest.mark.parametrize("length", [0, 7, 42, 43, 500])
def test_a_cut_file_is_refused(saved: Path, length: int) -> None:
    saved.write_bytes(saved.read_bytes()[:length])
    with pytest.raises(ArtefactRefused):
        artefacts.load(saved, KEY)


class Bomb:
    def __init__(self, witness: Path) -> None:
        self.witness = witness

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.witness,))


def test_a_pickle_is_never_opened_bare_or_sealed(tmp_path: Path) -> None:
    path, witness = tmp_path / "category.model", tmp_path / "witness"
    path.write_bytes(pickle.dumps(Bomb(witness)))
    with pytest.raises(ArtefactRefused, match="must begin with"):
        artefacts.load(path, KEY)
    seal(path, pickle.dumps(Bomb(witness)))
    with pytest.raises(ArtefactRefused, match="must be a skops archive"):
        artefacts.load(path, KEY)
    assert not witness.exists()


def test_types_that_are_not_allowed_are_refused_even_under_our_own_seal(tmp_path: Path) -> None:
    path = tmp_path / "category.model"
    seal(path, skops.io.dumps({"classes": ["a", "b"], "weights": LogisticRegression()}))
    with pytest.raises(ArtefactRefused, match="LogisticRegression"):
        artefacts.load(path, KEY)


def test_something_else_under_our_own_seal_is_refused(small: Classifier, tmp_path: Path) -> None:
    path = tmp_path / "category.model"
    seal(path, skops.io.dumps(["a", "list"]))
    with pytest.raises(ArtefactRefused, match="must be a classifier"):
        artefacts.load(path, KEY)
    seal(path, skops.io.dumps({**small.state(), "classes": ["a", "b", "c"]}))
    with pytest.raises(ArtefactRefused, match="weights must have shape"):
        artefacts.load(path, KEY)


def test_another_format_is_refused(
    small: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "category.model"
    monkeypatch.setattr(artefacts, "FORMAT", 1)
    artefacts.save(small, path, KEY)
    monkeypatch.undo()
    with pytest.raises(ArtefactRefused, match="the format must be 2, got 1"):
        artefacts.load(path, KEY)


def test_another_scikit_learn_is_refused(small: Classifier, tmp_path: Path) -> None:
    path = tmp_path / "category.model"
    seal(path, skops.io.dumps(small.state()), version="1.4.2")
    with pytest.raises(ArtefactRefused, match=r"this one comes from 1\.4\.2"):
        artefacts.load(path, KEY)


def test_a_missing_file_and_a_short_key_are_refused(small: Classifier, tmp_path: Path) -> None:
    with pytest.raises(ArtefactRefused, match="must be a readable file"):
        artefacts.load(tmp_path / "nothing", KEY)
    with pytest.raises(ValueError, match="at least 16 bytes, got 5"):
        artefacts.save(small, tmp_path / "category.model", b"short")
