"""Counts of whole days, made anew for each day of which the database noted a change.

What is counted is what cohorts.py says, so a report from counts and the lists behind its figures
speak of the same rows.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from time import monotonic

from django.db import connection, transaction
from django.db.models import Max, Min, Q
from django.db.models.functions import TruncDate
from django.utils import timezone

from review.metrics import day_counts, told
from review.metrics.window import Scope, local_now
from triage.models import Field, Proposal, Source, Ticket, Touched

# One after the other: two that count the same day would both insert it.
LOCK = 0x636F756E
DAYS_AT_ONCE = 31
# How long a page waits for the newest figures.
PAGE_SECONDS = 2.0


def catch_up(*, within_seconds: float | None = None) -> bool:
    """Count the days that were touched anew; False if some are left.

    Some are left when the time is up, or where somebody else is counting. Safe to repeat and to
    stop: what is counted is committed together with the removal of its notes.
    """
    end = None if within_seconds is None else monotonic() + within_seconds
    # Whoever has a deadline looks at the clock after each day.
    at_once = DAYS_AT_ONCE if end is None else 1
    while Touched.objects.exists():
        with transaction.atomic():
            if not _has_lock():
                return False
            _spread()
            for source, days in _take(at_once).items():
                count_days(source, days)
        if end is not None and monotonic() > end:
            return not Touched.objects.exists()
    return True


def recount() -> int:
    """Count everything anew and return the number of days: after a restore or a change of zone."""
    with transaction.atomic():
        _wait_for_lock()
        Touched.objects.all().delete()
        day_counts.forget()
        days = {source: list(_all_days(source)) for source in _sources()}
        for source, own in days.items():
            count_days(source, own)
    return sum(map(len, days.values()))


def count_days(source: int, days: Collection[date]) -> None:
    """Replace all counts of these days, in the service's time zone, by what the rows say now."""
    here = Source.objects.get(pk=source)
    main_fields = Field.objects.filter(source=source, is_main=True).values_list("pk", flat=True)
    scope = Scope(
        first=date.min,
        last=date.min,
        now=local_now(),
        # Nothing here depends on it: when is counted, not whether it was in time.
        outcome_days=0,
        source=here,
        main_fields=tuple(main_fields),
    )
    opened = set[date]()
    for first, last in _runs(days):
        opened |= told.refresh(replace(scope, first=first, last=last))
    for first, last in _runs(days):
        day_counts.replace(replace(scope, first=first, last=last))
    # Tickets may be proposed for long after they were opened.
    for first, last in _runs(opened - set(days)):
        day_counts.replace_openings(replace(scope, first=first, last=last))


def _spread() -> None:
    """Notes of all days of a source become notes of each."""
    everything = Touched.objects.filter(at__isnull=True)
    touched = set(everything.values_list("source", flat=True)) & set(_sources())
    everything.delete()
    Touched.objects.bulk_create(
        Touched(source_id=source, at=_noon(day))
        for source in sorted(touched)
        for day in _all_days(source)
    )


def _take(most: int) -> dict[int, set[date]]:
    """The days that were touched first, by source; their notes are gone once this is committed."""
    zone = timezone.get_default_timezone()
    oldest = (
        Touched.objects.values("source", day=TruncDate("at", tzinfo=zone))
        .annotate(first=Min("pk"))
        .order_by("first")[:most]
    )
    known = set(_sources())
    found: dict[int, set[date]] = {}
    taken = Q()
    for note in oldest:
        start, end = _midnight(note["day"]), _midnight(note["day"] + timedelta(days=1))
        taken |= Q(source=note["source"], at__gte=start, at__lt=end)
        if note["source"] in known:
            found.setdefault(note["source"], set()).add(note["day"])
    if taken:
        Touched.objects.filter(taken).delete()
    return found


def _sources() -> list[int]:
    return list(Source.objects.order_by("pk").values_list("pk", flat=True))


def _all_days(source: int) -> Iterator[date]:
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


def _runs(days: Iterable[date]) -> Iterator[tuple[date, date]]:
    """First and last of days that follow one another, at most DAYS_AT_ONCE together."""
    run: list[date] = []
    for day in sorted(set(days)):
        if run and (day - run[-1] > timedelta(days=1) or len(run) == DAYS_AT_ONCE):
            yield run[0], run[-1]
            run = []
        run.append(day)
    if run:
        yield run[0], run[-1]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=timezone.get_default_timezone())


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), tzinfo=timezone.get_default_timezone())


def _has_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        return bool(cursor.fetchone()[0])


def _wait_for_lock() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
