"""Counts of whole days, made anew for each day of which the database noted a change.

What is counted is what cohorts.py says, so a report from counts and the lists behind its figures
speak of the same rows.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from time import monotonic

from django.db import connection, transaction

from review.metrics import day_counts, told, touched
from review.metrics.window import Scope, local_now
from triage.models import Field, Source, Touched

# One after the other: two that count the same day would both insert it.
LOCK = 0x636F756E
DAYS_AT_ONCE = 31
# How long a page waits for the newest figures.
PAGE_SECONDS = 2.0


def catch_up(*, within_seconds: float | None = None) -> bool:
    """Count the days that were touched anew; False if some are left.

    Some are left when the time is up, where somebody else is counting, and, for whoever has a
    deadline, where a day is too large to wait for: the beat counts it each minute. Safe to repeat
    and to stop: what is counted is committed together with the removal of its notes.
    """
    end = None if within_seconds is None else monotonic() + within_seconds
    large: set[tuple[int, date]] = set()
    many = 0
    while Touched.objects.exists():
        with transaction.atomic():
            if not _has_lock():
                return False
            touched.spread()
            taken = touched.take(DAYS_AT_ONCE) if end is None else touched.take_small(large)
            for source, one in taken.items():
                many += len(one.days)
                opened = count_days(source, one.days, one.quarters)
                if end is None:
                    _count_openings(source, opened)
                else:
                    # They may be many, and each is a step by itself.
                    touched.note((source, day) for day in opened)
        if end is not None and (not taken or monotonic() > end):
            return not Touched.objects.exists()
    if end is None and many >= DAYS_AT_ONCE:
        _analyse()
    return True


def recount() -> int:
    """Count everything anew and return the number of days: after a restore or a change of zone."""
    with transaction.atomic():
        _wait_for_lock()
        Touched.objects.all().delete()
        day_counts.forget()
        days = {source: list(touched.all_days(source)) for source in touched.sources()}
        for source, own in days.items():
            _count_openings(source, count_days(source, own))
    _analyse()
    return sum(map(len, days.values()))


def count_days(
    source: int, days: Collection[date], quarters: Collection[datetime] | None = None
) -> set[date]:
    """Replace all counts of these days, in the service's time zone, by what the rows say now.

    Where `quarters` are given, nothing has changed but what was opened or proposed in these
    quarter hours. Answers the other days on which tickets were opened whose story has changed:
    they may be proposed for long after.
    """
    scope = _scope(source)
    opened = set[date]()
    for first, last in _runs(days):
        opened |= told.refresh(replace(scope, first=first, last=last), quarters)
    day_counts.replace([replace(scope, first=first, last=last) for first, last in _runs(days)])
    return opened - set(days)


def _count_openings(source: int, days: Collection[date]) -> None:
    scope = _scope(source)
    scopes = [replace(scope, first=first, last=last) for first, last in _runs(days)]
    day_counts.replace_openings(scopes)


def _scope(source: int) -> Scope:
    here = Source.objects.get(pk=source)
    main_fields = Field.objects.filter(source=source, is_main=True).values_list("pk", flat=True)
    return Scope(
        first=date.min,
        last=date.min,
        now=local_now(),
        # Nothing here depends on it: when is counted, not whether it was in time.
        outcome_days=0,
        source=here,
        main_fields=tuple(main_fields),
    )


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


def _analyse() -> None:
    """After months of new rows PostgreSQL plans reports by what the tables were like before."""
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {', '.join(one._meta.db_table for one in day_counts.TABLES)}")


def _has_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        return bool(cursor.fetchone()[0])


def _wait_for_lock() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
