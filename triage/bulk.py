"""Many rows in one statement, for the few places where every ticket passes."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, models
from django.db.models.expressions import RawSQL


def among(keys: Iterable[int]) -> RawSQL:
    """The right side of an `__in` for primary keys: one parameter, however many there are.

    A list would be a parameter for each, which costs more to write and to plan than to look up.
    """
    return RawSQL("SELECT unnest(%s::bigint[])", [list(keys)])


def insert(model: type[models.Model], rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Insert rows and answer their primary keys, in order.

    A row maps column names (`ticket_id`) to what JSON holds, or to times; all rows have the same
    columns, and those left out must allow NULL: the model's defaults are not asked. The rows
    travel as one JSON document, which costs a fifth of what model instances cost here.
    """
    if not rows:
        return []
    pk = model._meta.pk
    types = {
        str(field.column): field.db_type(connection)
        for field in model._meta.concrete_fields
        if field.column in rows[0]
    }
    quote = connection.ops.quote_name
    columns = ", ".join(quote(column) for column in types)
    shape = ", ".join(f"{quote(column)} {kind}" for column, kind in types.items())
    assert pk is not None
    assert pk.column is not None
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {quote(model._meta.db_table)} ({columns}) "
            f"SELECT {columns} FROM json_to_recordset(%s::json) AS row({shape}) "
            f"RETURNING {quote(pk.column)}",
            [json.dumps(rows, default=_time, ensure_ascii=False)],
        )
        return [pk for (pk,) in cursor.fetchall()]


def _time(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"A row must hold JSON values and times, got {type(value).__name__}.")
