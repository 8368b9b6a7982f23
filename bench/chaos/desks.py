"""Helpdesks on loopback that keep the contract until told otherwise, and decisions for them."""

import contextlib
import select
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from secrets import token_hex
from types import MappingProxyType
from typing import Any

from django.contrib.auth.models import User

from bench.world import new_desk, new_secret
from review import decisions
from triage import steps
from triage.demo.desk import Desk, Ticket
from triage.demo.helpdesk import Handler, Helpdesk
from triage.models import Choice, Field, Proposal, Source, SourceSecret, TicketVersion
from triage.models import Ticket as TicketRow

AUTOMATION_SECRET = "whsec_YXV0b21hdGlvbi1zZWNyZXQtb2YtdGhlLWJlbmNo"
BOMB_BYTES = 300_000_000
BLOCK = bytes(1_000_000)
MOST_TICKETS = 10_000


class Forgetful(Desk):
    """Remembers no Idempotency-Key: only Countersign itself prevents doubles.

    `carried_out` counts the changes by key.
    """

    def __init__(self) -> None:
        super().__init__(kept=MOST_TICKETS)
        self.carried_out: Counter[str] = Counter()

    def _written(self, ticket: Ticket, key: str) -> int:
        version = super()._written(ticket, key)
        ticket["writes"].clear()
        self._state["outbox"].clear()
        self.carried_out[key] += 1
        return version


class Troubled(Helpdesk):
    """`mode` says what it does to whoever calls; "" keeps the contract.

    "lose": carries out the writes whose keys `loses` names and hangs up without a word, the first
    time for each. "silence", "drip": says nothing, or a byte a second. "gzip", "redirect",
    "stream": 300 MB, packed, packed as the body of a redirect, or as they are.
    While there is one of the last five, `called` counts the calls that came and `held` has the
    seconds until each caller hung up.
    """

    desk: Forgetful

    def __init__(self, mode: str = "") -> None:
        super().__init__(
            Forgetful(), port=0, token=token_hex(16), automation_secret=AUTOMATION_SECRET
        )
        self.RequestHandlerClass = Trouble
        self.mode = mode
        self.called = 0
        self.held: list[float] = []
        self.loses: set[str] = set()
        self.lost: set[str] = set()


class Trouble(Handler):
    server: Troubled
    timeout = 60

    def do_GET(self) -> None:
        if self.server.mode in TROUBLES:
            self._hold(*TROUBLES[self.server.mode])
        else:
            super().do_GET()

    def _send(self, code: int, content: bytes, kind: str) -> None:
        key = self.headers.get("Idempotency-Key", "")
        is_lost = self.server.mode == "lose" and key in self.server.loses - self.server.lost
        if is_lost and code == 200 and self.command != "GET":
            self.server.lost.add(key)
            self.close_connection = True
            return
        super()._send(code, content, kind)

    def _hold(self, parts: Callable[[], Iterable[bytes]], pause: float) -> None:
        """Send part after part, with a pause of so many seconds, until the caller hangs up."""
        began = time.monotonic()
        self.server.called += 1
        self.close_connection = True
        # Who hangs up while bytes are on their way is heard of when more are sent.
        with contextlib.suppress(OSError):
            for part in parts():
                self.connection.sendall(part)
                if self._hung_up(pause):
                    break
            else:
                self._hung_up(self.timeout)
        self.server.held.append(time.monotonic() - began)

    def _hung_up(self, seconds: float) -> bool:
        return bool(select.select([self.connection], [], [], seconds)[0])


def _packed(head: bytes) -> Callable[[], Iterable[bytes]]:
    def parts() -> Iterator[bytes]:
        yield head + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb())
        yield bomb()

    return parts


def _endless(size: int, part: bytes) -> Callable[[], Iterable[bytes]]:
    def parts() -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size
        for _ in range(size // len(part)):
            yield part

    return parts


# What is sent, and the seconds between its parts.
TROUBLES: dict[str, tuple[Callable[[], Iterable[bytes]], float]] = {
    "silence": (lambda: (), 0.0),
    "drip": (_endless(1000, b" "), 1.0),
    "gzip": (_packed(b"HTTP/1.1 200 OK\r\n"), 0.0),
    "redirect": (_packed(b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\n"), 0.0),
    "stream": (_endless(BOMB_BYTES, BLOCK), 0.0),
}


@cache
def bomb() -> bytes:
    """Some 300 KB that unpack to 300 MB."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = [packer.compress(BLOCK) for _ in range(BOMB_BYTES // len(BLOCK))]
    return b"".join([*packed, packer.flush()])


@contextmanager
def serving(*helpdesks: Troubled) -> Iterator[None]:
    for helpdesk in helpdesks:
        threading.Thread(target=helpdesk.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield
    finally:
        for helpdesk in helpdesks:
            helpdesk.shutdown()
            helpdesk.server_close()


# --- Decisions ------------------------------------------------------------------------------
def connect(helpdesk: Troubled, **over: Any) -> Source:
    """A source that writes to a helpdesk on loopback and is allowed to."""
    values = {"api_url": helpdesk.url, "allows_private_addresses": True}
    source = new_desk(**values | over).source
    token = SourceSecret(source=source, purpose=SourceSecret.Purpose.OUTBOUND)
    token.put(helpdesk.token)
    token.save()
    new_secret(source, SourceSecret.Purpose.AUTOMATION)
    return source


def open_tickets(
    source: Source, desk: Desk, count: int, values: Mapping[str, str] = MappingProxyType({})
) -> list[Proposal]:
    """Tickets that the helpdesk has and that are proposed here by the real step.

    `values` stand in the helpdesk's fields and are not told here.
    """
    now = datetime.now(UTC)
    words = {
        "subject": "VPN drops every hour",
        "body": "Since Monday the tunnel closes after an hour.",
    }
    requester = {"address": "ann@example.org", "name": "Ann Weber"}
    versions = []
    for _ in range(count):
        told = {"requester": requester, "opened_at": now.isoformat(), "values": dict(values)}
        number = desk.open({**words, **told})
        ticket = TicketRow.objects.create(
            source=source, external_id=number, version=1, opened_at=now, **words
        )
        versions.append(TicketVersion.objects.create(ticket=ticket, version=1, **words).pk)
    steps.propose(versions)
    return list(Proposal.objects.filter(ticket_version__in=versions).order_by("pk"))


def decide(proposals: Sequence[Proposal], reviewer: User) -> list[Choice]:
    """A real decision for each, the choices of the main field in turn."""
    made = []
    for number, proposal in enumerate(proposals):
        main = Field.objects.get(source=proposal.ticket.source_id, is_main=True)
        choices = list(Choice.objects.filter(field=main, retired_at__isnull=True).order_by("pk"))
        made.append(choices[number % len(choices)])
        decisions.decide(
            proposal=proposal,
            reviewer=reviewer,
            choices={main.key: made[-1]},
            reasons={},
            with_playbook=False,
        )
    return made
