"""The metrics as JSON, with the same filters and the same words as the page."""

from typing import Any

from django.http import Http404
from django.urls import path
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from review.metrics import page, rollups, versions
from review.metrics.definitions import Definition, Unit
from review.metrics.definitions_api import Definitions, MeaningSerializer, OneDefinition, meaning
from review.metrics.export import CONFIDENCE
from review.metrics.figures import Bucket, Kind, Row
from review.metrics.kpis.api import Kpis
from review.metrics.registry import ENTRIES, report_of
from review.metrics.report import Report
from review.metrics.window import Group, Scope, ScopeForm, local_now
from triage.api.access import HasPermission
from triage.api.views import NO_LOGIN, NO_PERMISSION

WINDOW = [
    OpenApiParameter("days", OpenApiTypes.INT, enum=page.DAYS, description="Up to today."),
    OpenApiParameter("from", OpenApiTypes.DATE, description="First day; goes before `days`."),
    OpenApiParameter("to", OpenApiTypes.DATE, description="Last day, included."),
    OpenApiParameter("source", OpenApiTypes.STR, description="Slug of a source."),
    OpenApiParameter("group", OpenApiTypes.STR, enum=[group.value for group in Group]),
]


class MetricSerializer(MeaningSerializer):
    number = serializers.IntegerField(allow_null=True)
    unit = serializers.ChoiceField(choices=[unit.value for unit in Unit])
    url = serializers.URLField()


class MetricWindowSerializer(serializers.Serializer[dict[str, Any]]):
    first = serializers.DateField()
    last = serializers.DateField(help_text="Included.")
    time_zone = serializers.CharField()
    source_slug = serializers.CharField(allow_blank=True, help_text="Empty: all sources.")
    group = serializers.ChoiceField(choices=[group.value for group in Group])


class MetricFigureSerializer(serializers.Serializer[dict[str, Any]]):
    key = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=[kind.value for kind in Kind])
    value = serializers.FloatField(
        allow_null=True, help_text="A fraction, seconds or a count; null where n is below min_n."
    )
    k = serializers.IntegerField(allow_null=True)
    n = serializers.IntegerField(allow_null=True, help_text="Null where it is withheld.")
    withheld = serializers.BooleanField(
        help_text="Fewer people than the definition's min_people stand behind it."
    )
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    confidence = serializers.FloatField(allow_null=True)
    tickets = serializers.URLField(allow_null=True, help_text="The proposals counted.")


class MetricRowSerializer(serializers.Serializer[dict[str, Any]]):
    labels = serializers.ListField(child=serializers.CharField())
    figures = MetricFigureSerializer(many=True)


class MetricReportSerializer(serializers.Serializer[dict[str, Any]]):
    definition = MetricSerializer()
    window = MetricWindowSerializer()
    labels = serializers.ListField(child=serializers.CharField())
    totals = MetricRowSerializer(many=True)
    rows = MetricRowSerializer(many=True)
    notes = serializers.ListField(child=serializers.CharField())


class Metrics(APIView):
    permission_classes = (HasPermission,)
    permission = "review.view_decision"

    @extend_schema(
        operation_id="list_metrics",
        summary="List the metrics",
        description="What is measured, in words: of each definition the version in force.",
        responses={200: MetricSerializer(many=True), 401: NO_LOGIN, 403: NO_PERMISSION},
    )
    def get(self, request: Request) -> Response:
        found = versions.in_force(timezone.now()).values()
        return Response([_definition(request, each) for each in found])


class Metric(APIView):
    permission_classes = (HasPermission,)
    permission = "review.view_decision"

    @extend_schema(
        operation_id="read_metric",
        summary="Read one metric",
        description="Figures of the window with their intervals. Never split by person.",
        parameters=WINDOW,
        responses={
            200: MetricReportSerializer,
            400: OpenApiResponse(OpenApiTypes.OBJECT, "A filter is wrong; each is named."),
            401: NO_LOGIN,
            403: NO_PERMISSION,
            404: OpenApiResponse(OpenApiTypes.OBJECT, "No such metric."),
        },
    )
    def get(self, request: Request, key: str) -> Response:
        if key not in ENTRIES:
            raise Http404(f"There is no metric {key!r}.")
        form = ScopeForm(request.query_params)
        if not form.is_valid():
            wrong = {name: [str(each) for each in said] for name, said in form.errors.items()}
            raise ValidationError(wrong)
        rollups.catch_up(within_seconds=rollups.PAGE_SECONDS)
        return Response(_report(request, report_of(key, form.scope(local_now()))))


def _definition(request: Request, definition: Definition) -> dict[str, Any]:
    return {
        **meaning(definition),
        "number": definition.number,
        "unit": definition.unit.value,
        "url": _address(request, definition.key),
    }


def _address(request: Request, key: str) -> str:
    """Of a metric, in whatever namespace these addresses have been put."""
    match = request.resolver_match
    name = ":".join([*(match.namespaces if match else []), "metric"])
    return reverse(name, args=[key], request=request)


def _report(request: Request, report: Report) -> dict[str, Any]:
    scope = report.scope
    return {
        "definition": _definition(request, report.definition),
        "window": {
            "first": scope.first.isoformat(),
            "last": scope.last.isoformat(),
            "time_zone": scope.time_zone,
            "source_slug": scope.source_slug,
            "group": scope.group.value,
        },
        "labels": [str(label) for label in report.labels],
        "totals": [_row(request, report, row) for row in report.totals],
        "rows": [_row(request, report, row) for row in report.rows],
        "notes": [note.text for note in report.notes],
    }


def _row(request: Request, report: Report, row: Row) -> dict[str, Any]:
    figures = []
    for column in report.columns:
        figure = row.figures[column.key]
        low, high = figure.interval or (None, None)
        figures.append(
            {
                "key": column.key,
                "name": str(column.name),
                "kind": figure.kind.value,
                "value": figure.value,
                "k": figure.k,
                "n": None if figure.is_withheld else figure.n,
                "withheld": figure.is_withheld,
                "low": low,
                "high": high,
                "confidence": CONFIDENCE if figure.interval else None,
                "tickets": _tickets(request, report.scope, figure.bucket),
            }
        )
    return {"labels": list(row.labels), "figures": figures}


def _tickets(request: Request, scope: Scope, bucket: Bucket | None) -> str | None:
    return request.build_absolute_uri(page.link(scope, bucket)) if bucket else None


urlpatterns = [
    path("", Metrics.as_view(), name="metrics"),
    path("definitions/", Definitions.as_view(), name="definitions"),
    path("definitions/<slug:key>/<int:version>/", OneDefinition.as_view(), name="definition"),
    path("kpis/", Kpis.as_view(), name="kpis"),
    path("<slug:key>/", Metric.as_view(), name="metric"),
]
