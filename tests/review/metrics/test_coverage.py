"""Intervals hold a known truth as often as they say: 2,000 made-up worlds each."""

import pytest

from tests.review.metrics.coverage import FAILING, WORLDS, World, coverage


def named(world: World) -> str:
    return world.name


@pytest.mark.parametrize("world", [w for w in WORLDS if not w.conservative], ids=named)
def test_an_interval_of_95_percent_holds_the_truth_in_93_to_98_of_100_worlds(world: World) -> None:
    found = coverage(world)

    assert 0.93 <= found.share <= 0.98
    assert found.n_intervals > 1950


# Exact intervals of counts; weighted rates, where those drawn more often are hits (Kish's n_eff is
# then too small); calibration errors, whose bias by chance can only be bounded.
@pytest.mark.parametrize("world", [w for w in WORLDS if w.conservative], ids=named)
def test_a_conservative_interval_holds_the_truth_at_least_as_often(world: World) -> None:
    assert coverage(world).share >= 0.93


@pytest.mark.parametrize("world", FAILING, ids=named)
def test_simulation_shows_when_an_interval_is_too_narrow(world: World) -> None:
    assert coverage(world).share < 0.93
