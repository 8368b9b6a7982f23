"""Intervals that are worked out, against those that are drawn."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from review.metrics.estimators import Interval, abc_interval, bootstrap_statistic
from review.metrics.estimators.bootstrap import clustered

Table = NDArray[np.float64]
Statistic = Callable[[Table], Table]


def ratio(totals: Table) -> Table:
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Table = totals[:, 0] / totals[:, 1]
    return found


def log_odds(totals: Table) -> Table:
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Table = np.log(totals[:, 0] / (totals[:, 1] - totals[:, 0]))
    return found


def skewed(n: int) -> Table:
    generator = np.random.default_rng(7)
    wholes = generator.lognormal(1, 0.4, n)
    return np.column_stack([wholes * generator.beta(1, 4, n), wholes])


def flags(n: int) -> Table:
    hits = (np.arange(n) % 12 == 0).astype(np.float64)
    return np.column_stack([hits, np.ones(n)])


@pytest.mark.parametrize(
    ("statistic", "table"), [(ratio, skewed(150)), (log_odds, flags(300)), (ratio, skewed(4000))]
)
def test_it_is_what_twenty_thousand_resamples_say(statistic: Statistic, table: Table) -> None:
    drawn = bootstrap_statistic(table, None, statistic, n_resamples=20_000)

    found = abc_interval(clustered(table, None), statistic)

    assert found is not None
    assert drawn is not None
    assert drawn.interval is not None
    width = drawn.interval.high - drawn.interval.low
    assert found.value == drawn.value
    assert found.n_clusters == len(table)
    assert found.interval == pytest.approx(drawn.interval, abs=0.04 * width)


def test_of_a_mean_without_skew_it_is_students_interval() -> None:
    table = np.column_stack([np.tile([1.0, 3.0], 200), np.ones(400)])

    found = abc_interval(clustered(table, None), ratio)

    # 2 with a deviation of 1, divided by n: 1 / 20, and n - 1 under the root: 399 instead of 400.
    reach = 1.965927 / 20 * np.sqrt(400 / 399)
    assert found is not None
    assert found.interval == pytest.approx((2 - reach, 2 + reach), abs=1e-5)


def test_it_says_the_same_of_a_million_clusters_as_of_their_kinds() -> None:
    table = np.array([[1.0, 1.0], [0.0, 1.0]])
    groups = clustered(table, None)
    assert groups is not None

    found = abc_interval(groups._replace(counts=np.array([7e5, 3e5])), ratio)

    reach = 1.959964 * np.sqrt(0.3 * 0.7 / 1e6)
    assert found is not None
    assert found.interval == pytest.approx((0.3 - reach, 0.3 + reach), abs=2e-6)


def test_without_spread_or_below_a_hundred_there_is_a_value_and_no_interval() -> None:
    same = clustered(np.ones((200, 2)), None)
    few = clustered(flags(99), None)

    assert abc_interval(same, ratio) == (1.0, None, 200)
    assert abc_interval(few, ratio) == (9 / 99, None, 99)


def test_without_a_cluster_or_a_value_there_is_nothing() -> None:
    assert abc_interval(None, ratio) is None
    assert abc_interval(clustered(np.zeros((200, 2)), None), ratio) is None


def test_where_the_statistic_is_undefined_near_by_there_is_no_interval() -> None:
    def only_here(totals: Table) -> Table:
        return np.where(totals[:, 0] == flags(300)[:, 0].sum(), 0.5, np.nan)

    assert abc_interval(clustered(flags(300), None), only_here) == (0.5, None, 300)


def test_an_interval_ends_where_its_value_must() -> None:
    table = flags(120)

    found = abc_interval(clustered(table, None), ratio, within=Interval(0.05, 0.1))

    assert found is not None
    assert found.interval == (0.05, 0.1)


def test_a_confidence_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="confidence"):
        abc_interval(clustered(flags(300), None), ratio, confidence=1)
