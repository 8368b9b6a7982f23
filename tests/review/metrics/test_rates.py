"""Exact, Jeffreys and Poisson intervals: by hand, by definition, and for any counts."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import betainc
from scipy.stats import binom, poisson

from review.metrics.estimators import (
    Interval,
    Rate,
    checks_needed,
    clopper_pearson,
    jeffreys,
    more_checks,
    poisson_rate,
    rate,
    wilson,
)

Of = Callable[[int, int], Interval | None]
COUNTS = st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def test_clopper_pearson_without_a_hit_ends_where_none_is_just_likely_enough() -> None:
    # (1 - p)**10 = 0.025.
    assert clopper_pearson(0, 10) == pytest.approx((0, 1 - 0.025**0.1))
    assert clopper_pearson(10, 10) == pytest.approx((0.025**0.1, 1))


@pytest.mark.parametrize(("k", "n"), [(1, 8), (3, 40), (39, 40)])
def test_clopper_pearson_leaves_a_tail_of_the_binomial_on_either_side(k: int, n: int) -> None:
    interval = clopper_pearson(k, n)

    assert interval is not None
    assert binom.sf(k - 1, n, interval.low) == pytest.approx(0.025)
    assert binom.cdf(k, n, interval.high) == pytest.approx(0.025)


def test_jeffreys_leaves_a_tail_of_the_beta_on_either_side() -> None:
    interval = jeffreys(7, 10)

    assert interval is not None
    assert betainc(7.5, 3.5, interval.low) == pytest.approx(0.025)
    assert betainc(7.5, 3.5, interval.high) == pytest.approx(0.975)


def test_jeffreys_of_one_drill_by_hand() -> None:
    # Beta(1/2, 3/2) has the density 2/pi sqrt((1-x)/x); with x = sin(t)**2 its distribution is
    # (2 t + sin(2 t)) / pi.
    interval = jeffreys(0, 1)

    assert interval is not None
    assert interval.low == 0
    t = math.asin(math.sqrt(interval.high))
    assert (2 * t + math.sin(2 * t)) / math.pi == pytest.approx(0.975)


def test_poisson_rate_leaves_a_tail_on_either_side_and_is_per_unit_of_exposure() -> None:
    found = poisson_rate(6, 3)

    assert found is not None
    assert found.value == 2
    assert poisson.sf(5, 3 * found.interval.low) == pytest.approx(0.025)
    assert poisson.cdf(6, 3 * found.interval.high) == pytest.approx(0.025)


def test_no_event_at_all_still_has_an_upper_bound() -> None:
    # exp(-x) = 0.025.
    found = poisson_rate(0, 2)

    assert found is not None
    assert found.interval == pytest.approx((0, -math.log(0.025) / 2))
    assert poisson_rate(0, 0) is None


@pytest.mark.parametrize(
    ("count", "exposure", "message"),
    [(-1, 2, "count must not be negative; it is -1"), (1, -2, "it is -2"), (1, math.inf, "is inf")],
)
def test_events_that_cannot_be_are_refused(count: int, exposure: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        poisson_rate(count, exposure)


@pytest.mark.parametrize("interval", [clopper_pearson, jeffreys])
def test_exact_intervals_are_none_without_a_trial_and_refuse_more_hits_than_trials(
    interval: Of,
) -> None:
    assert interval(0, 0) is None
    with pytest.raises(ValueError, match="got k=3, n=2"):
        interval(3, 2)


def test_a_rate_carries_its_counts_and_wilson() -> None:
    assert rate(3, 4) == Rate(0.75, wilson(3, 4) or Interval(0, 0), 3, 4)
    assert rate(0, 0) is None


@pytest.mark.parametrize("interval", [wilson, clopper_pearson, jeffreys])
@given(counts=COUNTS)
def test_an_interval_holds_its_rate_lies_within_0_and_1_and_mirrors_hits_and_misses(
    interval: Of, counts: tuple[int, int]
) -> None:
    k, n = counts
    found, mirrored = interval(k, n), interval(n - k, n)

    assert found is not None
    assert mirrored is not None
    assert 0 <= found.low <= k / n + 1e-12
    assert k / n - 1e-12 <= found.high <= 1
    assert mirrored == pytest.approx((1 - found.high, 1 - found.low), abs=1e-9)


@given(counts=COUNTS)
def test_the_exact_interval_is_the_widest(counts: tuple[int, int]) -> None:
    exact, bayesian = clopper_pearson(*counts), jeffreys(*counts)

    assert exact is not None
    assert bayesian is not None
    assert exact.low <= bayesian.low + 1e-12
    assert bayesian.high <= exact.high + 1e-12


def held(interval: Of, n: int, truth: float) -> float:
    """P(the interval of a binomial count holds the truth): no simulation, a sum."""
    bounds = [interval(k, n) or Interval(1, 0) for k in range(n + 1)]
    inside = [bound.low <= truth <= bound.high for bound in bounds]
    return float(binom.pmf(np.arange(n + 1), n, truth) @ inside)


@pytest.mark.parametrize("n", [10, 40, 150])
def test_the_exact_interval_never_holds_the_truth_less_often_than_it_says(n: int) -> None:
    assert min(held(clopper_pearson, n, truth) for truth in np.linspace(0.01, 0.99, 99)) >= 0.95


@pytest.mark.parametrize("n", [10, 20, 60])
@pytest.mark.parametrize("interval", [jeffreys, wilson])
def test_jeffreys_and_wilson_hold_the_truth_as_often_as_they_say_on_average(
    interval: Of, n: int
) -> None:
    shares = [held(interval, n, truth) for truth in np.linspace(0.05, 0.95, 181)]

    # Counts are whole, so for single rates the share jumps up and down around the average.
    assert 0.94 < float(np.mean(shares)) < 0.96
    assert min(shares) > 0.85


@pytest.mark.parametrize("p", [0.0, 0.03, 0.5, 0.9])
@pytest.mark.parametrize("width", [0.05, 0.1, 0.4])
def test_checks_needed_are_the_fewest_with_an_interval_so_narrow(p: float, width: float) -> None:
    n = checks_needed(p, width)

    def width_at(trials: int) -> float:
        # Wilson's formula for a rate that need not be a whole number of hits.
        z = 1.959963984540054
        return 2 * z * math.sqrt(p * (1 - p) / trials + (z / trials / 2) ** 2) / (1 + z**2 / trials)

    assert width_at(n) <= width + 1e-12
    assert n == 1 or width_at(n - 1) > width


def test_checks_needed_by_hand_with_z_of_exactly_two() -> None:
    # At 0 Wilson ends at z**2 / (n + z**2) = 4 / (n + 4): a tenth from n = 36 on.
    assert checks_needed(0, 0.1, confidence=math.erf(2 / math.sqrt(2))) == 36


def test_more_checks_take_off_those_made_and_count_what_each_is_worth() -> None:
    needed = checks_needed(0.5, 0.1)

    assert more_checks(0.5, 0, 0.1) == needed
    assert more_checks(0.5, 100, 0.1) == needed - 100
    assert more_checks(0.5, 100, 0.1, n_eff=50) == 2 * needed - 100
    assert more_checks(0.5, 10_000, 0.1) == 0


@pytest.mark.parametrize(
    ("p", "n", "width", "n_eff", "message"),
    [
        (1.5, 1, 0.1, None, "rate must lie between 0 and 1; it is 1.5"),
        (0.5, 1, 10, None, "width must lie between 0 and 1; it is 10"),
        (0.5, -1, 0.1, None, "n must not be negative; it is -1"),
        (0.5, 5, 0.1, 6, "up to n=5; it is 6"),
        (0.5, 5, 0.1, 0, "above 0"),
    ],
)
def test_a_need_that_makes_no_sense_is_refused(
    p: float, n: int, width: float, n_eff: float | None, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        more_checks(p, n, width, n_eff=n_eff)
