"""The hand-written tickets: read from TOML, checked, with what became of each."""

import random
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from triage.demo import company

TICKETS = Path(__file__).with_name("tickets")
OUT_OF_SCOPE = "out_of_scope"
OUTAGE = "outage"
LANGUAGES = frozenset({"en", "de", "es"})
SEED = 20
LIVE_SHARE = 0.15
LIVE_SHARE_OUT_OF_SCOPE = 0.6
TEXTS = ("id", "subject", "body", "requester", "priority", "language", "resolution")
# Kinds of events, and what each carries beside its kind and its time.
CARRIES: Mapping[str, str] = {
    "reassigned": "team",
    "recategorised": "category",
    "rated": "score",
    "escalated": "",
    "started": "",
    "paused": "",
    "awaiting": "",
    "resolved": "",
    "reopened": "",
    "closed": "",
    "commented": "",
}


class CorpusError(ValueError):
    """A ticket file breaks the format; the message names file, ticket, rule and what came."""


@dataclass(frozen=True)
class Happening:
    """Something that happened to a ticket, in minutes after it was opened."""

    kind: str
    after_minutes: float
    team: str = ""
    category: str = ""
    score: int | None = None


@dataclass(frozen=True)
class Story:
    """A ticket as somebody wrote it, the truth about it, and what became of it.

    `category` is the truth: the last recategorisation if there was one, else what the ticket was
    filed under; empty where it is nothing for IT, and then `team` is empty too. `minute` counts
    from the start of the one big outage, for the tickets that belong to it.
    """

    key: str
    subject: str
    body: str
    requester: str
    category: str
    team: str
    priority: str
    language: str
    resolution: str
    happenings: tuple[Happening, ...]
    minute: float | None = None

    @property
    def in_scope(self) -> bool:
        return bool(self.category)

    @property
    def minutes_to_the_end(self) -> float:
        return self.happenings[-1].after_minutes


@cache
def stories() -> tuple[Story, ...]:
    """Every ticket that ships with the demo."""
    return tuple(load(TICKETS))


def load(folder: Path) -> list[Story]:
    """All stories of a folder, by file name and then in the file's order.

    Raises CorpusError for the first thing that is wrong.
    """
    found: list[Story] = []
    for path in sorted(folder.glob("*.toml")):
        found += _file(path)
    if not found:
        raise CorpusError(f"{folder} holds no tickets.")
    keys = [story.key for story in found]
    twice = next((key for key in keys if keys.count(key) > 1), None)
    if twice is not None:
        raise CorpusError(f"Ticket {twice}: an id may be used once; it is used twice.")
    return found


def split(stories: Iterable[Story], *, seed: int = SEED) -> tuple[list[Story], list[Story]]:
    """Stories of the past and stories still to come; the same split for the same seed.

    Of each category LIVE_SHARE is still to come, of what is nothing for IT more, and of the
    outage everything.
    """
    chance = random.Random(seed)
    groups: dict[str, list[Story]] = defaultdict(list)
    for story in stories:
        groups["outage" if story.minute is not None else story.category].append(story)
    past: list[Story] = []
    live = groups.pop("outage", [])
    for category, group in sorted(groups.items()):
        share = LIVE_SHARE if category else LIVE_SHARE_OUT_OF_SCOPE
        chance.shuffle(group)
        cut = round(share * len(group))
        live += group[:cut]
        past += group[cut:]
    return past, live


def _file(path: Path) -> Iterator[Story]:
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8"))["ticket"]
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError) as error:
        raise CorpusError(f"{path.name} is not a file of [[ticket]] entries: {error}.") from error
    for number, entry in enumerate(entries, start=1):
        name = f"{path.name}, ticket {entry.get('id') or f'number {number}'}"
        try:
            yield _story(path.stem, entry)
        except ValueError as error:
            raise CorpusError(f"{name}: {error}") from error


def _story(stem: str, entry: Mapping[str, Any]) -> Story:
    _check_texts(stem, entry)
    happenings = _happenings(entry.get("events"))
    return Story(
        key=entry["id"],
        subject=entry["subject"].strip(),
        body=entry["body"].strip("\n"),
        requester=entry["requester"],
        category=_truth(_filed_under(stem, entry), happenings),
        team=entry.get("team", ""),
        priority=entry["priority"],
        language=entry["language"],
        resolution=entry["resolution"],
        happenings=happenings,
        minute=_number("minute", entry["minute"]) if stem == OUTAGE else None,
    )


def _check_texts(stem: str, entry: Mapping[str, Any]) -> None:
    own = {OUT_OF_SCOPE: (), OUTAGE: ("team", "category", "minute")}.get(stem, ("team",))
    if unknown := sorted(set(entry) - {*TEXTS, "events", *own}):
        raise ValueError(f"there is no key {unknown[0]!r}.")
    if missing := sorted({*TEXTS, "events", *own} - set(entry)):
        raise ValueError(f"the key {missing[0]!r} is missing.")
    for key in (*TEXTS, *(name for name in own if name != "minute")):
        if not isinstance(entry[key], str) or not entry[key].strip():
            raise ValueError(f"{key} must be text that is not empty; got {entry[key]!r}.")
    _one_of("priority", entry["priority"], company.keys("priority"))
    _one_of("language", entry["language"], LANGUAGES)
    _one_of("requester", entry["requester"], frozenset(company.company()["requesters"]))
    if "team" in own:
        _one_of("team", entry["team"], company.keys("team"))


def _filed_under(stem: str, entry: Mapping[str, Any]) -> str:
    if stem == OUT_OF_SCOPE:
        return ""
    category: str = entry["category"] if stem == OUTAGE else stem.replace("_", ".", 1)
    _one_of("category", category, company.leaves())
    return category


def _truth(filed_under: str, happenings: Sequence[Happening]) -> str:
    corrected = [happening.category for happening in happenings if happening.category]
    return corrected[-1] if corrected else filed_under


def _happenings(events: object) -> tuple[Happening, ...]:
    if not isinstance(events, list) or not events:
        raise ValueError(f"events must be a list that is not empty; got {events!r}.")
    found = [_happening(event) for event in events]
    minutes = [happening.after_minutes for happening in found]
    if minutes != sorted(minutes):
        raise ValueError(f"events must be in the order of after_minutes; got {minutes}.")
    return tuple(found)


def _happening(event: object) -> Happening:
    if not isinstance(event, dict):
        raise ValueError(f"an event must be a table; got {event!r}.")
    kind = event.get("kind")
    _one_of("kind", kind, frozenset(CARRIES))
    carried = CARRIES[str(kind)]
    expected = {"kind", "after_minutes", *([carried] if carried else [])}
    if set(event) != expected:
        raise ValueError(f"{kind} takes {sorted(expected)}; got {sorted(event)}.")
    if carried == "team":
        _one_of("team", event["team"], company.keys("team"))
    if carried == "category":
        _one_of("category", event["category"], company.leaves())
    if carried == "score" and event["score"] not in range(1, 6):
        raise ValueError(f"score must be 1 to 5; got {event['score']!r}.")
    return Happening(
        kind=str(kind),
        after_minutes=_number("after_minutes", event["after_minutes"]),
        team=event.get("team", ""),
        category=event.get("category", ""),
        score=event.get("score"),
    )


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise ValueError(f"{name} must be 0 or more minutes; got {value!r}.")
    return float(value)


def _one_of(name: str, value: object, known: frozenset[str]) -> None:
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"{name} must be one of {', '.join(sorted(known))}; got {value!r}.")
