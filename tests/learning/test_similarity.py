from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.learning.similarity import (
    ROWS,
    Frequencies,
    cosine,
    sought,
    words,
)

FEW = ["vpn down", "down", "printer down", "the printer jams"]


@pytest.fixture
def few() -> Frequencies:
    return Frequencies.of(FEW, total=0)


@pytest.fixture
def million() -> Frequencies:
    """Every text has `please`, every tenth `printer`, every 100th a name; a million texts."""
    texts = [f"please {'printer' if n % 10 == 0 else 'laptop'} name{n % 100}" for n in range(1_000)]
    return Frequencies.of(texts, total=1_000_000)


def test_words_are_lower_case_and_placeholders_are_none() -> None:
    assert words("VPN a 42 password_reset _mail_ don’t") == [
        "vpn",
        "42",
        "password",
        "reset",
        "don",
    ]
    assert words("x" * 41 + " " + "y" * 40) == ["y" * 40]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Größe ändern, été", ["größe", "ändern", "été"]),
        ("принтер не печатает", ["принтер", "не", "печатает"]),
        ("الطابعة لا تعمل", ["الطابعة", "لا", "تعمل"]),
        ("שָׁלוֹם מדפסת", ["שָׁלוֹם", "מדפסת"]),
        ("हिन्दी में समस्या", ["हिन्दी", "में", "समस्या"]),
        ("프린터가 고장", ["프린터가", "고장"]),
        ("打印机坏了", ["打印", "印机", "机坏", "坏了"]),
        ("在VPN上", ["在", "vpn", "上"]),
        ("プリンター", ["プリ", "リン", "ンタ", "ター"]),
    ],
)
def test_words_of_any_script_stay_whole_and_neighbours_stand_for_words_where_no_blanks_do(
    text: str, found: list[str]
) -> None:
    assert words(text) == found


@given(st.text(max_size=300))
def test_words_never_raise_and_are_never_longer_than_forty(text: str) -> None:
    assert all(1 <= len(word) <= 40 for word in words(text))


def test_cosines_are_as_computed_by_hand(few: Frequencies) -> None:
    # idf: vpn in 1 of 4 texts, down in 3 of 4, slow in none.
    vpn, down, slow = math.log(5 / 2) + 1, math.log(5 / 4) + 1, math.log(5 / 1) + 1
    query, candidate = math.hypot(vpn, slow), math.hypot(vpn, down)
    near = cosine(few.weigh("VPN slow"), few.weigh("vpn down"))
    assert near == pytest.approx(vpn * vpn / (query * candidate))


def test_the_same_text_scores_one_and_a_stranger_nothing(few: Frequencies) -> None:
    assert cosine(few.weigh("the vpn is down"), few.weigh("The VPN is down!")) == pytest.approx(1)
    assert cosine(few.weigh("the vpn is down"), few.weigh("buy chairs")) == 0
    assert cosine(few.weigh(""), few.weigh("")) == 0


def test_rare_words_weigh_more_than_common_ones(few: Frequencies) -> None:
    asked = few.weigh("vpn down")
    assert cosine(asked, few.weigh("vpn now")) > cosine(asked, few.weigh("now down")) > 0


@given(st.text(max_size=200), st.text(max_size=200))
def test_a_cosine_is_between_nothing_and_one(one: str, other: str) -> None:
    frequencies = Frequencies.of(FEW, total=0)
    assert 0 <= cosine(frequencies.weigh(one), frequencies.weigh(other)) <= 1


def test_nothing_is_known_of_a_source_without_texts() -> None:
    nothing = Frequencies.of([], total=0)
    assert [one.words for one in sought("printer jam", nothing)] == [("printer",), ("jam",)]
    assert cosine(nothing.weigh("printer jam"), nothing.weigh("printer")) > 0.5


def test_the_rarest_words_are_sought_first_and_the_frequent_ones_not(million: Frequencies) -> None:
    found = sought("please my printer xk500 zz", million)
    assert [one.words for one in found] == [("xk500",), ("my",), ("zz",)]
    assert found[0].weight == million.idf("xk500")


def test_of_frequent_words_those_pairs_are_sought_that_are_rare_together(
    million: Frequencies,
) -> None:
    found = sought("please printer name7 name8", million)
    # 3 * .01 * .01 of a million texts; with `printer` ten times as many would be found.
    assert [one.words for one in found] == [("name7", "name8")]


def test_nothing_is_sought_where_every_word_is_frequent(million: Frequencies) -> None:
    assert sought("please printer", million) == []
    assert sought("", million) == []


@given(st.lists(st.sampled_from(["please", "printer", "name1", "name2", "rare", "xk500", "zz"])))
def test_what_is_sought_is_expected_to_find_few(chosen: list[str]) -> None:
    texts = [f"please {'printer' if n % 10 == 0 else ''} name{n % 100}" for n in range(1_000)]
    frequencies = Frequencies.of(texts, total=1_000_000)
    found = sought(" ".join(chosen), frequencies)
    expected = sum(
        frequencies.total * math.prod(frequencies.share(word) for word in one.words)
        for one in found
    )
    assert expected <= ROWS
