"""Error budgets: the error rate on blind checks as a multiple of what is allowed."""

import pytest

from triage.policy.budgets import Spent, spent


def test_with_equal_probabilities_burn_is_errors_by_checks_by_alpha() -> None:
    checks = [(True, 0.05)] * 3 + [(False, 0.05)] * 97

    found = spent(checks, 0.05)

    assert found is not None
    assert (found.checks, found.errors) == (100, 3)
    assert found.burn == pytest.approx(0.6)


def test_what_was_drawn_four_times_as_often_counts_a_quarter() -> None:
    found = spent([(True, 0.2), (False, 0.05)], 0.1)

    assert found is not None
    # Weights 5 and 20: a fifth is wrong, twice what is allowed.
    assert found.burn == pytest.approx(2.0)


def test_without_a_check_there_is_no_evidence() -> None:
    assert spent([], 0.05) is None


def test_all_right_burns_nothing() -> None:
    assert spent([(False, 1.0)], 0.05) == Spent(1, 0, 0.0)


@pytest.mark.parametrize("alpha", [0.0, 1.0, -0.1])
def test_an_error_of_none_or_all_cannot_be_allowed(alpha: float) -> None:
    with pytest.raises(ValueError, match=f"alpha must lie between 0 and 1; got {alpha}"):
        spent([(True, 0.5)], alpha)


@pytest.mark.parametrize("drawn_at", [0.0, 1.5])
def test_a_probability_is_above_0_and_at_most_1(drawn_at: float) -> None:
    with pytest.raises(ValueError, match=f"at most 1; got {drawn_at}"):
        spent([(True, drawn_at)], 0.05)
