"""Pages by primary key, newest first: the thousandth page costs what the first one does."""

from typing import Any

from django.db.models import Model
from rest_framework import serializers
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

PAGE_SIZE = 50
LARGEST_PAGE = 200
LARGEST_KEY = 2**63 - 1


class PageQuery(serializers.Serializer[Any]):
    """The query parameters that every list takes."""

    limit = serializers.IntegerField(
        default=PAGE_SIZE, min_value=1, max_value=LARGEST_PAGE, help_text="Rows on a page."
    )
    cursor = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=LARGEST_KEY,
        help_text="Only rows that are older than the one with this id; `next` sets it.",
    )


class Keyset(BasePagination):
    """Reads `view.asked`, checked by a PageQuery; answers `results` and the link to go on."""

    def paginate_queryset(
        self, queryset: Any, request: Request, view: APIView | None = None
    ) -> list[Any]:
        asked: dict[str, Any] = getattr(view, "asked")  # noqa: B009
        if "cursor" in asked:
            queryset = queryset.filter(pk__lt=asked["cursor"])
        # One more than shown says whether there is a next page, without counting.
        found = list(queryset.order_by("-pk")[: asked["limit"] + 1])
        shown = found[: asked["limit"]]
        self.next = _link(request, shown[-1]) if len(found) > len(shown) else None
        return shown

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"next": self.next, "results": data})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "object",
            "required": ["next", "results"],
            "properties": {
                "next": {
                    "type": "string",
                    "format": "uri",
                    "nullable": True,
                    "description": "The page of older rows; null on the last page.",
                },
                "results": schema,
            },
        }


def _link(request: Request, last: Model) -> str:
    url: str = replace_query_param(request.build_absolute_uri(), "cursor", last.pk)
    return url
