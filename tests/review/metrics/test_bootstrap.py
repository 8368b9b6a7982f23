"""The bootstrap: against known deviations, for any order of rows, and where it says nothing."""

import numpy as np
import numpy.typing as npt
import pytest

from review.metrics.estimators import (
    Interval,
    bootstrap_difference,
    bootstrap_ratio,
    bootstrap_statistic,
    median_touch_ratio,
    share_of_sums,
    touch_ratio,
)

Values = npt.NDArray[np.float64]


def minutes(n: int) -> tuple[Values, Values]:
    generator = np.random.default_rng(n)
    wholes = generator.gamma(3, 10, n)
    return wholes * generator.beta(2, 5, n), wholes


def mean(totals: Values) -> Values:
    means: Values = totals[:, 0] / totals[:, 1]
    return means


def test_the_interval_of_a_mean_is_close_to_students() -> None:
    values = np.random.default_rng(1).normal(5, 2, 400)
    half = 1.966 * values.std(ddof=1) / 20

    by_ratio = bootstrap_ratio(values, np.ones(400))
    by_bca = bootstrap_statistic(np.column_stack([values, np.ones(400)]), None, mean)

    for found in (by_ratio, by_bca):
        assert found is not None
        assert found.value == pytest.approx(values.mean())
        assert found.interval == pytest.approx(
            (values.mean() - half, values.mean() + half), abs=0.03
        )


def test_a_ticket_counted_twice_tells_no_more_than_once() -> None:
    parts, wholes = minutes(60)
    tickets = np.arange(60)

    once = bootstrap_ratio(parts, wholes, tickets)
    twice = bootstrap_ratio(np.tile(parts, 2), np.tile(wholes, 2), np.tile(tickets, 2))
    as_others = bootstrap_ratio(np.tile(parts, 2), np.tile(wholes, 2))

    assert once is not None
    assert twice is not None
    assert twice.n_clusters == 60
    assert twice.interval == pytest.approx(once.interval)
    assert as_others is not None
    assert as_others.interval is not None
    assert once.interval is not None
    assert as_others.interval.low > once.interval.low


@pytest.mark.parametrize("n", [80, 500])
def test_the_same_rows_in_another_order_give_the_same_interval(n: int) -> None:
    parts, wholes = minutes(n)
    order = np.random.default_rng(2).permutation(n)
    keys = np.array([f"T{number // 2}" for number in range(2 * n)])[:n]

    there = bootstrap_ratio(parts, wholes, keys)
    back = bootstrap_ratio(parts[order], wholes[order], keys[order])

    assert there is not None
    assert back is not None
    assert there.value == pytest.approx(back.value)
    assert there.n_clusters == n // 2
    assert there.interval == pytest.approx(back.interval)


def test_a_seed_decides_and_has_a_default() -> None:
    parts, wholes = minutes(100)

    assert bootstrap_ratio(parts, wholes) == bootstrap_ratio(parts, wholes)
    assert bootstrap_ratio(parts, wholes, seed=1) != bootstrap_ratio(parts, wholes, seed=2)


def test_few_kinds_of_clusters_and_many_are_drawn_alike() -> None:
    # A hair of difference makes every row a kind of its own, and takes the other way of drawing.
    hits = np.arange(200) % 4 == 0
    hair = 1e-9 * np.arange(200)

    few, many = bootstrap_ratio(hits, np.ones(200)), bootstrap_ratio(hits + hair, np.ones(200))

    assert few is not None
    assert many is not None
    assert few.interval == pytest.approx(many.interval, abs=0.01)


def test_a_paired_difference_cancels_what_both_sides_share() -> None:
    generator = np.random.default_rng(5)
    first, ones = generator.gamma(1, 1, 200), np.ones(200)
    second = first - 0.5 + generator.normal(0, 0.01, 200)

    found = bootstrap_difference((first, ones), (second, ones))

    assert found is not None
    assert found.value == pytest.approx(0.5, abs=0.01)
    assert found.interval is not None
    assert found.interval.high - found.interval.low < 0.01


@pytest.mark.parametrize(("n", "has_interval"), [(29, False), (30, True)])
def test_a_ratio_of_fewer_than_30_clusters_has_no_interval(n: int, has_interval: bool) -> None:
    found = bootstrap_ratio(*minutes(n))

    assert found is not None
    assert (found.interval is not None) == has_interval


