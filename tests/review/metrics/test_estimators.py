"""Against answers printed in the papers, worked out by hand, or known from the distribution."""

import math

import numpy as np
import numpy.typing as npt
import pytest

from review.metrics.estimators import (
    GRID,
    Interval,
    Quantile,
    Ranks,
    nearest_rank,
    newcombe,
    quantile,
    quantile_from_grid,
    quantile_ranks,
    wilson,
)

Values = npt.NDArray[np.float64]


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)],
)
def test_wilson_gives_the_intervals_printed_in_newcombes_comparison(
    k: int, n: int, low: float, high: float
) -> None:
    assert wilson(k, n) == pytest.approx((low, high), abs=5e-5)


def test_wilson_by_hand_with_z_of_exactly_two() -> None:
    # z = 2, k = 8, n = 16: centre (1/2 + 1/8) / (1 + 1/4) = 1/2,
    # half = 2 / 1.25 * sqrt(1/64 + 1/256) = 1.6 * sqrt(5) / 16.
    confidence = math.erf(2 / math.sqrt(2))
    half = 1.6 * math.sqrt(5) / 16

    assert wilson(8, 16, confidence=confidence) == pytest.approx((0.5 - half, 0.5 + half))


def test_wilson_touches_the_ends_exactly_and_is_none_without_a_trial() -> None:
    none, all_of_them = wilson(0, 7), wilson(7, 7)

    assert wilson(0, 0) is None
    assert none is not None
    assert none.low == 0.0
    assert all_of_them is not None
    assert all_of_them.high == 1.0


@pytest.mark.parametrize(("k", "n"), [(-1, 5), (6, 5), (1, 0)])
def test_wilson_refuses_more_hits_than_trials(k: int, n: int) -> None:
    with pytest.raises(ValueError, match=f"got k={k}, n={n}"):
        wilson(k, n)


@pytest.mark.parametrize("confidence", [0, 1, 95])
def test_a_confidence_that_is_no_fraction_is_refused(confidence: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        wilson(1, 2, confidence=confidence)


@pytest.mark.parametrize(
    ("first", "second", "value", "low", "high"),
    [
        ((56, 70), (48, 80), 0.2, 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.6, 0.1705, 0.8090),
        ((10, 10), (0, 20), 1.0, 0.6791, 1.0),
    ],
)
def test_newcombe_gives_the_intervals_printed_in_his_table(
    first: tuple[int, int], second: tuple[int, int], value: float, low: float, high: float
) -> None:
    difference = newcombe(first, second)

    assert difference is not None
    assert difference.value == pytest.approx(value)
    assert difference.interval == pytest.approx((low, high), abs=5e-5)


def test_newcombe_turns_its_sign_with_its_sides_and_needs_both() -> None:
    there, back = newcombe((9, 10), (3, 10)), newcombe((3, 10), (9, 10))

    assert there is not None
    assert back is not None
    assert back.value == -there.value
    assert back.interval == pytest.approx((-there.interval.high, -there.interval.low))
    assert newcombe((0, 0), (3, 10)) is None
    assert newcombe((3, 10), (0, 0)) is None


def test_nearest_rank_is_not_carried_over_by_rounding() -> None:
    assert [nearest_rank(n, 0.5) for n in (1, 2, 3, 4)] == [1, 1, 2, 2]
    assert [nearest_rank(n, 0.9) for n in (9, 10, 11, 30, 70)] == [9, 9, 10, 27, 63]


def test_quantile_ranks_of_the_median_by_hand() -> None:
    # n = 10: P(B <= 1) = 11/1024 < 0.025 < P(B <= 2) = 56/1024, so the 2nd and the 9th value.
    assert quantile_ranks(10, 0.5) == Ranks(2, 9)
    # 2 / 2**6 = 0.031 <= 0.05 < 2 / 2**5: six values are the fewest.
    assert quantile_ranks(6, 0.5) == Ranks(1, 6)
    assert quantile_ranks(5, 0.5) is None


def test_the_ninth_decile_has_an_interval_from_36_values_on() -> None:
    # Its upper bound is the largest value while 0.9**n <= 0.025: 0.9**35 = 0.02503.
    assert quantile_ranks(35, 0.9) is None
    # Its lower: of 36 values 8 or more lie above with P = 0.0235, 7 or more with P = 0.0628.
    assert quantile_ranks(36, 0.9) == Ranks(29, 36)


def test_quantile_of_a_few_known_values() -> None:
    median = quantile([5, 1, 4, 2, 3, 6, 7, 10, 9, 8], 0.5)

    assert median == Quantile(5, Interval(2, 9))
    assert quantile([3.5], 0.9) == Quantile(3.5, None)
    assert quantile([], 0.5) is None


def database_grid(values: Values) -> list[float]:
    """percentile_disc as PostgreSQL defines it: the value of rank ceil(fraction * n)."""
    return [float(v) for v in np.quantile(values, GRID, method="inverted_cdf")]


@pytest.mark.parametrize("n", [1, 2, 5, 6, 35, 36, 79, 80, 99, 101, 128, 150, 199, 200])
@pytest.mark.parametrize("q", [0.5, 0.9])
def test_up_to_200_values_the_grid_tells_the_same_as_the_values_themselves(
    n: int, q: float
) -> None:
    values = np.random.default_rng(n).exponential(size=n)

    assert quantile_from_grid(database_grid(values), n, q) == quantile(list(values), q)


@pytest.mark.parametrize("n", [201, 317, 1000, 12345])
@pytest.mark.parametrize("q", [0.5, 0.9])
def test_above_200_values_the_grid_widens_the_interval_and_never_narrows_it(
    n: int, q: float
) -> None:
    values = np.random.default_rng(n).exponential(size=n)

    coarse, fine = quantile_from_grid(database_grid(values), n, q), quantile(list(values), q)

    assert coarse is not None
    assert coarse.interval is not None
    assert fine is not None
    assert fine.interval is not None
    assert coarse.interval.low <= fine.interval.low
    assert coarse.interval.high >= fine.interval.high
    # Value within half a step of the wanted quantile; bounds within one step of theirs.
    assert np.mean(values <= coarse.value) == pytest.approx(q, abs=1 / 400 + 1 / n)
    assert np.mean(values <= coarse.interval.low) > np.mean(values <= fine.interval.low) - 0.0075
    assert np.mean(values <= coarse.interval.high) < np.mean(values <= fine.interval.high) + 0.0075


def test_a_grid_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="200 values; this one has 3"):
        quantile_from_grid([1.0, 2.0, 3.0], 3, 0.5)


