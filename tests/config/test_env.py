"""Secrets that may be missing, but are never weak."""

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
