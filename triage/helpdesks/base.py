"""What every helpdesk's file must answer, in our own words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from triage.models import Ticket


class NotVerified(Exception):
    """The delivery is not signed by one of the source's secrets. Never says why to the sender."""


class Unreadable(ValueError):
    """The payload breaks the documented shape; `errors` names field, rule and what came."""

    def __init__(self, errors: Mapping[str, Any]) -> None:
        super().__init__(str(errors))
        self.errors = errors


class HelpdeskRefused(Exception):
    """The helpdesk answered 4xx: repeating the same request will not help."""


class HelpdeskConflict(Exception):
    """The ticket changed in the helpdesk since we saw it."""


class HelpdeskUnavailable(Exception):
    """No answer, a late one, or 5xx: the same request may work later."""


class HelpdeskSilent(HelpdeskUnavailable):
    """No answer in time: the next request would wait as long."""


@dataclass(frozen=True)
class TicketMessage:
    """A ticket as the helpdesk describes it at one version."""

    external_id: str
    version: int
    subject: str
    body: str
    requester: str
    requester_name: str
    url: str
    opened_at: datetime
    values: Mapping[str, str] = field(default_factory=dict)
    caused_by: str = ""


@dataclass(frozen=True)
class EventMessage:
    """Something that happened to a ticket after it was opened."""

    external_id: str
    key: str
    kind: str
    happened_at: datetime
    field: str = ""
    choice: str = ""
    score: int | None = None
    resolution: str = ""


Message = TicketMessage | EventMessage


@dataclass(frozen=True)
class RemoteTicket:
    """The helpdesk's present state of a ticket; `markers` are the notes we left there."""

    version: int
    status: str
    values: Mapping[str, str]
    markers: frozenset[str]


class Helpdesk(Protocol):
    """One dialect. Inbound is pure; outbound talks HTTP and raises the three errors above.

    Every write carries `key`; sending the same key twice must be harmless where the helpdesk
    supports it, and is prevented by reading first where it does not.
    """

    def verify(
        self, body: bytes, headers: Mapping[str, str], secrets: Sequence[str], now: float
    ) -> str:
        """The delivery's id, or NotVerified."""
        ...

    def parse(self, payload: object) -> Message: ...

    def read(self, ticket: Ticket) -> RemoteTicket: ...

    def set_values(
        self, ticket: Ticket, values: Mapping[str, str | None], *, version: int, key: str
    ) -> int:
        """The ticket's version afterwards; HelpdeskConflict unless it was at `version`.

        None clears a field.
        """
        ...

    def set_status(self, ticket: Ticket, status: str, *, version: int, key: str) -> int: ...

    def add_note(
        self, ticket: Ticket, text: str, *, is_public: bool, version: int | None, key: str
    ) -> int:
        """As above; `version` None leaves the note whatever has changed."""
        ...
