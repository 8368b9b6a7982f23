"""Which level holds for one ticket, and which steps of the ladder are allowed."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.policy.ladder import LEVELS, Acting, acting_level, canary_draw, refusal

READY: dict[str, Any] = {
    "level": "auto",
    "cap": "auto",
    "probability": 0.95,
    "threshold": 0.5,
    "certified_from": 0.9,
    "canary_percent": 25,
    "draw": 0.1,
    "stopped": False,
    "held": False,
}


def acting(**over: Any) -> Acting:
    return acting_level(**{**READY, **over})


def test_auto_acts_when_everything_allows_it() -> None:
    assert acting() == Acting("auto", proposes=True)


@pytest.mark.parametrize(
    "over",
    [
        {"certified_from": None},
        {"certified_from": 0.951},
        {"draw": 0.25},
        {"draw": 0.99},
        {"canary_percent": 0, "draw": 0.0},
        {"stopped": True},
        {"held": True},
        {"cap": "suggest"},
    ],
)
def test_whatever_is_missing_makes_auto_a_suggestion(over: dict[str, Any]) -> None:
    assert acting(**over) == Acting("suggest", proposes=True)


@pytest.mark.parametrize(
    "over",
    [
        {"probability": 0.9},
        {"canary_percent": 100, "draw": 0.999999},
        {"draw": 0.2499},
        {"threshold": 0.95},
    ],
)
def test_the_bounds_themselves_still_allow_auto(over: dict[str, Any]) -> None:
    assert acting(**over) == Acting("auto", proposes=True)


@pytest.mark.parametrize("level", ["suggest", "prefill", "auto"])
@pytest.mark.parametrize("probability", [0.49, float("nan")])
def test_below_the_threshold_the_field_is_left_open(level: str, probability: float) -> None:
    assert acting(level=level, probability=probability) == Acting("suggest", proposes=False)


def test_off_proposes_nothing_and_shadow_keeps_its_value_hidden() -> None:
    assert acting(level="off") == Acting("off", proposes=False)
    assert acting(level="shadow") == Acting("shadow", proposes=True)
    assert acting(level="shadow", held=True, stopped=True) == Acting("shadow", proposes=True)
    assert acting(level="shadow", probability=0.2) == Acting("shadow", proposes=False)


def test_prefill_needs_no_certificate_but_writes_nothing_when_stopped_or_held() -> None:
    assert acting(level="prefill", certified_from=None, draw=0.9) == Acting("prefill", True)
    assert acting(level="auto", cap="prefill") == Acting("prefill", True)
    assert acting(level="prefill", stopped=True) == Acting("suggest", True)
    assert acting(level="prefill", held=True) == Acting("suggest", True)


def test_the_cap_never_lifts() -> None:
    assert acting(level="suggest", cap="auto") == Acting("suggest", True)
    assert acting(cap="off") == Acting("off", proposes=False)


def test_an_unknown_level_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="off, shadow, suggest, prefill, auto; got 'full'"):
        acting(level="full")
    with pytest.raises(ValueError, match="got 'none'"):
        acting(cap="none")


@given(
    level=st.sampled_from(LEVELS),
    cap=st.sampled_from(LEVELS),
    probability=st.floats(0, 1),
    threshold=st.floats(0, 1),
    certified_from=st.none() | st.floats(0, 1),
    canary_percent=st.sampled_from([5, 25, 100]),
    draw=st.floats(0, 1, exclude_max=True),
    stopped=st.booleans(),
    held=st.booleans(),
)
def test_nothing_acts_alone_without_every_guard(**case: Any) -> None:
    result = acting_level(**case)
    height = LEVELS.index
    assert height(result.level) <= min(height(case["level"]), height(case["cap"]))
    if result.level in ("prefill", "auto"):
        assert result.proposes
        assert case["probability"] >= case["threshold"]
        assert not case["stopped"]
        assert not case["held"]
    if result.level == "auto":
        assert case["probability"] >= case["certified_from"]
        assert case["draw"] < case["canary_percent"] / 100


def test_a_draw_stays_with_its_ticket_and_salt() -> None:
    # HMAC-SHA256 of "desk:42" under "s" begins 2094b582afac00a0: its first 53 bits as a fraction.
    assert canary_draw("desk:42", "s") == (0x2094B582AFAC00A0 >> 11) / 2**53
    assert canary_draw("desk:42", "s") != canary_draw("desk:42", "t")
    assert canary_draw("desk:42", "s") != canary_draw("desk:43", "s")
    assert 0 <= canary_draw("Größe", "") < 1


def test_draws_of_consecutive_tickets_are_uniform() -> None:
    draws = [canary_draw(f"desk:{number}", "salt") for number in range(20_000)]
    assert min(draws) >= 0
    assert max(draws) < 1
    tenths = [sum(n / 10 <= draw < (n + 1) / 10 for draw in draws) for n in range(10)]
    # Expected 2,000 each with a deviation of 42: five deviations.
    assert all(abs(count - 2_000) < 212 for count in tenths)


@pytest.mark.parametrize("current", LEVELS)
@pytest.mark.parametrize("wanted", LEVELS)
def test_up_goes_one_rung_and_down_any_number(current: str, wanted: str) -> None:
    allowed = LEVELS.index(wanted) <= LEVELS.index(current) + 1
    refused = refusal(current=current, wanted=wanted, cap="auto", certified=True)
    assert (refused is None) is allowed


def test_each_refusal_says_the_rule_and_what_came() -> None:
    assert refusal(current="shadow", wanted="auto", cap="auto", certified=True) == (
        "The ladder is climbed one rung at a time: after “shadow” comes “suggest”; got “auto”."
    )
    assert refusal(current="prefill", wanted="auto", cap="auto", certified=False) == (
        "“auto” needs a live certificate; this rung has none."
    )
    assert refusal(current="suggest", wanted="prefill", cap="suggest", certified=True) == (
        "“prefill” is above “suggest”, the highest level that the owner allows here."
    )


def test_staying_is_refused_only_above_the_cap() -> None:
    assert refusal(current="auto", wanted="auto", cap="auto", certified=False) is None
    assert refusal(current="auto", wanted="auto", cap="prefill", certified=True) is not None
    assert refusal(current="auto", wanted="suggest", cap="prefill", certified=False) is None


def test_a_refusal_of_an_unknown_level_is_an_error() -> None:
    with pytest.raises(ValueError, match="got 'full'"):
        refusal(current="off", wanted="full", cap="auto", certified=True)
