"""The notes that triggers leave of what changed, as days to count and quarter hours to retell.

A note says a quarter hour of the clock; one that says another moment speaks of its whole day.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import Max, Min, Q, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone

from triage import bulk
from triage.models import Proposal, Source, Ticket, Touched

QUARTER = timedelta(minutes=15)
WHOLE_DAY = time(12, 0, 1)
# A day of more tickets, or of more proposals, takes longer to count than anybody should wait.
LARGE_DAY = 2000


@dataclass
class Taken:
    """Days of one source, and the quarter hours of them in which something changed."""

    days: set[date] = field(default_factory=set)
    quarters: set[datetime] = field(default_factory=set)


def spread() -> None:
    """Notes of all days of a source become notes of each."""
    everything = Touched.objects.filter(at__isnull=True)
    touched = set(everything.values_list("source", flat=True)) & set(sources())
    everything.delete()
    note((source, day) for source in sorted(touched) for day in all_days(source))


def note(days: Iterable[tuple[int, date]]) -> None:
    """That all of a source's day is to be counted and told anew."""
    Touched.objects.bulk_create(
        Touched(source_id=source, at=_moment(day, WHOLE_DAY)) for source, day in days
    )


def take(most: int) -> dict[int, Taken]:
    """The earliest touched days by source; their notes are gone once this is committed."""
    return _taken(_days("source", "day")[:most])


def take_small(left: set[tuple[int, date]]) -> dict[int, Taken]:
    """The latest touched day that is not LARGE_DAY; those that are go to `left`.

    Days of `left` are not asked about again.
    """
    for found in _days("-day", "source"):
        key = (found["source"], found["day"])
        if key in left:
            continue
        if not is_large(*key):
            return _taken([found])
        left.add(key)
    return {}


def is_large(source: int, day: date) -> bool:
    start, end = _bounds(day)
    opened = Ticket.objects.filter(source=source, opened_at__gte=start, opened_at__lt=end)
    made = Proposal.objects.filter(created_at__gte=start, created_at__lt=end)
    most = LARGE_DAY + 1
    return any(
        rows.order_by()[:most].count() == most
        for rows in (opened, made.filter(ticket__source=source))
    )


def waits(source: int, first: date, last: date) -> bool:
    """Whether any of these days is still to be counted."""
    start, end = _bounds(first)[0], _bounds(last)[1]
    here = Q(at__isnull=True) | Q(at__gte=start, at__lt=end)
    return Touched.objects.filter(here, source=source).exists()


def sources() -> list[int]:
    return list(Source.objects.order_by("pk").values_list("pk", flat=True))


def all_days(source: int) -> Iterator[date]:
    """From the first to the last on which there is anything to count."""
    made = Proposal.objects.filter(ticket__source=source).aggregate(
        first=Min("created_at"), last=Max("created_at")
    )
    opened = Ticket.objects.filter(source=source).aggregate(
        first=Min("opened_at"), last=Max("opened_at")
    )
    moments = [moment for moment in (*made.values(), *opened.values()) if moment is not None]
    if not moments:
        return
    zone = timezone.get_default_timezone()
    day, last = (moment.astimezone(zone).date() for moment in (min(moments), max(moments)))
    while day <= last:
        yield day
        day += timedelta(days=1)


def _days(*order: str) -> QuerySet[Touched, Any]:
    zone = timezone.get_default_timezone()
    rows: QuerySet[Touched, Any] = Touched.objects.values(
        "source", day=TruncDate("at", tzinfo=zone)
    )
    return rows.distinct().order_by(*order)


def _taken(days: Iterable[dict[str, Any]]) -> dict[int, Taken]:
    wanted = Q()
    for each in days:
        start, end = _bounds(each["day"])
        wanted |= Q(source=each["source"], at__gte=start, at__lt=end)
    if not wanted:
        return {}
    notes = list(Touched.objects.filter(wanted).values_list("pk", "source", "at"))
    # By their keys: what is noted from here on is for whoever counts next.
    Touched.objects.filter(pk__in=bulk.among(pk for pk, _, _ in notes)).delete()
    found: dict[int, Taken] = {}
    known = set(sources())
    for source, at in {(source, at) for _, source, at in notes if source in known and at}:
        own = found.setdefault(source, Taken())
        day = timezone.localdate(at, timezone.get_default_timezone())
        own.days.add(day)
        own.quarters |= {at} if _is_quarter(at) else _quarters(day)
    return found


def _is_quarter(at: datetime) -> bool:
    return at.second == 0 and at.microsecond == 0 and at.minute % 15 == 0


def _quarters(day: date) -> set[datetime]:
    start, end = (moment.astimezone(UTC) for moment in _bounds(day))
    return {start + number * QUARTER for number in range((end - start) // QUARTER)}


def _bounds(day: date) -> tuple[datetime, datetime]:
    return _moment(day, time.min), _moment(day + timedelta(days=1), time.min)


def _moment(day: date, at: time) -> datetime:
    return datetime.combine(day, at, tzinfo=timezone.get_default_timezone())
