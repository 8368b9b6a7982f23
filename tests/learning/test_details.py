"""A held-out evaluation looked at more closely, with answers computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from triage.learning import details

PROBABILITIES = np.array([[0.9, 0.1], [0.8, 0.2], [0.4, 0.6], [0.3, 0.7]])
TRUTH = np.array([0, 1, 1, 1])
CLASSES = ["access", "network"]


def test_each_choice_has_its_own_figures() -> None:
    found = details.per_choice(PROBABILITIES, TRUTH, CLASSES)

    assert found["access"] == pytest.approx(
        {"precision": 0.5, "recall": 1.0, "f1": 2 / 3, "tickets": 1}
    )
    assert found["network"] == pytest.approx(
        {"precision": 1.0, "recall": 2 / 3, "f1": 0.8, "tickets": 3}
    )


def test_a_choice_that_never_occurs_has_zeros_and_no_warning() -> None:
    found = details.per_choice(np.hstack([PROBABILITIES, np.zeros((4, 1))]), TRUTH, [*CLASSES, "x"])

    assert found["x"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "tickets": 0}


def test_reliability_compares_what_was_stated_with_what_was_right() -> None:
    assert details.reliability(PROBABILITIES, TRUTH, bins=2) == [
        {"stated": pytest.approx(0.65), "right": 1.0, "tickets": 2},
        {"stated": pytest.approx(0.85), "right": 0.5, "tickets": 2},
    ]
    assert len(details.reliability(PROBABILITIES, TRUTH, bins=10)) == 4


def test_the_error_grows_from_the_surest_tickets_to_all_of_them() -> None:
    assert details.risk_coverage(PROBABILITIES, TRUTH, points=4) == [
        {"coverage": 0.25, "error": 0.0},
        {"coverage": 0.5, "error": 0.5},
        {"coverage": 0.75, "error": pytest.approx(1 / 3)},
        {"coverage": 1.0, "error": 0.25},
    ]


def test_confused_pairs_are_counted_the_most_frequent_first() -> None:
    probabilities = np.eye(3)[[1, 1, 2, 0, 2]]
    truth = np.array([0, 0, 0, 0, 1])

    found = details.confusions(probabilities, truth, ["a", "b", "c"], most=2)

    assert found == [
        {"label": "a", "predicted": "b", "tickets": 2},
        {"label": "a", "predicted": "c", "tickets": 1},
    ]


def test_the_interval_is_wilsons_and_everything_where_nothing_was_measured() -> None:
    """The textbook's 0.8 of 10: 49.0 % to 94.3 %."""
    assert details.interval(0.8, 10) == pytest.approx((0.490, 0.943), abs=0.001)
    assert details.interval(0.5, 0) == (0.0, 1.0)
