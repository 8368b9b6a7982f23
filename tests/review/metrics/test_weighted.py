"""Weighted rates by hand, from rows and from sums, and what they refuse."""

import math
from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review.metrics.estimators import (
    WeightedSums,
    newcombe,
    risk_coverage,
    weighted_difference,
    weighted_rate,
    weighted_rate_from_sums,
    weighted_sums,
    wilson,
)

ROWS = st.lists(st.tuples(st.booleans(), st.floats(1, 200)), min_size=1, max_size=60)


def test_weighted_rate_by_hand() -> None:
    # w = 1 + 1 + 4 + 4 = 10, ww = 34, wx = 5: n_eff = 100 / 34, and with the linearised variance
    # (1/4 * 17 + 1/4 * 17) / 100 it is 1/4 / 0.085, the same.
    found = weighted_rate([1, 0, 1, 0], [1, 1, 4, 4])

    assert found is not None
    assert (found.value, found.n) == (0.5, 4)
    assert found.n_eff == pytest.approx(100 / 34)


def test_n_eff_is_less_than_kish_where_the_hits_are_the_heavy_rows_and_never_more() -> None:
    # One hit of weight 6 of w = 10, ww = 40: Kish 2.5. Linearised 0.16 * 36 + 0.36 * 4 = 7.2,
    # so 0.24 * 100 / 7.2 = 10 / 3 is not taken. One of weight 4 of w = 10, ww = 22, Kish 100 / 22:
    # 0.36 * 16 + 0.16 * 6 = 6.72 gives 24 / 6.72.
    assert weighted_sums([1, 0, 0, 0, 0], [6, 1, 1, 1, 1]).n_eff == pytest.approx(2.5)
    assert weighted_sums([1, 0, 0, 0, 0, 0, 0], [4, 1, 1, 1, 1, 1, 1]).n_eff == pytest.approx(
        24 / 6.72
    )


def test_weights_move_the_rate_towards_what_was_seldom_drawn() -> None:
    # One error of two at propensity 1/2, none of two at 1/8: 2 of 4 + 16.
    found = weighted_rate([1, 0, 0, 0], [2, 2, 8, 8])

    assert found is not None
    assert found.value == pytest.approx(0.1)


def test_there_is_no_weighted_rate_without_a_row() -> None:
    assert weighted_rate([], []) is None
    assert weighted_rate_from_sums(WeightedSums()) is None
    assert weighted_difference(weighted_rate([1]), weighted_rate([])) is None


@given(hits=st.lists(st.booleans(), min_size=1, max_size=80))
def test_weights_of_1_are_wilson(hits: list[bool]) -> None:
    found = weighted_rate(hits)

    assert found is not None
    assert found.value == pytest.approx(sum(hits) / len(hits))
    assert found.n_eff == pytest.approx(len(hits))
    assert found.interval == pytest.approx(wilson(sum(hits), len(hits)), abs=1e-9)


def test_sums_that_are_off_by_rounding_alone_count_as_all_hits() -> None:
    exact = WeightedSums(3, 300.0, 30_000.0, 300.0, 30_000.0)
    off = WeightedSums(3, 300.0, 30_000.0, 300.0 * (1 - 2**-52), 30_000.0 * (1 - 2**-50))

    assert off.rate < 1
    assert off.n_eff == exact.n_eff == 3


@given(rows=ROWS, order=st.randoms(use_true_random=False))
def test_a_weighted_rate_lies_in_its_interval_and_no_order_matters(
    rows: list[tuple[bool, float]], order: Random
) -> None:
    shuffled = list(rows)
    order.shuffle(shuffled)
    one, two = weighted_rate(*zip(*rows, strict=True)), weighted_rate(*zip(*shuffled, strict=True))

    assert one is not None
    assert two is not None
    assert 0 <= one.interval.low <= one.value + 1e-12
    assert one.value - 1e-12 <= one.interval.high <= 1
    assert 0 < one.n_eff <= one.n * (1 + 1e-9)
    assert two.value == pytest.approx(one.value)
    assert two.interval == pytest.approx(one.interval, abs=1e-9)


@given(first=ROWS, second=ROWS)
def test_sums_of_two_days_add_up_to_the_sums_of_both(
    first: list[tuple[bool, float]], second: list[tuple[bool, float]]
) -> None:
    days = weighted_sums(*zip(*first, strict=True)) + weighted_sums(*zip(*second, strict=True))
    both = weighted_rate(*zip(*(first + second), strict=True))
    found = weighted_rate_from_sums(days)

    assert both is not None
    assert found is not None
    assert found.n == both.n
    assert found.interval == pytest.approx(both.interval, abs=1e-9)


@given(rows=ROWS)
def test_misses_turn_the_rate_around(rows: list[tuple[bool, float]]) -> None:
    sums = weighted_sums(*zip(*rows, strict=True))

    assert sums.misses().rate == pytest.approx(1 - sums.rate)
    assert sums.misses().n_eff == pytest.approx(sums.n_eff)


def test_a_weighted_difference_with_weights_of_1_is_newcombe() -> None:
    first, second = weighted_rate([1] * 56 + [0] * 14), weighted_rate([1] * 48 + [0] * 32)
    expected, found = newcombe((56, 70), (48, 80)), weighted_difference(first, second)

    assert expected is not None
    assert found is not None
    assert found.value == pytest.approx(expected.value)
    assert found.interval == pytest.approx(expected.interval)


@pytest.mark.parametrize(
    ("hits", "weights", "message"),
    [
        ([1, 0.5], [1, 1], "hits must be 0 or 1; position 1 has 0.5"),
        ([2, 0], [1, 1], "hits must be from 0 to 1; position 0 has 2"),
        ([1, 0], [1, 0.2], "weights must be finite and at least 1; position 1 has 0.2"),
        ([1, 0], [math.inf, 1], "position 0 has inf"),
        ([1, 0], [1, math.nan], "position 1 has nan"),
        ([1, 0], [1, 1, 1], "one length; got rows 2, weights 3"),
        ([[1, 0]], [1], "one column; it has 2 dimensions"),
    ],
)
def test_rows_that_cannot_be_are_refused(
    hits: Sequence[float], weights: Sequence[float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        weighted_rate(hits, weights)


@pytest.mark.parametrize(
    ("sums", "message"),
    [
        ((-1, 0, 0, 0, 0), "n not negative"),
        ((1, math.nan, 1, 0, 0), "finite"),
        ((3, 2, 3, 0, 0), "w is at least n"),
        ((2, 6, 17, 0, 0), "ww is too small for 2 weights"),
        ((2, 6, 37, 0, 0), "ww cannot exceed the square of w"),
        ((2, 6, 20, 7, 7), "wx must lie between 0 and w"),
        ((2, 6, 20, 4, 3), "wwx must lie between wx and ww"),
        ((0, 1, 1, 0, 0), "ww is too small for 0 weights"),
    ],
)
def test_sums_that_no_rows_have_are_refused(
    sums: tuple[int, float, float, float, float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        WeightedSums(*sums)


def test_risk_and_coverage_at_each_cut_by_hand() -> None:
    points = risk_coverage([0.9, 0.8, 0.6, 0.4], [0, 1, 0, 1], [0.95, 0.7, 0.0], [4, 2, 2, 2])

    assert [point.cut for point in points] == [0.95, 0.7, 0.0]
    assert [point.coverage.value for point in points] == pytest.approx([0, 0.6, 1])
    assert points[0].error is None
    assert [point.error.value for point in points[1:] if point.error] == pytest.approx(
        [2 / 6, 4 / 10]
    )
    assert risk_coverage([], [], [0.5]) == []
