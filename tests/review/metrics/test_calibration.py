"""Brier score, calibration error and the points of a reliability chart."""

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss

from review.metrics.estimators import brier, calibration_error, reliability
from tests.review.metrics import worlds


def test_brier_by_hand_and_weighted() -> None:
    # (0.1**2 + 0.8**2) / 2, and with weights (3 * 0.01 + 0.64) / 4.
    plain, weighted = brier([0.9, 0.8], [1, 0]), brier([0.9, 0.8], [1, 0], None, [3, 1])

    assert plain is not None
    assert plain.value == pytest.approx(0.325)
    assert weighted is not None
    assert weighted.value == pytest.approx(0.1675)


def test_brier_is_the_one_of_scikit_learn() -> None:
    sure, right = worlds.predicted(np.random.default_rng(3), 200, 0.1)
    found = brier(sure, right)

    assert found is not None
    assert found.value == pytest.approx(brier_score_loss(right, sure))
    assert found.interval is not None
    assert found.interval.low < found.value < found.interval.high


def test_calibration_error_by_hand() -> None:
    # Two bins of two: 0.5 and 0.7 with 1 right, a gap of 0.1; 0.8 and 1 with 1 right, of 0.4.
    found = calibration_error([0.5, 0.7, 0.8, 1.0], [1, 0, 0, 1], bins=2)

    assert found is not None
    assert found.value == pytest.approx((0.1 + 0.4) / 2)
    assert found.interval is None


def test_gaps_of_one_bin_cancel_out_and_those_of_two_do_not() -> None:
    one = calibration_error([0.5, 0.5], [1, 0], bins=10)
    two = calibration_error([0.4, 0.6], [1, 0], bins=2)

    assert one is not None
    assert one.value == pytest.approx(0)
    assert two is not None
    assert two.value == pytest.approx(0.6)


def test_bins_are_of_equal_mass_by_weight() -> None:
    # The first weighs as much as the other three together.
    points = reliability([0.4, 0.6, 0.7, 0.8], [0, 1, 1, 0], [3, 1, 1, 1], bins=2)

    assert [point.mean_confidence for point in points] == pytest.approx([0.4, 0.7])
    assert [point.accuracy.value for point in points] == pytest.approx([0, 2 / 3])
    assert [point.accuracy.n for point in points] == [1, 3]


def test_a_reliability_chart_shows_what_the_error_sums_up() -> None:
    sure, right = worlds.predicted(np.random.default_rng(5), 1000, 0.08)
    points, error = reliability(sure, right), calibration_error(sure, right)

    gaps = [abs(point.mean_confidence - point.accuracy.value) for point in points]
    assert [point.accuracy.n for point in points] == [100] * 10
    assert error is not None
    assert error.value == pytest.approx(np.mean(gaps))


def test_an_error_that_chance_alone_explains_has_an_interval_from_0() -> None:
    calibrated = calibration_error(*worlds.predicted(np.random.default_rng(6), 300, 0))
    too_sure = calibration_error(*worlds.predicted(np.random.default_rng(6), 3000, 0.2))

    assert calibrated is not None
    assert calibrated.interval is not None
    assert calibrated.interval.low == 0
    assert calibrated.value > 0.02
    assert too_sure is not None
    assert too_sure.interval is not None
    assert 0.15 < too_sure.interval.low < 0.2 < too_sure.interval.high < 0.25


def test_the_order_of_tickets_and_ties_change_nothing() -> None:
    generator = np.random.default_rng(7)
    sure, right = worlds.predicted(generator, 400, 0.1)
    sure, order = sure.round(1), generator.permutation(400)

    there = calibration_error(sure, right)
    back = calibration_error(sure[order], right[order])

    assert there is not None
    assert back is not None
    assert there.interval == pytest.approx(back.interval)
    assert len(reliability(sure, right)) <= 7


def test_without_checks_there_is_no_calibration() -> None:
    assert brier([], []) is None
    assert calibration_error([], []) is None
    assert reliability([], []) == []


def test_percent_instead_of_fractions_and_no_bins_are_refused() -> None:
    with pytest.raises(ValueError, match="confidence_of must be from 0 to 1; position 0 has 90"):
        brier([90], [1])
    with pytest.raises(ValueError, match="bins must be at least 1; it is 0"):
        calibration_error([0.9], [1], bins=0)
