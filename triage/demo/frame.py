"""The panel in the simulated helpdesk's pages, made as docs/embedding.md tells any helpdesk to."""

import hmac
import time
from dataclasses import dataclass, field
from hashlib import sha256
from urllib.parse import quote, urlencode

VALID_SECONDS = 300


@dataclass(frozen=True)
class Frame:
    """Where Countersign answers, under which name it knows this helpdesk, and who sits here."""

    target: str
    source: str
    login: str
    secret: str = field(repr=False)

    def url(self, ticket: str) -> str:
        """A link that this person may open for a few minutes, for this ticket alone."""
        expires = str(int(time.time()) + VALID_SECONDS)
        said = "\n".join(["embed", self.source, ticket, self.login, expires])
        signature = hmac.new(self.secret.encode(), said.encode(), sha256).hexdigest()
        query = urlencode({"user": self.login, "expires": expires, "signature": signature})
        return f"{self.target}/embed/{quote(self.source)}/{quote(ticket, safe='')}?{query}"
