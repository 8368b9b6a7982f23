"""Systems that sign the body alone, in `X-Hub-Signature-256`, and send no id.

The message and everything outbound are those of the documented JSON shape. Nothing that is signed
says when it was sent, so a delivery cannot be refused for its age: one that is sent again is known
by the hash of its body, and what it says by the version within.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence

from triage.helpdesks.base import Helpdesk, Message, NotVerified, RemoteTicket
from triage.models import Ticket

HEADER = "x-hub-signature-256"
SIGNATURE = re.compile(r"sha256=([0-9a-fA-F]{64})", re.ASCII)


class Hub:
    def __init__(self, shape: Helpdesk) -> None:
        self._shape = shape

    def verify(
        self, body: bytes, headers: Mapping[str, str], secrets: Sequence[str], now: float
    ) -> str:
        """The SHA-256 of the body in hex: the same body is the same delivery, whenever it comes."""
        found = SIGNATURE.fullmatch(headers.get(HEADER, ""))
        if found is None:
            raise NotVerified
        came = bytes.fromhex(found[1])
        # All are asked, so that the time taken does not say which one fitted.
        fits = [hmac.compare_digest(_signature(body, secret), came) for secret in secrets]
        if not any(fits):
            raise NotVerified
        return hashlib.sha256(body).hexdigest()

    def parse(self, payload: object) -> Message:
        return self._shape.parse(payload)

    def read(self, ticket: Ticket) -> RemoteTicket:
        return self._shape.read(ticket)

    def set_values(
        self, ticket: Ticket, values: Mapping[str, str | None], *, version: int, key: str
    ) -> int:
        return self._shape.set_values(ticket, values, version=version, key=key)

    def set_status(self, ticket: Ticket, status: str, *, version: int, key: str) -> int:
        return self._shape.set_status(ticket, status, version=version, key=key)

    def add_note(
        self, ticket: Ticket, text: str, *, is_public: bool, version: int | None, key: str
    ) -> int:
        return self._shape.add_note(ticket, text, is_public=is_public, version=version, key=key)


def _signature(body: bytes, secret: str) -> bytes:
    """The key is the secret's text as it stands, `whsec_` included: nothing is decoded."""
    return hmac.digest(secret.encode(), body, "sha256")
