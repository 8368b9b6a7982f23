"""What a helpdesk does to show the panel, written anew from docs/embedding.md."""

import hashlib
import hmac
import re
import time
from typing import Any
from urllib.parse import quote, urlencode

from django.test import Client

from review.models import Decision
from tests.conftest import INBOUND_SECRET, new_secret
from tests.review.helpers import Desk, make_desk
from triage.models import Proposal

ORIGIN = "https://desk.example.org"


def framed_desk(**over: Any) -> Desk:
    """A desk whose source has INBOUND_SECRET and lets ORIGIN show the panel."""
    desk = make_desk(**{"embed_origins": [ORIGIN], **over})
    new_secret(desk.source)
    return desk


def link(
    slug: str,
    ticket: str,
    *,
    user: str = "maya",
    ends_in: int = 300,
    secret: str = INBOUND_SECRET,
) -> str:
    """A signed address."""
    expires = str(int(time.time()) + ends_in)
    said = f"embed\n{slug}\n{ticket}\n{user}\n{expires}".encode()
    signature = hmac.new(secret.encode(), said, hashlib.sha256).hexdigest()
    query = {"user": user, "expires": expires, "signature": signature}
    return f"/embed/{slug}/{quote(ticket, safe='')}?{urlencode(query)}"


def link_to(proposal: Proposal, **over: Any) -> str:
    return link(proposal.ticket.source.slug, proposal.ticket.external_id, **over)


def token_in(answer: Any) -> str:
    found = re.search(r'name="token" value="([^"]+)"', answer.content.decode())
    assert found is not None
    return found[1]


def opened(client: Client, proposal: Proposal, **over: Any) -> str:
    """Open the panel as the helpdesk does; answers the token of its forms."""
    answer = client.get(link_to(proposal, **over))
    assert answer.status_code == 200
    return token_in(answer)


def accept(client: Client, proposal: Proposal, token: str, **over: str) -> Any:
    form = {"token": token, "proposal": str(proposal.pk), **over}
    return client.post("/embed/accept", form)


def last_decision() -> Decision:
    return Decision.objects.select_related("reviewer").latest("pk")
