"""People who answered first and then saw the AI's proposal (metrics 8, 9, 10, 12).

Schemmer et al. (2023), Appropriate Reliance on AI Advice, IUI, for RAIR and RSR.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from review.metrics.estimators.analytic import abc_interval
from review.metrics.estimators.bootstrap import Clustering, Estimate, clustered
from review.metrics.estimators.columns import Floats, flags, same_length, weights_of
from review.metrics.estimators.intervals import Interval
from review.metrics.estimators.rates import Rate, rate


class AdviceCounts(NamedTuple):
    """Answers by what the advice met and what became of it.

    h is the first answer, a the advice, f the final answer, y the truth.
    """

    correctable: int
    """h wrong, a right"""
    corrected: int
    """of these, f right"""
    at_stake: int
    """h right, a wrong"""
    kept: int
    """of these, f right"""
    disagreed: int
    """h and a differ"""
    switched: int
    """of these, f is a"""
    switched_from_right: int
    """of these again, h was right"""


def advice_counts(
    first: ArrayLike, advice: ArrayLike, final: ArrayLike, truth: ArrayLike
) -> AdviceCounts:
    """Counts of answers given one by one: labels of any kind, each of shape (n,)."""
    h, a, f, y = (np.asarray(labels) for labels in (first, advice, final, truth))
    same_length(first=h, advice=a, final=f, truth=y)
    correctable, at_stake = (h != y) & (a == y), (h == y) & (a != y)
    switched = (h != a) & (f == a)
    counted = (
        correctable,
        correctable & (f == y),
        at_stake,
        at_stake & (f == y),
        h != a,
        switched,
        switched & (h == y),
    )
    return AdviceCounts(*(int(np.count_nonzero(rows)) for rows in counted))


def rair(counts: AdviceCounts, *, confidence: float = 0.95) -> Rate | None:
    """Relative AI reliance: wrong first answers that right advice corrected."""
    return rate(counts.corrected, counts.correctable, confidence=confidence)


def rsr(counts: AdviceCounts, *, confidence: float = 0.95) -> Rate | None:
    """Relative self-reliance: right first answers that wrong advice did not change."""
    return rate(counts.kept, counts.at_stake, confidence=confidence)


def switch_fraction(counts: AdviceCounts, *, confidence: float = 0.95) -> Rate | None:
    """Taken advice, of all that differed from the first answer."""
    return rate(counts.switched, counts.disagreed, confidence=confidence)


def harmful_switch_fraction(counts: AdviceCounts, *, confidence: float = 0.95) -> Rate | None:
    """Taken advice that replaced a right answer, of all that differed from the first answer.

    The whole is that of `switch_fraction`, so one is a part of the other; of the right first
    answers alone it would say no more than 1 - RSR.
    """
    return rate(counts.switched_from_right, counts.disagreed, confidence=confidence)


def complementarity(
    final_right: ArrayLike,
    ai_right: ArrayLike,
    human_right: ArrayLike,
    clusters: Clustering = None,
    weights: ArrayLike | None = None,
    *,
    confidence: float = 0.95,
) -> Estimate | None:
    """Accuracy of the pair minus that of the better of its two members, on the same tickets.

    Parameters
    ----------
    final_right, ai_right, human_right : 0 or 1, shape (n,)
        Of the final answer, the AI's proposal, and a blind human answer.

    Returns
    -------
    From -1 to 1; above 0 the pair does what neither could alone. A little too low on average
    where both members are equally good, as the better of two estimates is too high.
    None without a ticket; no interval below 100 tickets. The gain is the smaller of those over
    either member, and so are the ends of its interval those of the two by `abc_interval`: a
    bootstrap of the smaller one held the truth in only 90 to 93 of 100 runs where checks are drawn
    by score and the members are about equally good.
    """
    answers = [
        flags("final_right", final_right),
        flags("ai_right", ai_right),
        flags("human_right", human_right),
    ]
    same_length(final_right=answers[0], ai_right=answers[1], human_right=answers[2])
    weight = weights_of(weights, len(answers[0]))
    groups = clustered(
        np.column_stack([*(weight * answer for answer in answers), weight]), clusters
    )
    over_each = [
        abc_interval(groups, gain, within=Interval(-1, 1), confidence=confidence)
        for gain in (_over_ai, _over_human)
    ]
    found = [one for one in over_each if one is not None]
    if len(found) < len(over_each):
        return None
    value = min(one.value for one in found)
    ends = [one.interval or _exactly(one) for one in found]
    has_any = any(one.interval for one in found)
    interval = Interval(min(low for low, _ in ends), min(high for _, high in ends))
    return Estimate(value, interval if has_any else None, found[0].n_clusters)


def _over_ai(totals: Floats) -> Floats:
    gain: Floats = (totals[:, 0] - totals[:, 1]) / totals[:, 3]
    return gain


def _over_human(totals: Floats) -> Floats:
    gain: Floats = (totals[:, 0] - totals[:, 2]) / totals[:, 3]
    return gain


def _exactly(one: Estimate) -> Interval:
    """Of a gain without spread: every ticket has the same."""
    return Interval(one.value, one.value)
