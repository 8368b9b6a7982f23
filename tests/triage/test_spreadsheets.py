import pytest

from triage.spreadsheets import Cell, safe


@pytest.mark.parametrize(
    "start", ["=", "+", "-", "@", "\t", "\r", "\n", " ", "＝", "＋", "－", "＠"]
)
def test_a_text_that_a_spreadsheet_would_run_gets_an_apostrophe(start: str) -> None:
    assert safe(f"{start}SUM(A1)") == f"'{start}SUM(A1)"


@pytest.mark.parametrize("blank", ["\u00a0", "\u200b", "\ufeff", "\u2003"])
def test_a_blank_that_nobody_sees_hides_no_formula(blank: str) -> None:
    assert safe(f"{blank}=1+1") == f"'{blank}=1+1"


@pytest.mark.parametrize("separator", [";", "\t", "|", "\n", "\r\n"])
def test_a_formula_behind_what_others_take_for_a_separator_gets_one_too(separator: str) -> None:
    assert safe(f"VPN{separator}=1+1") == f"VPN{separator}'=1+1"
    assert safe(f"VPN{separator} @A1") == f"VPN{separator}' @A1"
    assert safe(f'VPN"{separator}"=1+1') == f'VPN"{separator}\'"=1+1'


@pytest.mark.parametrize(
    "cell", ["VPN", "1=1", "a@b", "Wi-Fi; cabling", "x = 1", "", -0.05, 3, None]
)
def test_other_texts_and_numbers_stay_as_they_are(cell: Cell) -> None:
    assert safe(cell) == cell
