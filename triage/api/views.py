"""Read operations on tickets and proposals. Proposals in the shadow are shown to nobody."""

from typing import Any

from django.db.models import Prefetch, Q, QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from triage.api.listing import KeysetList, Single, SourceQuery
from triage.api.serializers import ProposalDetail, ProposalRow, TicketDetail, TicketRow
from triage.helpdesks.generic import Moment
from triage.models import (
    Choice,
    Level,
    Proposal,
    ProposedValue,
    RuleHit,
    Source,
    Ticket,
    TicketEvent,
    TicketVersion,
    Waiting,
)

VERSIONS_SHOWN = 20
EVENTS_SHOWN = 200
NO_LOGIN = OpenApiResponse(OpenApiTypes.OBJECT, "No token and no session, or not a live one.")
NO_PERMISSION = OpenApiResponse(OpenApiTypes.OBJECT, "The user may not do this.")
NOT_THERE = OpenApiResponse(OpenApiTypes.OBJECT, "There is no such row.")
BAD_QUERY = OpenApiResponse(
    OpenApiTypes.OBJECT, "Parameter names with what is wrong: the rule and what came."
)
FOR_LISTS = {400: BAD_QUERY, 401: NO_LOGIN, 403: NO_PERMISSION}
FOR_ROWS = {401: NO_LOGIN, 403: NO_PERMISSION, 404: NOT_THERE}


class TicketQuery(SourceQuery):
    external_id = serializers.CharField(
        max_length=64, required=False, help_text="Id in the helpdesk."
    )
    requester = serializers.CharField(
        max_length=254, required=False, help_text="Mail address or login, as the ticket has it."
    )
    opened_after = Moment(required=False, help_text="That moment included.")
    opened_before = Moment(required=False, help_text="That moment not included.")
    waiting = serializers.BooleanField(
        required=False, help_text="Whether a proposal waits for a person."
    )


