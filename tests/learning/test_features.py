"""Texts as tokens, in scripts with spaces and without."""

import pytest

from triage.learning.features import tokens


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The VPN drops, again!", ["the", "vpn", "drops", "again"]),
        ("Drucker für Büro", ["drucker", "für", "büro"]),
        ("打印机 offline", ["打", "印", "机", "offline"]),
        ("プリンタ", ["プ", "リ", "ン", "タ"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("لا يعمل الطابعة", ["لا", "يعمل", "الطابعة"]),
        ("user_id_7", ["user_id_7"]),
        ("", []),
    ],
)
def test_words_stay_whole_and_scripts_without_spaces_fall_into_characters(
    text: str, expected: list[str]
) -> None:
    assert tokens(text) == expected
