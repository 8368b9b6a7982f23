"""A trial in pictures. Only the command imports this: matplotlib is heavy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.metrics import confusion_matrix, f1_score, roc_curve

from triage.learning import evaluation
from triage.trials.trial import CASCADE, FIRST, SECOND, Trial

# Told apart by all kinds of colour vision (Okabe, Ito 2008); baselines have broken lines as well.
_SIDES: dict[str, tuple[str, dict[str, Any]]] = {
    SECOND: ("both tiers", {"color": "#0072B2", "linewidth": 2}),
    CASCADE: ("cascade", {"color": "#D55E00", "linewidth": 2}),
    FIRST: ("first tier", {"color": "#009E73", "linewidth": 2}),
    "linear_svc": ("LinearSVC", {"color": "#555555", "linestyle": "--"}),
    "complement_nb": ("complement NB", {"color": "#CC79A7", "linestyle": "-."}),
}
_SIZE_INCHES, _DPI = (6.4, 4.4), 100
_MOST_CONFUSED = 12
_HARDEST = 25
# Errors of the few surest texts jump: drawn from here on.
_LEAST_COVERED = 0.05


def draw(trial: Trial, folder: Path, stem: str) -> list[Path]:
    """PNG files `stem-KIND.png`; which there are hangs on the set and the tiers."""
    kinds: dict[str, Callable[[Trial, Axes], None]] = {
        "reliability": _reliability,
        "coverage": _coverage,
        "labels": _labels,
    }
    if SECOND in trial.answers:
        kinds["asked"] = _asked
    if trial.answers[FIRST].strange is not None:
        kinds["scope"] = _scope
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for kind, drawn in kinds.items():
        figure = Figure(figsize=_SIZE_INCHES, dpi=_DPI, layout="constrained")
        axes = figure.add_subplot()
        drawn(trial, axes)
        path = folder / f"{stem}-{kind}.png"
        figure.savefig(path)
        written.append(path)
    return written


def _title(axes: Axes, trial: Trial, what: str) -> None:
    figures = trial.figures
    title = f"{figures['title']} ({figures['split']}): {what}"
    # The figure's, not the axes': names of labels may take half of the width.
    axes.figure.suptitle(title, fontsize=11, x=0.02, ha="left")
    axes.spines[["top", "right"]].set_visible(False)


def _reliability(trial: Trial, axes: Axes) -> None:
    axes.plot([0, 1], [0, 1], color="#999999", linewidth=1, linestyle=":", label="as it should be")
    for name, marker in ((SECOND, "o"), (CASCADE, "s"), (FIRST, "^")):
        if name in trial.answers:
            label, style = _SIDES[name]
            bins = evaluation.reliability(trial.answers[name].probabilities, trial.truth)
            ece = evaluation.expected_calibration_error(
                trial.answers[name].probabilities, trial.truth
            )
            x, y = [one.certainty for one in bins], [one.right for one in bins]
            axes.plot(
                x, y, marker=marker, markersize=5, label=f"{label}, ECE {ece:.3f}",
                **(style | {"linewidth": 1.2}),
            )  # fmt: skip
    axes.set(xlabel="stated probability of the first choice", ylabel="share that is right")
    axes.set(xlim=(0, 1.01), ylim=(0, 1.01))
    axes.grid(color="#eeeeee")
    axes.legend(frameon=False, loc="upper left")
    _title(axes, trial, "is it as right as it says?")


def _coverage(trial: Trial, axes: Axes) -> None:
    highest = 1.2 * max(evaluation.ERRORS)
    for name, (label, style) in _SIDES.items():
        if name in trial.answers:
            covered, error = evaluation.risk_curve(trial.answers[name].probabilities, trial.truth)
            drawn = covered >= _LEAST_COVERED
            axes.plot(100 * covered[drawn], 100 * error[drawn], label=label, **style)
            highest = max(highest, float(error[drawn].max()))
    for level in evaluation.ERRORS:
        axes.axhline(100 * level, color="#bbbbbb", linewidth=0.8, linestyle=":")
        axes.annotate(
            f"{100 * level:g} %", (1, 100 * level), color="#777777", fontsize=8, va="bottom"
        )
    axes.set(xlabel="answered, the surest first (%)", ylabel="wrong among the answered (%)")
    axes.set(xlim=(0, 100), ylim=(0, 105 * highest))
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(0.06, 1))
    _title(axes, trial, "how many at which error")


def _labels(trial: Trial, axes: Axes) -> None:
    said = trial.answers[trial.best].probabilities.argmax(axis=1)
    if len(trial.classes) <= _MOST_CONFUSED:
        _confusion(trial, axes, said)
    else:
        hardest(trial, axes, said)


def _confusion(trial: Trial, axes: Axes, said: np.ndarray) -> None:
    k = len(trial.classes)
    counts = confusion_matrix(trial.truth, said, labels=range(k))
    shares = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=100, aspect="auto")
    for row, column in np.ndindex(k, k):
        if shares[row, column] >= 0.5:
            ink = "white" if shares[row, column] > 55 else "black"
            axes.text(column, row, f"{shares[row, column]:.0f}", ha="center", va="center",
                      color=ink, fontsize=8)  # fmt: skip
    names = [_short(name) for name in trial.classes]
    axes.set_xticks(range(k), names, rotation=35, ha="right", fontsize=8)
    axes.set_yticks(range(k), names, fontsize=8)
    axes.set(xlabel="proposed", ylabel="right choice")
    _title(axes, trial, "what is taken for what (% of each row)")
    axes.spines[:].set_visible(False)


def hardest(trial: Trial, axes: Axes, said: np.ndarray) -> None:
    """F1 of the labels that are answered worst; `said`: the column answered for each text."""
    k = len(trial.classes)
    f1 = f1_score(trial.truth, said, labels=range(k), average=None, zero_division=0)
    order = np.argsort(f1, kind="stable")[:_HARDEST][::-1]
    axes.barh(range(len(order)), f1[order], color="#0072B2")
    axes.set_yticks(range(len(order)), [_short(trial.classes[code]) for code in order])
    axes.axvline(float(f1.mean()), color="#D55E00", linewidth=1.2)
    axes.tick_params(axis="y", labelsize=7)
    axes.set(xlim=(0, 1), xlabel=f"F1 (the line: {f1.mean():.3f}, the mean of all {k})")
    axes.margins(y=0.01)
    _title(axes, trial, f"the {len(order)} hardest labels")


def _asked(trial: Trial, axes: Axes) -> None:
    shares, accuracies = trial.by_share_asked()
    axes.plot(100 * shares, accuracies, color="#0072B2", linewidth=2)
    asked = trial.answers[CASCADE].share_second
    reached = trial.figures["tiers"][CASCADE]["accuracy"]
    axes.plot([100 * asked], [reached], marker="s", color="#D55E00", linestyle="none",
              label=f"as the service asks: {100 * asked:.0f} %, {reached:.4f}")  # fmt: skip
    axes.axhline(accuracies[-1], color="#999999", linewidth=1, linestyle=":",
                 label=f"both tiers for every text: {accuracies[-1]:.4f}")  # fmt: skip
    axes.set(xlabel="asked of the second tier, the least sure first (%)", ylabel="accuracy")
    axes.set(xlim=(0, 100))
    axes.grid(color="#eeeeee")
    axes.legend(frameon=False, loc="lower right")
    _title(axes, trial, "what the second tier adds")


def _scope(trial: Trial, axes: Axes) -> None:
    for name, (label, style) in _SIDES.items():
        answers = trial.answers.get(name)
        if answers is None or answers.in_scope is None or answers.strange is None:
            continue
        is_strange = np.repeat([0, 1], [len(answers.in_scope), len(answers.strange)])
        scores = np.concatenate([answers.in_scope, answers.strange])
        away, found, _ = roc_curve(is_strange, -scores)
        area = evaluation.auroc(answers.in_scope, answers.strange)
        axes.plot(100 * away, 100 * found, label=f"{label}, AUROC {area:.3f}", **style)
    for share in (5, 10):
        axes.axvline(share, color="#bbbbbb", linewidth=0.8, linestyle=":")
    axes.set(xlabel="in-scope texts turned away (%)", ylabel="out-of-scope texts found (%)")
    axes.set(xlim=(0, 50), ylim=(0, 101))
    axes.grid(color="#eeeeee")
    axes.legend(frameon=False, loc="lower right")
    _title(axes, trial, "what belongs to no label")


def _short(name: str) -> str:
    """Cut in the middle, since names that begin alike differ at the end."""
    return name if len(name) <= 28 else f"{name[:14]}…{name[-13:]}"
