"""Decisions for other programs: reading them, and deciding from within a helpdesk."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Prefetch, QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from review import decisions, standing
from review.catalogue import TEAM
from review.models import DecidedValue, Decision, Reason, Withdrawal
from triage.api.access import HasPermission
from triage.api.listing import KeysetList, Single
from triage.api.pagination import LARGEST_KEY, PageQuery
from triage.api.parsers import StrictJson
from triage.api.serializers import TicketRef
from triage.api.views import FOR_LISTS, FOR_ROWS
from triage.helpdesks.generic import Moment
from triage.models import Choice, Proposal

KEY_CHARACTERS = 120


class PersonRef(serializers.Serializer[User]):
    id = serializers.IntegerField()
    name = serializers.SerializerMethodField()

    def get_name(self, user: User) -> str:
        return user.get_full_name() or user.get_username()


class DecidedValueRow(serializers.ModelSerializer[DecidedValue]):
    field = serializers.CharField(source="field.key")
    proposed = serializers.CharField(source="proposed.key", allow_null=True, default=None)
    final = serializers.CharField(source="final.key", allow_null=True, default=None)
    reason = serializers.CharField(source="reason.key", allow_null=True, default=None)

    class Meta:
        model = DecidedValue
        fields = ("field", "proposed", "final", "reason")


class WithdrawalRow(serializers.ModelSerializer[Withdrawal]):
    """That it was undone or, if `reversed_by` names a decision, that this one took its place."""

    by = PersonRef()
    reversed_by = serializers.IntegerField(source="reversed_by_id", allow_null=True)

    class Meta:
        model = Withdrawal
        fields = ("by", "at", "reversed_by")


class DecisionRow(serializers.ModelSerializer[Decision]):
    proposal = serializers.IntegerField(source="proposal_id")
    ticket = TicketRef(source="proposal.ticket")
    reviewer = PersonRef()
    reason = serializers.CharField(
        source="reason.key",
        allow_null=True,
        default=None,
        help_text="Of escalating or sending back.",
    )
    values = DecidedValueRow(many=True)
    stands = serializers.SerializerMethodField()
    withdrawn = WithdrawalRow(source="withdrawal", allow_null=True, default=None)

    class Meta:
        model = Decision
        fields = (
            "id",
            "proposal",
            "ticket",
            "verdict",
            "reviewer",
            "values",
            "reason",
            "text",
            "with_playbook",
            "decided_at",
            "stands",
            "withdrawn",
        )

    def get_stands(self, decision: Decision) -> bool:
        return decision.stands_for_id is not None


class Conflict(serializers.Serializer[Any]):
    detail = serializers.CharField()
    code = serializers.ChoiceField(
        choices=["already_decided", "superseded", "leased", "too_late", "answer_first"]
    )
    winner = DecisionRow(allow_null=True, help_text="The decision that came first, if one did.")


class DecisionQuery(PageQuery):
    verdict = serializers.ChoiceField(choices=Decision.Verdict.choices, required=False)
    proposal = serializers.IntegerField(required=False, min_value=1, max_value=LARGEST_KEY)
    since = Moment(required=False, help_text="Decided then or later.")


class Decisions(KeysetList[Decision]):
    permission = "review.view_decision"
    serializer_class = DecisionRow
    query = DecisionQuery

    @extend_schema(
        operation_id="list_decisions",
        summary="Decisions, the newest first",
        parameters=[DecisionQuery],
        responses={200: DecisionRow(many=True), **FOR_LISTS},
    )
    def get(self, *args: Any, **kwargs: Any) -> Any:
        return super().get(*args, **kwargs)

    def get_queryset(self) -> QuerySet[Decision]:
        asked, rows = self.asked, _decisions()
        if "verdict" in asked:
            rows = rows.filter(verdict=asked["verdict"])
        if "proposal" in asked:
            rows = rows.filter(proposal=asked["proposal"])
        if "since" in asked:
            rows = rows.filter(decided_at__gte=asked["since"])
        return rows


class OneDecision(Single[Decision]):
    permission = "review.view_decision"
    serializer_class = DecisionRow

    @extend_schema(
        operation_id="read_decision",
        summary="One decision",
        responses={200: DecisionRow, **FOR_ROWS},
    )
    def get(self, *args: Any, **kwargs: Any) -> Any:
        return super().get(*args, **kwargs)

    def get_queryset(self) -> QuerySet[Decision]:
        return _decisions()


class DecisionShape(serializers.Serializer[Any]):
    """A decision as a plug-in sends it. Keys that the verdict has no use for are refused."""

    TAKES: Mapping[str, frozenset[str]] = {
        # Reasons only where it takes the place of another decision.
        "accept": frozenset({"reasons", "with_playbook", "text"}),
        "override": frozenset({"values", "reasons", "with_playbook", "text"}),
        "escalate": frozenset({"reason", "team", "text"}),
        "send_back": frozenset({"reason", "text"}),
    }
    NEEDS: Mapping[str, str] = {"override": "values", "escalate": "reason", "send_back": "reason"}

    verdict = serializers.ChoiceField(choices=tuple(TAKES))
    values = serializers.DictField(
        child=serializers.CharField(max_length=KEY_CHARACTERS),
        required=False,
        allow_empty=False,
        help_text="override: field key to choice key; a field left out keeps its proposed value.",
    )
    reasons = serializers.DictField(
        child=serializers.CharField(max_length=KEY_CHARACTERS),
        required=False,
        help_text="override, and accept in place of another decision: field key to reason key, "
        "for each value that is changed.",
    )
    reason = serializers.CharField(
        max_length=KEY_CHARACTERS, required=False, help_text="escalate, send_back: reason key."
    )
    text = serializers.CharField(
        max_length=500, required=False, allow_blank=True, help_text="Some reasons need it."
    )
    with_playbook = serializers.BooleanField(
        required=False, help_text="accept, override: carry the offered playbook out as well."
    )
    team = serializers.CharField(
        max_length=KEY_CHARACTERS, required=False, help_text="escalate: choice key of the new team."
    )

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        checked = dict(super().to_internal_value(data))
        takes = self.TAKES[checked["verdict"]]
        errors = {
            key: [f"{checked['verdict']!r} takes {', '.join(sorted(takes))}; not this."]
            for key in data
            if key != "verdict" and key not in takes
        }
        needed = self.NEEDS.get(checked["verdict"])
        if needed is not None and needed not in checked:
            errors[needed] = [f"{checked['verdict']!r} needs this."]
        if errors:
            raise ValidationError(errors)
        return checked


class Decide(APIView):
    permission_classes = (HasPermission,)
    parser_classes = (StrictJson,)
    permission = "review.add_decision"

    @extend_schema(
        operation_id="decide",
        summary="Decide a proposal",
        description="The reviewer is the user of the token. One decision per proposal: the first.",
        request=DecisionShape,
        responses={
            201: DecisionRow,
            400: OpenApiResponse(OpenApiTypes.OBJECT, "What is wrong, by key."),
            **FOR_ROWS,
            409: Conflict,
            413: OpenApiResponse(OpenApiTypes.OBJECT, "Larger than 1 MB."),
            415: OpenApiResponse(OpenApiTypes.OBJECT, "Not application/json."),
        },
    )
    def post(self, request: Request, pk: int) -> Response:
        visible = Proposal.objects.exclude(route=Proposal.Route.SHADOW)
        proposal = get_object_or_404(visible.select_related("ticket", "ticket_version"), pk=pk)
        shape = DecisionShape(data=request.data)
        shape.is_valid(raise_exception=True)
        return answer(proposal, person(request), shape.validated_data)


def answer(
    proposal: Proposal,
    reviewer: User,
    said: Mapping[str, Any],
    reversal: decisions.Reversal | None = None,
) -> Response:
    """Decide as a valid shape says, and answer with the decision or with what was in its way."""
    try:
        decision = _decide(proposal, reviewer, said, reversal)
    except decisions.AnswerFirst as error:
        return conflict(str(error), "answer_first", None)
    except decisions.DecisionRefused as error:
        raise ValidationError({"detail": str(error)}) from error
    except decisions.AlreadyDecided as error:
        return conflict(str(error), "already_decided", error.decision)
    except decisions.Superseded as error:
        return conflict(str(error), "superseded", None)
    except decisions.Leased as error:
        return conflict(str(error), "leased", None)
    return Response(row(decision), status.HTTP_201_CREATED)


def _decide(
    proposal: Proposal,
    reviewer: User,
    said: Mapping[str, Any],
    reversal: decisions.Reversal | None,
) -> Decision:
    text = said.get("text", "")
    if said["verdict"] in ("accept", "override"):
        is_back_to_proposed = reversal is not None and said["verdict"] == "accept"
        choices = (
            standing.settled(proposal, None)[0]
            if is_back_to_proposed
            else _choices(proposal, said.get("values", {}))
        )
        return decisions.decide(
            proposal=proposal,
            reviewer=reviewer,
            choices=choices,
            reasons=_reasons(said.get("reasons", {}), choices),
            with_playbook=said.get("with_playbook", False),
            text=text,
            reversal=reversal,
        )
    if said["verdict"] == "send_back":
        return decisions.send_back(
            proposal=proposal,
            reviewer=reviewer,
            reason=_reason("reason", said["reason"], Reason.AppliesTo.SEND_BACK),
            text=text,
            reversal=reversal,
        )
    team = _choices(proposal, {TEAM: said["team"]}, within="team") if "team" in said else {}
    return decisions.escalate(
        proposal=proposal,
        reviewer=reviewer,
        reason=_reason("reason", said["reason"], Reason.AppliesTo.ESCALATE),
        text=text,
        team=team.get(TEAM),
        reversal=reversal,
    )


def _choices(
    proposal: Proposal, keys: Mapping[str, str], *, within: str = "values"
) -> dict[str, Choice]:
    """Choices by field key; ValidationError names those that the source's catalogue lacks."""
    found = {
        (choice.field.key, choice.key): choice
        for choice in Choice.objects.filter(
            field__source=proposal.ticket.source_id, field__key__in=keys, key__in=keys.values()
        ).select_related("field")
    }
    unknown = {
        field: [f"This source has no field {field!r} with a choice {key!r}."]
        for field, key in keys.items()
        if (field, key) not in found
    }
    if unknown:
        raise ValidationError({within: unknown if within == "values" else unknown[within]})
    return {field: found[field, key] for field, key in keys.items()}


