"""Labels needed, the frozen grid, the walk down it, and that its promise holds."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binom

from triage.policy.certificates import Certified, fixed_sequence, grid, labels_needed, p_value

Floats = NDArray[np.float64]
TABLE = {
    0.05: {0: 59, 1: 93, 2: 124, 3: 153, 5: 208},
    0.02: {0: 149, 1: 236, 2: 313, 3: 386, 5: 523},
    0.01: {0: 299, 1: 473, 2: 628, 3: 773, 5: 1049},
}


@pytest.mark.parametrize(
    ("alpha", "errors", "labels"),
    [(alpha, k, n) for alpha, row in TABLE.items() for k, n in row.items()],
)
def test_labels_needed_are_those_of_the_published_table(
    alpha: float, errors: int, labels: int
) -> None:
    assert labels_needed(alpha, 0.05, errors) == labels
    assert p_value(labels, errors, alpha) <= 0.05 < p_value(labels - 1, errors, alpha)


def test_without_errors_the_labels_follow_from_a_logarithm() -> None:
    # (1 - alpha) ** n <= delta
    assert labels_needed(0.5, 0.5, 0) == 1
    assert labels_needed(0.5, 0.1, 0) == 4
    assert labels_needed(0.001, 0.01, 0) == 4603


def test_p_values_agree_with_sums_done_by_hand() -> None:
    assert p_value(0, 0, 0.05) == 1
    assert p_value(3, 0, 0.5) == pytest.approx(1 / 8)
    assert p_value(3, 1, 0.5) == pytest.approx(4 / 8)
    assert p_value(3, 3, 0.2) == 1
    assert p_value(10, 1, 0.1) == pytest.approx(0.9**10 + 10 * 0.1 * 0.9**9)
    assert p_value(5000, 60, 0.02) == pytest.approx(float(binom.cdf(60, 5000, 0.02)), rel=1e-9)


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        (lambda: p_value(3, 4, 0.1), "between 0 and the 3 labels; got 4"),
        (lambda: p_value(3, -1, 0.1), "between 0 and the 3 labels; got -1"),
        (lambda: p_value(3, 1, 0.0), "alpha must lie between 0 and 1; got 0.0"),
        (lambda: labels_needed(1.0, 0.1, 0), "alpha must lie between 0 and 1; got 1.0"),
        (lambda: labels_needed(0.1, 5, 0), "delta must lie between 0 and 1; got 5"),
        (lambda: labels_needed(0.1, 0.1, -1), "0 or more; got -1"),
        (lambda: grid([0.5, 1.2]), "probabilities from 0 to 1"),
        (lambda: grid([0.5, float("nan")]), "probabilities from 0 to 1"),
        (lambda: grid([[0.5]]), "one row"),
        (lambda: grid([0.5], rungs=0), "got 0 and 160"),
        (lambda: fixed_sequence([0.5], [0, 1], [0.5], 0.1, 0.1), "1 scores need .* got 2"),
        (lambda: fixed_sequence([0.5], [2], [0.5], 0.1, 0.1), "0 or 1 for each label"),
        (lambda: fixed_sequence([0.5], [0], [0.4, 0.5], 0.1, 0.1), "fall strictly; got"),
        (lambda: fixed_sequence([0.5], [0], [0.5, 0.5], 0.1, 0.1), "fall strictly; got"),
        (lambda: fixed_sequence([0.5], [0], [0.5], 0.1, 0.0), "delta must lie between"),
    ],
)
def test_values_out_of_range_are_refused(call: Callable[[], Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        call()


def test_the_grid_falls_from_the_start_labels_to_all() -> None:
    scores = np.arange(1, 1001) / 1000
    thresholds = grid(np.random.default_rng(1).permutation(scores), rungs=4, start_labels=125)
    # 125, 250, 500 and 1,000 scores lie at or above them.
    assert thresholds == (0.876, 0.751, 0.501, 0.001)


def test_eight_rungs_start_where_160_labels_lie_above() -> None:
    scores = np.random.default_rng(2).random(2_000)
    thresholds = grid(scores)
    assert len(thresholds) == 8
    assert (scores >= thresholds[0]).sum() == 160
    assert thresholds[-1] == scores.min()
    assert all(upper > lower for upper, lower in pairwise(thresholds))


def test_ties_and_few_scores_make_a_shorter_grid() -> None:
    assert grid([0.9] * 300 + [0.4] * 300, start_labels=150) == (0.9, 0.4)
    assert grid([0.7, 0.8, 0.9]) == (0.7,)
    assert grid([0.7] * 200, rungs=1, start_labels=100) == (0.7,)
    assert grid([]) == ()


def test_the_last_step_that_passed_is_certified() -> None:
    # alpha = .5, delta = .2, by hand: 3 labels without error: 1/8, pass; 6 with one: 7/64, pass;
    # 9 with four: 256/512, stop.
    scores = [0.9, 0.9, 0.9, 0.8, 0.8, 0.8, 0.7, 0.7, 0.7]
    wrong = [0, 0, 0, 0, 0, 1, 1, 1, 1]
    assert fixed_sequence(scores, wrong, [0.9, 0.8, 0.7], 0.5, 0.2) == Certified(0.8, 6, 1)


def test_the_walk_stops_at_the_first_failure_though_lower_steps_would_pass() -> None:
    scores = [0.9, 0.9] + [0.5] * 60
    wrong = np.zeros(62, dtype=bool)
    assert fixed_sequence(scores, wrong, [0.5], 0.05, 0.05) == Certified(0.5, 62, 0)
    assert fixed_sequence(scores, wrong, [0.9, 0.5], 0.05, 0.05) is None


def test_nothing_is_certified_without_labels_or_grid() -> None:
    assert fixed_sequence([], [], [0.9, 0.5], 0.05, 0.05) is None
    assert fixed_sequence([0.9] * 100, [0] * 100, [], 0.05, 0.05) is None


def test_one_label_less_than_the_table_asks_for_is_not_enough() -> None:
    for errors, labels in TABLE[0.05].items():
        wrong = np.arange(labels) < errors
        enough = fixed_sequence(np.full(labels, 0.9), wrong, [0.9], 0.05, 0.05)
        assert enough == Certified(0.9, labels, errors)
        assert fixed_sequence(np.full(labels - 1, 0.9), wrong[:-1], [0.9], 0.05, 0.05) is None


def naive(scores: Floats, wrong: NDArray[np.bool_], steps: tuple[float, ...]) -> float | None:
    """The tempting rule: the lowest threshold whose observed error is at most alpha."""
    passed = [t for t in steps if wrong[scores >= t].mean() <= 0.05]
    return min(passed, default=None)


def falling_error(scores: Floats) -> Floats:
    """Scores are uniform, so the error above a threshold t is .1 (1 - t): alpha at t = .5."""
    return 0.2 * (1 - scores)


def flat_error(scores: Floats) -> Floats:
    return np.full_like(scores, 0.0501)


@pytest.mark.parametrize(
    ("error", "truly_bad"),
    [(falling_error, lambda t: t < 0.5), (flat_error, lambda t: True)],
    ids=["falls with the score", "a hair above alpha everywhere"],
)
def test_certified_policies_err_too_often_in_at_most_five_percent_of_runs(
    error: Callable[[Floats], Floats], truly_bad: Callable[[float], bool]
) -> None:
    runs, labels = 2_000, 1_200
    rng = np.random.default_rng(20_26)
    bad = naively_bad = 0
    for _ in range(runs):
        steps = grid(rng.random(labels))
        scores = rng.random(labels)
        wrong = rng.random(labels) < error(scores)
        certified = fixed_sequence(scores, wrong, steps, 0.05, 0.05)
        bad += certified is not None and truly_bad(certified.threshold)
        chosen = naive(scores, wrong, steps)
        naively_bad += chosen is not None and truly_bad(chosen)
    # The count of bad runs, if each were bad with probability .05, passes this once in 1,000.
    assert bad <= binom.ppf(0.999, runs, 0.05)
    # The same runs catch a rule without the guarantee at four times what is allowed, or more.
    assert naively_bad > 4 * 0.05 * runs


def test_a_model_well_below_alpha_is_certified_almost_always() -> None:
    rng = np.random.default_rng(7)
    full = 0
    for _ in range(500):
        steps = grid(rng.random(1_000))
        scores = rng.random(1_000)
        certified = fixed_sequence(scores, rng.random(1_000) < 0.01, steps, 0.05, 0.05)
        full += certified is not None and certified.threshold == steps[-1]
    # Passing the strictest step needs at most 3 errors in about 160 labels at 1 %: 92 % of runs.
    assert full >= 425
