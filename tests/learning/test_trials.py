"""The parts of `manage.py evaluate`: splits, vectors made once, speeds in turn, the share asked."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from triage.learning.second import Vectors
from triage.trials import speeds
from triage.trials.datasets import Dataset, published
from triage.trials.encoding import MadeOnce
from triage.trials.peers import BARE, BASELINES, probabilities
from triage.trials.splits import How, split
from triage.trials.tables import Columns, TrialRefused, read
from triage.trials.trial import Answers, Trial

PROJECT = Path(__file__).resolve().parents[2]
# Straight from the system: an array may be given memory that the process holds already.
HELD = """
from mmap import mmap
from triage.trials.machine import peak

with peak() as small:
    pass
with peak() as large, mmap(-1, 64 << 20) as fresh:
    for _ in range(64):
        fresh.write(b"x" * (1 << 20))
print(small.mb, large.mb)
"""
TEN = Dataset("ten", "ten", [f"text {n}" for n in range(10)], ["a", "b"] * 5)


def test_a_random_split_has_every_label_alike_and_hangs_on_the_seed() -> None:
    parts = split(TEN, None, seed=1)

    assert sorted([*parts.train[0], *parts.test[0]]) == TEN.texts
    assert sorted(parts.test[1]) == ["a", "b"]
    assert split(TEN, How.RANDOM, seed=1).test == parts.test
    assert any(split(TEN, How.RANDOM, seed=seed).test != parts.test for seed in range(2, 6))


def test_a_split_by_time_leaves_what_lies_between_out() -> None:
    parts = split(TEN, How.TIME, seed=0)

    assert parts.train[0] == TEN.texts[:6]
    assert parts.test[0] == TEN.texts[8:]
    assert parts.said == "by time: the first 60 % to train on, the last 20 % held out"


def test_a_set_that_was_divided_keeps_its_parts_when_it_is_limited() -> None:
    whole = Dataset("x", "x", [str(n) for n in range(100)], ["a", "b"] * 50, 80, ["s"] * 20)
    fewer = whole.limited(50, seed=0)
    parts = split(fewer, None, seed=0)

    assert len(fewer.texts) == 50
    assert len(fewer.strange) == 10
    assert max(map(int, parts.train[0])) < 80 <= min(map(int, parts.test[0]))
    assert fewer.notes == ["Only 50 of 100 texts are used (--limit)."]
    assert whole.limited(100, seed=0) is whole


def test_dates_and_numbers_order_rows_and_anything_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    columns = Columns("t", "l", "at")
    path.write_text("t,l,at\nc,x,2026-03-02T10:00+02:00\na,x,2026-03-01\nb,x,2026-03-02T07:59\n")
    assert read(path, columns).texts == ["a", "b", "c"]
    path.write_text("t,l,at\nb,x,10\na,x,9\n")
    assert read(path, columns).texts == ["a", "b"]
    path.write_text("t,l,at\nb,x,2026-03-01\na,x,1.3.2026\n")
    with pytest.raises(TrialRefused, match=r"got '1.3.2026'"):
        read(path, columns)


def test_the_published_sets_have_the_sizes_that_are_published(shared_data: Path) -> None:
    clinc, banking = (published(name, shared_data) for name in ("clinc150", "banking77"))

    assert (clinc.official, len(clinc.texts), len(clinc.strange)) == (15_000, 19_500, 1_000)
    assert (banking.official, len(banking.texts)) == (10_003, 13_083)
    assert len(set(clinc.labels)) == 150
    assert not set(clinc.labels) & {"oos"}


class Counting:
    """An encoder that says how often it was asked for each text."""

    sha256 = "0" * 64

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        return np.array([[len(text), 0.1] for text in texts], dtype=np.float32)


def test_a_vector_is_made_once_and_kept_in_half_precision() -> None:
    bare = Counting()
    remembering = MadeOnce(bare)
    done: list[int] = []

    remembering.learn(["a", "bb", "a"], done.append)
    vectors = remembering.encode(["bb", "a", "ccc"])

    assert bare.asked == ["a", "bb", "ccc"]
    assert vectors[:, 0].tolist() == [2, 1, 3]
    assert vectors[0, 1] == np.float32(np.float16(0.1))
    assert done == [3]
    assert not remembering.lacks(["a", "ccc"])
    assert remembering.seconds(["a", "bb"]) > 0
    assert remembering.seconds(["unknown"]) == 0


def test_every_round_has_texts_of_its_own_as_far_as_they_go() -> None:
    assert speeds.rounds(["a", "b", "c", "d", "e"], 2, 3) == [["a", "b"], ["c", "d"], ["e", "a"]]
    assert speeds.rounds(["a"], 5, 2) == [["a"], ["a"]]


def test_sides_take_turns_and_all_answer_the_same_texts() -> None:
    calls: list[tuple[str, int]] = []
    sides = {name: lambda texts, name=name: calls.append((name, len(texts))) for name in "xy"}

    found = speeds.in_turn(sides, [["a", "b"], ["c", "d"]], singly=False, done=lambda: None)
    assert calls[2:] == [("x", 2), ("y", 2), ("y", 2), ("x", 2)]
    assert all(len(rounds) == 2 and min(rounds) > 0 for rounds in found.values())

    calls.clear()
    speeds.in_turn(sides, [["a", "b"]], singly=True, done=lambda: None)
    assert calls[2:] == [("x", 1), ("x", 1), ("y", 1), ("y", 1)]


def test_a_ratio_is_the_median_of_the_rounds() -> None:
    assert speeds.ratio([10, 30, 100], [10, 10, 10]) == 3
    assert speeds.typical([1, 9, 2]) == 2


@pytest.mark.parametrize("peer", [*BASELINES, BARE], ids=lambda peer: peer.key)
@pytest.mark.parametrize("labels", [["a", "b"] * 5, ["a", "b", "c", "a", "b"] * 2])
def test_peers_answer_with_rows_that_sum_to_one(peer, labels) -> None:  # type: ignore[no-untyped-def]
    texts = [f"{label * 4} something" for label in labels]
    model = peer.make(len(texts), 0).fit(texts, labels)
    said = probabilities(model, texts)

    assert said.shape == (10, len(set(labels)))
    assert said.sum(axis=1) == pytest.approx(1)
    assert [model.classes_[best] for best in said.argmax(axis=1)] == labels


def test_accuracy_as_more_is_asked_of_the_second_tier_by_hand() -> None:
    # Least sure first: the strange text, then .5, .6, .9. The first tier is right on the last two.
    first = np.array([[0.9, 0.1], [0.6, 0.4], [0.5, 0.5], [0.99, 0.01]])
    second = np.array([[0.9, 0.1], [0.1, 0.9], [0.1, 0.9], [0.1, 0.9]])
    usual = np.array([0.5, 0.5, 0.5, 0.001])
    truth = np.array([0, 0, 1, 1])
    answers = {"first": Answers(first, usual), "second": Answers(second, usual)}

    shares, accuracies = Trial({}, answers, ["a", "b"], truth).by_share_asked()

    assert shares.tolist() == [0, 0.25, 0.5, 0.75, 1]
    # Nothing asked 2 right; the strange one mended 3; .5 mended 4; .6 spoilt 3; .9 as before.
    assert accuracies.tolist() == [0.5, 0.75, 1, 0.75, 0.75]


def test_the_peak_of_memory_is_that_of_the_work() -> None:
    # A process of its own: what other tests here held and let go of would blur the mark.
    done = subprocess.run(
        [sys.executable, "-c", HELD], capture_output=True, text=True, check=True, cwd=PROJECT
    )
    small, large = map(float, done.stdout.split())

    assert 10 < small < large - 40
    assert large < small + 120
