"""Whether what was kept day by day is what a full count says: every table of counts, every row.

Compared inside the database. Sums of seconds come in another order at each counting, so of them
the last digits are free.
"""

from django.db import connection
from django.db.models import FloatField, Model

from review.metrics import day_counts, rollups

ROUNDING = 1e-9
# What happens to tickets and proposals of long ago, as a helpdesk and people send it.
LATER = (
    """
    INSERT INTO triage_ticketevent (ticket_id, key, kind, happened_at, choice_id, score)
    SELECT id, 'late ' || gen_random_uuid(), CASE id %% 3 WHEN 0 THEN 'reopened'
        WHEN 1 THEN 'commented' ELSE 'escalated' END, now(), NULL, NULL
    FROM triage_ticket WHERE id %% %(every)s = 0
    """,
    "UPDATE triage_ticketevent SET happened_at = happened_at + interval '1 hour' "
    "WHERE id %% (4 * %(every)s) = 0",
    "UPDATE review_decision SET verdict = 'overridden' "
    "WHERE verdict = 'accepted' AND id %% %(every)s = 0",
    "DELETE FROM review_truth WHERE id %% 50 = 0",
    "DELETE FROM triage_ticketevent WHERE id %% (5 * %(every)s) = 0",
)


def happen(every: int) -> None:
    """One of so many tickets goes on, and of others it turns out otherwise."""
    with connection.cursor() as cursor:
        for step in LATER:
            cursor.execute(step, {"every": every})


def differences() -> tuple[int, int]:
    """How many rows of counts differ from a full count, which is made; and how many there are."""
    with connection.cursor() as cursor:
        for model in day_counts.TABLES:
            name = model._meta.db_table
            cursor.execute(f"CREATE TEMP TABLE kept_{name} AS {_told(model)}")
        rollups.recount()
        found = rows = 0
        for model in day_counts.TABLES:
            cursor.execute(_compared(model))
            differ, size = cursor.fetchone()
            found, rows = found + differ, rows + size
    return found, rows


def _names(model: type[Model]) -> tuple[list[str], list[str]]:
    """Columns that are the same to the last digit, and those that are sums."""
    plain, sums = list[str](), list[str]()
    for field in model._meta.concrete_fields:
        if field.name != "id":
            (sums if isinstance(field, FloatField) else plain).append(str(field.column))
    return plain, sums


def _told(model: type[Model]) -> str:
    plain, sums = _names(model)
    added = "".join(f", sum({name}) AS {name}" for name in sums)
    return (
        f"SELECT ROW({', '.join(plain)})::text AS of, count(*) AS times{added} "
        f"FROM {model._meta.db_table} GROUP BY 1"
    )


def _compared(model: type[Model]) -> str:
    _, sums = _names(model)
    apart = "".join(
        f" OR abs(kept.{name} - anew.{name}) > {ROUNDING} * greatest(abs(anew.{name}), 1)"
        f" OR (kept.{name} IS NULL) <> (anew.{name} IS NULL)"
        for name in sums
    )
    return (
        f"SELECT count(*) FILTER (WHERE kept.times IS DISTINCT FROM anew.times{apart}), count(*) "
        f"FROM kept_{model._meta.db_table} AS kept FULL JOIN ({_told(model)}) AS anew USING (of)"
    )
