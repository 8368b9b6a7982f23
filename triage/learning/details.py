"""A held-out evaluation looked at more closely, as rows ready for JSON.

Shared contract as in evaluation: `probabilities` (n, k), each row summing to 1, `truth` (n,) the
column of the right answer; `classes` are the names of the columns.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from scipy.stats import binomtest
from sklearn.metrics import precision_recall_fscore_support

from triage.learning import evaluation
from triage.learning.evaluation import Probabilities, Truth

Rows = list[dict[str, float | str]]

BINS = 10
POINTS = 20
MOST_CONFUSIONS = 20


def per_choice(
    probabilities: Probabilities, truth: Truth, classes: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Precision, recall, F1 and number of tickets of each choice, 0 where there is nothing."""
    columns = list(range(len(classes)))
    found = precision_recall_fscore_support(
        truth, probabilities.argmax(axis=1), labels=columns, zero_division=0.0
    )
    return {
        classes[column]: {
            "precision": float(found[0][column]),
            "recall": float(found[1][column]),
            "f1": float(found[2][column]),
            "tickets": int(found[3][column]),
        }
        for column in columns
    }


def reliability(probabilities: Probabilities, truth: Truth, *, bins: int = BINS) -> Rows:
    """Mean stated probability against how often the top answer was right, least sure first.

    Bins of (nearly) as many tickets each; fewer where there are fewer tickets.
    """
    top = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == truth
    in_order = np.argsort(top, kind="stable")
    return [
        {
            "stated": float(top[part].mean()),
            "right": float(right[part].mean()),
            "tickets": len(part),
        }
        for part in np.array_split(in_order, min(bins, len(truth)))
    ]


def risk_coverage(probabilities: Probabilities, truth: Truth, *, points: int = POINTS) -> Rows:
    """Error when only the surest share of tickets is answered, for shares up to all of them."""
    return [
        {
            "coverage": round(number / points, 6),
            "error": evaluation.error_at_coverage(probabilities, truth, number / points),
        }
        for number in range(1, points + 1)
    ]


def confusions(
    probabilities: Probabilities,
    truth: Truth,
    classes: Sequence[str],
    *,
    most: int = MOST_CONFUSIONS,
) -> Rows:
    """The pairs most often confused: what the label says, what was answered, how often."""
    answers = probabilities.argmax(axis=1)
    pairs = Counter(
        (int(right), int(said)) for right, said in zip(truth, answers, strict=True) if right != said
    )
    ranked = sorted(pairs.items(), key=lambda pair: (-pair[1], pair[0]))[:most]
    return [
        {"label": classes[right], "predicted": classes[said], "tickets": count}
        for (right, said), count in ranked
    ]


def interval(share: float, tickets: float) -> tuple[float, float]:
    """Wilson's 95 % interval around a share of `tickets`, 0 to 1; all of it for no ticket."""
    count = round(tickets)
    if count < 1:
        return 0.0, 1.0
    found = binomtest(round(share * count), count).proportion_ci(method="wilson")
    return float(found.low), float(found.high)
