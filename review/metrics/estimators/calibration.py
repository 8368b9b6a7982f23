"""Does a proposal with confidence 0.9 turn out right in 9 of 10 tickets (metric 16)?

Confidence is the calibrated probability of the proposed value, a fraction; `right` whether a
check agreed with it, 0 or 1; both of shape (n,).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from review.metrics.estimators.bootstrap import (
    FEWEST_FOR_STATISTIC,
    RESAMPLES,
    SEED,
    Clusters,
    Estimate,
    bootstrap_ratio,
    clustered,
    normal_sums,
)
from review.metrics.estimators.columns import (
    Floats,
    Indices,
    flags,
    numbers,
    same_length,
    weights_of,
)
from review.metrics.estimators.intervals import Interval, check_confidence
from review.metrics.estimators.linearised import Moments, ratio_from_moments
from review.metrics.estimators.weighted import WeightedRate, weighted_rate

BINS = 10
# A bin's accuracy lies off its confidence for sure if it does so by as many deviations.
CLEAR = 3.0


class ReliabilityPoint(NamedTuple):
    """One bin of a reliability chart: how sure the AI was on average, how often it was right."""

    mean_confidence: float
    accuracy: WeightedRate


def brier(
    confidence_of: ArrayLike,
    right: ArrayLike,
    clusters: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    *,
    confidence: float = 0.95,
    n_resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Estimate | None:
    """Mean square of confidence minus being right, 0 to 1; always 0.5 sure, it is 0.25.

    Of the proposed value alone, not summed over all choices. Brier (1950), Mon. Weather Rev. 78,
    1-3. None without a ticket; intervals as in `bootstrap_ratio`, and from 100 tickets on, where
    each is a cluster, those of `ratio_from_moments`: squares are bounded, and it held the truth
    in 93 to 95 of 100 simulated runs.
    """
    sure, correct, weight = _checked(confidence_of, right, weights)
    if clusters is None and len(sure) >= FEWEST_FOR_STATISTIC:
        part = weight * (sure - correct) ** 2
        sums = (part, weight, part**2, weight**2, part * weight)
        moments = Moments(len(sure), *(float(each.sum()) for each in sums))
        return ratio_from_moments(moments, confidence=confidence)
    return bootstrap_ratio(
        weight * (sure - correct) ** 2,
        weight,
        clusters,
        within=Interval(0, 1),
        confidence=confidence,
        n_resamples=n_resamples,
        seed=seed,
    )


def calibration_error(
    confidence_of: ArrayLike,
    right: ArrayLike,
    clusters: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    *,
    bins: int = BINS,
    confidence: float = 0.95,
    n_resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Estimate | None:
    """Expected calibration error: mean distance of accuracy from confidence over the bins, 0 to 1.

    Bins of equal mass: Nixon et al. (2019), Measuring Calibration in Deep Learning, CVPR
    Workshops. Chance alone keeps the value above 0, by about 0.8 sqrt(bins p (1 - p) / n), and a
    bootstrap would add the same once more. So the interval allows for all that chance may have
    added, and begins at 0 where chance alone could explain the value. It holds the truth more
    often than it says where bins are off by less than three deviations.

    The resamples are `normal_sums`. None without a ticket; no interval below 100 tickets.
    """
    check_confidence(confidence)
    sure, correct, weight = _checked(confidence_of, right, weights)
    if len(sure) == 0:
        return None
    bin_of = _bins(sure, weight, bins)
    in_bin = np.eye(bin_of.max() + 1)[bin_of]
    gaps = in_bin * (weight * (correct - sure))[:, np.newaxis]
    columns = np.column_stack([gaps, weight])
    # Each ticket by itself is a kind of its own: nothing here gains from finding equal ones.
    groups = Clusters(columns, np.ones(len(columns))) if clusters is None else None
    groups = groups or clustered(columns, clusters)
    if groups is None:
        return None
    value = float(_error(groups.total[np.newaxis])[0])
    if groups.n < FEWEST_FOR_STATISTIC:
        return Estimate(value, None, groups.n)
    draws = normal_sums(groups, n_resamples, seed)
    return Estimate(value, _error_interval(groups.total, draws, confidence), groups.n)


def reliability(
    confidence_of: ArrayLike,
    right: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    bins: int = BINS,
    confidence: float = 0.95,
) -> list[ReliabilityPoint]:
    """Points of a reliability chart, from the least to the most confident bin; empty without data.

    There are fewer than `bins` where many tickets share one confidence: they stay together.
    """
    sure, correct, weight = _checked(confidence_of, right, weights)
    bin_of = _bins(sure, weight, bins)
    points = []
    for number in np.unique(bin_of):
        at = bin_of == number
        accuracy = weighted_rate(correct[at], weight[at], confidence=confidence)
        if accuracy is not None:
            mean = float(np.average(sure[at], weights=weight[at]))
            points.append(ReliabilityPoint(mean, accuracy))
    return points


def _checked(
    confidence_of: ArrayLike, right: ArrayLike, weights: ArrayLike | None
) -> tuple[Floats, Floats, Floats]:
    sure = numbers("confidence_of", confidence_of, low=0, high=1)
    correct = flags("right", right)
    same_length(confidence_of=sure, right=correct)
    return sure, correct, weights_of(weights, len(sure))


def _bins(sure: Floats, weight: Floats, bins: int) -> Indices:
    """Bin of each row, so that bins hold about the same weight and no value is torn apart."""
    if bins < 1:
        raise ValueError(f"bins must be at least 1; it is {bins}.")
    _, index = np.unique(sure, return_inverse=True)
    mass = np.bincount(index, weights=weight)
    middle = (np.cumsum(mass) - mass / 2) / mass.sum() if len(mass) else mass
    found: Indices = np.minimum(bins - 1, (middle * bins).astype(np.intp))[index]
    return found


def _error(totals: Floats) -> Floats:
    error: Floats = np.abs(totals[:, :-1]).sum(axis=1) / totals[:, -1]
    return error


def _error_interval(total: Floats, draws: Floats, confidence: float) -> Interval | None:
    gaps = total[:-1] / total[-1]
    value = float(np.abs(gaps).sum())
    noise = draws[:, :-1] / draws[:, -1:] - gaps
    deviation = noise.std(axis=0)
    if not deviation.any():
        return None
    # By how much the sum of |gap + noise| may exceed that of |gap|: by the noise itself where the
    # sign of a gap is clear, and by no more than |noise| where it is not.
    signed = np.sign(gaps) * noise
    is_clear = np.abs(gaps) > CLEAR * deviation
    excess = np.where(is_clear, signed, np.abs(noise)).sum(axis=1)
    too_high = float(np.quantile(excess, (1 + confidence) / 2))
    too_low = float(np.quantile(signed.sum(axis=1), (1 - confidence) / 2))
    return Interval(max(0.0, value - too_high), min(1.0, value - min(too_low, 0.0)))
