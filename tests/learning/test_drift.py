"""Drift as numbers: by hand, quiet while nothing moves, loud when something does."""

import math

import numpy as np
import pytest

from triage.learning import drift


def test_the_index_is_what_its_formula_says() -> None:
    # Shares .5 and .5 against .8 and .2, but for the half that is added to each of 1000.
    expected = 0.3 * math.log(0.8 / 0.5) + -0.3 * math.log(0.2 / 0.5)

    assert drift.stability_index([500, 500], [800, 200]) == pytest.approx(expected, rel=0.01)
    assert drift.stability_index([500, 500], [50, 50]) == pytest.approx(0)


def test_alike_and_nothing_in_common_are_the_two_ends_of_divergence() -> None:
    assert drift.divergence([50, 50], [500, 500]) == pytest.approx(0)
    assert drift.divergence([100_000, 0], [0, 100_000]) == pytest.approx(1, abs=0.001)


def test_bins_hold_as_many_values_each_and_a_frequent_value_has_its_own() -> None:
    inner = drift.edges(range(100))

    assert drift.histogram(range(100), inner) == [10] * 10
    assert drift.histogram([-5, 500], inner) == [1, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    # What was always 0 and is more or less now lies in another bin.
    assert drift.histogram([0, 0, 0, 0.2, -1], drift.edges([0.0] * 50)) == [1, 3, 1]


def test_a_word_counts_once_a_text_and_in_the_same_bucket_everywhere() -> None:
    counts = drift.buckets(["vpn", "vpn", "down"])

    # CRC-32 modulo 256, as any other program computes it.
    assert list(np.flatnonzero(counts)) == [59, 89]
    assert counts.sum() == 2


def test_bins_too_rare_for_the_limit_are_thrown_together() -> None:
    # Of 100 tickets 2 and 3 would be expected in the last two bins.
    found = drift.shift([950, 20, 30], [95, 2, 3])

    assert found.index == pytest.approx(0, abs=0.01)
    # One degree of freedom: 10.83 of chi2 at one in a thousand.
    assert found.by_chance == pytest.approx(10.828 * (1 / 1000 + 1 / 100), rel=0.001)


def test_a_choice_that_was_never_proposed_before_is_a_shift() -> None:
    found = drift.shift([500, 500, 0], [100, 100, 100])

    assert found.is_grave


def test_nothing_is_said_of_nothing() -> None:
    assert drift.shift([], []) == drift.Shift(0.0, 0.0)
    assert drift.shift([0, 0], [5, 5]) == drift.Shift(0.0, 0.0)
    assert not drift.Shift(0.3, 0.4).is_notable
    assert drift.Shift(0.15, 0.05).is_notable
    assert not drift.Shift(0.15, 0.05).is_grave
    assert drift.Shift(0.3, 0.05).is_grave


@pytest.mark.parametrize("n", [60, 200, 2000])
def test_a_shift_is_rarely_found_where_nothing_has_moved(n: int) -> None:
    random = np.random.default_rng(1)
    shares = random.dirichlet(np.ones(30))

    found = [
        drift.shift(random.multinomial(800, shares), random.multinomial(n, shares))
        for _ in range(2000)
    ]

    assert np.mean([shift.is_notable for shift in found]) <= 0.005


def test_a_fifth_of_the_tickets_moving_to_one_choice_is_found() -> None:
    random = np.random.default_rng(2)
    shares = np.full(10, 0.1)
    moved = 0.8 * shares + 0.2 * np.eye(10)[0]

    found = [
        drift.shift(random.multinomial(800, shares), random.multinomial(300, moved))
        for _ in range(200)
    ]

    assert np.mean([shift.is_notable for shift in found]) >= 0.95


def test_words_of_whole_texts_are_no_shift_by_themselves() -> None:
    """Texts have a topic, which some words belong to: none of them is drawn by itself."""
    random = np.random.default_rng(3)
    everything = np.array(
        [
            drift.buckets([f"{topic}-{word}" for word in random.zipf(1.3, 25) % 400])
            for topic in random.integers(0, 12, 4000)
        ]
    )
    wrong = []
    for _ in range(300):
        reference = everything[random.integers(0, 4000, 600)]
        now = everything[random.integers(0, 4000, 200)]
        wrong.append(drift.shift(reference.sum(axis=0), now.sum(axis=0)).is_notable)

    assert np.mean(wrong) <= 0.02


def test_more_tickets_out_of_scope_are_grave_only_where_there_are_many_more() -> None:
    few = drift.more_out_of_scope(0.07, 500, 0.05, 600)
    some = drift.more_out_of_scope(0.13, 500, 0.05, 600)
    many = drift.more_out_of_scope(0.30, 500, 0.05, 600)

    assert [one.is_notable for one in (few, some, many)] == [False, True, True]
    assert [one.is_grave for one in (few, some, many)] == [False, False, True]
    # .0864 pooled: .05 + 3.09 sqrt(.0864 * .9136 * (1/500 + 1/600))
    assert some.by_chance == pytest.approx(0.1025, abs=0.001)


def test_probabilities_that_hold_are_no_miscalibration_and_boasts_are() -> None:
    random = np.random.default_rng(5)
    stated = random.uniform(0.4, 1, 300)
    weights = random.choice([1.0, 4.0], 300)

    honest = [
        drift.miscalibration(stated, random.random(300) < stated, weights) for _ in range(200)
    ]
    boasting = drift.miscalibration(stated, random.random(300) < stated - 0.25, weights)

    assert np.mean([one.is_notable for one in honest]) <= 0.02
    assert boasting.is_grave
    assert boasting.value == pytest.approx(0.25, abs=0.06)


def test_a_gap_is_the_weighted_mean_of_the_bins_gaps() -> None:
    # Ten tickets, ten bins: each is its own, .9 stated; nine right, one wrong.
    found = drift.miscalibration([0.9] * 10, [1.0] * 9 + [0.0], [1.0] * 10)

    assert found.value == pytest.approx((9 * 0.1 + 0.9) / 10)
