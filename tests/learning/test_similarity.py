from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from triage.learning.similarity import Comparison


def rank(query: str, candidates: Sequence[str]) -> NDArray[np.float64]:
    comparison = Comparison()
    return comparison.rank(comparison.count(query), [comparison.count(c) for c in candidates])


def test_cosines_are_as_computed_by_hand() -> None:
    # idf: vpn in 1 of 2 texts, down in 2 of 2, slow in none.
    vpn, down, slow = math.log(3 / 2) + 1, math.log(3 / 3) + 1, math.log(3 / 1) + 1
    query = math.sqrt(vpn**2 + slow**2)
    candidate = math.sqrt(vpn**2 + down**2)
    assert rank("VPN slow", ["vpn down", "down"]) == pytest.approx(
        [vpn * vpn / (query * candidate), 0]
    )


def test_the_same_text_scores_one_and_a_stranger_nothing() -> None:
    assert rank("the vpn is down", ["The VPN is down!", "buy a chair"]) == pytest.approx([1, 0])


def test_nothing_to_compare_is_no_error() -> None:
    assert rank("vpn", []).shape == (0,)
    assert rank("", ["vpn", ""]).tolist() == [0, 0]


def test_rare_words_weigh_more_than_common_ones() -> None:
    scores = rank("printer toner", ["printer toner", "printer a", "toner b", "printer c"])
    assert scores[0] > scores[2] > scores[1]
    assert ((scores >= 0) & (scores <= 1)).all()


def test_texts_of_other_comparisons_between_them_change_nothing() -> None:
    comparison = Comparison()
    query, near, far = map(comparison.count, ["vpn slow", "vpn down", "down"])
    alone = comparison.rank(query, [near, far]).tolist()
    comparison.count("words that no candidate has")
    assert comparison.rank(query, [near, far]).tolist() == alone