@pytest.mark.parametrize(("n", "q", "message"), [(0, 0.5, "n is 0"), (3, 1.0, "it is 1.0")])
def test_a_quantile_of_nothing_or_beyond_the_ends_is_refused(
    n: int, q: float, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        quantile_ranks(n, q)


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.3, 0.5, 0.93])
@pytest.mark.parametrize("n", [10, 40, 200])
def test_wilson_covers_the_true_rate_about_as_often_as_it_says(rate: float, n: int) -> None:
    hits = np.random.default_rng(20_000 + n).binomial(n, rate, size=3000)
    intervals = {int(k): wilson(int(k), n) for k in np.unique(hits)}

    covered = np.mean([i is not None and i.low <= rate <= i.high for i in map(intervals.get, hits)])

    # The score interval is 95 % on average and dips near the ends for small n; a Wald interval
    # would fall to 0.18 at (0.02, 10).
    assert 0.90 < covered <= 1.0


@pytest.mark.parametrize(("one", "two", "n"), [(0.1, 0.2, 30), (0.5, 0.5, 50), (0.05, 0.02, 100)])
def test_newcombe_covers_the_true_difference_about_as_often_as_it_says(
    one: float, two: float, n: int
) -> None:
    draws = np.random.default_rng(7).binomial(n, [one, two], size=(2000, 2))

    intervals = [newcombe((int(a), n), (int(b), n)) for a, b in draws]
    covered = np.mean(
        [d is not None and d.interval.low <= one - two <= d.interval.high for d in intervals]
    )

    assert 0.93 < covered < 0.985


@pytest.mark.parametrize(("q", "n"), [(0.5, 6), (0.5, 25), (0.9, 36), (0.9, 120)])
def test_order_statistics_cover_the_true_quantile_at_least_as_often_as_they_say(
    q: float, n: int
) -> None:
    ranks = quantile_ranks(n, q)
    assert ranks is not None
    samples = np.sort(np.random.default_rng(11).lognormal(sigma=2, size=(20_000, n)), axis=1)
    true = math.exp(2 * {0.5: 0.0, 0.9: 1.2815515655446004}[q])

    covered = np.mean((samples[:, ranks.low - 1] <= true) & (true <= samples[:, ranks.high - 1]))

    # Three standard errors of 20,000 draws below 95 %.
    assert covered > 0.95 - 3 * math.sqrt(0.95 * 0.05 / 20_000)
