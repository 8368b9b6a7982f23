"""For other programs: taking a decision back, and putting another in its place."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from review import decisions, undo
from review.api import Conflict, DecisionRow, DecisionShape, answer, conflict, person, row
from review.models import Decision
from triage.api.access import HasPermission
from triage.api.parsers import StrictJson
from triage.api.views import FOR_ROWS
from triage.models import Proposal


class Undo(APIView):
    permission_classes = (HasPermission,)
    permission = "review.add_decision"

    @extend_schema(
        operation_id="undo_decision",
        summary="Take a decision of one's own back",
        description="The proposal waits again, and what was written to the helpdesk is put right. "
        "Only the reviewer may, and only until the helpdesk changes the ticket.",
        request=None,
        responses={200: DecisionRow, **FOR_ROWS, 409: Conflict},
    )
    def post(self, request: Request, pk: int) -> Response:
        decision = get_object_or_404(Decision.objects.select_related("proposal"), pk=pk)
        try:
            undo.undo(decision, person(request))
        except undo.NotYours as error:
            raise PermissionDenied(str(error)) from error
        except undo.TooLate as error:
            return conflict(str(error), "too_late", None)
        return Response(row(decision))


REVERSED = {
    201: DecisionRow,
    400: OpenApiResponse(OpenApiTypes.OBJECT, "What is wrong, by key."),
    **FOR_ROWS,
    409: Conflict,
    413: OpenApiResponse(OpenApiTypes.OBJECT, "Larger than 1 MB."),
    415: OpenApiResponse(OpenApiTypes.OBJECT, "Not application/json."),
}


class Reverse(APIView):
    permission_classes = (HasPermission,)
    parser_classes = (StrictJson,)
    permission = "review.add_decision"

    @extend_schema(
        operation_id="reverse_decision",
        summary="Put another decision in place of one that stands",
        description="The body is that of a decision: `accept` goes back to what was proposed, and "
        "with `override` a field that is left out keeps the value that stands. The helpdesk gets "
        "the new values, whatever the ticket says there now.",
        request=DecisionShape,
        responses=REVERSED,
    )
    def post(self, request: Request, pk: int) -> Response:
        rows = Decision.objects.select_related("proposal__ticket", "proposal__ticket_version")
        decision = get_object_or_404(rows, pk=pk)
        return _reverse(request, decision.proposal, decisions.Reversal(decision))


class ReverseApplied(APIView):
    permission_classes = (HasPermission,)
    parser_classes = (StrictJson,)
    permission = "review.add_decision"

    @extend_schema(
        operation_id="reverse_applied",
        summary="Decide on what was applied without a person",
        description="As reversing a decision, where nobody has decided.",
        request=DecisionShape,
        responses=REVERSED,
    )
    def post(self, request: Request, pk: int) -> Response:
        visible = Proposal.objects.exclude(route=Proposal.Route.SHADOW)
        proposal = get_object_or_404(visible.select_related("ticket", "ticket_version"), pk=pk)
        return _reverse(request, proposal, decisions.Reversal(None))


def _reverse(request: Request, proposal: Proposal, reversal: decisions.Reversal) -> Response:
    shape = DecisionShape(data=request.data)
    shape.is_valid(raise_exception=True)
    return answer(proposal, person(request), shape.validated_data, reversal)
