"""Which texts a model learns, and which it is judged by."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from sklearn.model_selection import train_test_split

from triage.trials.datasets import Dataset
from triage.trials.tables import TrialRefused

FEWEST_ROWS = 2
HELD_OUT = 0.2
# Of a file in order of time: what lies between is left out, as if it were not labelled yet.
_LEARNT_FIRST = 0.6


class How(StrEnum):
    RANDOM = "random"
    TIME = "time"
    OFFICIAL = "official"


@dataclass(frozen=True)
class Split:
    """Texts with labels to train on and to judge by; `strange` ones have no label.

    said : what was done, in one sentence
    """

    dataset: Dataset
    how: How
    train: tuple[list[str], list[str]]
    test: tuple[list[str], list[str]]
    strange: list[str]
    said: str


def ways(dataset: Dataset) -> list[How]:
    """The splits that make sense for a set, the usual one first."""
    return [How.RANDOM, How.TIME] if dataset.official is None else [How.OFFICIAL]


def split(dataset: Dataset, how: How | None, *, seed: int, held_out: float = HELD_OUT) -> Split:
    """The same set, way, seed and share give the same parts. `how` None: the usual way.

    Raises TrialRefused where the set has no such split, or a part would be of no use.
    """
    chosen = how or ways(dataset)[0]
    if chosen not in ways(dataset):
        raise TrialRefused(
            f"{dataset.title} must be split {' or '.join(ways(dataset))}, not {chosen}."
        )
    if chosen != How.OFFICIAL:
        dataset = _without_rare(dataset)
    learnt, judged, said = _places(dataset, chosen, seed, held_out)
    parts = [
        ([dataset.texts[place] for place in places], [dataset.labels[place] for place in places])
        for places in (learnt, judged)
    ]
    _check(dataset, parts[0][1], parts[1][1])
    return Split(dataset, chosen, parts[0], parts[1], dataset.strange, said)


def _places(
    dataset: Dataset, how: How, seed: int, held_out: float
) -> tuple[list[int], list[int], str]:
    n = len(dataset.texts)
    if how == How.OFFICIAL:
        cut = dataset.official or 0
        return list(range(cut)), list(range(cut, n)), "as its publishers divided it"
    if how == How.TIME:
        first, last = int(n * _LEARNT_FIRST), n - round(n * held_out)
        if last < first:
            raise TrialRefused(
                f"--held-out must be at most {1 - _LEARNT_FIRST:g} where the first "
                f"{_percent(_LEARNT_FIRST)} are trained on, got {held_out:g}."
            )
        said = f"by time: the first {_percent(_LEARNT_FIRST)} to train on, the last "
        said += f"{_percent(held_out)} held out"
        return list(range(first)), list(range(last, n)), said
    try:
        learnt, judged = train_test_split(
            np.arange(n), test_size=held_out, stratify=dataset.labels, random_state=seed
        )
    except ValueError as error:
        raise TrialRefused(
            f"{dataset.title}: each of the {len(set(dataset.labels))} labels must have a text in "
            f"both parts, but {n:,} texts are too few for that with {_percent(held_out)} held out."
        ) from error
    said = f"at random, each label alike: {_percent(held_out)} held out"
    # In the order of time, because models remember the newest.
    return sorted(learnt.tolist()), sorted(judged.tolist()), said


def _without_rare(dataset: Dataset) -> Dataset:
    counts = Counter(dataset.labels)
    rare = sorted(label for label, count in counts.items() if count < FEWEST_ROWS)
    if not rare:
        return dataset
    kept = [place for place, label in enumerate(dataset.labels) if counts[label] >= FEWEST_ROWS]
    shown = ", ".join(rare[:5]) + (" ..." if len(rare) > 5 else "")
    return replace(
        dataset,
        texts=[dataset.texts[place] for place in kept],
        labels=[dataset.labels[place] for place in kept],
        notes=[
            *dataset.notes,
            f"{len(rare):,} of {len(counts):,} labels have one row only and are left out: {shown}.",
        ],
    )


def _percent(share: float) -> str:
    return f"{100 * share:g} %"


def _check(dataset: Dataset, learnt: list[str], judged: list[str]) -> None:
    classes = sorted(set(learnt))
    if len(classes) < 2:
        found = f"only {classes[0]!r}" if classes else "none"
        raise TrialRefused(
            f"{dataset.title} must have at least two labels with {FEWEST_ROWS} rows each to train "
            f"on, got {found}."
        )
    if not judged:
        raise TrialRefused(
            f"{dataset.title} must have texts to judge by, but {len(learnt):,} rows leave none."
        )
