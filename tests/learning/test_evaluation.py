from __future__ import annotations

import math

import numpy as np
import pytest

from triage.learning import evaluation

# Top answers 0, 0, 1, 2: the second is wrong.
PROBABILITIES = np.array([[0.7, 0.2, 0.1], [0.5, 0.3, 0.2], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6]])
TRUTH = np.array([0, 1, 1, 2])


def test_accuracy_macro_f1_and_top_two_by_hand() -> None:
    assert evaluation.accuracy(PROBABILITIES, TRUTH) == 0.75
    # F1: class 0: 2/3, class 1: 2/3, class 2: 1.
    assert evaluation.macro_f1(PROBABILITIES, TRUTH) == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)
    assert evaluation.top_k(PROBABILITIES, TRUTH, 1) == 0.75
    assert evaluation.top_k(PROBABILITIES, TRUTH, 2) == 1


def test_a_tie_counts_against_top_k() -> None:
    even = np.full((1, 4), 0.25)
    assert evaluation.top_k(even, np.array([0]), 3) == 0


def test_brier_and_log_loss_by_hand() -> None:
    squares = [0.09 + 0.04 + 0.01, 0.25 + 0.49 + 0.04, 0.01 + 0.04 + 0.01, 0.04 + 0.04 + 0.16]
    assert evaluation.brier(PROBABILITIES, TRUTH) == pytest.approx(sum(squares) / 4)
    logs = -(math.log(0.7) + math.log(0.3) + math.log(0.8) + math.log(0.6)) / 4
    assert evaluation.log_loss(PROBABILITIES, TRUTH) == pytest.approx(logs)


def test_a_truth_held_to_be_impossible_costs_much_but_not_infinity() -> None:
    assert evaluation.log_loss(np.array([[1.0, 0.0]]), np.array([1])) == pytest.approx(
        15 * math.log(10)
    )


def test_calibration_error_by_hand() -> None:
    # Two bins: tops .5 and .6 (right once of two), tops .7 and .8 (right both).
    expected = 0.5 * abs(0.55 - 0.5) + 0.5 * abs(0.75 - 1)
    assert evaluation.expected_calibration_error(PROBABILITIES, TRUTH, bins=2) == pytest.approx(
        expected
    )


def test_error_and_coverage_by_hand() -> None:
    # By top probability: .8 right, .7 right, .6 right, .5 wrong.
    assert evaluation.error_at_coverage(PROBABILITIES, TRUTH, 0.75) == 0
    assert evaluation.error_at_coverage(PROBABILITIES, TRUTH, 1.0) == 0.25
    assert evaluation.coverage_at_error(PROBABILITIES, TRUTH, 0.0) == 0.75
    assert evaluation.coverage_at_error(PROBABILITIES, TRUTH, 0.24) == 0.75
    assert evaluation.coverage_at_error(PROBABILITIES, TRUTH, 0.25) == 1


def test_equal_probabilities_are_answered_together_or_not_at_all() -> None:
    same = np.array([[0.6, 0.4], [0.6, 0.4]])
    truth = np.array([0, 1])
    assert evaluation.error_at_coverage(same, truth, 0.5) == 0.5
    assert evaluation.coverage_at_error(same, truth, 0.1) == 0


def test_no_coverage_where_the_surest_are_wrong() -> None:
    assert evaluation.coverage_at_error(np.array([[0.9, 0.1]]), np.array([1]), 0.05) == 0


def test_the_report_holds_every_figure_under_its_name() -> None:
    found = evaluation.report(PROBABILITIES, ["a", "b", "b", "c"], ["a", "b", "c"])
    assert found["tickets"] == 4
    assert found["accuracy"] == 0.75
    assert found["top_3"] == 1
    assert found["error_at_coverage_80"] == 0.25
    assert found["coverage_at_error_02"] == 0.75
    assert all(isinstance(figure, float) for figure in found.values())


def test_rows_that_cannot_be_judged_are_refused() -> None:
    with pytest.raises(ValueError, match="got shape \\(4, 3\\) and 2 truths"):
        evaluation.accuracy(PROBABILITIES, TRUTH[:2])
    with pytest.raises(ValueError, match="at least one row"):
        evaluation.brier(PROBABILITIES[:0], TRUTH[:0])
    with pytest.raises(ValueError, match="from 0 to 2, got 0 to 3"):
        evaluation.log_loss(PROBABILITIES, np.array([0, 1, 2, 3]))
    with pytest.raises(ValueError, match="got \\['z'\\]"):
        evaluation.report(PROBABILITIES, ["a", "b", "b", "z"], ["a", "b", "c"])
    with pytest.raises(ValueError, match="above 0 and at most 1, got 0"):
        evaluation.error_at_coverage(PROBABILITIES, TRUTH, 0)
    with pytest.raises(ValueError, match="between 0 and 1, got 2"):
        evaluation.coverage_at_error(PROBABILITIES, TRUTH, 2)


def test_bins_of_like_certainty_by_hand() -> None:
    found = evaluation.reliability(PROBABILITIES, TRUTH, bins=2)

    assert [(one.rows, one.right) for one in found] == [(2, 0.5), (2, 1.0)]
    assert [one.certainty for one in found] == pytest.approx([0.55, 0.75])


def test_the_risk_curve_by_hand() -> None:
    covered, error = evaluation.risk_curve(PROBABILITIES, TRUTH)

    assert covered.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert error.tolist() == [0, 0, 0, 0.25]


def test_the_summary_has_the_keys_that_are_promised() -> None:
    found = evaluation.summary(PROBABILITIES, TRUTH)

    assert list(found) == [
        "accuracy", "macro_f1", "top3", "brier", "ece", "coverage_at_error", "error_at_coverage",
    ]  # fmt: skip
    assert found["coverage_at_error"] == {"0.01": 0.75, "0.02": 0.75, "0.05": 0.75}
    assert found["error_at_coverage"] == {"0.5": 0, "0.6": 0, "0.7": 0, "0.8": 0.25, "0.9": 0.25}


def test_auroc_by_hand() -> None:
    # Of 2 x 2 pairs two are in order, one is equal and one the wrong way round.
    assert evaluation.auroc(np.array([0.9, 0.4]), np.array([0.4, 0.5])) == 0.625


def test_strange_texts_turned_away_by_hand() -> None:
    usual = np.linspace(0.05, 1, 20)
    strange = np.array([0.05, 0.09, 0.1, 0.5])

    # One of twenty usual texts may go: the limit is .10, and what is equal to it stays.
    assert evaluation.strange_turned_away(usual, strange, 0.05) == 0.5
    # Two may go: the limit is .15.
    assert evaluation.strange_turned_away(usual, strange, 0.1) == 0.75
    assert evaluation.strange_turned_away(usual, strange, 0) == 0


def test_where_usual_texts_are_alike_none_of_them_is_turned_away_too_many() -> None:
    usual = np.array([0.0] * 10 + [1.0] * 90)

    assert evaluation.strange_turned_away(usual, np.array([0.0, 0.5]), 0.05) == 0
    assert evaluation.strange_turned_away(usual, np.array([0.0, 0.5]), 0.1) == 1


def test_scope_is_not_judged_by_nothing() -> None:
    with pytest.raises(ValueError, match="got 0 and 1 of them"):
        evaluation.auroc(np.array([]), np.array([0.5]))
    with pytest.raises(ValueError, match="below 1, got 1"):
        evaluation.strange_turned_away(np.array([0.5]), np.array([0.5]), 1)
