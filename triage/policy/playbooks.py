"""Reply templates of playbooks: checked when written, filled in as inert text."""

import re
import unicodedata
from collections.abc import Mapping, Sequence

from triage.policy.checks import shown, some_words
from triage.policy.words import Words

PLACEHOLDERS = ("requester_name", "subject", "external_id", "category", "source")
MAX_TEMPLATE_LENGTH = 4000
MAX_VALUE_LENGTH = 200
MAX_PROBLEMS = 10

# A closed pair of braces without braces inside, or else a brace that stands alone.
_BRACES = re.compile(r"\{([^{}]*)\}|[{}]")
_BREAKS = re.compile(r"[\t\n\v\f\r\x1c-\x1f\x85\u2028\u2029]+")
# Marks that turn the direction of the text after them, and could make a reply read differently.
_TURNS = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def check(template: object) -> list[str]:
    """Everything wrong with a reply template, in up to ten sentences; none means `render` takes it.

    Takes any value and never raises. There is no escape for a brace: replies do without them.
    """
    if not isinstance(template, str) or not template.strip():
        return [f"The reply must be text that is not empty; got {shown(template)}."]
    if len(template) > MAX_TEMPLATE_LENGTH:
        return [f"The reply has at most {MAX_TEMPLATE_LENGTH} characters; got {len(template)}."]
    problems = [problem for match in _BRACES.finditer(template) if (problem := _brace(match))]
    if any(_is_control(c) and c not in "\t\n\r" for c in template):
        problems.append("The reply must not hold control characters but tabs and line breaks.")
    return list(dict.fromkeys(problems))[:MAX_PROBLEMS]


def check_words(words: object) -> list[str]:
    """Everything wrong with a playbook's words, in sentences; an empty list is in order."""
    if words == []:
        return []
    return [f"The words {problem}" for problem in some_words(words, {}, {})]


def render(template: str, values: Mapping[str, str]) -> str:
    """The reply with each placeholder replaced once by its value; never raises.

    Values are text and nothing else: braces in them stay as they are. Their control characters
    and direction marks are dropped, line breaks and tabs become a space, and what is longer than
    200 characters ends in an ellipsis. A value that is missing leaves nothing; what is no known
    placeholder stays as written.
    """

    def value(match: re.Match[str]) -> str:
        name = match[1]
        return _plain(values.get(name, "")) if name in PLACEHOLDERS else match[0]

    return _BRACES.sub(value, template)


def fits(words: Sequence[str], text: str) -> bool:
    """Whether the text has one of the words or phrases, matched as in rules; no words fit all."""
    if not words:
        return True
    has = Words.of(text)
    return any(has.have(word) for word in words)


def _brace(match: re.Match[str]) -> str | None:
    if match[1] in PLACEHOLDERS:
        return None
    if match[1] is None:
        line = match.string.count("\n", 0, match.start()) + 1
        return f"A brace must belong to a placeholder; got a stray “{match[0]}” on line {line}."
    known = " ".join(f"{{{name}}}" for name in PLACEHOLDERS)
    return f"The placeholders are {known}; got {shown(match[0])}."


def _plain(value: str) -> str:
    spaced = _BREAKS.sub(" ", value)
    plain = "".join(c for c in spaced if not _is_control(c) and c not in _TURNS).strip()
    cut = len(plain) > MAX_VALUE_LENGTH
    return plain[: MAX_VALUE_LENGTH - 1] + "…" if cut else plain


def _is_control(character: str) -> bool:
    """Control characters, and halves of characters that no encoding can store."""
    return unicodedata.category(character) in ("Cc", "Cs")
