from __future__ import annotations

import csv
import gzip
import random
import tomllib
from pathlib import Path

import pytest

from triage.learning import semantic
from triage.learning.classifier import Classifier
from triage.learning.fitting import Fit, fit
from triage.learning.semantic import Files, SentenceEncoder
from triage.learning.text import document
from triage.learning.vectors import Remembering

ROOT = Path(__file__).resolve().parents[2]
# Tickets of these files are there to be recognised as unusual, not to be learnt.
NOT_A_CATEGORY = {"out_of_scope", "outage"}

Tickets = tuple[list[str], list[str]]


@pytest.fixture(scope="session")
def demo() -> Tickets:
    """Documents and categories of the hand-written tickets."""
    texts, labels = [], []
    for path in sorted((ROOT / "triage/demo/tickets").glob("*.toml")):
        if path.stem in NOT_A_CATEGORY:
            continue
        for ticket in tomllib.loads(path.read_text(encoding="utf-8"))["ticket"]:
            texts.append(document(ticket["subject"], ticket["body"]))
            labels.append(path.stem)
    if len(texts) < 200:
        pytest.skip(f"needs the demo tickets, found {len(texts)}")
    return texts, labels


@pytest.fixture(scope="session")
def demo_parts(demo: Tickets) -> tuple[Tickets, Tickets]:
    """Three quarters to train on, one quarter held out."""
    order = random.Random(7).sample(range(len(demo[0])), len(demo[0]))
    cut = len(order) * 3 // 4

    def part(rows: list[int]) -> Tickets:
        return [demo[0][row] for row in rows], [demo[1][row] for row in rows]

    return part(order[:cut]), part(order[cut:])


@pytest.fixture(scope="session")
def demo_classifier(demo_parts: tuple[Tickets, Tickets]) -> Classifier:
    return fit(*demo_parts[0], seed=1).classifier


@pytest.fixture(scope="session")
def real_parts(shared_data: Path) -> tuple[Tickets, Tickets]:
    """6,000 real tickets at random: 4,800 to train on, 1,200 held out."""
    with gzip.open(shared_data / "it-service-tickets/tickets.csv.gz", "rt", newline="") as lines:
        rows = list(csv.DictReader(lines))
    drawn = random.Random(3).sample(rows, 6_000)
    texts, labels = [row["text"] for row in drawn], [row["topic"] for row in drawn]
    return (texts[:4_800], labels[:4_800]), (texts[4_800:], labels[4_800:])


@pytest.fixture(scope="session")
def real_classifier(real_parts: tuple[Tickets, Tickets]) -> Classifier:
    return fit(*real_parts[0], seed=1).classifier


@pytest.fixture(scope="session")
def wheel() -> Files:
    """The files of the wheels, which the set-up for tests installs."""
    files = semantic.files_of_wheel()
    assert files is not None, "requirements-semantic.txt is not installed; run: make setup"
    return files


@pytest.fixture(scope="session")
def encoder(wheel: Files) -> SentenceEncoder:
    return semantic.load(wheel)


@pytest.fixture(scope="session")
def remembering(encoder: SentenceEncoder) -> Remembering:
    """The same, for tests that ask for the same texts again."""
    return Remembering(encoder)


@pytest.fixture(scope="session")
def two_tiers(real_parts: tuple[Tickets, Tickets], remembering: Remembering) -> Fit:
    """On 2,000 of the real tickets, because each costs some 10 ms to encode."""
    texts, labels = real_parts[0]
    return fit(texts[:2_000], labels[:2_000], seed=1, encoder=remembering)
