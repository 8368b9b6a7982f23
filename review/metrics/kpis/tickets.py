"""The tickets that measures are about, and what became of each. Counts and lists read the same."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta, tzinfo
from itertools import islice
from typing import NamedTuple

from django.conf import settings
from django.db.models import DateTimeField, Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Greatest
from django.utils import timezone

from review.metrics.stories import Happening, Story, story
from triage import bulk
from triage.models import Field, Source, Ticket, TicketEvent, TicketVersion
from triage.policy.conditions import TEAM

CHUNK = 1000
RESOLVES = (TicketEvent.Kind.RESOLVED, TicketEvent.Kind.CLOSED)
# Without one of these, a ticket cannot be a hit.
NEEDED = {
    "reassigned": TicketEvent.Kind.REASSIGNED,
    "returned": TicketEvent.Kind.REASSIGNED,
    "recategorised": TicketEvent.Kind.RECATEGORISED,
    "reopened": TicketEvent.Kind.REOPENED,
}


class Told(NamedTuple):
    """A resolved ticket and its story, up to the end of its outcome window."""

    ticket: Ticket
    story: Story
    resolved_at: datetime


def window() -> timedelta:
    return timedelta(days=settings.OUTCOME_WINDOW_DAYS)


def resolved(source: Source, first: date, last: date) -> QuerySet[Ticket]:
    """Tickets opened on these days and resolved since, with `resolved_at` for the first time.

    A ticket without events, as an import of solved tickets leaves it, is none of them: nobody told
    what happened to it.
    """
    zone = timezone.get_default_timezone()
    resolutions = TicketEvent.objects.filter(ticket=OuterRef("pk"), kind__in=RESOLVES)
    earliest = resolutions.order_by("happened_at").values("happened_at")[:1]
    return (
        Ticket.objects.filter(
            source=source,
            opened_at__gte=_midnight(first, zone),
            opened_at__lt=_midnight(last + timedelta(days=1), zone),
        )
        .filter(Exists(resolutions))
        .annotate(
            resolved_at=Greatest(Subquery(earliest, output_field=DateTimeField()), "opened_at")
        )
        .order_by("-opened_at", "-pk")
    )


def resolved_before(source: Source, first: date, last: date, before: date) -> QuerySet[Ticket]:
    """Those whose first resolution lies before a day."""
    end = _midnight(before, timezone.get_default_timezone())
    found: QuerySet[Ticket] = resolved(source, first, last).filter(Q(("resolved_at__lt", end)))
    return found


def stories(source: Source, tickets: QuerySet[Ticket]) -> Iterator[Told]:
    """What became of tickets of `resolved`, in their order, a CHUNK in memory at a time."""
    earliest = TicketVersion.objects.filter(ticket=OuterRef("pk")).order_by("version")
    category = _main_field(source)
    rows = (
        tickets.annotate(first_values=Subquery(earliest.values("values")[:1]))
        .only("opened_at", "external_id", "subject", "erased_at")
        .iterator(chunk_size=CHUNK)
    )
    while chunk := list(islice(rows, CHUNK)):
        yield from _told(chunk, category)


def is_hit(told: Told, hit: str) -> bool:
    if hit == "reopened":
        return told.story.reopened_within(window())
    return bool(getattr(told.story, hit))


def _told(chunk: Sequence[Ticket], category: str) -> Iterator[Told]:
    happenings = defaultdict(list)
    events = TicketEvent.objects.filter(ticket__in=bulk.among(ticket.pk for ticket in chunk))
    rows = events.order_by("happened_at", "pk").values_list(
        "ticket", "kind", "happened_at", "choice__key", "score"
    )
    for pk, kind, at, choice, score in rows:
        happenings[pk].append(Happening(kind, at, choice, score))
    for ticket in chunk:
        first = getattr(ticket, "first_values", None) or {}
        resolved_at: datetime = ticket.resolved_at  # type: ignore[attr-defined]
        told = story(
            ticket.opened_at,
            happenings[ticket.pk],
            first_team=first.get(TEAM),
            first_category=first.get(category),
            until=resolved_at + window(),
        )
        yield Told(ticket, told, resolved_at)


def _main_field(source: Source) -> str:
    return (
        Field.objects.filter(source=source, is_main=True).values_list("key", flat=True).first()
        or ""
    )


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time.min, tzinfo=zone)
