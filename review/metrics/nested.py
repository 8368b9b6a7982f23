"""Rows of sums that are gathered once more inside the database.

The ORM has no aggregate over an aggregate of other groups. There are tens of thousands of rows
below, and what each costs in Python would be most of what a page takes.
"""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet


def gathered(
    rows: QuerySet[Any], keys: Sequence[str], told: Sequence[str]
) -> list[tuple[Any, ...]]:
    """(*keys, *told) for each group of keys; `told` are SQL aggregates over columns of the rows.

    Keys and columns are named as `values` and `annotate` of the rows name them.
    """
    try:
        inner, params = rows.query.sql_with_params()
    except EmptyResultSet:
        return []
    names = ", ".join(keys)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {names}, {', '.join(told)} FROM ({inner}) AS gathered GROUP BY {names}", params
        )
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found
