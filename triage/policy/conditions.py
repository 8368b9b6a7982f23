"""Conditions of escalation rules: checked as JSON, asked of a ticket's facts, said in words."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from triage.policy.checks import (
    PLACES,
    Argument,
    Catalogue,
    a_choice,
    a_domain,
    a_field,
    a_number,
    a_place,
    an_address,
    check_items,
    many,
    some_words,
)
from triage.policy.words import Words

MINUTES_A_YEAR = 525_600
TEAM = "team"  # the field that `route_to` sets

Names = Mapping[str, str]  # "team" -> "Team", "team:network" -> "Network"
Item = Mapping[str, Any]  # one condition or action that `check` found clean


@dataclass(frozen=True)
class Facts:
    """What rules may ask about one ticket: its words and what the model proposed.

    A field missing from `values` is open; one missing from `probabilities` has no model.
    `parents` holds the keys of all ancestors of the proposed choice, so that a condition on
    `network` also meets `network.vpn`. Ranks rise with urgency; probabilities are 0 to 1.
    """

    subject: str
    body: str
    requester: str
    values: Mapping[str, str]
    parents: Mapping[str, frozenset[str]]
    ranks: Mapping[str, Mapping[str, int]]
    probabilities: Mapping[str, float]
    age_minutes: float
    reopened_count: int
    in_working_hours: bool

    @cached_property
    def subject_words(self) -> Words:
        return Words.of(self.subject)

    @cached_property
    def body_words(self) -> Words:
        return Words.of(self.body)

    def have(self, phrase: str, where: str) -> bool:
        """A phrase is looked for in one place at a time, never across subject and body."""
        return (where != "body" and self.subject_words.have(phrase)) or (
            where != "subject" and self.body_words.have(phrase)
        )

    def is_under(self, field: str, choices: Sequence[str]) -> bool:
        """Whether the proposed choice, or one of its ancestors, is among the choices."""
        value = self.values.get(field)
        if value is None:
            return False
        return value in choices or not self.parents.get(field, frozenset()).isdisjoint(choices)

    def rank(self, field: str, choice: str | None) -> int | None:
        return None if choice is None else self.ranks.get(field, {}).get(choice)

    def is_at_least(self, field: str, choice: str) -> bool:
        has, least = self.rank(field, self.values.get(field)), self.rank(field, choice)
        return has is not None and least is not None and has >= least

    def is_from_domain(self, domains: Sequence[str]) -> bool:
        _, at, domain = self.requester.strip().casefold().rpartition("@")
        return bool(at) and f".{domain}".endswith(tuple(f".{one.casefold()}" for one in domains))


@dataclass(frozen=True)
class Kind:
    """One kind of condition: what it takes, when it holds, how it reads."""

    arguments: Mapping[str, Argument]
    holds: Callable[[Item, Facts], bool]
    says: Callable[[Item, Names], str]


KINDS: Mapping[str, Kind] = {
    "field_is": Kind(
        {"field": a_field, "choice": a_choice},
        lambda c, facts: facts.is_under(c["field"], [c["choice"]]),
        lambda c, names: f"{_name(names, c['field'])} is {_name(names, c['field'], c['choice'])}",
    ),
    "field_in": Kind(
        {"field": a_field, "choices": many(a_choice)},
        lambda c, facts: facts.is_under(c["field"], c["choices"]),
        lambda c, names: (
            f"{_name(names, c['field'])} is "
            + _or([_name(names, c["field"], choice) for choice in c["choices"]])
        ),
    ),
    "words_any": Kind(
        {"words": some_words, "where": a_place},
        lambda c, facts: any(facts.have(word, c["where"]) for word in c["words"]),
        lambda c, _: _has("any of ", c),
    ),
    "words_all": Kind(
        {"words": some_words, "where": a_place},
        lambda c, facts: all(facts.have(word, c["where"]) for word in c["words"]),
        lambda c, _: _has("all of ", c),
    ),
    "requester_is": Kind(
        {"addresses": many(an_address)},
        lambda c, facts: (
            facts.requester.strip().casefold()
            in {address.strip().casefold() for address in c["addresses"]}
        ),
        lambda c, _: f"the requester is {_or(c['addresses'])}",
    ),
    "requester_domain": Kind(
        {"domains": many(a_domain)},
        lambda c, facts: facts.is_from_domain(c["domains"]),
        lambda c, _: f"the requester's domain is {_or(c['domains'])}",
    ),
    "priority_at_least": Kind(
        {"field": a_field, "choice": a_choice},
        lambda c, facts: facts.is_at_least(c["field"], c["choice"]),
        lambda c, names: (
            f"{_name(names, c['field'])} is at least {_name(names, c['field'], c['choice'])}"
        ),
    ),
    "older_than": Kind(
        {"minutes": a_number(0, MINUTES_A_YEAR)},
        lambda c, facts: facts.age_minutes > c["minutes"],
        lambda c, _: f"the ticket is older than {_duration(c['minutes'])}",
    ),
    "reopened_at_least": Kind(
        {"count": a_number(0, 1000, whole=True)},
        lambda c, facts: facts.reopened_count >= c["count"],
        lambda c, _: f"the ticket was reopened at least {_count(c['count'], 'time')}",
    ),
    # No model is no doubt: before the first champion such a rule would hold every ticket.
    "probability_below": Kind(
        {"field": a_field, "value": a_number(0, 1)},
        lambda c, facts: facts.probabilities.get(c["field"], 1.0) < c["value"],
        lambda c, names: (
            f"the model is less than {100 * c['value']:g} % sure of {_name(names, c['field'])}"
        ),
    ),
    "out_of_hours": Kind(
        {}, lambda _, facts: not facts.in_working_hours, lambda *_: "it is outside working hours"
    ),
}
ACTIONS_SAID: Mapping[str, Callable[[Item, Names], str]] = {
    "set_field": lambda a, names: (
        f"set {_name(names, a['field'])} to {_name(names, a['field'], a['choice'])}"
    ),
    "raise_priority": lambda a, names: (
        f"raise {_name(names, a['field'])} to at least {_name(names, a['field'], a['choice'])}"
    ),
    "route_to": lambda a, names: f"route to {_name(names, TEAM, a['choice'])}",
    "hold": lambda *_: "hold for a human",
    "notify": lambda a, _: f"notify {a['to']}",
}


def check(conditions: object, catalogue: Catalogue) -> list[str]:
    """Everything wrong with a rule's conditions, in sentences; none means they may be stored.

    Takes any value that JSON can hold and never raises.
    """
    arguments = {kind: entry.arguments for kind, entry in KINDS.items()}
    return check_items(conditions, arguments, catalogue, "condition")


def matches(combine: str, conditions: Sequence[Item], facts: Facts) -> bool:
    """Whether all or any of the conditions hold; no conditions match nothing.

    The conditions were clean when stored. Choices retired since then simply never match.

    Raises
    ------
    ValueError
        If `combine` is neither "all" nor "any".
    """
    if combine not in ("all", "any"):
        raise ValueError(f"Conditions combine by all or any; got {combine!r}.")
    answers = (KINDS[condition["kind"]].holds(condition, facts) for condition in conditions)
    return bool(conditions) and (all(answers) if combine == "all" else any(answers))


def sentence(
    combine: str, conditions: Sequence[Item], actions: Sequence[Item], names: Names
) -> str:
    """The rule in plain words, for pages; not escaped. What has no name is called by its key.

    `names` holds a field's name under its key, and a choice's under "<field key>:<choice key>".
    """
    held = [KINDS[condition["kind"]].says(condition, names) for condition in conditions]
    done = ", ".join(ACTIONS_SAID[action["kind"]](action, names) for action in actions)
    when = f"If {(' and ' if combine == 'all' else ' or ').join(held)}" if held else "Never"
    return f"{when}: {done or 'do nothing'}."


def _name(names: Names, field: str, choice: str | None = None) -> str:
    if choice is None:
        return names.get(field, field)
    return names.get(f"{field}:{choice}", choice)


def _has(amount: str, condition: Item) -> str:
    quoted = [f"“{word}”" for word in condition["words"]]
    return f"{PLACES[condition['where']]} has {amount if quoted[1:] else ''}{', '.join(quoted)}"


def _or(entries: Sequence[str]) -> str:
    return " or ".join(filter(None, [", ".join(entries[:-1]), entries[-1]]))


def _count(number: float, noun: str) -> str:
    return f"{number:g} {noun}{'' if number == 1 else 's'}"


def _duration(minutes: float) -> str:
    if minutes % 1440 == 0:
        return _count(minutes / 1440, "day")
    return _count(minutes / 60, "hour") if minutes % 60 == 0 else _count(minutes, "minute")
