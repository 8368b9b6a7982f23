"""The door for helpdesks: verify the raw bytes, store them with a job, answer 202."""

import hashlib
import json
import logging
import time
from typing import Any

from django.conf import settings
from django.db import InterfaceError, InternalError, OperationalError, transaction
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from triage import ledger
from triage.helpdesks import UnknownHelpdesk, dialect
from triage.helpdesks.base import NotVerified, Unreadable
from triage.helpdesks.generic import WebhookShape
from triage.jobs import leases
from triage.jobs.doorbell import ring_after_commit
from triage.models import Delivery, Job, LedgerEntry, Source, SourceSecret
from triage.secrets import SecretUnreadable
from triage.storable import refuse_unstorable

logger = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 5
# InternalError is how a database that became read-only refuses to store.
UNABLE = (OperationalError, InterfaceError, InternalError, SecretUnreadable, UnknownHelpdesk)
# Counted per web process: a limit that asks the broker would fall with the broker.
_rates = FixedWindowRateLimiter(MemoryStorage())
_HEADERS = [
    OpenApiParameter(name, OpenApiTypes.STR, OpenApiParameter.HEADER, required=True)
    for name in ("webhook-id", "webhook-timestamp", "webhook-signature")
]


class Turned(Exception):
    """A delivery that is turned away before anything is stored."""

    def __init__(self, code: int, detail: Any, *, retry_after: int | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.retry_after = retry_after


class SourceWebhook(APIView):
    authentication_classes = ()
    permission_classes = ()
    parser_classes = ()

    @extend_schema(
        operation_id="deliver",
        summary="Deliver a ticket or an event",
        description=(
            "Signed by Standard Webhooks. 202: stored, will be triaged. 200: the same delivery "
            "was stored before. The same id with another body is refused with 409."
        ),
        parameters=_HEADERS,
        request=WebhookShape,
        responses={
            200: OpenApiResponse(OpenApiTypes.OBJECT, "Repeated; nothing new was stored."),
            202: OpenApiResponse(OpenApiTypes.OBJECT, "Stored."),
            400: OpenApiResponse(OpenApiTypes.OBJECT, "Not JSON, or not the documented shape."),
            401: OpenApiResponse(OpenApiTypes.OBJECT, "Not signed by a live secret."),
            404: OpenApiResponse(OpenApiTypes.OBJECT, "No such active source."),
            409: OpenApiResponse(OpenApiTypes.OBJECT, "Known id, other body."),
            413: OpenApiResponse(OpenApiTypes.OBJECT, "Larger than 256 KB."),
            415: OpenApiResponse(OpenApiTypes.OBJECT, "Content-Encoding is not taken."),
            429: OpenApiResponse(OpenApiTypes.OBJECT, "Too many; see Retry-After."),
            503: OpenApiResponse(OpenApiTypes.OBJECT, "Cannot store now; see Retry-After."),
        },
    )
    def post(self, request: Request, slug: str) -> Response:
        try:
            return self._deliver(request, slug)
        except Turned as turned:
            answer = Response({"detail": turned.detail}, turned.code)
            if turned.retry_after is not None:
                answer["Retry-After"] = str(turned.retry_after)
            return answer
        except UNABLE as error:
            # Ours to mend, and the helpdesk's to try again.
            logger.error("source %s cannot take deliveries: %s", slug, type(error).__name__)
            answer = Response({"detail": "Cannot store deliveries right now."}, 503)
            answer["Retry-After"] = str(RETRY_AFTER_SECONDS)
            return answer

    def _deliver(self, request: Request, slug: str) -> Response:
        body = _body(request)
        source = Source.objects.filter(slug=slug, is_active=True).first()
        if source is None:
            raise Turned(404, f"There is no active source {slug!r}.")
        webhook_id = _verify(source, body, request)
        _allow(source)
        _check(source, body)
        return _store(source, webhook_id, body)


def _body(request: Request) -> bytes:
    limit = settings.WEBHOOK_BODY_LIMIT_BYTES
    if request.META.get("HTTP_CONTENT_ENCODING", "identity") != "identity":
        raise Turned(415, "Send the body without Content-Encoding.")
    try:
        announced = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        raise Turned(400, "Content-Length is not a number.") from None
    # Read from the stream and never more than one byte over the limit, whatever was announced.
    body: bytes = b"" if announced > limit else request._request.read(limit + 1)
    if announced > limit or len(body) > limit:
        raise Turned(413, f"The body is larger than {limit} bytes.")
    return body


def _verify(source: Source, body: bytes, request: Request) -> str:
    live = source.secrets.filter(purpose=SourceSecret.Purpose.INBOUND, retired_at__isnull=True)
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        return dialect(source).verify(
            body, headers, [secret.value() for secret in live], time.time()
        )
    except NotVerified:
        raise Turned(401, "The delivery is not signed by a live secret of this source.") from None


def _allow(source: Source) -> None:
    limit = RateLimitItemPerMinute(source.deliveries_per_minute)
    if not _rates.hit(limit, str(source.pk)):
        reset = _rates.get_window_stats(limit, str(source.pk)).reset_time
        wait = max(1, int(reset - time.time()) + 1)
        raise Turned(429, "Too many deliveries from this source.", retry_after=wait)


def _check(source: Source, body: bytes) -> None:
    try:
        payload = json.loads(body)
        refuse_unstorable(payload)
    except (ValueError, RecursionError) as error:
        raise Turned(400, f"The body is not usable JSON: {str(error)[:200]}") from None
    try:
        dialect(source).parse(payload)
    except Unreadable as error:
        raise Turned(400, error.errors) from None
    except RecursionError:
        raise Turned(400, "The body is nested too deeply.") from None


def _store(source: Source, webhook_id: str, body: bytes) -> Response:
    digest = hashlib.sha256(body).hexdigest()
    with transaction.atomic():
        delivery, created = Delivery.objects.get_or_create(
            source=source,
            webhook_id=webhook_id,
            defaults={"body": body, "body_sha256": digest},
        )
        if created:
            leases.put(Job.Kind.RECEIVE, [delivery.pk])
            ring_after_commit()
        elif delivery.body_sha256 != digest:
            ledger.append(
                kind=LedgerEntry.Kind.INTAKE,
                subject=f"delivery:{delivery.pk}",
                payload={"stored": delivery.body_sha256, "came": digest},
            )
    if created:
        return Response({"delivery": delivery.pk}, status.HTTP_202_ACCEPTED)
    if delivery.body_sha256 != digest:
        raise Turned(409, f"Delivery {webhook_id} was stored before with another body.")
    return Response({"delivery": delivery.pk}, status.HTTP_200_OK)
