"""What `make evaluate` runs, and what it is to reach."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from triage.trials import trial
from triage.trials.datasets import published
from triage.trials.encoding import MadeOnce
from triage.trials.progress import Bars
from triage.trials.report import Figures
from triage.trials.splits import How, split
from triage.trials.trial import Trial


@dataclass(frozen=True)
class Entry:
    """One set, split one way, once for each seed. The first seed is drawn and timed as well."""

    dataset: str
    how: How
    seeds: Sequence[int] = (0,)

    @property
    def key(self) -> str:
        return f"{self.dataset}-{self.how}"


# The quick ones first.
SUITE = (
    Entry("banking77", How.OFFICIAL),
    Entry("clinc150", How.OFFICIAL),
    Entry("it", How.RANDOM, range(5)),
    Entry("it", How.TIME),
)


@dataclass(frozen=True)
class Wanted:
    """What a figure of an entry, found by its keys in JSON, is to be at least, or at most."""

    entry: str
    name: str
    keys: Sequence[str]
    bound: float | None
    at_most: bool = False

    def is_met(self, value: float) -> bool:
        if self.bound is None:
            return True
        return value <= self.bound if self.at_most else value >= self.bound

    def __str__(self) -> str:
        if self.bound is None:
            return ""
        return f"{'≤' if self.at_most else '≥'} {self.bound:g}"


WANTED = (
    Wanted("it-random", "accuracy", ["accuracy"], 0.868),
    Wanted("it-random", "macro-F1", ["macro_f1"], 0.868),
    Wanted("it-random", "answered at 2 % error", ["coverage_at_error", "0.02"], 0.62),
    Wanted("it-random", "ECE", ["ece"], 0.02, at_most=True),
    Wanted("it-time", "accuracy", ["accuracy"], 0.780),
    Wanted("it-time", "macro-F1", ["macro_f1"], 0.722),
    Wanted("it-time", "answered at 5 % error", ["coverage_at_error", "0.05"], 0.47),
    Wanted("banking77-official", "accuracy", ["accuracy"], 0.942),
    Wanted("clinc150-official", "accuracy", ["accuracy"], 0.962),
    Wanted(
        "clinc150-official", "out-of-scope found, 5 % turned away", ["oos", "recall_at_0.05"], 0.80
    ),
    Wanted(
        "clinc150-official", "out-of-scope found, 10 % turned away", ["oos", "recall_at_0.1"], 0.90
    ),
)
# Of every entry. Texts that come singly are told, and nothing is wanted of the cascade for them.
WANTED_OF_RATIOS = (
    Wanted("", "first tier / bare, batch", ["first_vs_bare", "batch"], 0.5),
    Wanted("", "singly", ["first_vs_bare", "single"], 0.5),
    Wanted("", "cascade / both tiers, batch", ["cascade_vs_second"], 4.0),
    Wanted("", "singly", ["cascade_vs_second_single"], None),
    Wanted("", "accuracy lost", ["accuracy_lost_by_cascade"], 0.003, at_most=True),
)


def run_all(
    folder: Path, encoder: MadeOnce | None, *, limit: int | None, quiet: bool
) -> Iterator[tuple[Entry, Trial]]:
    """Every trial of the suite, as soon as it is done; vectors are made once for each text.

    Raises TrialRefused before the first one where a set is not in `folder`.
    """
    sets = {entry.dataset: published(entry.dataset, folder) for entry in SUITE}
    for entry in SUITE:
        for seed in entry.seeds:
            whole = sets[entry.dataset]
            parts = split(whole.limited(limit, seed) if limit else whole, entry.how, seed=seed)
            bars = Bars(f"{entry.key}, seed {seed}", quiet)
            with_speed = seed == entry.seeds[0]
            yield (
                entry,
                trial.run(parts, seed=seed, encoder=encoder, with_speed=with_speed, bars=bars),
            )


def found(figures: Figures | None, keys: Sequence[str]) -> float | None:
    """The figure under these keys; None where one of them leads nowhere."""
    value: Any = figures
    for key in keys:
        value = value.get(key) if value else None
    return value if value is None else float(value)


def averaged(runs: Sequence[Any]) -> Any:
    """Figures like the first's, each number the mean of all runs that have it."""
    first = runs[0]
    if isinstance(first, Mapping):
        return {key: averaged([run[key] for run in runs if run and key in run]) for key in first}
    numbers = [run for run in runs if isinstance(run, float)]
    return fmean(numbers) if numbers else first
