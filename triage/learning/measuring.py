"""What a training measures: on a random fifth, on the newest fifth, and how noisy labels are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from triage.learning import details, evaluation, label_noise, tiers
from triage.learning.classifier import Ask, Classifier
from triage.learning.examples import BLIND, Example, Examples
from triage.learning.fitting import Fit, fit
from triage.learning.second import Encoder

Progress = Callable[[float, str], None]

HELD_OUT_SHARE = 0.2
# Fewer newest tickets say nothing; a gap of one ticket in ten is chance.
FEWEST_NEWEST = 20
MOST_DOUBTS = 500


@dataclass(frozen=True)
class Doubt:
    """A label that is probably wrong: what it gives, and what the other models say instead."""

    label: int
    given: str
    suggested: str
    given_probability: float
    confidence: float


@dataclass(frozen=True)
class Setting:
    """What every fit of one training has in common; `ask` as the service will ask.

    `timed` is the encoder without its store, to see what a vector costs.
    """

    seed: int
    encoder: Encoder | None = None
    ask: Ask = Ask.UNSURE
    timed: Encoder | None = None


def measured(found: Examples, setting: Setting, tell: Progress) -> dict[str, Any]:
    """Figures on both hold-outs, by models that had not seen the tickets they are asked about.

    Those of the random one are flat; those of the newest fifth are under `time_ordered`.
    """
    figures = _random(found, setting, lambda share, what: tell(0.5 * share, what))
    newest = _time_ordered(found, setting, lambda share, what: tell(0.5 + 0.5 * share, what))
    return {**figures, "time_ordered": newest}


def _random(found: Examples, setting: Setting, tell: Progress) -> dict[str, Any]:
    """A stratified fifth; of every choice at least one ticket where there are few."""
    labels = found.labels
    size = max(_fifth(labels), len(set(labels)))
    learnt, held = train_test_split(
        range(len(labels)), test_size=size, random_state=setting.seed, stratify=labels
    )
    model = _taught(found, learnt, setting, tell)
    probabilities, classes = _asked(model, found, held, setting)
    truth = np.array([classes.index(labels[row]) for row in held], dtype=np.intp)
    blind = np.array([found.rows[row].origin in BLIND for row in held])
    return {
        "held_out": len(held),
        **_report(probabilities, truth, classes),
        **_on_blind_labels(probabilities, truth, blind),
        "per_choice": details.per_choice(probabilities, truth, classes),
        "reliability": details.reliability(probabilities, truth),
        "risk_coverage": details.risk_coverage(probabilities, truth),
        "confusions": details.confusions(probabilities, truth, classes),
        "tiers": tiers.measured(model, [found.texts[row] for row in held], setting.timed),
    }


def _on_blind_labels(
    probabilities: NDArray[np.float64], truth: NDArray[np.intp], blind: NDArray[np.bool_]
) -> dict[str, float]:
    """Decisions saw the advice, so where there are any, the others are measured apart."""
    if blind.all() or not blind.any():
        return {}
    return {
        "blind_held_out": int(blind.sum()),
        "accuracy_on_blind": evaluation.accuracy(probabilities[blind], truth[blind]),
    }


def _time_ordered(found: Examples, setting: Setting, tell: Progress) -> dict[str, Any]:
    """Learnt from the oldest four fifths, asked about the newest; `note` where that cannot be.

    A choice that only the newest tickets have cannot be answered, and counts as wrong.
    """
    cut = len(found.rows) - _fifth(found.rows)
    old, new = found.rows[:cut], found.rows[cut:]
    if reason := _no_time_order(old, new):
        return {"note": reason}
    rows = range(len(found.rows))
    model = _taught(found, rows[:cut], setting, tell)
    probabilities, classes = _asked(model, found, rows[cut:], setting)
    labels = [row.choice for row in new]
    unknown = sorted(set(labels) - set(classes))
    widened = np.hstack([probabilities, np.zeros((len(new), len(unknown)))])
    every = [*classes, *unknown]
    truth = np.array([every.index(label) for label in labels], dtype=np.intp)
    return {
        **_report(widened, truth, every),
        "held_out": len(new),
        "unknown_choices": len(unknown),
        "learnt_until": old[-1].opened_at.isoformat(),
        "asked_from": new[0].opened_at.isoformat(),
        "asked_until": new[-1].opened_at.isoformat(),
    }


def _fifth(rows: Sequence[object]) -> int:
    return ceil(HELD_OUT_SHARE * len(rows))


def _no_time_order(old: Sequence[Example], new: Sequence[Example]) -> str:
    if len(new) < FEWEST_NEWEST:
        return (
            f"Too few tickets: the newest fifth has {len(new)}, and at least {FEWEST_NEWEST} "
            "are needed."
        )
    if old[0].opened_at == new[-1].opened_at:
        return "All tickets were opened at one moment, so none is newer than another."
    counts: dict[str, int] = {}
    for row in old:
        counts[row.choice] = counts.get(row.choice, 0) + 1
    if len(counts) < 2 or max(counts.values()) < 2:
        return "The oldest four fifths of the tickets have labels of one choice only."
    return ""


def _taught(found: Examples, learnt: Sequence[int], setting: Setting, tell: Progress) -> Classifier:
    """A model of these rows alone."""
    texts, labels, weights = found.texts, found.labels, found.weights
    return fit(
        [texts[row] for row in learnt],
        [labels[row] for row in learnt],
        seed=setting.seed,
        weights=[weights[row] for row in learnt],
        encoder=setting.encoder,
        progress=tell,
    ).classifier


def _asked(
    model: Classifier, found: Examples, held: Sequence[int], setting: Setting
) -> tuple[NDArray[np.float64], list[str]]:
    """Its probabilities for the held-out rows, and its classes."""
    texts = found.texts
    asked = [texts[row] for row in held]
    answers = model.predict_proba(asked, encoder=setting.encoder, ask=setting.ask)
    return answers, list(model.classes_)


def _report(
    probabilities: NDArray[np.float64], truth: NDArray[np.intp], classes: Sequence[str]
) -> dict[str, Any]:
    return dict(evaluation.report(probabilities, [classes[code] for code in truth], classes))


def doubts(found: Examples, fitted: Fit) -> tuple[dict[str, Any], list[Doubt]]:
    """How noisy the labels are, and those most probably wrong, the most suspicious first."""
    classes = list(fitted.classifier.classes_)
    codes = np.array([classes.index(row.choice) for row in found.rows], dtype=np.intp)
    held = np.flatnonzero(~np.isnan(fitted.out_of_fold).any(axis=1))
    probabilities, given = fitted.out_of_fold[held], codes[held]
    if not len(held):
        return {}, []
    suspicious = label_noise.doubtful(probabilities, given)
    likely = label_noise.confident_classes(probabilities, given)
    listed = [
        Doubt(
            label=found.rows[held[place]].label,
            given=classes[given[place]],
            suggested=classes[likely[place]],
            given_probability=float(probabilities[place, given[place]]),
            confidence=float(probabilities[place, likely[place]]),
        )
        for place in suspicious
    ]
    share = label_noise.noise_share(probabilities, given)
    return {"estimated_share": share, "doubted": len(listed), "examined": len(held)}, listed
