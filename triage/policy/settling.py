"""What a model's probabilities come to: a choice, the parent of several, or nothing, and why.

Values in, values out. Only what a prediction stores is asked, the ten highest probabilities, so
that a replay of the stored prediction comes to the same; what lies below them adds to no parent.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import fsum

from triage.policy.fields import ChoiceSpec, Thresholds

MODEL = "model"
PARENT = "parent"
NONE = "none"
# What rests on a model's word alone; it has to earn everything but being looked at.
BY_MODEL = frozenset({MODEL, PARENT})
# As finely as probabilities are stored.
DIGITS = 6


class Doubt(StrEnum):
    """Why a value that a model has an opinion on was left open."""

    NONE = ""
    UNSURE = "unsure"
    UNLIKE = "unlike"


@dataclass(frozen=True)
class Predicted:
    """A stored prediction: calibrated probabilities by choice key, and the in-scope score.

    The order of the keys says nothing: the database keeps none.
    """

    probabilities: Mapping[str, float] = field(default_factory=dict)
    in_scope: float = 1.0


@dataclass(frozen=True)
class Settled:
    """What is to be proposed, or why nothing is.

    choice : of what is proposed, else of what would have been
    basis : MODEL, PARENT or NONE
    probability : of the choice; for a parent the sum over its branch
    doubt, asked : with NONE, which figure was too low, and what was asked of it
    """

    choice: str
    basis: str
    probability: float
    doubt: Doubt = Doubt.NONE
    asked: float | None = None


def settle(
    choices: Mapping[str, ChoiceSpec],
    thresholds: Thresholds,
    predicted: Predicted,
    may_stand: Callable[[str, float], bool] = lambda parent, probability: True,
) -> Settled | None:
    """The likeliest choice, or the nearest parent that is likely enough, or nothing and why.

    A choice that is likely enough stands alone. Else its nearest live parent does whose branch,
    itself and all that lies below it, holds enough; the likeliest choice may be that parent.
    One that `may_stand` turns down, asked with the branch's probability, is passed over. Where no
    parent stands, the likeliest choice does as long as `propose_from` lets it. None if the
    prediction speaks of no live choice.

    A higher `propose_from` or `scope_from` never fills what was open, and nothing is proposed
    that is less probable than `propose_from`.
    """
    live = {key: p for key, p in predicted.probabilities.items() if key in choices and 0 < p <= 1}
    if not live:
        return None
    # Of equals the first by its key, since the order of the keys is lost when they are stored.
    best = min(live, key=lambda key: (-live[key], key))
    if not predicted.in_scope >= thresholds.scope_from:
        return Settled(best, NONE, live[best], Doubt.UNLIKE, thresholds.scope_from)
    enough = max(thresholds.settle_from, thresholds.propose_from)
    if thresholds.settle_from > 0 and live[best] < enough:
        for parent in (best, *choices[best].ancestors):
            total = mass(choices, live, parent)
            if parent in choices and total >= enough and may_stand(parent, total):
                return Settled(parent, PARENT, total)
    if not live[best] >= thresholds.propose_from:
        return Settled(best, NONE, live[best], Doubt.UNSURE, thresholds.propose_from)
    return Settled(best, MODEL, live[best])


def mass(
    choices: Mapping[str, ChoiceSpec], probabilities: Mapping[str, float], parent: str
) -> float:
    """Probability of the choice and of every live choice below it, at most 1."""
    branch = [
        p
        for key, p in probabilities.items()
        if key in choices and (key == parent or parent in choices[key].ancestors)
    ]
    # fsum does not hang on the order, which the database may change.
    return min(1.0, round(fsum(branch), DIGITS))
