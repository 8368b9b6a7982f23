"""Conditions of escalation rules: checked as JSON, asked of a ticket's facts, said in words."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

MAX_ITEMS = 20
MAX_ENTRIES = 50
MAX_WORD_LENGTH = 80
MAX_ADDRESS_LENGTH = 254
MINUTES_A_YEAR = 525_600
TEAM = "team"  # the field that `route_to` sets
PLACES = {"subject": "subject", "body": "body", "either": "subject or body"}

Catalogue = Mapping[str, frozenset[str]]  # field key -> keys of its choices
Names = Mapping[str, str]  # "team" -> "Team", "team:network" -> "Network"
Item = Mapping[str, Any]  # one condition or action that `check` found clean
Argument = Callable[[object, Mapping[str, object], Catalogue], Iterator[str]]

# Han, kana and Thai are written without spaces, so each of their characters is a word.
_UNSPACED = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0002fa1f"
_WORD = re.compile(f"[{_UNSPACED}]|[^\\W_{_UNSPACED}]+")
_ACCENTS = re.compile("[\u0300-\u036f]+")
_UNSTORABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_DOMAIN = re.compile(r"[^\W_][\w-]*(?:\.[\w-]+)*")


@dataclass(frozen=True)
class Words:
    """A text as its words, so that asking for a phrase needs no pattern.

    A word is a run of letters and digits; everything else only parts words. Case and Latin,
    Greek and Cyrillic accents are folded on both sides: a rule that holds one ticket too many
    costs a look, one that misses a ticket for an accent costs the requester.
    """

    line: str
    each: frozenset[str]

    @classmethod
    def of(cls, text: str) -> "Words":
        """Takes time linear in the text, whatever it holds."""
        if text.isascii():
            folded = text.casefold()
        else:
            plain = _ACCENTS.sub("", unicodedata.normalize("NFKD", text))
            folded = unicodedata.normalize("NFKC", plain.casefold())
        words = _WORD.findall(folded)
        return cls(f" {' '.join(words)} ", frozenset(words))

    def have(self, phrase: str) -> bool:
        """Whether the phrase's words stand here one after the other; no words, never."""
        wanted = _phrase(phrase)
        return bool(wanted.each) and wanted.each <= self.each and wanted.line in self.line


@lru_cache(maxsize=16_384)
def _phrase(phrase: str) -> Words:
    return Words.of(phrase)


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


def shown(value: object) -> str:
    """What came, short enough for a page and free of control characters; never raises."""
    match value:
        case str():
            cut = value if len(value) <= 40 else value[:39] + "…"
            return "“" + "".join(c if c.isprintable() else "\ufffd" for c in cut) + "”"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value) if abs(value) < 10**12 else "a number of more than 12 digits"
        case float():
            return f"{value:g}"
        case None:
            return "nothing"
        case list():
            return f"a list of {len(value)}" if value else "an empty list"
        case dict():
            return "an object"
        case _:
            return f"a {type(value).__name__}"


def a_field(value: object, item: Mapping[str, object], catalogue: Catalogue) -> Iterator[str]:
    if not isinstance(value, str) or value not in catalogue:
        known = ", ".join(sorted(catalogue)[:10]) or "none yet"
        yield f"must be a field of the source ({known}); got {shown(value)}."


def a_choice(value: object, item: Mapping[str, object], catalogue: Catalogue) -> Iterator[str]:
    """Says nothing while the field itself is wrong."""
    field = item.get("field")
    if isinstance(field, str) and field in catalogue:
        yield from choice_of(field, value, catalogue)


def choice_of(field: str, value: object, catalogue: Catalogue) -> Iterator[str]:
    if not isinstance(value, str) or value not in catalogue[field]:
        yield f"must be a choice of {shown(field)}; got {shown(value)}."


def _place(value: object, item: Mapping[str, object], catalogue: Catalogue) -> Iterator[str]:
    if not isinstance(value, str) or value not in PLACES:
        yield f"must be one of {', '.join(PLACES)}; got {shown(value)}."


def _word(value: object, item: Mapping[str, object], catalogue: Catalogue) -> Iterator[str]:
    yield from _text(value, MAX_WORD_LENGTH)
    if isinstance(value, str) and value.strip() and not Words.of(value[:MAX_WORD_LENGTH]).each:
        yield f"must hold words with a letter or digit; got {shown(value)}."


def _address(value: object, item: Mapping[str, object], catalogue: Catalogue) -> Iterator[str]:
    yield from _text(value, MAX_ADDRESS_LENGTH)


def _domain(value: object, item: Mapping[str, object], catalogue: Catalogue) -> Iterator[str]:
    yield from _text(value, MAX_ADDRESS_LENGTH)
    if isinstance(value, str) and value.strip() and not _DOMAIN.fullmatch(value):
        yield f"must hold bare domains such as example.org; got {shown(value)}."