@pytest.mark.parametrize(("n", "has_interval"), [(99, False), (100, True)])
def test_a_statistic_of_fewer_than_100_clusters_has_no_interval(n: int, has_interval: bool) -> None:
    found = bootstrap_statistic(np.column_stack(minutes(n)), None, mean)

    assert found is not None
    assert (found.interval is not None) == has_interval


def test_without_spread_there_is_no_interval_that_would_feign_certainty() -> None:
    wholes = minutes(200)[1]

    for parts in (np.zeros(200), wholes / 3, wholes):
        ratio = bootstrap_ratio(parts, wholes)
        statistic = bootstrap_statistic(np.column_stack([parts > wholes, wholes > 0]), None, mean)
        assert ratio is not None
        assert ratio.interval is None
        assert statistic is not None
        assert statistic.interval is None


def test_nothing_comes_of_nothing() -> None:
    assert bootstrap_ratio([], []) is None
    assert bootstrap_ratio([1, 2], [0, 0]) is None
    assert bootstrap_difference(([1], [1]), ([1], [0])) is None
    assert bootstrap_statistic(np.empty((0, 2)), None, mean) is None
    assert bootstrap_statistic([[np.pi, 0]], None, lambda totals: totals[:, 0] * np.nan) is None
    assert median_touch_ratio([], []) is None


def test_a_statistic_that_many_resamples_leave_undefined_has_no_interval() -> None:
    # One cluster of 200 has the denominator: 37 of 100 resamples miss it.
    columns = np.column_stack([np.arange(200), np.arange(200) == 7])

    def where_defined(totals: Values) -> Values:
        return np.where(totals[:, 1] > 0, totals[:, 0], np.nan)

    found = bootstrap_statistic(columns, None, where_defined)

    assert found is not None
    assert found.interval is None
    ratio = bootstrap_ratio(columns[:, 0], columns[:, 1])
    assert ratio is not None
    assert ratio.interval is None


def test_an_interval_is_cut_where_the_ratio_cannot_lie() -> None:
    hits = np.arange(60) < 2

    free = bootstrap_ratio(~hits, np.ones(60))
    cut = bootstrap_ratio(~hits, np.ones(60), within=Interval(0, 1))

    assert free is not None
    assert free.interval is not None
    assert cut is not None
    assert cut.interval is not None
    assert cut.interval.high <= 1
    assert cut.interval.low == free.interval.low


@pytest.mark.parametrize(
    ("parts", "wholes", "clusters", "message"),
    [
        ([1.0], [-1.0], None, "denominators must be finite and at least 0; position 0 has -1"),
        ([np.nan], [1.0], None, "numerators must be finite"),
        ([1.0, 2.0], [1.0], None, "one length; got numerators 2, denominators 1"),
        ([1.0], [1.0], [1, 2], r"one key a row: 1, not the shape \(2,\)"),
    ],
)
def test_rows_without_a_ratio_are_refused(
    parts: list[float], wholes: list[float], clusters: list[int] | None, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        bootstrap_ratio(parts, wholes, clusters)


def test_too_few_resamples_for_a_tail_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 100; it is 20"):
        bootstrap_ratio(*minutes(50), n_resamples=20)


def test_share_of_minutes_by_hand_and_a_part_larger_than_its_whole() -> None:
    found = share_of_sums([10, 0, 20], [40, 30, 50])

    assert found is not None
    assert found.value == pytest.approx(30 / 120)
    with pytest.raises(ValueError, match="position 1 has 31 of 30"):
        share_of_sums([10, 31], [40, 30])


def test_touch_ratio_weighs_by_time_and_its_median_by_ticket() -> None:
    # Ticket a: 5 + 5 of 5 + 5 + 0 + 30; b: 1 of 2; c: 9 of 10; d never had any time.
    handling, waiting, tickets = [5, 5, 1, 9, 0], [0, 30, 1, 1, 0], ["a", "a", "b", "c", "d"]

    together = touch_ratio(handling, waiting, tickets)
    median = median_touch_ratio(handling, waiting, tickets)

    assert together is not None
    assert together.value == pytest.approx(20 / 52)
    assert median is not None
    assert median.value == pytest.approx(0.5)
