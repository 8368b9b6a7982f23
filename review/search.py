"""Search over all tickets, whatever became of them: bounded work, however many there are."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.postgres.search import SearchQuery
from django.db import OperationalError, connection, transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Value, Window
from django.db.models.functions import Left
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from psycopg.errors import QueryCanceled

from review.keyset import cursor_of, place_at
from review.models import Decision
from review.url_filter import UrlFilter
from triage.models import Proposal, Source, Ticket, Waiting
from triage.models.intake import SEARCHED_CHARACTERS

PAGE_SIZE = 25
COUNTED_UPTO = 1_000
# A word that fills a page from so many of the newest tickets is frequent, and is answered so.
NEWEST_LOOKED_AT = 4_000
PATIENCE_MILLISECONDS = 2_500
AROUND = 90
NUMBER = re.compile(r"#\S{1,64}|\S{0,63}\d\S{0,63}")
STATES: dict[str, Promise] = {
    "waiting": gettext_lazy("waiting"),
    "decided": gettext_lazy("decided by a person"),
    "auto": gettext_lazy("applied without a person"),
    "closed": gettext_lazy("closed"),
}


@dataclass(frozen=True)
class SearchFilter(UrlFilter):
    """`q` is words, "a phrase", -without, a number like #48213, or a requester's address."""

    q: str = ""
    source: str = ""
    state: str = ""


@dataclass(frozen=True)
class Hit:
    """A ticket that matches. `snippet` is plain text around the first word that was found."""

    ticket: Ticket
    state: str
    snippet: str


@dataclass(frozen=True)
class SearchPage:
    """`total` is empty where counting would cost more than looking."""

    filter: SearchFilter
    hits: list[Hit]
    words: list[str]
    older: str
    is_first: bool
    total: int | None
    took_too_long: bool
    unknown: list[str]
    sources: list[Source]

    @property
    def is_many(self) -> bool:
        return self.total is not None and self.total > COUNTED_UPTO


def numbered(text: str) -> list[int]:
    """Tickets that have this number in any helpdesk; nothing is asked for what is no number."""
    if not NUMBER.fullmatch(text):
        return []
    # With the sources named, the index of the unique pair serves.
    named = Ticket.objects.filter(
        source__in=Source.objects.values("pk"), external_id=text.removeprefix("#")
    )
    return list(named.values_list("pk", flat=True)[:20])


def matching(text: str) -> Q:
    """What a search box finds: words in subject and text as PostgreSQL reads them, or a number.

    What begins with # is a number and nothing else.
    """
    words = Q(search=SearchQuery(text, config="simple", search_type="websearch"))
    numbers = Q(pk__in=numbered(text))
    return numbers if text.startswith("#") else words | numbers


def search_page(chosen: SearchFilter, *, after: str = "") -> SearchPage:
    """Twenty-five tickets, newest first, from a cursor on; a broken cursor means the start."""
    sources = list(Source.objects.only("slug", "name"))
    place = place_at(after)
    found: list[int] = []
    total, took_too_long = None, False
    if chosen.q:
        try:
            found, total = _found(_asked(chosen, sources), place)
        except OperationalError as error:
            if not isinstance(error.__cause__, QueryCanceled):
                raise
            took_too_long = True
    hits = _hits(found[:PAGE_SIZE], chosen)
    older = ""
    if len(found) > PAGE_SIZE:
        last = hits[-1].ticket
        older = chosen.url_query(after=cursor_of(last.opened_at, last.pk))
    return SearchPage(
        filter=chosen,
        hits=hits,
        words=words_of(chosen.q),
        older=older,
        is_first=place is None,
        total=total if place is None else None,
        took_too_long=took_too_long,
        unknown=_unknown(chosen, sources),
        sources=sources,
    )


@dataclass(frozen=True)
class Asked:
    """The tickets that may be looked at, and what they must match."""

    tickets: QuerySet[Ticket]
    match: Q


def _asked(chosen: SearchFilter, sources: Sequence[Source]) -> Asked:
    tickets = Ticket.objects.all()
    match = matching(chosen.q)
    if "@" in chosen.q:
        everywhere = [source.pk for source in sources]
        match |= Q(source__in=everywhere, requester=chosen.q.lower())
    if chosen.source:
        named = [source.pk for source in sources if source.slug == chosen.source]
        tickets = tickets.filter(source=named[0]) if named else tickets.none()
    if chosen.state:
        tickets = tickets.filter(_in_state(chosen.state))
    return Asked(tickets, match)


