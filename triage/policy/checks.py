"""What the arguments of conditions and actions must be like, said in sentences.

An argument reader takes any value that JSON can hold, with the item it stands in, and yields what
is wrong with it; it never raises.
"""

import re
from collections.abc import Callable, Iterator, Mapping

from triage.policy.words import Words

MAX_ITEMS = 20
MAX_ENTRIES = 50
MAX_WORD_LENGTH = 80
MAX_ADDRESS_LENGTH = 254
PLACES = {"subject": "subject", "body": "body", "either": "subject or body"}

Catalogue = Mapping[str, frozenset[str]]  # field key -> keys of its choices
Argument = Callable[[object, Mapping[str, object], Catalogue], Iterator[str]]

_UNSTORABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_DOMAIN = re.compile(r"[^\W_][\w-]*(?:\.[\w-]+)*")


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


def a_place(value: object, item: Mapping[str, object], catalogue: Catalogue) -> Iterator[str]:
    if not isinstance(value, str) or value not in PLACES:
        yield f"must be one of {', '.join(PLACES)}; got {shown(value)}."


def _word(value: object, item: Mapping[str, object], catalogue: Catalogue) -> Iterator[str]:
    yield from _text(value, MAX_WORD_LENGTH)
    if isinstance(value, str) and value.strip() and not Words.of(value[:MAX_WORD_LENGTH]).each:
        yield f"must hold words with a letter or digit; got {shown(value)}."


def an_address(value: object, item: Mapping[str, object], catalogue: Catalogue) -> Iterator[str]:
    yield from _text(value, MAX_ADDRESS_LENGTH)


def a_domain(value: object, item: Mapping[str, object], catalogue: Catalogue) -> Iterator[str]:
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


def many(argument: Argument) -> Argument:
    def entries(value: object, item: Mapping[str, object], known: Catalogue) -> Iterator[str]:
        if not isinstance(value, list):
            yield f"must be a list; got {shown(value)}."
        elif not 1 <= len(value) <= MAX_ENTRIES:
            yield f"must have 1 to {MAX_ENTRIES} entries; got {len(value)}."
        else:
            for entry in value:
                yield from argument(entry, item, known)

    return entries


some_words = many(_word)


def a_number(low: float, high: float, *, whole: bool = False) -> Argument:
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
