"""Counters of rows that never go back and never cost a look at all rows.

What is older than LAG is counted once, kept in PostgreSQL and added to; what is newer is counted
anew at every scrape. Several processes may do both at once: one statement sees one state.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from django.db import connection, models
from django.utils import timezone
from prometheus_client.core import CounterMetricFamily, Metric

from triage.models import TallyMark

# A row's moment is set before it is committed; no transaction takes nearly as long as this.
LAG = timedelta(minutes=10)
# Kept counts are written this often and not at each scrape.
EVERY = timedelta(minutes=1)
# Rows of a counter that one scrape adds to what is kept: few enough for a slow disk.
STEP = 100_000
# Rows that are counted anew. More mean that the past is not counted yet.
MOST = 300_000
NEVER = datetime(1970, 1, 1, tzinfo=UTC)

# The two ends of every range are there for the planner: of an open one it would expect a third of
# the table, and read all of it.
KEEP = """
    WITH mark AS (
        SELECT upto FROM triage_tallymark WHERE name = %(name)s AND upto < %(due)s
        FOR UPDATE SKIP LOCKED
    ), step AS (
        SELECT upto AS since, coalesce((
            SELECT {at} FROM {table} WHERE {at} > (SELECT upto FROM mark) AND {at} <= %(due)s
            ORDER BY {at} OFFSET %(step)s LIMIT 1
        ), %(due)s) AS until FROM mark
    ), fresh AS (
        SELECT {by} AS value, count(*) AS n FROM {table}
        WHERE {at} > (SELECT since FROM step) AND {at} <= (SELECT until FROM step)
        GROUP BY 1
    ), kept AS (
        INSERT INTO triage_tally AS tally (mark_id, value, total)
        SELECT %(name)s, value, n FROM fresh
        ON CONFLICT (mark_id, value) DO UPDATE SET total = tally.total + excluded.total
    )
    UPDATE triage_tallymark SET upto = step.until FROM step WHERE name = %(name)s
"""
READ = """
    SELECT %s AS name, value, total AS n, 0 AS live FROM triage_tally WHERE mark_id = %s
    UNION ALL
    SELECT %s, value, count(*), count(*) FROM (
        SELECT {by} AS value FROM {table}
        WHERE {at} > coalesce((SELECT upto FROM triage_tallymark WHERE name = %s), '-infinity')
            AND {at} < 'infinity'
        LIMIT %s
    ) AS fresh GROUP BY value
"""


@dataclass(frozen=True)
class Counted:
    """A counter: rows of a model by the moment `at`, which is indexed and never changes.

    `by` is the column that tells them apart, `known` its values with what the label says of each;
    those without a row are counted as 0, others not at all. Rows whose moment lies more than LAG
    before their commit are not counted.
    """

    name: str
    text: str
    model: type[models.Model]
    at: str
    by: str = ""
    label: str = ""
    known: Callable[[], Mapping[str, str]] = partial(dict, {"": ""})

    def sql(self, template: str) -> str:
        # Names from this code alone; values are passed beside.
        by = f"{self.by}::text" if self.by else "''"
        return template.format(table=self.model._meta.db_table, at=self.at, by=by)


def named(choices: type[models.TextChoices]) -> Callable[[], Mapping[str, str]]:
    return lambda: {value: value for value in choices.values}


def families(counters: Sequence[Counted]) -> Iterator[Metric]:
    """One statement. A counter has no sample while more than MOST rows wait for `keep`."""
    rows = _read(counters)
    for counter in counters:
        labels = [counter.label] if counter.label else []
        family = CounterMetricFamily(f"countersign_{counter.name}", counter.text, labels=labels)
        mine = [(value, n, live) for name, value, n, live in rows if name == counter.name]
        if sum(live for _, _, live in mine) <= MOST:
            for value, shown in counter.known().items():
                total = sum(n for found, n, _ in mine if found == value)
                family.add_metric([shown] if counter.label else [], total)
        yield family


def keep(counters: Sequence[Counted]) -> Sequence[Metric]:
    """Add to what is kept, STEP rows of each counter at the most; a part without metrics.

    One statement while all is fresh, and one more for each counter that is not. Apart from
    `families`, so that a long past is got through even where counting what is left takes too long.
    """
    due = timezone.now() - LAG
    names = [counter.name for counter in counters]
    marks = dict(TallyMark.objects.filter(name__in=names).values_list("name", "upto"))
    missing = [TallyMark(name=name, upto=NEVER) for name in names if name not in marks]
    if missing:
        TallyMark.objects.bulk_create(missing, ignore_conflicts=True)
    with connection.cursor() as cursor:
        for counter in counters:
            if marks.get(counter.name, NEVER) < due - EVERY:
                cursor.execute(
                    counter.sql(KEEP), {"name": counter.name, "due": due, "step": STEP - 1}
                )
    return []


def _read(counters: Sequence[Counted]) -> list[tuple[str, str, int, int]]:
    statement = " UNION ALL ".join(counter.sql(READ) for counter in counters)
    values: list[Any] = []
    for counter in counters:
        values += [counter.name] * 4 + [MOST + 1]
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        rows: list[tuple[str, str, int, int]] = cursor.fetchall()
        return rows
