"""The read operations' common ground: access, checked query parameters, pages."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, TypeVar

from django.db.models import Model
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.request import Request

from triage.api.access import HasPermission
from triage.api.pagination import Keyset, PageQuery
from triage.models import Source

SHOWN_CHARACTERS = 80
M = TypeVar("M", bound=Model)


class SourceQuery(PageQuery):
    """`source` by its slug; one that does not exist is refused, not an empty list."""

    # Declared fields are moved off the class, so this never shadows Field.source.
    source = serializers.SlugField(  # type: ignore[assignment]
        max_length=40, required=False, help_text="Slug of a source."
    )

    def validate_source(self, slug: str) -> Source:
        source = Source.objects.filter(slug=slug).first()
        if source is None:
            raise ValidationError("There is no such source.")
        return source


def read_query(reader: type[PageQuery], request: Request) -> dict[str, Any]:
    """The query parameters, checked; ValidationError names parameter, rule and what came."""
    came: dict[str, list[str]] = dict(request.query_params.lists())
    known = reader().fields
    errors: dict[str, list[str]] = {}
    for name, values in came.items():
        if name not in known:
            errors[name] = [f"There is no such parameter; known are: {', '.join(known)}."]
        elif len(values) > 1:
            errors[name] = [f"Give it once; it came {len(values)} times."]
    if errors:
        raise ValidationError(errors)
    query = reader(data={name: values[0] for name, values in came.items()})
    if not query.is_valid():
        raise ValidationError(_with_what_came(query.errors, came))
    return dict(query.validated_data)


def _with_what_came(
    errors: Mapping[str, Any], came: Mapping[str, list[str]]
) -> dict[str, list[str]]:
    return {
        name: [f"{message} It came as {came[name][0][:SHOWN_CHARACTERS]!r}." for message in said]
        for name, said in errors.items()
    }


class KeysetList(ListAPIView[M]):
    """A list whose query parameters are those of `query`, and no others."""

    permission_classes = (HasPermission,)
    pagination_class = Keyset
    permission: str
    query: type[PageQuery]

    @cached_property
    def asked(self) -> dict[str, Any]:
        return read_query(self.query, self.request)


class Single(RetrieveAPIView[M]):
    """One row by its primary key."""

    permission_classes = (HasPermission,)
    permission: str
