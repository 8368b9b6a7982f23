"""The documented JSON shape, for helpdesks that have no file of their own.

Inbound: Standard Webhooks. Outbound: four REST calls below the source's API address, see
docs/helpdesk-api.md.
"""

import binascii
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from django.conf import settings
from rest_framework import serializers
from standardwebhooks import Webhook, WebhookVerificationError

from triage.helpdesks import http
from triage.helpdesks.base import (
    EventMessage,
    HelpdeskUnavailable,
    Message,
    NotVerified,
    RemoteTicket,
    TicketMessage,
    Unreadable,
)
from triage.models import SourceSecret, Ticket, TicketEvent

TIMESTAMP = re.compile(r"[0-9]{10}", re.ASCII)
WEBHOOK_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
VERSION = re.compile(r"[0-9]{1,19}", re.ASCII)
LARGEST_VERSION = 2**63 - 1


class Moment(serializers.DateTimeField):
    """A time with an offset that every part of the way can hold: 1970 to 2100."""

    def to_internal_value(self, value: Any) -> datetime:
        try:
            moment: datetime = super().to_internal_value(value).astimezone(UTC)
        except OverflowError:
            raise serializers.ValidationError("This time is out of range.") from None
        if not 1970 <= moment.year <= 2100:
            raise serializers.ValidationError(
                f"The year must be 1970 to 2100; it is {moment.year}."
            )
        return moment


class RequesterShape(serializers.Serializer[Any]):
    address = serializers.CharField(max_length=254, allow_blank=True, default="")
    name = serializers.CharField(max_length=160, allow_blank=True, default="")


class TicketShape(serializers.Serializer[Any]):
    """A ticket at one version."""

    id = serializers.CharField(max_length=64)
    version = serializers.IntegerField(min_value=0, max_value=LARGEST_VERSION)
    subject = serializers.CharField(
        allow_blank=True, trim_whitespace=False, help_text="Cut after 300 characters."
    )
    body = serializers.CharField(allow_blank=True, trim_whitespace=False, default="")
    requester = RequesterShape(required=False)
    url = serializers.URLField(max_length=500, allow_blank=True, default="")
    opened_at = Moment()
    values = serializers.DictField(
        child=serializers.CharField(max_length=120, allow_blank=True, allow_null=True),
        default=dict,
        help_text='Field key to choice key, as set in the helpdesk now; null or "": empty.',
    )


class EventShape(serializers.Serializer[Any]):
    """Something that happened to a ticket."""

    id = serializers.CharField(max_length=64, help_text="Unique per ticket.")
    ticket_id = serializers.CharField(max_length=64)
    kind = serializers.ChoiceField(choices=TicketEvent.Kind.choices)
    happened_at = Moment()
    field = serializers.CharField(max_length=40, allow_blank=True, default="")
    choice = serializers.CharField(max_length=120, allow_blank=True, default="")
    score = serializers.IntegerField(min_value=1, max_value=5, allow_null=True, default=None)
    resolution = serializers.CharField(allow_blank=True, default="", max_length=10_000)


class WebhookShape(serializers.Serializer[Any]):
    """One delivery: a ticket that was created or updated, or an event."""

    TYPES = ("ticket.created", "ticket.updated", "ticket.event")

    type = serializers.ChoiceField(choices=TYPES)
    timestamp = Moment(required=False)
    caused_by = serializers.CharField(
        max_length=64,
        allow_blank=True,
        default="",
        help_text="Idempotency-Key of our own write, if that caused the change.",
    )
    # Declared fields are moved off the class, so this never shadows Serializer.data.
    data = serializers.DictField(  # type: ignore[assignment]
        help_text="A ticket, or for ticket.event an event."
    )


# Made once and only asked: making one copies all its fields, which costs more than asking.
WEBHOOK, TICKET, EVENT = WebhookShape(), TicketShape(), EventShape()


