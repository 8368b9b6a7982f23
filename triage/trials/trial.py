"""One trial: a model fitted on one part of a set and judged by another, beside its peers."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triage.learning import evaluation, fitting
from triage.learning.classifier import STRANGE, Ask, Classifier, gaps
from triage.trials import costs, machine, peers
from triage.trials.encoding import MadeOnce
from triage.trials.progress import Bars, following
from triage.trials.splits import Split

TURNED_AWAY = (0.05, 0.1)
# Why the first tier is alone, by whether there was an encoder.
ALONE = {
    False: "There are no sentence vectors (requirements-semantic.txt): words answer alone.",
    True: "Held out, sentence vectors were no better than words: words answer alone.",
}
FIRST, CASCADE, SECOND = costs.TIERS
RATIOS = (
    "first_vs_bare",
    "cascade_vs_second",
    "cascade_vs_second_single",
    "accuracy_lost_by_cascade",
)


@dataclass(frozen=True)
class Answers:
    """What one side says of the texts judged by.

    probabilities : float array of shape (n, k), columns as `Trial.classes`
    in_scope, strange : in-scope scores of the texts judged by, and of out-of-scope ones; or None
    share_second : of the texts judged by, those that the second tier answered
    """

    probabilities: NDArray[np.float64]
    in_scope: NDArray[np.float64] | None = None
    strange: NDArray[np.float64] | None = None
    share_second: float = 0.0


@dataclass(frozen=True)
class Trial:
    """`figures` are ready for JSON; the rest is there to be drawn.

    answers : by the names of the tiers, then of the peers
    classes : sorted labels of both parts
    truth : int array of shape (n,), the column of each text's label
    """

    figures: dict[str, Any]
    answers: Mapping[str, Answers]
    classes: list[str]
    truth: NDArray[np.intp]

    @property
    def best(self) -> str:
        """Whose figures are the top level's: both tiers', or the first's where it is alone."""
        return SECOND if SECOND in self.answers else FIRST

    def by_share_asked(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Accuracy of both tiers as the second is asked for more and more, the least sure first.

        Shares (n + 1,) from 0 to 1, accuracies (n + 1,).
        """
        first, second = self.answers[FIRST], self.answers[SECOND]
        usual = np.ones(len(self.truth)) if first.in_scope is None else first.in_scope
        order = np.lexsort((gaps(first.probabilities), usual >= STRANGE))
        once, twice = (
            (one.probabilities.argmax(axis=1) == self.truth)[order].astype(float)
            for one in (first, second)
        )
        gained = np.concatenate([[0.0], np.cumsum(twice - once)])
        n = len(self.truth)
        return np.arange(n + 1) / n, (once.sum() + gained) / n


def run(
    split: Split, *, seed: int, encoder: MadeOnce | None, with_speed: bool, bars: Bars
) -> Trial:
    """Fit, judge, compare. The same split and seed give the same figures, but for time and memory.

    Raises ValueError where nothing can be trained, see fitting.fit.
    """
    if encoder is not None:
        _learn_vectors(split, encoder, bars)
    classes = sorted({*split.train[1], *split.test[1]})
    truth = np.searchsorted(classes, split.test[1])
    with machine.peak() as held:
        began = time.perf_counter()
        with bars.of(100, "training", "%") as bar:
            classifier = fitting.fit(
                *split.train, seed=seed, encoder=encoder, progress=following(bar)
            ).classifier
        fit_seconds = time.perf_counter() - began
        answers = _of_tiers(classifier, split, classes, encoder, bars)
    if encoder is not None:
        fit_seconds += encoder.seconds(split.train[0])
    models, peer_answers, peer_seconds = _of_peers(split, classes, seed, with_speed, bars)
    cost = costs.Costs()
    if with_speed:
        bare_encoder = encoder.bare if encoder is not None else None
        cost = costs.measured(classifier, bare_encoder, models, split.test[0], seed=seed, bars=bars)
    trial = Trial({}, answers | peer_answers, classes, truth)
    trial.figures.update(
        _told(split, seed)
        | _judged(trial, cost, peer_seconds)
        | {"alone": None if trial.best == SECOND else ALONE[encoder is not None]}
        | {"fit_seconds": fit_seconds, "peak_mb": held.mb, "machine": machine.described()}
    )
    return trial


def _learn_vectors(split: Split, encoder: MadeOnce, bars: Bars) -> None:
    """All texts of the set, so that vectors do not hang on how it is split."""
    texts = [*split.dataset.texts, *split.strange]
    if encoder.lacks(texts):
        with bars.of(len(texts), "sentence vectors") as bar:
            encoder.learn(texts, bar.update)


def _of_tiers(
    classifier: Classifier,
    split: Split,
    classes: list[str],
    encoder: MadeOnce | None,
    bars: Bars,
) -> dict[str, Answers]:
    asked = costs.TIERS if classifier.is_two_tiered(encoder) else {FIRST: Ask.NEVER}
    found = {}
    with bars.of(len(asked), "answering", " tiers") as bar:
        for name, ask in asked.items():
            said = classifier.predict(split.test[0], encoder=encoder, ask=ask)
            strange = None
            if split.strange:
                strange = classifier.predict(split.strange, encoder=encoder, ask=ask).in_scope
            found[name] = Answers(
                _widened(said.probabilities, said.classes, classes),
                said.in_scope,
                strange,
                float((said.tiers == 2).mean()),
            )
            bar.update()
    return found


def _of_peers(
    split: Split, classes: list[str], seed: int, with_speed: bool, bars: Bars
) -> tuple[dict[str, Any], dict[str, Answers], dict[str, float]]:
    """Fitted models, their answers, and the seconds that fitting took, by key."""
    wanted = [*peers.BASELINES, peers.BARE] if with_speed else [*peers.BASELINES]
    models, answers, seconds = {}, {}, {}
    with bars.of(len(wanted), "baselines", " models") as bar:
        for peer in wanted:
            bar.set_postfix_str(peer.key)
            began = time.perf_counter()
            model = peer.make(len(split.train[0]), seed).fit(*split.train)
            seconds[peer.key] = time.perf_counter() - began
            said = peers.probabilities(model, split.test[0])
            answers[peer.key] = Answers(_widened(said, list(model.classes_), classes))
            models[peer.key] = model
            bar.update()
    return models, answers, seconds


def _widened(
    probabilities: NDArray[np.float64], known: list[str], classes: list[str]
) -> NDArray[np.float64]:
    """With a column of zeros for each class that was not there to be learnt."""
    if known == classes:
        return probabilities
    wide = np.zeros((len(probabilities), len(classes)))
    wide[:, np.searchsorted(classes, known)] = probabilities
    return wide


def _told(split: Split, seed: int) -> dict[str, Any]:
    dataset = split.dataset
    unseen = sum(label not in set(split.train[1]) for label in set(split.test[1]))
    notes = list(dataset.notes)
    if unseen:
        notes.append(
            f"{unseen:,} labels of the part to judge by are not among those trained on: their "
            "texts count as answered wrongly."
        )
    return {
        "dataset": dataset.name,
        "title": dataset.title,
        "split": str(split.how),
        "said": split.said,
        "notes": notes,
        "seed": seed,
        "labels": len(set(split.train[1])),
        "texts": {
            "train": len(split.train[0]),
            "test": len(split.test[0]),
            "out_of_scope": len(split.strange),
        },
    }


def _judged(trial: Trial, cost: costs.Costs, peer_seconds: Mapping[str, float]) -> dict[str, Any]:
    figures = {
        name: evaluation.summary(answers.probabilities, trial.truth)
        | {"texts_per_second": cost.texts_per_second.get(name, {"batch": None, "single": None})}
        for name, answers in trial.answers.items()
    }
    tiers: dict[str, Any] = dict.fromkeys(costs.TIERS)
    for name in costs.TIERS:
        if name in figures:
            answers = trial.answers[name]
            tiers[name] = figures[name] | {
                "oos": _scope(answers),
                "share_second": answers.share_second,
            }
    ratios: dict[str, Any] = dict.fromkeys(RATIOS) | dict(cost.ratios)
    if SECOND in figures:
        lost = figures[SECOND]["accuracy"] - figures[CASCADE]["accuracy"]
        ratios["accuracy_lost_by_cascade"] = lost
    top = {key: value for key, value in tiers[trial.best].items() if key != "share_second"}
    return {
        "answered_by": "both tiers" if trial.best == SECOND else "first tier",
        **top,
        "tiers": tiers,
        "baselines": {
            name: _of_baseline(figures[name]) | {"fit_seconds": seconds}
            for name, seconds in peer_seconds.items()
        },
        "ratios": ratios,
    }


def _of_baseline(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Without what only calibrated probabilities can be judged by."""
    return {name: value for name, value in figures.items() if name not in ("brier", "ece")}


def _scope(answers: Answers) -> dict[str, float | None]:
    shares = [f"recall_at_{share:g}" for share in TURNED_AWAY]
    if answers.in_scope is None or answers.strange is None:
        return dict.fromkeys(["auroc", *shares])
    usual, strange = answers.in_scope, answers.strange
    found: dict[str, float | None] = {"auroc": evaluation.auroc(usual, strange)}
    for name, share in zip(shares, TURNED_AWAY, strict=True):
        found[name] = evaluation.strange_turned_away(usual, strange, share)
    return found
