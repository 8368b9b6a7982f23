"""What matching rules ask for together, and when a desk is at work."""

from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings

from tests.policy.samples import CATALOGUE, items_like, json_values, make_facts
from triage.policy.conditions import ACTIONS_SAID, Facts, sentence
from triage.policy.routing import (
    ACTIONS,
    Outcome,
    RuleSpec,
    apply_rules,
    check,
    in_working_hours,
)

ON = [{"kind": "field_is", "field": "category", "choice": "network"}]
OFF = [{"kind": "field_is", "field": "category", "choice": "hardware"}]
HOLD = {"kind": "hold"}


def rule(version_id: int, *actions: dict[str, Any], conditions: Any = ON) -> RuleSpec:
    return RuleSpec(version_id, "all", conditions, list(actions))


def sets(field: str, choice: str) -> dict[str, str]:
    return {"kind": "set_field", "field": field, "choice": choice}


def raises(choice: str) -> dict[str, str]:
    return {"kind": "raise_priority", "field": "priority", "choice": choice}


def at_priority(choice: str | None) -> Facts:
    category = {"category": "network"}
    return make_facts(values=category if choice is None else {**category, "priority": choice})


def test_no_rule_that_matches_leaves_nothing() -> None:
    assert apply_rules(make_facts(), []) == Outcome({}, [], [], [])
    assert apply_rules(make_facts(), [rule(1, HOLD, conditions=OFF)]) == Outcome({}, [], [], [])


def test_the_first_rule_to_set_a_field_wins_and_all_hits_are_named() -> None:
    outcome = apply_rules(
        make_facts(),
        [
            rule(7, sets("team", "desk"), conditions=OFF),
            rule(8, sets("team", "net")),
            rule(9, sets("team", "desk"), sets("category", "access")),
        ],
    )
    assert outcome.values == {"team": ("net", 8), "category": ("access", 9)}
    assert outcome.hits == [8, 9]


def test_routing_is_setting_the_team() -> None:
    routed = rule(1, {"kind": "route_to", "choice": "net"})
    assert apply_rules(make_facts(), [routed]).values == {"team": ("net", 1)}
    assert apply_rules(make_facts(), [rule(2, sets("team", "desk")), routed]).values == {
        "team": ("desk", 2)
    }


def test_rules_are_asked_about_the_model_not_about_each_other() -> None:
    first = rule(1, sets("category", "hardware"))
    wakes_on_hardware = rule(2, HOLD, conditions=OFF)
    still_network = rule(3, HOLD)
    outcome = apply_rules(make_facts(), [first, wakes_on_hardware, still_network])
    assert outcome.hits == [1, 3]
    assert outcome.holds == [3]


@pytest.mark.parametrize(
    ("proposed", "raised", "expected"),
    [
        ("normal", ["high"], ("high", 0)),
        ("normal", ["high", "urgent", "low"], ("urgent", 1)),
        ("normal", ["urgent", "urgent"], ("urgent", 0)),
        ("urgent", ["high"], None),
        ("high", ["high"], None),
        (None, ["low"], ("low", 0)),
        (None, ["low", "high"], ("high", 1)),
        ("retired", ["low"], ("low", 0)),
        ("normal", ["unranked"], None),
        (None, ["unranked"], None),
    ],
)
def test_raises_take_the_highest_and_never_lower(
    proposed: str | None, raised: list[str], expected: tuple[str, int] | None
) -> None:
    rules = [rule(version, raises(choice)) for version, choice in enumerate(raised)]
    outcome = apply_rules(at_priority(proposed), rules)
    assert outcome.values.get("priority") == expected
    assert outcome.hits == list(range(len(raised)))


def test_a_raise_counts_from_what_rules_set_whichever_came_first() -> None:
    low, high = rule(1, sets("priority", "low")), rule(2, raises("high"))
    for rules in ([low, high], [high, low]):
        assert apply_rules(at_priority("urgent"), rules).values == {"priority": ("high", 2)}
    urgent = rule(3, sets("priority", "urgent"))
    assert apply_rules(at_priority("low"), [high, urgent]).values == {"priority": ("urgent", 3)}


def test_holds_and_notices_are_kept_once_per_rule() -> None:
    mail = {"kind": "notify", "to": "desk@example.org"}
    outcome = apply_rules(
        make_facts(), [rule(4, HOLD, mail, HOLD, mail), rule(5, mail), rule(6, HOLD)]
    )
    assert outcome.holds == [4, 6]
    assert outcome.notices == [(4, "desk@example.org"), (5, "desk@example.org")]
    assert outcome.values == {}