class Generic:
    def verify(
        self, body: bytes, headers: Mapping[str, str], secrets: Sequence[str], now: float
    ) -> str:
        webhook_id = headers.get("webhook-id", "")
        timestamp = headers.get("webhook-timestamp", "")
        if not WEBHOOK_ID.fullmatch(webhook_id) or not TIMESTAMP.fullmatch(timestamp):
            raise NotVerified
        if abs(now - int(timestamp)) > settings.WEBHOOK_TOLERANCE_SECONDS:
            raise NotVerified
        if not any(_signed(body, headers, secret) for secret in secrets):
            raise NotVerified
        return webhook_id

    def parse(self, payload: object) -> Message:
        envelope = _valid(WEBHOOK, payload)
        if envelope["type"] == "ticket.event":
            return _event(_valid(EVENT, envelope["data"], within="data"))
        data = _valid(TICKET, envelope["data"], within="data")
        requester = data.get("requester", {})
        return TicketMessage(
            external_id=data["id"],
            version=data["version"],
            subject=data["subject"][:300],
            body=data["body"],
            # Some letters become two when they are made small.
            requester=requester.get("address", "").lower()[:254],
            requester_name=requester.get("name", ""),
            url=data["url"],
            opened_at=data["opened_at"],
            values={key: value for key, value in data["values"].items() if value},
            caused_by=envelope["caused_by"],
        )

    def read(self, ticket: Ticket) -> RemoteTicket:
        answer = _request("GET", ticket, "")
        version = _version(answer)
        try:
            return RemoteTicket(
                version=version,
                status=str(answer.get("status", "")),
                # An empty field may be left out, or be null.
                values={
                    str(key): str(value)
                    for key, value in dict(answer.get("values", {})).items()
                    if value is not None
                },
                # Notes that people wrote may be listed too.
                markers=frozenset(str(note.get("marker", "")) for note in answer["notes"]),
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise HelpdeskUnavailable(f"The ticket it sent is not readable: {error!r}.") from error

    def set_values(
        self, ticket: Ticket, values: Mapping[str, str | None], *, version: int, key: str
    ) -> int:
        return _version(
            _request("PATCH", ticket, "", {"values": dict(values)}, key=key, version=version)
        )

    def set_status(self, ticket: Ticket, status: str, *, version: int, key: str) -> int:
        return _version(_request("PATCH", ticket, "", {"status": status}, key=key, version=version))

    def add_note(
        self, ticket: Ticket, text: str, *, is_public: bool, version: int | None, key: str
    ) -> int:
        kind = "reply" if is_public else "internal"
        note = {"kind": kind, "body": text, "marker": key}
        return _version(_request("POST", ticket, "/notes", note, key=key, version=version))


def _signed(body: bytes, headers: Mapping[str, str], secret: str) -> bool:
    """The library answers malformed headers with many kinds of errors; all mean: no."""
    key: str | bytes = secret if secret.startswith("whsec_") else secret.encode()
    try:
        Webhook(key).verify(body, dict(headers), json_parse=False)
    except (WebhookVerificationError, ValueError, binascii.Error, RuntimeError, TypeError):
        return False
    return True


def _valid(
    shape: serializers.Serializer[Any], payload: object, *, within: str = ""
) -> dict[str, Any]:
    try:
        return dict(shape.run_validation(payload))
    except serializers.ValidationError as error:
        errors: Any = error.detail
        raise Unreadable({within: errors} if within else errors) from None


def _event(data: Mapping[str, Any]) -> EventMessage:
    return EventMessage(
        external_id=data["ticket_id"],
        key=data["id"],
        kind=data["kind"],
        happened_at=data["happened_at"],
        field=data["field"],
        choice=data["choice"],
        score=data["score"],
        resolution=data["resolution"],
    )


def _request(
    method: str,
    ticket: Ticket,
    path: str,
    body: Mapping[str, Any] | None = None,
    *,
    key: str = "",
    version: int | None = None,
) -> dict[str, Any]:
    source = ticket.source
    headers = {"Accept": "application/json"}
    token = (
        source.secrets.filter(purpose=SourceSecret.Purpose.OUTBOUND, retired_at__isnull=True)
        .order_by("-created_at")
        .first()
    )
    if token is not None:
        headers["Authorization"] = f"Bearer {token.value()}"
    if key:
        headers["Idempotency-Key"] = key
    if version is not None:
        headers["If-Match"] = f'"{version}"'
    if body is not None:
        headers["Content-Type"] = "application/json"
    return http.call(
        method,
        f"{source.api_url.rstrip('/')}/tickets/{quote(ticket.external_id, safe='')}{path}",
        headers=headers,
        body=None if body is None else json.dumps(body).encode(),
        allows_private_addresses=source.allows_private_addresses,
    )


def _version(answer: Mapping[str, Any]) -> int:
    given = str(answer.get("version", ""))
    # As a number or as its digits; any more of these are not a counter.
    if not VERSION.fullmatch(given) or int(given) > LARGEST_VERSION:
        raise HelpdeskUnavailable("The answer lacks the ticket's version, a whole number.")
    return int(given)
