"""Quantiles from bins against the durations themselves."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review.metrics.bins import LAST_BIN, Bins, added, bin_of, edges, quantile_from_bins
from review.metrics.estimators import quantile

DURATIONS = st.lists(st.floats(0, 1e8), min_size=1, max_size=300)


def binned(durations: Sequence[float]) -> Bins:
    return added(Bins([bin_of(seconds)], [1], [seconds]) for seconds in durations)


@pytest.mark.parametrize(
    ("seconds", "number"), [(0, 0), (0.99, 0), (1, 1), (2, 9), (4, 17), (1e30, LAST_BIN)]
)
def test_bins_are_eighths_of_octaves(seconds: float, number: int) -> None:
    assert bin_of(seconds) == number


@given(st.floats(0, 2**29))
def test_every_duration_lies_within_the_edges_of_its_bin(seconds: float) -> None:
    low, high = edges(bin_of(seconds))

    assert low <= seconds * (1 + 1e-9)
    assert seconds < high * (1 + 1e-9)


def test_five_durations_have_the_third_as_their_median() -> None:
    found = quantile_from_bins(binned([10, 20, 30, 40, 50]), 0.5)

    assert found is not None
    assert found.value == 30
    assert found.interval is None


def test_equal_durations_are_known_exactly() -> None:
    found = quantile_from_bins(binned([600] * 100), 0.9)

    assert found is not None
    assert found.value == 600


def test_nothing_has_no_quantile() -> None:
    assert quantile_from_bins(Bins([], [], []), 0.5) is None
    assert quantile_from_bins(Bins([3], [0], [0.0]), 0.5) is None
    with pytest.raises(ValueError, match="none has rank 1"):
        binned([]).holding(1)


@given(DURATIONS, st.sampled_from([0.1, 0.5, 0.9]))
def test_the_value_is_within_a_bin_and_the_interval_never_narrower(
    durations: list[float], q: float
) -> None:
    exact = quantile(durations, q)
    found = quantile_from_bins(binned(durations), q)

    assert exact is not None
    assert found is not None
    assert found.value == pytest.approx(exact.value, rel=0.0906, abs=1)
    assert (found.interval is None) == (exact.interval is None)
    if found.interval and exact.interval:
        assert found.interval.low <= exact.interval.low * (1 + 1e-9)
        assert found.interval.high >= exact.interval.high * (1 - 1e-9)