def _text(value: object, limit: int) -> Iterator[str]:
    if not isinstance(value, str) or not value.strip():
        yield f"must hold text that is not empty; got {shown(value)}."
    elif len(value) > limit:
        yield f"must hold at most {limit} characters; got {len(value)}."
    elif _UNSTORABLE.search(value):
        yield f"must hold no control characters; got {shown(value)}."


def _many(argument: Argument) -> Argument:
    def entries(value: object, item: Mapping[str, object], known: Catalogue) -> Iterator[str]:
        if not isinstance(value, list):
            yield f"must be a list; got {shown(value)}."
        elif not 1 <= len(value) <= MAX_ENTRIES:
            yield f"must have 1 to {MAX_ENTRIES} entries; got {len(value)}."
        else:
            for entry in value:
                yield from argument(entry, item, known)

    return entries


some_words = _many(_word)


def _number(low: float, high: float, *, whole: bool = False) -> Argument:
    """A number above `low`, up to `high`; JSON's true and false are none."""

    def argument(value: object, item: Mapping[str, object], known: Catalogue) -> Iterator[str]:
        kinds = (int,) if whole else (int, float)
        if isinstance(value, bool) or not isinstance(value, kinds) or not low < value <= high:
            what = "a whole number" if whole else "a number"
            yield f"must be {what} above {low:g}, up to {high:g}; got {shown(value)}."

    return argument


def check_items(
    items: object, arguments: Mapping[str, Mapping[str, Argument]], catalogue: Catalogue, what: str
) -> list[str]:
    """Problems of a JSON list of {kind, ...}, where each kind takes exactly its arguments."""
    if not isinstance(items, list):
        return [f"The {what}s must be a list; got {shown(items)}."]
    if not 1 <= len(items) <= MAX_ITEMS:
        return [f"A rule has 1 to {MAX_ITEMS} {what}s; got {len(items)}."]
    return [
        f"{what.capitalize()} {number}: {problem}"
        for number, item in enumerate(items, start=1)
        for problem in _item_problems(item, arguments, catalogue)
    ]


def _item_problems(
    item: object, arguments: Mapping[str, Mapping[str, Argument]], catalogue: Catalogue
) -> Iterator[str]:
    if not isinstance(item, dict):
        yield f"must be an object with a kind; got {shown(item)}."
        return
    kind = item.get("kind")
    if not isinstance(kind, str) or kind not in arguments:
        yield f"the kind must be one of {', '.join(arguments)}; got {shown(kind)}."
        return
    extra = [key for key in item if key != "kind" and key not in arguments[kind]]
    yield from (f"{kind} takes no {shown(key)}." for key in extra[:5])
    for name, argument in arguments[kind].items():
        if name not in item:
            yield f"{kind} needs “{name}”, which is missing."
        else:
            yield from (f"{kind}: “{name}” {p}" for p in argument(item[name], item, catalogue))


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
        {"field": a_field, "choices": _many(a_choice)},
        lambda c, facts: facts.is_under(c["field"], c["choices"]),
        lambda c, names: (
            f"{_name(names, c['field'])} is "
            + _or([_name(names, c["field"], choice) for choice in c["choices"]])
        ),
    ),
    "words_any": Kind(
        {"words": some_words, "where": _place},
        lambda c, facts: any(facts.have(word, c["where"]) for word in c["words"]),
        lambda c, _: _has("any of ", c),
    ),
    "words_all": Kind(
        {"words": some_words, "where": _place},
        lambda c, facts: all(facts.have(word, c["where"]) for word in c["words"]),
        lambda c, _: _has("all of ", c),
    ),
    "requester_is": Kind(
        {"addresses": _many(_address)},
        lambda c, facts: (
            facts.requester.strip().casefold()
            in {address.strip().casefold() for address in c["addresses"]}
        ),
        lambda c, _: f"the requester is {_or(c['addresses'])}",
    ),
    "requester_domain": Kind(
        {"domains": _many(_domain)},
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
        {"minutes": _number(0, MINUTES_A_YEAR)},
        lambda c, facts: facts.age_minutes > c["minutes"],
        lambda c, _: f"the ticket is older than {_duration(c['minutes'])}",
    ),
    "reopened_at_least": Kind(
        {"count": _number(0, 1000, whole=True)},
        lambda c, facts: facts.reopened_count >= c["count"],
        lambda c, _: f"the ticket was reopened at least {_count(c['count'], 'time')}",
    ),
    # No model is no doubt: before the first champion such a rule would hold every ticket.
    "probability_below": Kind(
        {"field": a_field, "value": _number(0, 1)},
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
