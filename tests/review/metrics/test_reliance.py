"""Reliance, advice, detection and what the pair adds: small tables worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri
from sklearn.metrics import cohen_kappa_score

from review.metrics.estimators import (
    AdviceCounts,
    RelianceTable,
    advice_counts,
    cohen_kappa,
    complementarity,
    detection,
    harmful_switch_fraction,
    net_benefit_by_reason,
    over_reliance,
    override_net_benefit,
    rair,
    reliance_table,
    rsr,
    sensitivity_and_criterion,
    switch_fraction,
    under_reliance,
    wilson,
)
from tests.review.metrics import worlds


def test_over_and_under_reliance_by_hand() -> None:
    # Wrong: 3 accepted, 1 overridden. Right: 4 accepted, 1 overridden.
    table = reliance_table([0] * 4 + [1] * 5, [0, 0, 0, 1, 0, 0, 0, 0, 1])
    over, under = over_reliance(table), under_reliance(table)

    assert over is not None
    assert under is not None
    assert (over.value, over.n) == (0.75, 4)
    assert over.interval == pytest.approx(wilson(3, 4))
    assert (under.value, under.n) == (0.2, 5)
    assert under.interval == pytest.approx(wilson(1, 5))


def test_weights_count_for_what_was_not_checked() -> None:
    # Wrong: one accepted at propensity 1/6, one overridden at 1/2.
    over = over_reliance(reliance_table([0, 0], [0, 1], [6, 2]))

    assert over is not None
    assert over.value == pytest.approx(0.75)


def test_tables_of_two_days_add_up_and_an_empty_side_has_no_rate() -> None:
    first, second = reliance_table([0, 1], [1, 0], [2, 3]), reliance_table([1], [1], [4])
    both = reliance_table([0, 1, 1], [1, 0, 1], [2, 3, 4])

    assert first + second == both
    assert RelianceTable() + both == both
    assert over_reliance(second) is None
    assert under_reliance(RelianceTable()) is None


def test_net_benefit_is_mended_minus_spoilt_of_all_overrides() -> None:
    # 4 mended, 1 spoilt, 5 neither.
    found = override_net_benefit([0] * 4 + [1] + [0] * 5, [1] * 4 + [0] + [0] * 5)

    assert found is not None
    assert found.value == pytest.approx(0.3)
    assert found.interval is None
    assert override_net_benefit([], []) is None


def test_net_benefit_of_each_reason_counts_only_its_own_overrides() -> None:
    ai_right, final_right = [0, 0, 1, 1], [1, 0, 0, 0]
    reasons = ["wrong team", "wrong team", "policy", "policy"]

    found = net_benefit_by_reason(ai_right, final_right, reasons)

    assert {reason: (e.value, e.n_clusters) for reason, e in found.items()} == {
        "policy": (-1, 2),
        "wrong team": (0.5, 2),
    }
    assert list(found) == ["policy", "wrong team"]


def test_advice_that_was_taken_and_left_by_hand() -> None:
    #         corrected  not    kept   lost   other wrong answer taken   agreed
    first = ["wifi", "wifi", "login", "login", "wifi", "login"]
    advice = ["login", "login", "wifi", "wifi", "disk", "login"]
    final = ["login", "wifi", "login", "wifi", "disk", "login"]

    counts = advice_counts(first, advice, final, ["login"] * 6)

    assert counts == AdviceCounts(
        correctable=2,
        corrected=1,
        at_stake=2,
        kept=1,
        disagreed=5,
        switched=3,
        switched_from_right=1,
    )
    found = [metric(counts) for metric in (rair, rsr, switch_fraction, harmful_switch_fraction)]
    assert [(rate.k, rate.n) for rate in found if rate] == [(1, 2), (1, 2), (3, 5), (1, 5)]


def test_without_disagreement_advice_has_nothing_to_measure() -> None:
    counts = advice_counts(["a"], ["a"], ["a"], ["a"])

    assert [rair(counts), rsr(counts), switch_fraction(counts)] == [None, None, None]


def test_complementarity_by_hand() -> None:
    # The pair 3 of 4, the AI 2, the human 1.
    found = complementarity([1, 1, 1, 0], [1, 1, 0, 0], [0, 0, 1, 0])
    # Weighted: 5 of 10, 4 and 1.
    weighted = complementarity([1, 1, 1, 0], [1, 1, 0, 0], [0, 0, 1, 0], None, [2, 2, 1, 5])

    assert found is not None
    assert found.value == pytest.approx(0.25)
    assert weighted is not None
    assert weighted.value == pytest.approx(0.1)
    assert complementarity([], [], []) is None


def test_against_a_member_that_is_never_right_the_gain_is_the_pairs_own_rate() -> None:
    final, nobody = np.arange(400) % 5 > 0, np.zeros(400)

    found = complementarity(final, nobody, nobody)
    alike = complementarity(final, nobody, final)

    # 320 of 400; a binomial rate of this size has an interval of about 1.96 deviations.
    reach = 1.966 * np.sqrt(0.8 * 0.2 / 400)
    assert found is not None
    assert found.value == 0.8
    assert found.interval == pytest.approx((0.8 - reach, 0.8 + reach), abs=0.003)
    # The human alone was as right on every ticket: no gain, and no doubt about it.
    assert alike is not None
    assert (alike.value, alike.interval) == (0, (0, 0))


def test_d_prime_and_criterion_by_hand() -> None:
    # (7 + 1/2) / (9 + 1) = 3/4, (2 + 1/2) / (9 + 1) = 1/4: z and -z of 3/4.
    found = sensitivity_and_criterion(7, 9, 2, 9)

    assert found == pytest.approx((2 * ndtri(0.75), 0.0))


def test_d_prime_stays_finite_for_a_perfect_reviewer() -> None:
    assert sensitivity_and_criterion(5, 5, 0, 5) == pytest.approx((2 * ndtri(5.5 / 6), 0.0))
    assert sensitivity_and_criterion(0, 0, 1, 5) is None
    assert sensitivity_and_criterion(1, 5, 0, 0) is None
    with pytest.raises(ValueError, match="false_alarms must be between 0 and n; got k=6, n=5"):
        sensitivity_and_criterion(1, 5, 6, 5)


def test_detection_of_rows_says_what_their_counts_say() -> None:
    ai_right, overridden = worlds.reviewed(np.random.default_rng(1), 300)
    wrong = ~ai_right
    counts = [
        (wrong & overridden).sum(),
        wrong.sum(),
        (ai_right & overridden).sum(),
        ai_right.sum(),
    ]

    found = detection(ai_right, overridden)
    weighted = detection(ai_right, overridden, None, np.full(300, 8.0))

    assert found is not None
    assert weighted is not None
    expected = sensitivity_and_criterion(*(int(count) for count in counts))
    assert (found.sensitivity.value, found.criterion.value) == pytest.approx(expected)
    # Weights that are all alike change nothing, not even the correction.
    assert weighted.sensitivity.value == pytest.approx(found.sensitivity.value)
    assert weighted.criterion.interval == pytest.approx(found.criterion.interval, abs=0.02)


def test_an_empty_cell_leaves_detection_without_an_interval() -> None:
    ai_right = np.arange(200) % 4 > 0

    perfect = detection(ai_right, ~ai_right)

    assert perfect is not None
    assert perfect.sensitivity.interval is None
    assert detection([1, 1], [0, 1]) is None


def test_kappa_by_hand() -> None:
    # Agreed 35 of 50, by chance (25 * 30 + 25 * 20) / 50 = 25: (35 - 25) / (50 - 25).
    first = ["a"] * 25 + ["b"] * 25
    second = ["a"] * 20 + ["b"] * 5 + ["a"] * 10 + ["b"] * 15

    found = cohen_kappa(first, second)

    assert found is not None
    assert found.value == pytest.approx(0.4)


@given(
    pairs=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=50).filter(
        lambda pairs: len({label for pair in pairs for label in pair}) > 1
    )
)
def test_kappa_is_the_one_of_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    first, second = zip(*pairs, strict=True)
    found = cohen_kappa(first, second)

    assert found is not None
    assert found.value == pytest.approx(cohen_kappa_score(first, second))


def test_two_reviewers_with_one_label_between_them_have_no_kappa() -> None:
    assert cohen_kappa(["a", "a"], ["a", "a"]) is None
    assert cohen_kappa([], []) is None
    with pytest.raises(ValueError, match="got first 1, second 2"):
        cohen_kappa(["a"], ["a", "b"])


def test_values_lie_in_their_intervals_and_rows_in_another_order_change_nothing() -> None:
    generator = np.random.default_rng(8)
    final, ai, human = generator.random((3, 250)) < [[0.85], [0.8], [0.7]]
    order = generator.permutation(250)

    there = complementarity(final, ai, human)
    back = complementarity(final[order], ai[order], human[order])

    assert there == back
    assert there is not None
    assert there.interval is not None
    assert -1 <= there.interval.low <= there.value <= there.interval.high <= 1


@pytest.mark.parametrize("flag", [2, 0.5, np.nan])
def test_answers_that_are_neither_right_nor_wrong_are_refused(flag: float) -> None:
    with pytest.raises(ValueError, match="ai_right must be"):
        override_net_benefit([flag], [1])
    with pytest.raises(ValueError, match="overridden must be"):
        reliance_table([1], [flag])
    with pytest.raises(ValueError, match="human_right must be"):
        complementarity([1], [1], [flag])