class ProposalQuery(SourceQuery):
    ROUTES = tuple(r for r in Proposal.Route.values if r != Proposal.Route.SHADOW)

    choice = serializers.CharField(
        max_length=120, required=False, help_text="Key of a proposed choice, of any field."
    )
    route = serializers.ChoiceField(choices=ROUTES, required=False)
    waiting = serializers.BooleanField(required=False, help_text="Whether it waits for a person.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "choice" in attrs:
            found = Choice.objects.filter(key=attrs["choice"])
            if "source" in attrs:
                found = found.filter(field__source=attrs["source"])
            attrs["choice"] = list(found.values_list("pk", flat=True))
            if not attrs["choice"]:
                raise ValidationError({"choice": ["There is no such choice."]})
        return attrs


class Tickets(KeysetList[Ticket]):
    permission = "triage.view_ticket"
    serializer_class = TicketRow
    query = TicketQuery

    @extend_schema(
        operation_id="list_tickets",
        summary="Tickets, the newest received first",
        parameters=[TicketQuery],
        responses={200: TicketRow(many=True), **FOR_LISTS},
    )
    def get(self, *args: Any, **kwargs: Any) -> Any:
        return super().get(*args, **kwargs)

    def get_queryset(self) -> QuerySet[Ticket]:
        asked = self.asked
        rows = Ticket.objects.select_related("source", "waiting")
        rows = rows.defer("body", "resolution", "search")
        if "source" in asked:
            rows = rows.filter(source=asked["source"])
        elif asked.keys() & {"external_id", "requester", "opened_after", "opened_before"}:
            # The indexes begin with the source; naming every one of them lets these be used.
            rows = rows.filter(source__in=list(Source.objects.values_list("pk", flat=True)))
        if "external_id" in asked:
            rows = rows.filter(external_id=asked["external_id"])
        if "requester" in asked:
            rows = rows.filter(requester=asked["requester"])
        if "opened_after" in asked:
            rows = rows.filter(opened_at__gte=asked["opened_after"])
        if "opened_before" in asked:
            rows = rows.filter(opened_at__lt=asked["opened_before"])
        if "waiting" in asked:
            # What waits is little: looked up per row, where a join would sort all tickets.
            listed = Q(pk__in=Waiting.objects.values("ticket"))
            rows = rows.filter(listed if asked["waiting"] else ~listed)
        return rows


class OneTicket(Single[Ticket]):
    permission = "triage.view_ticket"
    serializer_class = TicketDetail

    @extend_schema(
        operation_id="read_ticket",
        summary="One ticket, its past and its newest proposal",
        responses={200: TicketDetail, **FOR_ROWS},
    )
    def get(self, *args: Any, **kwargs: Any) -> Any:
        return super().get(*args, **kwargs)

    def get_queryset(self) -> QuerySet[Ticket]:
        newest = _proposals().order_by("-ticket_version__version")[:1]
        versions = TicketVersion.objects.order_by("-version")[:VERSIONS_SHOWN]
        events = TicketEvent.objects.select_related("choice__field").order_by("-happened_at", "-pk")
        return (
            Ticket.objects.select_related("source", "waiting")
            .defer("search")
            .prefetch_related(
                Prefetch("versions", versions, to_attr="newest_versions"),
                Prefetch("events", events[:EVENTS_SHOWN], to_attr="newest_events"),
                Prefetch("proposals", newest, to_attr="newest_proposals"),
            )
        )


class Proposals(KeysetList[Proposal]):
    permission = "triage.view_proposal"
    serializer_class = ProposalRow
    query = ProposalQuery

    @extend_schema(
        operation_id="list_proposals",
        summary="Proposals, the newest first",
        parameters=[ProposalQuery],
        responses={200: ProposalRow(many=True), **FOR_LISTS},
    )
    def get(self, *args: Any, **kwargs: Any) -> Any:
        return super().get(*args, **kwargs)

    def get_queryset(self) -> QuerySet[Proposal]:
        asked = self.asked
        values = ProposedValue.objects.select_related("field", "choice")
        rows = (
            _visible()
            .select_related("ticket__source", "ticket_version", "playbook", "waiting")
            .defer("reply", "ticket__body", "ticket__search", "ticket_version__body")
            .prefetch_related(Prefetch("values", values))
        )
        if "source" in asked:
            rows = rows.filter(ticket__source=asked["source"])
        if "choice" in asked:
            having = values.filter(choice__in=asked["choice"]).exclude(level=Level.SHADOW)
            rows = rows.filter(pk__in=having.values("proposal"))
        if asked.keys() & {"choice", "route"}:
            # Of these it must not be told before somebody has answered.
            rows = rows.exclude(waiting__blind_at__isnull=False)
        if "route" in asked:
            rows = rows.filter(route=asked["route"])
        if "waiting" in asked:
            rows = rows.filter(waiting__isnull=not asked["waiting"])
        return rows


class OneProposal(Single[Proposal]):
    permission = "triage.view_proposal"
    serializer_class = ProposalDetail

    @extend_schema(
        operation_id="read_proposal",
        summary="One proposal, with what each value rests on",
        responses={200: ProposalDetail, **FOR_ROWS},
    )
    def get(self, *args: Any, **kwargs: Any) -> Any:
        return super().get(*args, **kwargs)

    def get_queryset(self) -> QuerySet[Proposal]:
        return _proposals()


def _visible() -> QuerySet[Proposal]:
    return Proposal.objects.exclude(route=Proposal.Route.SHADOW)


def _proposals() -> QuerySet[Proposal]:
    """With all that ProposalDetail shows, in a fixed number of queries."""
    values = ProposedValue.objects.select_related(
        "field", "choice", "prediction__model_version", "rule_version__rule__owner"
    )
    hits = RuleHit.objects.select_related("rule_version__rule__owner")
    return (
        _visible()
        .select_related("ticket__source", "ticket_version", "playbook__owner", "waiting")
        .defer("ticket__body", "ticket__search", "ticket_version__body")
        .prefetch_related(
            Prefetch("values", values),
            Prefetch("hits", hits.order_by("rule_version__rule__position", "pk")),
        )
    )
