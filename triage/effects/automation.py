"""Playbook calls: a signed POST to the automation that an owner named."""

import json
from datetime import UTC, datetime

from standardwebhooks import Webhook

from triage.helpdesks import http
from triage.helpdesks.base import HelpdeskConflict, HelpdeskRefused
from triage.models import Effect, SourceSecret


def call(effect: Effect) -> None:
    """Its webhook-id is the effect's key, by which the receiver drops repeats."""
    source = effect.ticket.source
    secret = (
        source.secrets.filter(purpose=SourceSecret.Purpose.AUTOMATION, retired_at__isnull=True)
        .order_by("-created_at")
        .first()
    )
    if secret is None:
        raise HelpdeskRefused("The source has no live secret to sign playbook calls with.")
    data = {
        "ticket_id": effect.ticket.external_id,
        "requester": effect.ticket.requester,
        "playbook": effect.payload["playbook"],
    }
    if effect.undoes_id is not None:
        # Which of its own actions the receiver is to reverse.
        data["undoes"] = effect.payload["undoes"]
    body = json.dumps({"type": effect.payload.get("type", "playbook.accepted"), "data": data})
    now = datetime.now(UTC)
    value = secret.value()
    key: str | bytes = value if value.startswith("whsec_") else value.encode()
    try:
        http.call(
            "POST",
            effect.payload["url"],
            headers={
                "Content-Type": "application/json",
                "webhook-id": effect.key,
                "webhook-timestamp": str(int(now.timestamp())),
                "webhook-signature": Webhook(key).sign(effect.key, now, body),
            },
            body=body.encode(),
            allows_private_addresses=source.allows_private_addresses,
        )
    except HelpdeskConflict as error:
        # It knows no versions of tickets: this is its own way of saying no.
        raise HelpdeskRefused(f"The automation did not take it: {error}") from error