def _in_state(state: str) -> Q:
    of_ticket = {"ticket": OuterRef("pk")}
    if state == "waiting":
        return Q(Exists(Waiting.objects.filter(**of_ticket)))
    if state == "decided":
        return Q(Exists(Decision.objects.filter(stands_for__ticket=OuterRef("pk"))))
    # Of what is answered first it must not be told that it was applied without a person.
    is_shown = ~Q(Exists(Waiting.objects.filter(**of_ticket, blind_at__isnull=False)))
    if state == "auto":
        return is_shown & Q(Exists(Proposal.objects.filter(**of_ticket, route=Proposal.Route.AUTO)))
    if state == "closed":
        return is_shown & Q(closed_at__isnull=False)
    return Q(pk__in=[])


def _found(asked: Asked, place: tuple[datetime, int] | None) -> tuple[list[int], int | None]:
    """Primary keys of a page and one more, newest first, and how many match where that is known.

    First among the newest tickets alone: there a frequent word fills the page, and all that match
    would be too many to sort. Whatever does not is rare enough for the index of words.
    """
    tickets = asked.tickets
    if place is not None:
        at, pk = place
        tickets = tickets.filter(opened_at__lte=at).exclude(opened_at=at, pk__gte=pk)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('statement_timeout', %s, true), "
                # A table without end is never read from one end to the other.
                "set_config('enable_seqscan', 'off', true)",
                [str(PATIENCE_MILLISECONDS)],
            )
        newest = tickets.order_by("-opened_at", "-pk").values("pk")[:NEWEST_LOOKED_AT]
        few = _newest_first(Ticket.objects.filter(asked.match, pk__in=newest))
        found = list(few.values_list("pk", flat=True)[: PAGE_SIZE + 1])
        if len(found) > PAGE_SIZE:
            return found, None
        every = _newest_first(tickets.filter(asked.match)).annotate(total=Window(Count("*")))
        rows = list(every.values_list("pk", "total")[: PAGE_SIZE + 1])
        return [pk for pk, _total in rows], rows[0][1] if rows else 0


def _newest_first(tickets: QuerySet[Ticket]) -> QuerySet[Ticket]:
    """Sorted by an expression that no index holds: else all tickets are walked in their order
    whenever the planner takes a rare word for a frequent one.
    """
    return tickets.order_by((F("opened_at") + Value(timedelta())).desc(), "-pk")


def _hits(found: Sequence[int], chosen: SearchFilter) -> list[Hit]:
    rows = (
        Ticket.objects.filter(pk__in=found)
        .select_related("source")
        .only(
            "subject", "external_id", "requester", "requester_name", "opened_at", "closed_at",
            "erased_at", "source__name",
        )
        .annotate(
            text=Left("body", SEARCHED_CHARACTERS),
            is_waiting=_in_state("waiting"),
            is_decided=_in_state("decided"),
            is_auto=_in_state("auto"),
        )
    ).in_bulk()  # fmt: skip
    words = words_of(chosen.q)
    return [Hit(rows[pk], _state(rows[pk]), snippet(rows[pk].text, words)) for pk in found]


def _state(ticket: Any) -> str:
    for state, holds in (
        ("waiting", ticket.is_waiting),
        ("decided", ticket.is_decided),
        ("auto", ticket.is_auto),
        ("closed", ticket.closed_at),
    ):
        if holds:
            return str(STATES[state])
    return ""


def words_of(text: str) -> list[str]:
    """The words that a search looks for; those after a minus, which it leaves out, are not."""
    terms = re.findall(r"(-?)(?:\"([^\"]*)\"|(\S+))", text)
    wanted = " ".join(phrase or word for minus, phrase, word in terms if not minus)
    return [word for word in re.findall(r"[\w.@-]*\w", wanted) if word.lower() != "or"]


def snippet(text: str, words: Iterable[str]) -> str:
    """The text around the first of the words, else its beginning; on one line."""
    line = " ".join(text.split())
    places = [
        found.start()
        for word in words
        if (found := re.search(rf"(?<!\w){re.escape(word)}(?!\w)", line, re.IGNORECASE))
    ]
    start = max(0, min(places, default=0) - AROUND)
    end = start + 2 * AROUND
    # Not in the middle of a word.
    if start:
        start = line.find(" ", start) + 1 or start
    shown = line[start:end]
    if end < len(line):
        shown = shown.rpartition(" ")[0] or shown
    return f"{'… ' if start else ''}{shown}{' …' if end < len(line) else ''}"


def _unknown(chosen: SearchFilter, sources: Sequence[Source]) -> list[str]:
    found = []
    if chosen.source and chosen.source not in {source.slug for source in sources}:
        found.append(_("There is no helpdesk “%(value)s”.") % {"value": chosen.source})
    if chosen.state and chosen.state not in STATES:
        found.append(_("There is no state “%(value)s”.") % {"value": chosen.state})
    return found
