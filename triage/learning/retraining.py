"""Would training again pay? Counts and rates in, reasons out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# Fewer new labels than these change a model little, whatever they say.
LEAST_NEW_LABELS = 50
LEAST_NEW_SHARE = 0.05
# What a training must promise to be worth an owner's time: held-out accuracies of two trainings on
# the same labels differ by as much.
LEAST_GAIN = 0.005
# A curve through fewer trainings, or over fewer labels, is a guess.
LEAST_POINTS = 3
LEAST_SPREAD = 1.5


@dataclass(frozen=True)
class Point:
    """One training: how many labels it had, and the held-out error as a fraction."""

    labels: int
    error: float


@dataclass(frozen=True)
class Checked:
    """What blind checks since then say of the model in service: its error and the least it is."""

    n: int
    error: float
    low: float


def is_enough(new: int, known: int) -> bool:
    """Whether there are enough new labels to speak of training at all."""
    return new >= max(LEAST_NEW_LABELS, math.ceil(LEAST_NEW_SHARE * known))


def expected_gain(past: Sequence[Point], now: Point, new: int) -> float | None:
    """By how much the error would fall with `new` labels more; None where no curve can be drawn.

    Error falls as a power of the number of labels: error = a * labels ^ -b (Hestness et al. 2017,
    arXiv 1712.00409), with b by least squares over the logarithms of past trainings.
    """
    points = [point for point in past if point.labels > 0 and point.error > 0]
    sizes = [point.labels for point in points]
    if len(points) < LEAST_POINTS or max(sizes) < LEAST_SPREAD * min(sizes) or now.labels <= 0:
        return None
    slope = float(np.polyfit(np.log(sizes), np.log([p.error for p in points]), 1)[0])
    return float(now.error * (1 - ((now.labels + new) / now.labels) ** min(slope, 0.0)))


def reasons(
    *,
    new: int,
    past: Sequence[Point],
    now: Point | None,
    checked: Checked | None,
    unknown: int,
    drifted: Sequence[str],
) -> list[str]:
    """Why training again would pay, in sentences; none if nothing speaks for it.

    `unknown` of the new labels name choices that the model cannot answer; `drifted` are the kinds
    of drift that stand open.
    """
    found = []
    if drifted:
        found.append(f"It has drifted: {', '.join(drifted)}.")
    if unknown >= max(LEAST_GAIN * new, 10):
        found.append(f"{unknown} of the new labels name choices that it does not know.")
    if checked is not None and now is not None and checked.low > now.error + LEAST_GAIN:
        found.append(
            f"{checked.error:.1%} of {checked.n} blind checks since then contradict it; on "
            f"held-out tickets {now.error:.1%} were wrong."
        )
    gain = None if now is None else expected_gain(past, now, new)
    if gain is not None and gain >= LEAST_GAIN:
        found.append(
            f"By the learning curve of {len(past)} trainings, {new} labels more would make "
            f"{100 * gain:.1f} points of error less."
        )
    return found
