"""Wrong values of the environment stop the start with a sentence."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import env


@pytest.mark.parametrize("value", [None, ""])
def test_an_optional_secret_may_be_missing(
    monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    monkeypatch.delenv("A_TOKEN", raising=False)
    if value is not None:
        monkeypatch.setenv("A_TOKEN", value)

    assert env.secret_if_set("A_TOKEN", how="make one") == ""


def test_one_that_is_set_is_long_enough_or_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_TOKEN", "short")
    with pytest.raises(ImproperlyConfigured, match="A_TOKEN must have at least 32 characters"):
        env.secret_if_set("A_TOKEN", how="make one")

    monkeypatch.setenv("A_TOKEN", "x" * 32)
    assert env.secret_if_set("A_TOKEN", how="make one") == "x" * 32


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("0", "SHARE must be at least 1; it is 0."),
        ("101", "SHARE must be at most 100; it is 101."),
        ("half", "SHARE must be a whole number; it is 'half'."),
    ],
)
def test_a_number_out_of_bounds_is_named(
    monkeypatch: pytest.MonkeyPatch, value: str, said: str
) -> None:
    monkeypatch.setenv("SHARE", value)

    with pytest.raises(ImproperlyConfigured, match=said):
        env.number("SHARE", 50, least=1, most=100)


def test_a_number_within_its_bounds_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHARE", "100")

    assert env.number("SHARE", 50, least=1, most=100) == 100
