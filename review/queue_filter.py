"""What the queue is narrowed to, and the words for what the URL says of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from django.db.models import DurationField, ExpressionWrapper, F, Q, QuerySet, Value
from django.db.models.functions import Now
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy
from django.utils.translation import gettext as _

from review.catalogue import PRIORITY, TEAM, Catalogue
from review.url_filter import UrlFilter, day, midnight
from triage.models import Source, Waiting
from triage.policy.worth import NOVEL_BADGE_FROM

# Above this the page says that the model is unsure rather than that it suggests.
UNSURE_FROM = 0.5
# What is answered first stands under every choice and kind: which it is must not be told before.
BLIND = Q(blind_at__isnull=False)
KINDS: dict[str, Promise] = {
    "unsure": gettext_lazy("unsure"),
    "open": gettext_lazy("to choose"),
    "playbook": gettext_lazy("with a playbook"),
    "novel": gettext_lazy("unlike what was taught"),
}
KIND_OF = {
    "unsure": Q(main_choice__isnull=False, uncertainty__gt=UNSURE_FROM),
    "open": Q(main_choice__isnull=True),
    "playbook": Q(with_playbook=True),
    "novel": Q(novelty__gte=NOVEL_BADGE_FROM),
}
FLAGS = {"held": gettext_lazy("held"), "overdue": gettext_lazy("over target")}


@dataclass(frozen=True)
class QueueFilter(UrlFilter):
    """It lives in the URL; choices are named by their keys, several of one field mean any of them.

    `everything` narrows nothing: it says that a person wants to see all, whatever view they
    usually begin with.
    """

    source: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    priority: tuple[str, ...] = ()
    team: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()
    held: str = ""
    overdue: str = ""
    requester: str = ""
    since: str = ""
    until: str = ""
    q: str = ""
    everything: str = ""

    @property
    def narrows(self) -> bool:
        return any(value for name, value in vars(self).items() if name != "everything")

    @property
    def query(self) -> str:
        """As a query string, `?` included; empty when nothing is set."""
        chosen = replace(self, everything="") if self.narrows else self
        return "" if chosen.is_empty else chosen.url_query()

    @property
    def saved_query(self) -> str:
        """What a view keeps: the query without its `?`; empty where nothing is narrowed."""
        return self.query.removeprefix("?") if self.narrows else ""

    def without(self, name: str, value: str) -> "QueueFilter":
        present = getattr(self, name)
        rest: Any = ""
        if isinstance(present, tuple):
            rest = tuple(one for one in present if one != value)
        return replace(self, **{name: rest})


@dataclass(frozen=True)
class Chip:
    """A filter in force, and the URL query without it."""

    label: str
    query: str


def by_columns(rows: QuerySet[Waiting], chosen: QueueFilter) -> QuerySet[Waiting]:
    """Narrowed by what a row says of itself: kind, held, over its target, opened when."""
    if chosen.kind:
        any_kind = BLIND
        for kind in chosen.kind:
            any_kind |= KIND_OF.get(kind, Q(pk__in=[]))
        rows = rows.filter(any_kind)
    if chosen.held:
        rows = rows.filter(is_held=True)
    if chosen.overdue:
        target = ExpressionWrapper(
            F("target_minutes") * Value(timedelta(minutes=1)), output_field=DurationField()
        )
        # Nobody is over the target who is not past the place in line, and that is in the index.
        rows = rows.alias(due=F("since") + target).filter(look_by__lt=Now(), due__lt=Now())
    since, until = day(chosen.since), day(chosen.until)
    if since is not None:
        rows = rows.filter(since__gte=midnight(since))
    if until is not None:
        rows = rows.filter(since__lt=midnight(until + timedelta(days=1)))
    return rows


def _labels(choices: Catalogue, sources: Iterable[Source]) -> dict[str, dict[str, str]]:
    return {
        "source": {source.slug: source.name for source in sources},
        "category": choices.names(main=True),
        "priority": choices.names(field=PRIORITY),
        "team": choices.names(field=TEAM),
        "kind": {key: str(name) for key, name in KINDS.items()},
    }


def chips(chosen: QueueFilter, choices: Catalogue, sources: Sequence[Source]) -> list[Chip]:
    labels = _labels(choices, sources)
    found = []
    for name, value in vars(chosen).items():
        if name == "everything":
            continue
        values: tuple[str, ...] = value if isinstance(value, tuple) else (value,)
        for one in filter(None, values):
            label = labels.get(name, {}).get(one, one)
            found.append(Chip(_said(name, label), chosen.without(name, one).query))
    return found


def _said(name: str, value: str) -> str:
    if name in FLAGS:
        return str(FLAGS[name])
    if name == "q":
        return f"“{value}”"
    if name == "since":
        return _("from %(day)s") % {"day": value}
    if name == "until":
        return _("until %(day)s") % {"day": value}
    return value


def unknown(chosen: QueueFilter, choices: Catalogue, sources: Sequence[Source]) -> list[str]:
    """A sentence for each value of the URL that nobody knows here (any more)."""
    sentences = {
        "source": gettext("There is no helpdesk “%(value)s”."),
        "category": gettext("There is no category “%(value)s”."),
        "priority": gettext("There is no priority “%(value)s”."),
        "team": gettext("There is no team “%(value)s”."),
        "kind": gettext("There is no kind “%(value)s”."),
    }
    labels = _labels(choices, sources)
    found = [
        sentence % {"value": value}
        for name, sentence in sentences.items()
        for value in getattr(chosen, name)
        if value not in labels[name]
    ]
    wrong = gettext("“%(value)s” is not a date; use the form 2026-03-31.")
    dates = [text for text in (chosen.since, chosen.until) if text and day(text) is None]
    return found + [wrong % {"value": text} for text in dates]
