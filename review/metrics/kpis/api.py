"""Before and after as JSON, with the same filters and the same words as the page."""

from collections.abc import Callable
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from review.metrics import rollups
from review.metrics.export import CONFIDENCE
from review.metrics.figures import Figure
from review.metrics.kpis import listing
from review.metrics.kpis.board import Board, Change, Line, Verdict, boards
from review.metrics.kpis.export import days_of
from review.metrics.kpis.measures import MEASURES
from review.metrics.kpis.measuring import Days
from review.metrics.meaning import Unit
from review.metrics.window import ScopeForm, local_now
from review.models import KpiTarget
from triage.api.access import HasPermission
from triage.api.views import NO_LOGIN, NO_PERMISSION
from triage.models import Source

Address = Callable[[str], str]


class KpiFigureSerializer(serializers.Serializer[dict[str, Any]]):
    value = serializers.FloatField(
        allow_null=True, help_text="A fraction or seconds; null where n is below min_n."
    )
    k = serializers.IntegerField(allow_null=True)
    n = serializers.IntegerField()
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    confidence = serializers.FloatField(allow_null=True)
    first_day = serializers.DateField(allow_null=True)
    last_day = serializers.DateField(allow_null=True)
    tickets = serializers.URLField(allow_null=True, help_text="The tickets counted.")


class KpiTargetSerializer(serializers.Serializer[dict[str, Any]]):
    direction = serializers.ChoiceField(choices=KpiTarget.Direction.values)
    value = serializers.FloatField()
    why = serializers.CharField()
    set_at = serializers.DateTimeField()
    set_after_start = serializers.BooleanField(help_text="Automation had begun by then.")


class KpiSerializer(serializers.Serializer[dict[str, Any]]):
    metric = serializers.ChoiceField(choices=list(MEASURES))
    name = serializers.CharField()
    definition_version = serializers.IntegerField()
    formula = serializers.CharField()
    caveat = serializers.CharField()
    unit = serializers.ChoiceField(choices=[unit.value for unit in Unit])
    min_n = serializers.IntegerField()
    before = KpiFigureSerializer(allow_null=True, help_text="Null without a baseline.")
    before_definition_version = serializers.IntegerField(allow_null=True)
    now = KpiFigureSerializer()
    difference = KpiFigureSerializer(allow_null=True, help_text="Now minus before.")
    change = serializers.ChoiceField(choices=[each.value for each in Change])
    target = KpiTargetSerializer(allow_null=True)
    verdict = serializers.ChoiceField(choices=[each.value for each in Verdict])


class KpiBoardSerializer(serializers.Serializer[dict[str, Any]]):
    source_slug = serializers.CharField()
    automation_began = serializers.DateField(allow_null=True)
    kpis = KpiSerializer(many=True)


class Kpis(APIView):
    permission_classes = (HasPermission,)
    permission = "review.view_decision"

    @extend_schema(
        operation_id="read_kpis",
        summary="Compare with the time before automation",
        description=(
            "Of each source the measures of its baseline and of the window, with targets. It is no "
            "experiment: what else has changed since is in the difference too."
        ),
        parameters=[
            OpenApiParameter("days", OpenApiTypes.INT, description="Up to today."),
            OpenApiParameter("from", OpenApiTypes.DATE, description="Goes before `days`."),
            OpenApiParameter("to", OpenApiTypes.DATE, description="Last day, included."),
            OpenApiParameter("source", OpenApiTypes.STR, description="Slug of a source."),
        ],
        responses={
            200: KpiBoardSerializer(many=True),
            400: OpenApiResponse(OpenApiTypes.OBJECT, "A filter is wrong; each is named."),
            401: NO_LOGIN,
            403: NO_PERMISSION,
        },
    )
    def get(self, request: Request) -> Response:
        form = ScopeForm(request.query_params)
        if not form.is_valid():
            wrong = {name: [str(each) for each in said] for name, said in form.errors.items()}
            raise ValidationError(wrong)
        rollups.catch_up(within_seconds=rollups.PAGE_SECONDS)
        found = boards(form.scope(local_now()))
        return Response([_board(board, request.build_absolute_uri) for board in found])


def _board(board: Board, address: Address) -> dict[str, Any]:
    return {
        "source_slug": board.source.slug,
        "automation_began": board.began.isoformat() if board.began else None,
        "kpis": [_kpi(board.source, line, address) for line in board.lines],
    }


def _kpi(source: Source, line: Line, address: Address) -> dict[str, Any]:
    definition, target = line.measure.definition, line.target
    before_days = days_of(line.baseline) if line.baseline else None

    def figure(found: Figure | None, days: Days | None, *, is_listed: bool = True) -> Any:
        if found is None:
            return None
        low, high = found.interval or (None, None)
        href = listing.link(source, line.measure, days) if days and is_listed else ""
        return {
            "value": found.value,
            "k": found.k,
            "n": found.n,
            "low": low,
            "high": high,
            "confidence": CONFIDENCE if found.interval else None,
            "first_day": days.first.isoformat() if days else None,
            "last_day": days.last.isoformat() if days else None,
            "tickets": address(href) if href else None,
        }

    return {
        "metric": line.measure.key,
        "name": str(definition.name),
        "definition_version": definition.version,
        "formula": str(definition.formula),
        "caveat": str(definition.caveat),
        "unit": definition.unit.value,
        "min_n": definition.min_n,
        "before": figure(line.before, before_days),
        "before_definition_version": line.baseline.definition_version if line.baseline else None,
        "now": figure(line.now, line.days),
        "difference": figure(line.difference, line.days, is_listed=False),
        "change": line.change.value,
        "target": {
            "direction": target.direction,
            "value": target.value,
            "why": target.why,
            "set_at": target.set_at.isoformat(),
            "set_after_start": line.is_late,
        }
        if target
        else None,
        "verdict": line.verdict.value,
    }
