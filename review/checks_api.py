"""Spot checks for other programs: what was drawn, how far it is, what was found true.

Never who answered, nor what was said: that is for the person and auditors.
"""

from typing import Any

from django.db.models import Prefetch, QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers

from review.models import SecondLook, SpotCheck, Truth
from triage.api.listing import KeysetList, Single
from triage.api.pagination import PageQuery
from triage.api.serializers import TicketRef
from triage.api.views import FOR_LISTS, FOR_ROWS
from triage.helpdesks.generic import Moment


class TruthRow(serializers.ModelSerializer[Truth]):
    field = serializers.CharField(source="field.key")
    choice = serializers.CharField(source="choice.key")
    origin = serializers.ChoiceField(choices=Truth.Origin.choices)

    class Meta:
        model = Truth
        fields = ("field", "choice", "origin", "settled_at")


class CheckRow(serializers.ModelSerializer[SpotCheck]):
    proposal = serializers.IntegerField(source="proposal_id")
    ticket = TicketRef(source="proposal.ticket")
    answers = serializers.SerializerMethodField(help_text="How many people have answered.")
    waits_for = serializers.SerializerMethodField()
    truths = TruthRow(many=True)

    class Meta:
        model = SpotCheck
        fields = (
            "id",
            "proposal",
            "ticket",
            "stratum",
            "propensity",
            "second_at",
            "drawn_at",
            "answers",
            "waits_for",
            "truths",
        )

    @extend_schema_field(serializers.IntegerField())
    def get_answers(self, check: SpotCheck) -> int:
        return len(check.answers.all())

    @extend_schema_field(
        serializers.ChoiceField(choices=["first", "second", "third"], allow_null=True)
    )
    def get_waits_for(self, check: SpotCheck) -> str | None:
        """The answer that is missing; null: none is."""
        look: SecondLook | None = getattr(check, "second_look", None)
        if look is not None:
            return "second" if look.nth == 2 else "third"
        return None if check.answers.all() else "first"


class CheckQuery(PageQuery):
    since = Moment(required=False, help_text="Drawn then or later.")
    stratum = serializers.ChoiceField(choices=["waiting", "auto"], required=False)


class Checks(KeysetList[SpotCheck]):
    permission = "review.view_spotcheck"
    serializer_class = CheckRow
    query = CheckQuery

    @extend_schema(
        operation_id="list_checks",
        summary="Spot checks, the newest first",
        parameters=[CheckQuery],
        responses={200: CheckRow(many=True), **FOR_LISTS},
    )
    def get(self, *args: Any, **kwargs: Any) -> Any:
        return super().get(*args, **kwargs)

    def get_queryset(self) -> QuerySet[SpotCheck]:
        rows = _checks()
        if "since" in self.asked:
            rows = rows.filter(drawn_at__gte=self.asked["since"])
        if "stratum" in self.asked:
            rows = rows.filter(stratum=self.asked["stratum"])
        return rows


class OneCheck(Single[SpotCheck]):
    permission = "review.view_spotcheck"
    serializer_class = CheckRow

    @extend_schema(
        operation_id="read_check", summary="One spot check", responses={200: CheckRow, **FOR_ROWS}
    )
    def get(self, *args: Any, **kwargs: Any) -> Any:
        return super().get(*args, **kwargs)

    def get_queryset(self) -> QuerySet[SpotCheck]:
        return _checks()


def _checks() -> QuerySet[SpotCheck]:
    truths = Truth.objects.select_related("field", "choice").order_by("field__position")
    return (
        SpotCheck.objects.select_related("proposal__ticket__source", "second_look")
        .defer("proposal__reply", "proposal__ticket__body", "proposal__ticket__search")
        .prefetch_related("answers", Prefetch("truths", truths))
    )
