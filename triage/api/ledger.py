"""The ledger's signed head, for auditors who keep it where nobody else can change it."""

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from triage.api.access import HasPermission
from triage.api.views import NO_LOGIN, NO_PERMISSION
from triage.ledger import heads


class SignedHead(serializers.Serializer[Any]):
    """Kept as one line of a file, it is what `verify_ledger --heads FILE` reads."""

    sequence = serializers.IntegerField(min_value=0, help_text="How many entries there are.")
    hash = serializers.RegexField(r"^[0-9a-f]{64}$", help_text="Of the last entry; 0s if none.")
    at = serializers.CharField(help_text="When: a UTC moment as 2026-03-02T09:30:00Z.")
    key = serializers.RegexField(r"^[0-9a-f]{16}$", help_text="Names the public key.")
    signature = serializers.RegexField(
        r"^[0-9a-f]{128}$",
        help_text="Ed25519 over the JSON of the other four, keys sorted, without spaces.",
    )


class LedgerHead(APIView):
    permission_classes = (HasPermission,)
    permission = "triage.view_ledgerentry"

    @extend_schema(
        operation_id="read_ledger_head",
        summary="The ledger's head now, signed",
        responses={200: SignedHead, 401: NO_LOGIN, 403: NO_PERMISSION},
    )
    def get(self, request: Request) -> Response:
        return Response(asdict(heads.sign()), headers={"Cache-Control": "no-store"})
