"""What metrics mean, and how that came about, as JSON. Of votes there are counts alone."""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from review.api import PersonRef
from review.metrics import definition_pages, versions
from review.metrics.definitions import DEFINITIONS, Audience, Definition
from review.models import DefinitionComment, MetricDefinition
from triage.api.access import HasPermission
from triage.api.listing import KeysetList
from triage.api.pagination import PageQuery
from triage.api.views import FOR_LISTS, FOR_ROWS

COMMENTS_SHOWN = 200
LARGEST_VERSION = 2**31 - 1
Status = MetricDefinition.Status


class ParameterSerializer(serializers.Serializer[dict[str, Any]]):
    name = serializers.CharField()
    value = serializers.IntegerField()
    unit = serializers.CharField()
    least = serializers.IntegerField()
    most = serializers.IntegerField()


class MeaningSerializer(serializers.Serializer[dict[str, Any]]):
    """What a version says. Names of fields are those of the list of metrics."""

    key = serializers.CharField()
    version = serializers.IntegerField()
    name = serializers.CharField()
    formula = serializers.CharField()
    purpose = serializers.CharField()
    caveat = serializers.CharField()
    audience = serializers.ChoiceField(choices=Audience.values)
    min_n = serializers.IntegerField(help_text="Below it no rate is given.")
    min_people = serializers.IntegerField(help_text="Groups of fewer people are not shown.")
    is_about_people = serializers.BooleanField(help_text="Whether min_people applies.")
    parameters = ParameterSerializer(many=True)
    is_ratified = serializers.BooleanField(help_text="By a vote of the team.")
    unratified_because = serializers.CharField(
        help_text="Why it is in force although no vote ratified it."
    )


class VoteSerializer(serializers.Serializer[dict[str, Any]]):
    opened_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)
    needed = serializers.IntegerField(allow_null=True, help_text="Votes; null while it is open.")
    yes = serializers.IntegerField(
        allow_null=True, help_text="Null while it is open, and of fewer than 5 votes."
    )
    no = serializers.IntegerField(allow_null=True)


class DefinitionCommentSerializer(serializers.ModelSerializer[DefinitionComment]):
    author = PersonRef()

    class Meta:
        model = DefinitionComment
        fields = ("id", "author", "text", "at")


class DefinitionRow(serializers.ModelSerializer[MetricDefinition]):
    """A version that a team made."""

    meaning = serializers.SerializerMethodField()
    status = serializers.ChoiceField(choices=Status.values)
    proposer = PersonRef()
    activated_by = PersonRef(allow_null=True)
    vote = serializers.SerializerMethodField()

    class Meta:
        model = MetricDefinition
        fields = (
            "id", "meaning", "status", "proposer", "proposed_at", "vote", "activated_at",
            "activated_by", "retired_at",
        )  # fmt: skip

    @extend_schema_field(MeaningSerializer)
    def get_meaning(self, row: MetricDefinition) -> dict[str, Any]:
        return meaning(versions.as_definition(row))

    @extend_schema_field(VoteSerializer(allow_null=True))
    def get_vote(self, row: MetricDefinition) -> dict[str, Any] | None:
        if row.opened_at is None:
            return None
        shown = row.shows_counts
        return {
            "opened_at": row.opened_at,
            "closed_at": row.closed_at,
            "needed": row.votes_needed,
            "yes": row.votes_yes if shown else None,
            "no": row.votes_no if shown else None,
        }


class InForceSerializer(serializers.Serializer[dict[str, Any]]):
    start = serializers.DateTimeField(allow_null=True, help_text="Null: from the first figure on.")
    end = serializers.DateTimeField(allow_null=True, help_text="Null: it still is.")


class DefinitionDetail(serializers.Serializer[dict[str, Any]]):
    meaning = MeaningSerializer()
    status = serializers.ChoiceField(choices=Status.values)
    made = DefinitionRow(allow_null=True, help_text="Null: it came with the service.")
    in_force = InForceSerializer(many=True)
    comments = DefinitionCommentSerializer(many=True, help_text="The first 200.")


class DefinitionQuery(PageQuery):
    key = serializers.ChoiceField(choices=list(DEFINITIONS), required=False)
    status = serializers.ChoiceField(choices=Status.values, required=False)


class Definitions(KeysetList[MetricDefinition]):
    permission = "review.view_decision"
    serializer_class = DefinitionRow
    query = DefinitionQuery

    @extend_schema(
        operation_id="list_metric_definitions",
        summary="Versions that teams made of what metrics mean, the newest first",
        description="What is in force, the service's own versions included: the list of metrics.",
        parameters=[DefinitionQuery],
        responses={200: DefinitionRow(many=True), **FOR_LISTS},
    )
    def get(self, *args: Any, **kwargs: Any) -> Any:
        return super().get(*args, **kwargs)

    def get_queryset(self) -> QuerySet[MetricDefinition]:
        asked = self.asked
        rows = definition_pages.made_by_teams().select_related("proposer", "activated_by")
        if "key" in asked:
            rows = rows.filter(key=asked["key"])
        if "status" in asked:
            rows = rows.filter(definition_pages.WHERE[asked["status"]])
        return rows


class OneDefinition(APIView):
    permission_classes = (HasPermission,)
    permission = "review.view_decision"

    @extend_schema(
        operation_id="read_metric_definition",
        summary="One version of what a metric means",
        responses={200: DefinitionDetail, **FOR_ROWS},
    )
    def get(self, request: Request, key: str, version: int) -> Response:
        try:
            definition, row = definition_pages.find(key, min(version, LARGEST_VERSION))
        except KeyError as error:
            raise Http404(f"There is no version {version} of a metric {key[:60]!r}.") from error
        standing = versions.in_force_of(key, timezone.now())
        comments = row.comments.select_related("author")[:COMMENTS_SHOWN] if row else []
        found = {
            "meaning": meaning(definition),
            "status": row.status if row else definition_pages.own_status(definition, standing),
            "made": row,
            "in_force": [
                {"start": one.start, "end": one.end}
                for one in versions.history(key)
                if one.definition.version == definition.version
            ],
            "comments": comments,
        }
        return Response(DefinitionDetail(found).data)


def meaning(definition: Definition) -> dict[str, Any]:
    return {
        "key": definition.key,
        "version": definition.version,
        "name": str(definition.name),
        "formula": str(definition.formula),
        "purpose": str(definition.purpose),
        "caveat": str(definition.caveat),
        "audience": definition.audience.value,
        "min_n": definition.min_n,
        "min_people": definition.min_people,
        "is_about_people": definition.is_about_people,
        "parameters": [
            {
                "name": name,
                "value": definition.value(name),
                "unit": str(one.unit),
                "least": one.least,
                "most": one.most,
            }
            for name, one in definition.parameters.items()
        ],
        "is_ratified": definition.is_ratified,
        "unratified_because": definition.unratified,
    }
