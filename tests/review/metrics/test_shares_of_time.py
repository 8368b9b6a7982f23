"""Shares of sums without the rows, and limits of chance, against known answers."""

import numpy as np
import pytest
from scipy.stats import binom

from review.metrics.estimators import (
    Interval,
    Moments,
    funnel_limits,
    ratio_from_moments,
    share_of_sums,
)
from tests.review.metrics import worlds


def moments(parts: list[float], wholes: list[float]) -> Moments:
    x, y = np.array(parts, dtype=float), np.array(wholes, dtype=float)
    return Moments(len(x), *(float(s) for s in (x.sum(), y.sum(), x @ x, y @ y, x @ y)))


def test_a_share_of_sums_is_that_of_all_rows_and_its_deviation_the_textbooks() -> None:
    parts, wholes = [1.0, 0.0, 2.0, 1.0] * 10, [2.0, 4.0, 3.0, 1.0] * 10

    found = ratio_from_moments(moments(parts, wholes))

    # 40 of 100; residuals x - 0.4 y are 0.2, -1.6, 0.8, 0.6, so that their squares sum to
    # 10 * 3.6; the variance is 40 / 39 * 36 / 100^2, and t(39) is 2.0227.
    assert found is not None
    assert found.value == 0.4
    assert found.interval is not None
    deviation = (40 / 39 * 36) ** 0.5 / 100
    assert found.interval == pytest.approx(
        (0.4 - 2.0227 * deviation, 0.4 + 2.0227 * deviation), abs=1e-5
    )


@pytest.mark.parametrize(("world", "n"), [(worlds.rework, 600), (worlds.waiting, 1500)])
def test_it_agrees_with_the_bootstrap_of_the_rows(world: worlds.Minutes, n: int) -> None:
    parts, wholes = world(np.random.default_rng(7), n)

    by_sums = ratio_from_moments(moments(parts.tolist(), wholes.tolist()))
    by_rows = share_of_sums(parts, wholes)

    assert by_sums is not None
    assert by_rows is not None
    assert by_sums.value == pytest.approx(by_rows.value)
    assert by_sums.interval is not None
    assert by_rows.interval is not None
    width = by_rows.interval.high - by_rows.interval.low
    # The bootstrap leans to the side of the long tickets; the widths are the same to a sixth.
    assert by_sums.interval.high - by_sums.interval.low == pytest.approx(width, rel=0.17)
    for one, other in zip(by_sums.interval, by_rows.interval, strict=True):
        assert abs(one - other) < width / 6


@pytest.mark.parametrize(
    ("parts", "wholes", "value", "has_interval"),
    [
        ([1.0] * 29, [2.0] * 28 + [3.0], 29 / 59, False),
        ([1.0] * 30, [2.0] * 30, 0.5, False),
        ([0.0] * 29 + [1.0], [1.0] * 30, 1 / 30, True),
    ],
)
def test_too_few_tickets_or_no_spread_among_them_have_no_interval(
    parts: list[float], wholes: list[float], value: float, has_interval: bool
) -> None:
    found = ratio_from_moments(moments(parts, wholes))

    assert found is not None
    assert found.value == pytest.approx(value)
    assert (found.interval is not None) is has_interval
    assert found.interval is None or 0 <= found.interval.low <= found.interval.high <= 1


def test_without_tickets_or_time_there_is_no_share() -> None:
    assert ratio_from_moments(moments([], [])) is None
    assert ratio_from_moments(moments([0.0] * 40, [0.0] * 40)) is None


def test_the_limits_leave_out_the_share_of_draws_that_they_say() -> None:
    limits = funnel_limits(0.1, 200, confidence=0.95)

    assert limits is not None
    assert 11 < limits.low * 200 < 12
    assert 28 < limits.high * 200 < 29
    assert binom.cdf(11, 200, 0.1) < 0.025 < binom.cdf(12, 200, 0.1)
    assert binom.cdf(28, 200, 0.1) < 0.975 < binom.cdf(29, 200, 0.1)


@pytest.mark.parametrize("n", [1, 7, 30, 500])
@pytest.mark.parametrize("rate", [0.01, 0.3, 0.97])
def test_wider_limits_enclose_narrower_ones_and_the_rate(n: int, rate: float) -> None:
    usual = funnel_limits(rate, n, confidence=0.95)
    far = funnel_limits(rate, n, confidence=0.998)

    assert usual is not None
    assert far is not None
    assert 0 <= far.low <= usual.low <= usual.high <= far.high <= 1
    assert usual.low <= rate + 1 / n


def test_limits_need_a_case_and_a_rate() -> None:
    assert funnel_limits(0.2, 0, confidence=0.95) is None
    assert funnel_limits(0.0, 9, confidence=0.95) == Interval(0.0, 0.0)
    with pytest.raises(ValueError, match=r"rate must lie between 0 and 1; it is 1.2"):
        funnel_limits(1.2, 9, confidence=0.95)
