"""Links to the panel for a helpdesk that can't sign them itself."""

import time
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from review.embed import links
from review.embed.links import Grant
from review.embed.visits import SEES
from triage.api.access import HasPermission
from triage.api.parsers import StrictJson
from triage.api.views import FOR_ROWS
from triage.models import Source
from triage.origins import usable


class NotSetUp(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_detail = "This source lists no site that may show the panel: set its embed origins."
    default_code = "not_set_up"


class EmbedTokenShape(serializers.Serializer[Any]):
    ticket = serializers.CharField(
        max_length=links.LONGEST_TICKET, help_text="The ticket's id in the helpdesk."
    )
    user = serializers.CharField(
        max_length=links.LONGEST_LOGIN, help_text="Login or mail address of who will decide."
    )


class EmbedToken(serializers.Serializer[Any]):
    url = serializers.URLField(help_text="For the frame; it may be opened again until it ends.")
    expires_at = serializers.DateTimeField()


class EmbedTokens(APIView):
    permission_classes = (HasPermission,)
    parser_classes = (StrictJson,)
    permission = links.MINT

    @extend_schema(
        operation_id="mint_embed_token",
        summary="Make a link to the panel of one ticket for one person",
        description=(
            "Whoever opens the link within ten minutes decides as that person on that ticket. "
            "The permission is `review.embed_decision`; give it to the helpdesk's own account."
        ),
        request=EmbedTokenShape,
        responses={
            201: EmbedToken,
            400: OpenApiResponse(OpenApiTypes.OBJECT, "What is wrong, by key."),
            **FOR_ROWS,
            409: OpenApiResponse(OpenApiTypes.OBJECT, "The source allows no site to show it."),
            413: OpenApiResponse(OpenApiTypes.OBJECT, "Larger than 1 MB."),
            415: OpenApiResponse(OpenApiTypes.OBJECT, "Not application/json."),
        },
    )
    def post(self, request: Request, slug: str) -> Response:
        source = get_object_or_404(Source, slug=slug, is_active=True)
        shape = EmbedTokenShape(data=request.data)
        shape.is_valid(raise_exception=True)
        if not usable(source.embed_origins):
            raise NotSetUp
        ticket, user = shape.validated_data["ticket"], shape.validated_data["user"]
        if not links.is_plain(ticket, links.LONGEST_TICKET):
            raise ValidationError({"ticket": ["Only characters that can be printed."]})
        person = links.named(user)
        if person is None or not person.has_perm(SEES):
            raise ValidationError({"user": [f"Nobody called {user!r} may see proposals here."]})
        now = int(time.time())
        grant = Grant(source.slug, ticket, person.pk, f"user:{request.user.pk}", now)
        path = reverse("embed:panel", args=[source.slug, ticket])
        return Response(
            {
                "url": f"{settings.SITE_URL.rstrip('/')}{path}?token={links.minted(grant)}",
                "expires_at": datetime.fromtimestamp(now + links.LINK_SECONDS, UTC),
            },
            status.HTTP_201_CREATED,
        )
