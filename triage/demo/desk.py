"""The simulated helpdesk's store: its tickets, who may change them, and what it has to tell.

Standard library only, and kept in one JSON file, so that a second start goes on where the first
one ended.
"""

import json
import threading
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
Ticket = dict[str, Any]
FINISHED = ("resolved", "closed")
STATUSES = ("open", "pending", *FINISHED)
KEPT_TICKETS = 400
SUGGESTION = "Countersign suggests"


class NoSuchTicket(Exception):
    pass


class Conflict(Exception):
    """The ticket is no longer at the version that the caller saw."""


class BadRequest(Exception):
    pass


class Desk:
    """Tickets by id, the deliveries that have not been taken yet, and the calls of playbooks.

    Safe to use from several threads. Every change of a ticket raises its version by one and puts
    a delivery into the outbox; one that Countersign caused names its Idempotency-Key there. Of
    more tickets than `kept` the oldest are forgotten.
    """

    def __init__(
        self, file: Path | None = None, *, url: str = "", kept: int = KEPT_TICKETS
    ) -> None:
        self._file = file
        self._kept = kept
        self._url = url
        self._lock = threading.RLock()
        self._state: dict[str, Any] = {
            "next": 41_001,
            "story": 0,
            "round": 1,
            "tickets": {},
            "outbox": [],
            "calls": {},
        }
        if file is not None and file.exists():
            self._state |= json.loads(file.read_text(encoding="utf-8"))

    # --- What others read -------------------------------------------------------------------
    def get(self, ticket_id: str) -> Ticket:
        """A copy, as it stands; NoSuchTicket."""
        with self._lock:
            return _copy(self._ticket(ticket_id))

    def tickets(self) -> list[Ticket]:
        """Copies of all, newest first."""
        with self._lock:
            return [_copy(ticket) for ticket in reversed(self._state["tickets"].values())]

    def calls(self) -> list[dict[str, Any]]:
        """Playbook calls that were taken, oldest first."""
        with self._lock:
            return list(self._state["calls"].values())

    def outbox(self) -> list[dict[str, Any]]:
        with self._lock:
            return _copy(self._state["outbox"])

    @property
    def place(self) -> tuple[int, int]:
        """Which story comes next, and for the how-manieth time all are told."""
        return self._state["story"], self._state["round"]

    # --- What Countersign does ----------------------------------------------------------------
    def change(self, ticket_id: str, wanted: Mapping[str, Any], *, seen: int, key: str) -> int:
        """Set values or status if the ticket is at version `seen`; answers the new version.

        A value of None clears the field. The same key again changes nothing and gets the first
        answer. Raises NoSuchTicket, Conflict, BadRequest.
        """
        values, status = wanted.get("values", {}), wanted.get("status", "")
        if not isinstance(values, dict) or not (values or status):
            raise BadRequest("Send values or a status.")
        if status and status not in STATUSES:
            raise BadRequest(f"A status is one of {', '.join(STATUSES)}; got {status!r}.")
        with self._lock:
            ticket = self._ticket(ticket_id)
            if key and key in ticket["writes"]:
                return int(ticket["writes"][key])
            if ticket["version"] != seen:
                raise Conflict(f"Ticket {ticket_id} is at version {ticket['version']}, not {seen}.")
            for field, value in values.items():
                if value is None:
                    ticket["values"].pop(str(field), None)
                else:
                    ticket["values"][str(field)] = str(value)
            if values:
                self._decided(ticket, key)
            if status:
                self._set_status(ticket, status)
            return self._written(ticket, key)

    def note(
        self,
        ticket_id: str,
        kind: str,
        body: str,
        marker: str,
        *,
        seen: int | None = None,
        key: str,
    ) -> int:
        """Add a note once per key; answers the version afterwards.

        With `seen`, only if the ticket is at that version. Raises as `change` does.
        """
        if kind not in ("internal", "reply") or not body:
            raise BadRequest("A note has a kind, internal or reply, and a body.")
        with self._lock:
            ticket = self._ticket(ticket_id)
            if key and key in ticket["writes"]:
                return int(ticket["writes"][key])
            if seen is not None and ticket["version"] != seen:
                raise Conflict(f"Ticket {ticket_id} is at version {ticket['version']}, not {seen}.")
            ticket["notes"].append({"kind": kind, "body": body, "marker": marker, "at": _now()})
            if kind == "internal" and not body.startswith(SUGGESTION):
                self._decided(ticket, key)
            return self._written(ticket, key)

    def call(self, call_id: str, data: Mapping[str, Any], *, is_undoing: bool = False) -> bool:
        """Remember a playbook call, or that one is undone; False if it was taken before.

        Undoing one that never came changes nothing.
        """
        with self._lock:
            if call_id in self._state["calls"]:
                return False
            call = {"id": call_id, "at": _now(), "undone": False, **data}
            undone = self._state["calls"].get(str(data.get("undoes"))) if is_undoing else None
            if undone is not None:
                undone["undone"] = True
            self._state["calls"][call_id] = call
            self._save()
            return True

    # --- What requesters and technicians do ---------------------------------------------------
    def open(self, ticket: Ticket) -> str:
        """Take a new ticket with subject, body, requester and opened_at; answers its id."""
        with self._lock:
            number = str(self._state["next"])
            self._state["next"] += 1
            self._state["tickets"][number] = {
                "id": number,
                "version": 1,
                "status": "open",
                "values": {},
                "notes": [],
                "writes": {},
                "events": 0,
                "decided": False,
                **ticket,
            }
            self._forget_old()
            self._tell("ticket.created", self._state["tickets"][number])
            self._save()
            return number

    def edit(self, ticket_id: str, change: Callable[[Ticket], None]) -> None:
        """Change a ticket by hand in the helpdesk; it goes out as an update."""
        with self._lock:
            ticket = self._ticket(ticket_id)
            change(ticket)
            ticket["version"] += 1
            self._tell("ticket.updated", ticket)
            self._save()

    def happen(self, ticket_id: str, kind: str, **told: Any) -> None:
        """Something happened to a ticket: resolved, reopened, commented, rated, ..."""
        with self._lock:
            ticket = self._ticket(ticket_id)
            if kind in FINISHED:
                ticket["status"] = kind
            elif kind == "reopened":
                ticket["status"] = "open"
            self._event(ticket, kind, **told)
            self._save()

    def remember(self, ticket_id: str, **facts: Any) -> None:
        """Keep facts about a ticket that nobody is told of."""
        with self._lock:
            self._ticket(ticket_id).update(facts)
            self._save()

    def go_on(self, story: int, round_: int) -> None:
        with self._lock:
            self._state["story"], self._state["round"] = story, round_
            self._save()

    def delivered(self, delivery_id: str) -> None:
        with self._lock:
            self._state["outbox"] = [d for d in self._state["outbox"] if d["id"] != delivery_id]
            self._save()

    # --- Inside -------------------------------------------------------------------------------
    def _ticket(self, ticket_id: str) -> Ticket:
        try:
            ticket: Ticket = self._state["tickets"][ticket_id]
        except KeyError:
            raise NoSuchTicket(f"There is no ticket {ticket_id!r}.") from None
        return ticket

    def _written(self, ticket: Ticket, key: str) -> int:
        ticket["version"] += 1
        if key:
            ticket["writes"][key] = ticket["version"]
        self._tell("ticket.updated", ticket, caused_by=key)
        self._save()
        return int(ticket["version"])

    def _decided(self, ticket: Ticket, key: str) -> None:
        """What makes a decision good leaves the ticket undecided; nothing more is in store for it.

        Its keys have a letter of their own, see docs/helpdesk-api.md.
        """
        is_undoing = key.partition("-")[0].endswith("u")
        ticket["decided"] = not is_undoing
        if is_undoing:
            ticket.pop("due", None)

    def _set_status(self, ticket: Ticket, status: str) -> None:
        before, ticket["status"] = ticket["status"], status
        if status in FINISHED and before not in FINISHED:
            self._event(ticket, status)
        elif before in FINISHED and status not in FINISHED:
            self._event(ticket, "reopened")

    def _event(self, ticket: Ticket, kind: str, **told: Any) -> None:
        ticket["events"] += 1
        data = {
            "id": f"{ticket['id']}-{ticket['events']}",
            "ticket_id": ticket["id"],
            "kind": kind,
            "happened_at": _now(),
            **told,
        }
        self._put({"type": "ticket.event", "timestamp": _now(), "data": data})

    def _tell(self, what: str, ticket: Ticket, *, caused_by: str = "") -> None:
        data = {
            "id": ticket["id"],
            "version": ticket["version"],
            "subject": ticket["subject"],
            "body": ticket["body"],
            "requester": ticket["requester"],
            "url": f"{self._url}/t/{ticket['id']}" if self._url else "",
            "opened_at": ticket["opened_at"],
            "values": ticket["values"],
        }
        message = {"type": what, "timestamp": _now(), "caused_by": caused_by, "data": data}
        self._put(message)

    def _put(self, message: dict[str, Any]) -> None:
        self._state["outbox"].append({"id": f"demo_{uuid.uuid4().hex}", "body": _copy(message)})

    def _forget_old(self) -> None:
        tickets = self._state["tickets"]
        for number in list(tickets)[: max(0, len(tickets) - self._kept)]:
            del tickets[number]

    def _save(self) -> None:
        """Written beside and renamed, so that a crash leaves the old file or the new one."""
        if self._file is None:
            return
        beside = self._file.with_suffix(".new")
        beside.write_text(json.dumps(self._state), encoding="utf-8")
        beside.replace(self._file)


def _copy(value: T) -> T:
    copied: T = json.loads(json.dumps(value))
    return copied


def _now() -> str:
    return datetime.now(UTC).isoformat()
