"""What rules ask for, and what comes of it when several rules match one ticket."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from triage.policy.checks import (
    MAX_ADDRESS_LENGTH,
    Argument,
    Catalogue,
    a_choice,
    a_field,
    check_items,
    choice_of,
    shown,
)
from triage.policy.conditions import TEAM, Facts, Item, matches

_ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})*", re.ASCII)


def _team(value: object, item: Mapping[str, object], catalogue: Catalogue) -> Iterator[str]:
    if TEAM not in catalogue:
        yield f"needs a field “{TEAM}”, which the source does not have."
    else:
        yield from choice_of(TEAM, value, catalogue)


def _address(value: object, item: Mapping[str, object], catalogue: Catalogue) -> Iterator[str]:
    most = MAX_ADDRESS_LENGTH
    if not isinstance(value, str) or len(value) > most or not _ADDRESS.fullmatch(value):
        yield f"must be one mail address of at most {most} characters; got {shown(value)}."


ACTIONS: Mapping[str, Mapping[str, Argument]] = {
    "set_field": {"field": a_field, "choice": a_choice},
    "raise_priority": {"field": a_field, "choice": a_choice},
    "route_to": {"choice": _team},
    "hold": {},
    "notify": {"to": _address},
}


@dataclass(frozen=True)
class RuleSpec:
    """One version of a rule as it was stored, both lists clean by their `check`."""

    version_id: int
    combine: str
    conditions: Sequence[Item]
    actions: Sequence[Item]


@dataclass(frozen=True)
class Outcome:
    """What the matching rules ask for. Numbers are version ids, in the order asked.

    values : field key -> (choice key, the version that set it); fields no rule changes are absent
    holds : versions that want a person, each once
    notices : (version, address), each once
    hits : versions that matched, whatever came of it
    """

    values: dict[str, tuple[str, int]] = field(default_factory=dict)
    holds: list[int] = field(default_factory=list)
    notices: list[tuple[int, str]] = field(default_factory=list)
    hits: list[int] = field(default_factory=list)


def check(actions: object, catalogue: Catalogue) -> list[str]:
    """Everything wrong with a rule's actions, in sentences; none means they may be stored.

    Takes any value that JSON can hold and never raises.
    """
    problems = check_items(actions, ACTIONS, catalogue, "action")
    if problems or not isinstance(actions, list):
        return problems
    targets = [target for action in actions if (target := _target(action))]
    return [
        f"A rule sets a field once; got {shown(target)} {targets.count(target)} times."
        for target in dict.fromkeys(targets)
        if targets.count(target) > 1
    ]


def apply_rules(facts: Facts, rules: Sequence[RuleSpec]) -> Outcome:
    """Ask the rules in their order and put together what the matching ones want.

    Every rule is asked about the facts as the model proposed them, never about what another rule
    made of them: so a rule can be read, tested and replayed alone, adding one cannot wake or
    silence another, and no two can chase each other in a circle.

    The first rule to set a field wins. Raises come after all settings and the highest one wins,
    among equals the first: they never lower, and do nothing where the value stands as high.
    A raise to a choice without a rank does nothing; an open or unranked value counts as lowest.
    Choices are not looked up: one retired since the rule was stored is the caller's to drop.
    """
    outcome = Outcome()
    raises: list[tuple[Item, int]] = []
    for rule in rules:
        if not matches(rule.combine, rule.conditions, facts):
            continue
        version = rule.version_id
        outcome.hits.append(version)
        for action in rule.actions:
            if target := _target(action):
                outcome.values.setdefault(target, (action["choice"], version))
            elif action["kind"] == "raise_priority":
                raises.append((action, version))
            elif action["kind"] == "hold" and version not in outcome.holds:
                outcome.holds.append(version)
            elif action["kind"] == "notify" and (version, action["to"]) not in outcome.notices:
                outcome.notices.append((version, action["to"]))
    for action, version in raises:
        _raise(action["field"], action["choice"], version, facts, outcome)
    return outcome


def _target(action: Item) -> str | None:
    """The field that the action sets outright, if it does."""
    if action["kind"] == "route_to":
        return TEAM
    return str(action["field"]) if action["kind"] == "set_field" else None


def _raise(name: str, choice: str, version: int, facts: Facts, outcome: Outcome) -> None:
    now, _ = outcome.values.get(name, (facts.values.get(name), version))
    wanted, has = facts.rank(name, choice), facts.rank(name, now)
    if wanted is not None and (has is None or wanted > has):
        outcome.values[name] = (choice, version)


def in_working_hours(local: datetime, starts: time, ends: time, days: Collection[int]) -> bool:
    """Whether the moment lies in a shift from `starts` up to, not including, `ends`.

    `local` is in the source's time zone; days count from 0, Monday. A shift that ends no later
    than it starts runs over midnight and belongs to the day on which it starts; equal times
    therefore mean round the clock.
    """
    clock, today = local.time(), local.weekday()
    if starts < ends:
        return today in days and starts <= clock < ends
    yesterday = (local - timedelta(days=1)).weekday()
    return (today in days and clock >= starts) or (yesterday in days and clock < ends)
