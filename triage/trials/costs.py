"""Texts a second, in batch and singly, of a model's tiers and of what it is compared with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from triage.learning.classifier import Ask, Classifier
from triage.learning.second import Encoder
from triage.trials import peers, speeds
from triage.trials.progress import Bars

TIERS = {"first": Ask.NEVER, "cascade": Ask.UNSURE, "second": Ask.ALWAYS}


@dataclass(frozen=True)
class Effort:
    """How many texts a round answers, and how many rounds there are."""

    batch: int
    single: int
    rounds: int


# Words are quick, vectors are not.
_WORDS = Effort(batch=1_000, single=100, rounds=5)
_VECTORS = Effort(batch=600, single=60, rounds=3)


@dataclass(frozen=True)
class Costs:
    """Texts a second by name, each {"batch": ..., "single": ...}, and the ratios of JSON."""

    texts_per_second: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    ratios: Mapping[str, Any] = field(default_factory=dict)


def measured(
    classifier: Classifier,
    encoder: Encoder | None,
    models: Mapping[str, Any],
    texts: Sequence[str],
    *,
    seed: int,
    bars: Bars,
) -> Costs:
    """Two comparisons: the first tier with the fitted `models`, the cascade with the second tier.

    `encoder` has to make its vectors anew, or the second tier would look cheap.
    """
    drawn = np.random.default_rng(seed).permutation(len(texts))
    shuffled = [texts[place] for place in drawn]
    sides: dict[str, speeds.Answer] = {
        name: partial(peers.probabilities, model) for name, model in models.items()
    }
    first = _compared(
        {"first": _asking(classifier, None, Ask.NEVER)} | sides, shuffled, _WORDS, bars
    )
    found = first.typical()
    ratios: dict[str, Any] = {"first_vs_bare": first.ratios("first", peers.BARE.key)}
    if classifier.is_two_tiered(encoder):
        both = {name: _asking(classifier, encoder, TIERS[name]) for name in ("cascade", "second")}
        second = _compared(both, shuffled, _VECTORS, bars)
        found |= second.typical()
        times = second.ratios("cascade", "second")
        ratios |= {
            "cascade_vs_second": times["batch"],
            "cascade_vs_second_single": times["single"],
        }
    return Costs(found, ratios)


@dataclass(frozen=True)
class _Compared:
    batch: speeds.Speeds
    single: speeds.Speeds

    def typical(self) -> dict[str, dict[str, float]]:
        return {
            name: {
                "batch": speeds.typical(self.batch[name]),
                "single": speeds.typical(self.single[name]),
            }
            for name in self.batch
        }

    def ratios(self, ours: str, theirs: str) -> dict[str, float]:
        return {
            "batch": speeds.ratio(self.batch[ours], self.batch[theirs]),
            "single": speeds.ratio(self.single[ours], self.single[theirs]),
        }


def _compared(
    sides: Mapping[str, speeds.Answer], texts: Sequence[str], effort: Effort, bars: Bars
) -> _Compared:
    names = ", ".join(sides)
    with bars.of(2 * effort.rounds * len(sides), f"speed of {names}", " runs") as bar:
        turn: Callable[..., speeds.Speeds] = partial(speeds.in_turn, sides, done=bar.update)
        return _Compared(
            batch=turn(speeds.rounds(texts, effort.batch, effort.rounds), singly=False),
            single=turn(speeds.rounds(texts, effort.single, effort.rounds), singly=True),
        )


def _asking(classifier: Classifier, encoder: Encoder | None, ask: Ask) -> speeds.Answer:
    return partial(classifier.predict, encoder=encoder, ask=ask)