def _reasons(keys: Mapping[str, str], values: Mapping[str, Choice]) -> dict[str, Reason]:
    stray = {
        field: [f"{field!r} is not among the values."] for field in keys if field not in values
    }
    if stray:
        raise ValidationError({"reasons": stray})
    return {
        field: _reason("reasons", key, Reason.AppliesTo.OVERRIDE) for field, key in keys.items()
    }


def _reason(name: str, key: str, applies_to: str) -> Reason:
    known = {reason.key: reason for reason in Reason.objects.filter(applies_to=applies_to)}
    if key not in known:
        live = ", ".join(sorted(k for k, reason in known.items() if reason.is_active))
        raise ValidationError({name: [f"There is no such reason: {key!r}. Known are: {live}."]})
    return known[key]


def person(request: Request) -> User:
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def conflict(detail: str, code: str, winner: Decision | None) -> Response:
    return Response(
        {"detail": detail, "code": code, "winner": None if winner is None else row(winner)},
        status.HTTP_409_CONFLICT,
    )


def row(decision: Decision) -> dict[str, Any]:
    return dict(DecisionRow(_decisions().get(pk=decision.pk)).data)


def _decisions() -> QuerySet[Decision]:
    values = DecidedValue.objects.select_related("field", "proposed", "final", "reason")
    return (
        Decision.objects.select_related(
            "proposal__ticket__source", "reviewer", "reason", "withdrawal__by"
        )
        .defer("proposal__reply", "proposal__ticket__body", "proposal__ticket__search")
        .prefetch_related(Prefetch("values", values))
    )
