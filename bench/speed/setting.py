"""What every comparison stands on: the running service, its texts, its sizes, and peers."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.ground import PROJECT
from bench.parts import Part, program
from bench.speed.texts import Corpus
from bench.stack import Stack
from bench.world import Desk
from triage.models import ModelVersion

PEERS = PROJECT / "bench" / "peers"
PEER_SECONDS = 600.0


class BenchFailed(Exception):
    """A comparison could not be made; the message says what came instead."""


@dataclass(frozen=True)
class Sizes:
    """How much of everything; requests, tickets and seconds.

    `decided` proposals are decided by key in one round. `standing` tickets are there, with their
    proposals, when a round begins. `similar` solved ones are asked about at the end, after
    `similar_few` and `similar_recall` of them. `pages` tickets have pages that are asked for
    `pages_asked` times, against those of `pages_few`.
    """

    labels: int
    intake: int
    intake_warm: int
    drain: int
    single: int
    warm: int
    standing: int
    latency_seconds: float
    unloaded: int
    growth: int
    growth_chunk: int
    decided: int
    similar: int
    similar_recall: int
    similar_few: int
    similar_asked: int
    pages: int
    pages_few: int
    pages_asked: int


FULL = Sizes(
    labels=10_000,
    intake=6_000,
    intake_warm=400,
    drain=20_000,
    single=2_000,
    warm=300,
    standing=1_000,
    latency_seconds=20.0,
    unloaded=100,
    growth=100_000,
    growth_chunk=5_000,
    decided=50,
    similar=1_000_000,
    similar_recall=50_000,
    similar_few=10_000,
    similar_asked=400,
    pages=1_000_000,
    pages_few=10_000,
    pages_asked=60,
)
QUICK = Sizes(
    labels=400,
    intake=160,
    intake_warm=24,
    drain=120,
    single=40,
    warm=20,
    standing=20,
    latency_seconds=2.0,
    unloaded=8,
    growth=600,
    growth_chunk=200,
    decided=6,
    similar=4_000,
    similar_recall=2_000,
    similar_few=500,
    similar_asked=20,
    pages=1_000,
    pages_few=200,
    pages_asked=6,
)


@dataclass
class Setting:
    """`warmed` are children of the worker that have loaded the model."""

    stack: Stack
    desk: Desk
    model: ModelVersion
    corpus: Corpus
    sizes: Sizes
    rounds: int
    warmed: set[int] = field(default_factory=set)
    began: float = field(default_factory=time.monotonic)
    next_ticket: int = 0

    def tell(self, what: str) -> None:
        """Progress, for people, apart from the results."""
        print(f"[{time.monotonic() - self.began:6.1f} s] {what}", file=sys.stderr, flush=True)

    def take(self, count: int) -> int:
        """The first of `count` ticket numbers that nothing else has."""
        first = self.next_ticket
        self.next_ticket += count
        return first

    def part(self, name: str, command: Sequence[str], *, says: str) -> Part:
        """A peer as a process inside the service's folder, ready once it has said these words."""
        return Part(
            name,
            self.stack.folder / f"{name}.log",
            program(command, folder=self.stack.folder, environment=peer_environment()),
            lambda part: part.says(says),
        )

    def python_part(self, name: str, command: Sequence[str], *, says: str) -> Part:
        """The same for a Python module with its arguments."""
        return self.part(name, [sys.executable, "-m", *command], says=says)


def peer_environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(PROJECT)}


def run_peer(path: Path, *arguments: str, order: Mapping[str, Any], folder: Path) -> Any:
    """Run a script that reads an order from its input and answers JSON."""
    done = subprocess.run(
        [sys.executable, str(path), *arguments],
        input=json.dumps(order),
        capture_output=True,
        text=True,
        cwd=folder,
        env=peer_environment(),
        timeout=PEER_SECONDS,
    )
    if done.returncode != 0:
        raise BenchFailed(f"{path.name} ended with {done.returncode}: {done.stderr[-2000:]}")
    return json.loads(done.stdout)
