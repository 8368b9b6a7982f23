"""The door for helpdesks: verify the raw bytes, store them with a job, answer 202."""

import hashlib
import json
import logging
import time
from typing import Any

from django.conf import settings
from django.db import (
    DEFAULT_DB_ALIAS,
    InterfaceError,
    InternalError,
    OperationalError,
    connections,
)
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from triage.helpdesks import UnknownHelpdesk, dialect
from triage.helpdesks.base import NotVerified, Unreadable
from triage.helpdesks.generic import WebhookShape
from triage.intake import storing
from triage.intake.callers import Caller, caller
from triage.intake.patience import Patience
from triage.intake.rates import Rates
from triage.intake.storing import Stored
from triage.jobs.doorbell import ring_after_commit
from triage.models import Source
from triage.secrets import SecretUnreadable
from triage.storable import refuse_unstorable

logger = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 5
# Work that has waited so long is no matter of seconds.
RETRY_WHEN_BEHIND_SECONDS = 30
# InternalError is how a database that became read-only refuses to store.
UNABLE = (OperationalError, InterfaceError, InternalError, SecretUnreadable, UnknownHelpdesk)
_rates = Rates()
# Less than helpdesks wait for an answer.
_patience = Patience(settings.INTAKE_PATIENCE_SECONDS)
# Which of them it takes is the source's to say, so none is required of all.
_HEADERS = [
    OpenApiParameter(name, OpenApiTypes.STR, OpenApiParameter.HEADER, description=what)
    for name, what in (
        ("webhook-id", "Standard Webhooks: the delivery's own id."),
        ("webhook-timestamp", "Standard Webhooks: seconds since 1970, ten digits."),
        ("webhook-signature", "Standard Webhooks: `v1,` and the Base64 of the HMAC."),
        (
            "X-Hub-Signature-256",
            "Sources of the kind `hub` send this alone: `sha256=` and hex.",
        ),
    )
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
            "Signed by Standard Webhooks, or over the body alone where the source is a `hub`. "
            "202: stored, will be triaged. 200: the same delivery "
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
    def post(self, request: Request, slug: str) -> HttpResponseBase:
        """Here for the description and for other methods; see triage/intake/door.py."""
        return deliver(request._request, slug)


def deliver(request: HttpRequest, slug: str) -> JsonResponse:
    """Store one delivery, or say why not; never raises for what a client can send."""
    try:
        # The connection itself: the usual name for it means another one in another thread.
        with _patience.waiting(connections[DEFAULT_DB_ALIAS]):
            return _deliver(request, slug)
    except Turned as turned:
        return _answer(turned.detail, turned.code, turned.retry_after)
    except UNABLE as error:
        # Ours to mend, and the helpdesk's to try again.
        logger.error("source %s cannot take deliveries: %s", slug, type(error).__name__)
        if not connections[DEFAULT_DB_ALIAS].in_atomic_block:
            connections[DEFAULT_DB_ALIAS].close()
        return _answer("Cannot store deliveries right now.", 503, RETRY_AFTER_SECONDS)


def _reply(content: dict[str, Any], code: int) -> JsonResponse:
    """As compact as the rest of the API answers."""
    return JsonResponse(content, status=code, json_dumps_params={"separators": (",", ":")})


def _answer(detail: Any, code: int, retry_after: int | None) -> JsonResponse:
    answer = _reply({"detail": detail}, code)
    if retry_after is not None:
        answer["Retry-After"] = str(retry_after)
    return answer


def _deliver(request: HttpRequest, slug: str) -> JsonResponse:
    body = _body(request)
    known = _caller(slug)
    webhook_id, secret = _verify(known, body, request)
    _allow(known.source)
    _check(known.source, body)
    if storing.is_behind():
        raise Turned(503, "Work has piled up here.", retry_after=RETRY_WHEN_BEHIND_SECONDS)
    digest = hashlib.sha256(body).hexdigest()
    stored = storing.store(known.source.pk, secret, webhook_id, body, digest)
    if stored is None:
        # The secret was retired, or the source switched off, since it was remembered.
        known = _caller(slug, fresh=True)
        webhook_id, secret = _verify(known, body, request)
        stored = storing.store(known.source.pk, secret, webhook_id, body, digest)
    if stored is None:
        raise Turned(503, "The source is being changed.", retry_after=RETRY_AFTER_SECONDS)
    return _acknowledged(stored, webhook_id, digest)


def _acknowledged(stored: Stored, webhook_id: str, digest: str) -> JsonResponse:
    if stored.is_new:
        ring_after_commit()
        return _reply({"delivery": stored.pk}, 202)
    if stored.digest != digest:
        storing.record_other_body(stored, digest)
        raise Turned(409, f"Delivery {webhook_id} was stored before with another body.")
    return _reply({"delivery": stored.pk}, 200)


def _caller(slug: str, *, fresh: bool = False) -> Caller:
    known = caller(slug, fresh=fresh)
    if known is None:
        raise Turned(404, f"There is no active source {slug!r}.")
    return known


def _body(request: HttpRequest) -> bytes:
    limit = settings.WEBHOOK_BODY_LIMIT_BYTES
    if request.META.get("HTTP_CONTENT_ENCODING", "identity") != "identity":
        raise Turned(415, "Send the body without Content-Encoding.")
    try:
        announced = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        raise Turned(400, "Content-Length is not a number.") from None
    # Read from the stream and never more than one byte over the limit, whatever was announced.
    body = b"" if announced > limit else _read(request, limit + 1)
    if announced > limit or len(body) > limit:
        raise Turned(413, f"The body is larger than {limit} bytes.")
    return body


def _read(request: HttpRequest, most: int) -> bytes:
    if "HTTP_TRANSFER_ENCODING" not in request.META:
        return bytes(request.read(most))
    # Django reads what Content-Length announces; in chunks a body comes without one.
    # One array that grows: chunks of one byte each would be copied a quarter of a million times.
    stream, body = request.META["wsgi.input"], bytearray()
    while len(body) < most and (piece := stream.read(most - len(body))):
        body += piece
    return bytes(body)


def _verify(known: Caller, body: bytes, request: HttpRequest) -> tuple[str, int]:
    """The delivery's id, and the primary key of the secret that signed it."""
    if (found := _signed_by(known, body, request)) is not None:
        return found
    # It may be a new one.
    newest = _caller(known.source.slug, fresh=True)
    if newest.secrets != known.secrets and (found := _signed_by(newest, body, request)):
        return found
    raise Turned(401, "The delivery is not signed by a live secret of this source.")


def _signed_by(known: Caller, body: bytes, request: HttpRequest) -> tuple[str, int] | None:
    headers = {name.lower(): value for name, value in request.headers.items()}
    asked = dialect(known.source)
    for pk, secret in known.secrets.items():
        try:
            return asked.verify(body, headers, [secret], time.time()), pk
        except NotVerified:
            continue
    return None


def _allow(source: Source) -> None:
    wait = _rates.seconds_to_wait(source.pk, source.deliveries_per_minute)
    if wait:
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