def test_clean_actions_are_accepted() -> None:
    actions = [
        sets("category", "access"),
        raises("high"),
        {"kind": "route_to", "choice": "net"},
        HOLD,
        {"kind": "notify", "to": "on-call+vip@ops.example.org"},
    ]
    assert check(actions, CATALOGUE) == []
    assert sentence("all", ON, actions, {"team:net": "Network", "priority": "Priority"}) == (
        "If category is network: set category to access, raise Priority to at least high, "
        "route to Network, hold for a human, notify on-call+vip@ops.example.org."
    )


@pytest.mark.parametrize(
    ("actions", "problem"),
    [
        ("hold", "The actions must be a list; got “hold”."),
        ([], "A rule has 1 to 20 actions; got 0."),
        ([{"kind": "delete"}], "the kind must be one of set_field, raise_priority, "),
        ([{"kind": "hold", "why": "vip"}], "Action 1: hold takes no “why”."),
        ([{"kind": "route_to", "choice": "x"}], "“choice” must be a choice of “team”; got “x”."),
        ([sets("colour", "red")], "“field” must be a field of the source "),
        ([raises("enormous")], "“choice” must be a choice of “priority”; got “enormous”."),
        (
            [{"kind": "notify", "to": "a@b.org\nBcc: c@d.org"}],
            "must be one mail address of at most 254 characters; got “a@b.org\ufffdBcc: c@d.org”.",
        ),
        ([{"kind": "notify", "to": "a@b.org, c@d.org"}], "must be one mail address "),
        ([{"kind": "notify", "to": "Ann <a@b.org>"}], "must be one mail address "),
        ([{"kind": "notify", "to": "desk"}], "must be one mail address "),
        ([{"kind": "notify", "to": "a@" + ".".join(["b" * 60] * 5)}], "must be one mail address "),
        ([{"kind": "notify", "to": None}], "must be one mail address "),
        (
            [sets("team", "desk"), {"kind": "route_to", "choice": "net"}],
            "A rule sets a field once; got “team” 2 times.",
        ),
    ],
)
def test_wrong_actions_are_named(actions: Any, problem: str) -> None:
    (only,) = check(actions, CATALOGUE)
    assert problem in only


def test_a_source_without_teams_cannot_be_routed_in() -> None:
    (problem,) = check([{"kind": "route_to", "choice": "net"}], {"category": frozenset()})
    assert problem.endswith("“choice” needs a field “team”, which the source does not have.")


@settings(max_examples=400, deadline=None)
@given(actions=items_like(list(ACTIONS), ["field", "choice", "to"]) | json_values)
def test_no_json_makes_the_check_raise_and_clean_actions_can_be_applied(actions: Any) -> None:
    problems = check(actions, CATALOGUE)
    "".join(problems).encode()
    if not problems:
        assert apply_rules(make_facts(), [rule(1, *actions)]).hits == [1]
        sentence("all", ON, actions, {}).encode()


def test_every_action_can_be_said() -> None:
    assert list(ACTIONS_SAID) == list(ACTIONS)


BERLIN = ZoneInfo("Europe/Berlin")
WEEK = (0, 1, 2, 3, 4)


@pytest.mark.parametrize(
    ("day", "clock", "expected"),
    [
        (16, "07:59:59.999999", False),  # a Monday
        (16, "08:00", True),
        (16, "17:59:59.999999", True),
        (16, "18:00", False),
        (20, "12:00", True),
        (21, "12:00", False),  # a Saturday
    ],
)
def test_a_day_shift_runs_from_its_start_up_to_its_end(
    day: int, clock: str, expected: bool
) -> None:
    local = datetime.combine(datetime(2026, 11, day, tzinfo=BERLIN), time.fromisoformat(clock))
    assert in_working_hours(local.replace(tzinfo=BERLIN), time(8), time(18), WEEK) is expected


@pytest.mark.parametrize(
    ("day", "hour", "expected"),
    [
        (16, 3, False),  # Sunday's shift, which is none
        (16, 12, False),
        (16, 22, True),
        (17, 5, True),
        (17, 6, False),
        (20, 23, True),
        (21, 5, True),  # Friday's shift, on Saturday morning
        (21, 22, False),
    ],
)
def test_a_night_shift_belongs_to_the_day_on_which_it_starts(
    day: int, hour: int, expected: bool
) -> None:
    local = datetime(2026, 11, day, hour, tzinfo=BERLIN)
    assert in_working_hours(local, time(22), time(6), WEEK) is expected


def test_a_shift_until_midnight_and_one_round_the_clock() -> None:
    late = datetime(2026, 11, 16, 23, 59, tzinfo=BERLIN)
    early = datetime(2026, 11, 16, 0, 0, tzinfo=BERLIN)
    assert in_working_hours(late, time(8), time(0), [0])
    assert not in_working_hours(early, time(8), time(0), [6])
    assert in_working_hours(early, time(0), time(0), [0])
    assert not in_working_hours(early, time(0), time(0), [6])
