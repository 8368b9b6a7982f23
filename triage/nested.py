"""Rows of another table inside one query, so that a page does not ask for each kind of them."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Model, QuerySet
from django.db.models.functions import JSONObject

Row = TypeVar("Row", bound=Model)


def nested(rows: QuerySet[Row], *names: str, **related: str) -> ArraySubquery:
    """The rows, in their order, as an annotation that `rows_of` reads; at best bounded by a slice.

    All columns, or those named; `related` are columns of other tables by the key that they get.
    """
    wanted = names or [field.attname for field in rows.model._meta.concrete_fields]
    return ArraySubquery(rows.values(row=JSONObject(**{name: name for name in wanted}, **related)))


def rows_of(model: type[Row], found: Iterable[Mapping[str, Any]]) -> list[Row]:
    """What `nested` has found, as rows; columns that were not named are deferred."""
    fields = model._meta.concrete_fields
    return [
        model.from_db(
            None,
            [field.attname for field in fields if field.attname in row],
            [field.to_python(row[field.attname]) for field in fields if field.attname in row],
        )
        for row in found
    ]
