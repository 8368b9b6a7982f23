"""Differences of two versions: by hand, and as often right as they say."""

import numpy as np
import pytest

from triage.learning.comparison import LEAST_TO_SAY, effective, paired, share

ONES = [1.0] * 100


def right(count: int, n: int = 100) -> list[int]:
    return [1] * count + [0] * (n - count)


def test_equal_weights_count_tickets_and_unequal_ones_fewer() -> None:
    assert effective(ONES) == pytest.approx(100)
    # (10 + 1)^2 / (100 + 1)
    assert effective([10.0, 1.0]) == pytest.approx(121 / 101)
    assert effective([]) == 0


def test_a_share_has_the_interval_that_wilson_computed() -> None:
    rate = share(right(90), ONES)

    assert rate is not None
    # (0.9 + 1.9208/100 +- 1.96 sqrt(0.0009 + 3.8416/40000)) / 1.038416
    assert (rate.value, rate.n) == (0.9, 100)
    assert [rate.low, rate.high] == pytest.approx([0.82563, 0.94477], abs=1e-4)


def test_the_difference_is_that_of_the_tickets_only_one_has_right() -> None:
    # Of 100 tickets both have 80, the champion alone 5, the challenger alone 9, none 6.
    champion = [1] * 85 + [0] * 15
    challenger = [1] * 80 + [0] * 5 + [1] * 9 + [0] * 6

    found = paired(champion, challenger, ONES)

    assert found is not None
    assert (found.champion.value, found.challenger.value) == (0.85, 0.89)
    assert found.difference.value == pytest.approx(0.04)
    # Agresti and Min: cells 9.5 and 5.5 of 102, so 4/102 +- 1.96 sqrt(15 - 16/102) / 102
    half = 1.959964 * np.sqrt(15 - 16 / 102) / 102
    assert found.difference.low == pytest.approx(4 / 102 - half, abs=1e-6)
    assert found.difference.high == pytest.approx(4 / 102 + half, abs=1e-6)


def test_two_that_never_differed_are_not_certain_to_be_equal() -> None:
    found = paired(right(90), right(90), ONES)

    assert found is not None
    assert found.difference.value == 0
    assert found.difference.low == pytest.approx(-found.difference.high)
    assert 0.01 < found.difference.high < 0.03


def test_weights_bring_back_what_the_draw_left_out() -> None:
    # One of 2 hard tickets was drawn, one of 10 easy ones: 4 hard and 4 easy ones were checked.
    found = paired([0, 0, 0, 0, 1, 1, 1, 1], [1, 1, 0, 0, 1, 1, 1, 1], [2.0] * 4 + [10.0] * 4)

    assert found is not None
    assert found.champion.value == pytest.approx(40 / 48)
    assert found.challenger.value == pytest.approx(44 / 48)
    assert found.difference.value == pytest.approx(4 / 48)
    assert found.difference.n == 8
    assert not found.is_said


def test_below_the_minimum_no_rate_is_said() -> None:
    few, enough = LEAST_TO_SAY - 1, LEAST_TO_SAY

    assert not getattr(paired([1] * few, [1] * few, [1.0] * few), "is_said", None)
    assert getattr(paired([1] * enough, [1] * enough, [1.0] * enough), "is_said", None)
    assert paired([], [], []) is None


@pytest.mark.parametrize(
    ("champion", "challenger", "weights"),
    [([1], [1, 0], [1.0]), ([1], [0.5], [1.0]), ([1], [1], [0.0]), ([1], [1], [float("nan")])],
)
def test_what_is_no_pair_of_answers_is_refused(
    champion: list[float], challenger: list[float], weights: list[float]
) -> None:
    with pytest.raises(ValueError, match="got"):
        paired(champion, challenger, weights)


@pytest.mark.parametrize(
    ("n", "gained", "lost"), [(120, 0.03, 0.05), (300, 0.04, 0.04), (800, 0.06, 0.02)]
)
@pytest.mark.parametrize("is_weighted", [False, True])
def test_the_interval_holds_the_truth_as_often_as_it_says(
    n: int, gained: float, lost: float, is_weighted: bool
) -> None:
    """Drawn again and again from a population whose true difference is known."""
    random = np.random.default_rng(7)
    held = 0
    for _ in range(2000):
        # Hard tickets, where the two differ twice as often, are checked twice as often too.
        hard = random.random(n) < (0.5 if is_weighted else 0.0)
        scale = np.where(hard, 4 / 3, 2 / 3) if is_weighted else np.ones(n)
        draw = random.random(n)
        is_gained, is_lost = draw < gained * scale, draw > 1 - lost * scale
        champion = np.where(is_gained, 0, np.where(is_lost, 1, random.random(n) < 0.85))
        challenger = np.where(is_gained, 1, np.where(is_lost, 0, champion))
        weights = np.where(hard, 1.0, 2.0)
        found = paired(champion, challenger, weights)
        assert found is not None
        # In the population a hard ticket is half as frequent as among those checked.
        population = (8 / 9 if is_weighted else 1.0) * (gained - lost)
        held += found.difference.low <= population <= found.difference.high

    assert 0.93 <= held / 2000 <= 0.985
