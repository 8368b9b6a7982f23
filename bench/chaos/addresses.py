"""Sources that name a private machine in every way there is; a trap listens on loopback."""

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest import mock

from bench.chaos.desks import decide, open_tickets
from bench.checks import Check, Result
from bench.invariant import until_quiet
from bench.stack import Stack
from bench.world import new_desk
from triage.demo.desk import Desk
from triage.helpdesks import http
from triage.helpdesks.base import HelpdeskRefused, HelpdeskUnavailable
from triage.models import Effect, Proposal

QUIET_SECONDS = 120.0
# Ways of writing this machine's own addresses.
FORMS = (
    "127.0.0.1", "2130706433", "0x7f000001", "0177.0.0.1", "[::1]", "[::ffff:127.0.0.1]",
    "localhost", "0", "127.1", "127.0.1", "127.000.000.001", "017700000001", "0x7F.1",
    "0x7f.0.0.1", "127.8.9.10", "0.0.0.0", "0x0", "00", "LOCALHOST", "１２７.０.０.１",
    "127。0。0。1", "①②⑦.0.0.1", "[0:0:0:0:0:0:0:1]", "[::]", "[::ffff:7f00:1]",
    "[::ffff:0.0.0.0]",
)  # fmt: skip
# Private networks, and ways that end in one or here behind some gateways.
ELSEWHERE = (
    "10.0.0.1", "012.0.0.1", "172.16.0.1", "192.168.0.1", "3232235521", "100.64.0.1",
    "169.254.169.254", "0xa9fea9fe", "224.0.0.1", "255.255.255.255", "[::127.0.0.1]",
    "[::ffff:169.254.169.254]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[fe80::1]", "[fc00::1]",
    "[fd00:ec2::254]", "[ff02::1]",
)  # fmt: skip
Row = tuple[Any, ...]


class Trap:
    """Counts the connections to one port of all addresses of this machine; answers them all."""

    def __init__(self) -> None:
        self.caught = 0
        self._done = threading.Event()
        self.has_ipv6 = socket.has_dualstack_ipv6()
        self._server = self._everywhere()
        self._server.settimeout(0.05)
        self.port = int(self._server.getsockname()[1])
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> "Trap":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        self._server.close()

    def _everywhere(self) -> socket.socket:
        if self.has_ipv6:
            return socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
        return socket.create_server(("0.0.0.0", 0))

    def _listen(self) -> None:
        while not self._done.is_set():
            try:
                opened, _ = self._server.accept()
            except TimeoutError:
                continue
            self.caught += 1
            with opened:
                opened.settimeout(1)
                opened.recv(4096)
                opened.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")


def refused(stack: Stack, *, forms: int, rebindings: int) -> Result:
    """Decisions for sources whose addresses lead here, sent by the worker; then names that move.

    Each form is first called by a source that allows private addresses: one that did not reach
    the trap then would prove nothing.
    """
    stack.up()
    with Trap() as trap:
        # IPv6 may be switched off here; then its forms lead nowhere.
        own = [form for form in FORMS[:forms] if trap.has_ipv6 or ":" not in form]
        leads_here = sum(_calls(_url(form, trap), trap, allowed=True) for form in own)
        redirected = _redirects_here(trap)
        before = trap.caught
        proposals = [_decided(_url(form, trap)) for form in (*own, *ELSEWHERE[:forms])]
        until_quiet(QUIET_SECONDS)
        by_worker = trap.caught - before
        effects = Effect.objects.filter(proposal__in=[proposal.pk for proposal in proposals])
        said_no = effects.filter(state=Effect.State.REFUSED, detail__contains="private")
        unrefused = len(proposals) - len(set(said_no.values_list("proposal", flat=True)))
        moved, lookups = _rebound(trap, rebindings)
    return Result(
        passed=leads_here == len(own)
        and by_worker == redirected == unrefused == moved == 0
        and lookups == rebindings,
        figure=f"{leads_here} of {len(own)} forms reach the trap where that is allowed; where not, "
        f"{by_worker} connections from {len(proposals)} sources, {unrefused} not refused; "
        f"{redirected} by redirect; {moved} by {rebindings} names that moved",
    )


def _url(form: str, trap: Trap) -> str:
    return f"http://{form}:{trap.port}/api"


def _calls(url: str, trap: Trap, *, allowed: bool) -> bool:
    """Whether a call in this process reaches the trap."""
    before = trap.caught
    try:
        http.call("GET", url, headers={}, allows_private_addresses=allowed)
    except (HelpdeskRefused, HelpdeskUnavailable):
        return trap.caught > before
    return True


def _decided(url: str) -> Proposal:
    source = new_desk(api_url=url).source
    (proposal,) = open_tickets(source, Desk(), 1)
    decide([proposal], source.owner)
    return proposal


def _redirects_here(trap: Trap) -> int:
    """Connections that come of a helpdesk that sends its callers on to the trap."""
    before = trap.caught
    for code in (301, 302, 303, 307, 308):
        with _redirecting(code, f"http://127.0.0.1:{trap.port}/api") as url:
            _calls(url, trap, allowed=True)
    return trap.caught - before


@contextmanager
def _redirecting(code: int, to: str) -> Iterator[str]:
    server = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        opened, _ = server.accept()
        with opened:
            opened.recv(4096)
            head = f"HTTP/1.1 {code} Moved\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n"
            opened.sendall(head.encode())

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
    finally:
        thread.join(5)
        server.close()


def _rebound(trap: Trap, times: int) -> tuple[int, int]:
    """Connections that reach the trap through names that are public once and then lead here.

    The first answer is an address at which nobody is asked for anything: opening a connection to
    it fails at once. Answers the connections and how often a name was looked up.
    """
    before, asked = trap.caught, 0
    for number in range(times):
        moving = _Moving("127.0.0.1" if number % 2 else "::1")
        with (
            mock.patch.object(socket, "getaddrinfo", moving),
            mock.patch.object(socket.socket, "connect", _stay_here(socket.socket.connect)),
        ):
            _calls(f"http://moving-{number}.example.org:{trap.port}/", trap, allowed=False)
        asked += moving.asked
    return trap.caught - before, asked


class _Moving:
    """A resolver for one name that answers with a public address once and then otherwise."""

    def __init__(self, then: str) -> None:
        self.then = then
        self.asked = 0

    def __call__(self, host: str, port: int, *_: Any, **options: Any) -> list[Row]:
        if options.get("flags", 0) & socket.AI_NUMERICHOST:
            raise socket.gaierror("This is a name.")
        self.asked += 1
        address = "93.184.216.34" if self.asked == 1 else self.then
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        place = (address, port, 0, 0) if ":" in address else (address, port)
        return [(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", place)]


def _stay_here(connect: Callable[[socket.socket, Any], None]) -> Callable[..., None]:
    """Connecting as it is, but nobody on the internet is bothered."""

    def connect_here(opened: socket.socket, place: Sequence[Any]) -> None:
        if str(place[0]).startswith(("127.", "::1", "0.")):
            connect(opened, tuple(place))
            return
        raise ConnectionRefusedError(f"{place[0]} is not of this machine.")

    return connect_here


CHECKS = [
    Check(
        "SSRF by source URL",
        refused,
        full={"forms": len(FORMS), "rebindings": 100},
        small={"forms": 8, "rebindings": 10},
    )
]
