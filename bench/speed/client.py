"""The load generator: posts prebuilt requests over keep-alive connections and says what came back.

    client.py < ORDER.json > ANSWER.json

A process of its own, run by path and from the standard library alone, so that what is measured
does not share its interpreter. Requests are signed and encoded beforehand; see `Order`.

A keep-alive connection stays on the server process that accepted it, so the connections are
opened until each process of the server has as many as the others; which one has accepted a
connection is read from /proc, without asking the server.
"""

import json
import selectors
import socket
import sys
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

TRIES_PER_CONNECTION = 60
ACCEPTED_WITHIN_SECONDS = 2.0
SILENCE_SECONDS = 60.0


@dataclass(frozen=True)
class Order:
    """What to send.

    port, server : where the server listens on loopback, and the pid of its main process
    connections : how many, over all of the server's processes
    requests : file of requests: each 4 bytes of length (big-endian), then as many bytes
    first, count : which of them to send, in the file's order
    due : seconds after the start at which each is due; empty: each as soon as a connection
        is free
    """

    port: int
    server: int
    connections: int
    requests: str
    first: int
    count: int
    due: list[float] = field(default_factory=list)


@dataclass
class Line:
    """One connection, and the number of the request that it waits for."""

    socket: socket.socket
    waits_for: int = -1
    received: bytearray = field(default_factory=bytearray)


def read_requests(path: Path, first: int, count: int) -> list[bytes]:
    found: list[bytes] = []
    content, at = memoryview(path.read_bytes()), 0
    while at < len(content) and len(found) < first + count:
        length = int.from_bytes(content[at : at + 4], "big")
        found.append(bytes(content[at + 4 : at + 4 + length]))
        at += 4 + length
    if len(found) < first + count:
        raise SystemExit(f"{path} holds {len(found)} requests; {first + count} are wanted.")
    return found[first:]


# --- Which process has a connection ---------------------------------------------------------


def descendants(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            found += [child, *descendants(child)]
    return found


def acceptors(server: int, port: int) -> list[int]:
    """The server's processes that can accept: those that hold a socket listening on the port."""
    listening = {inode for state, _, inode in _connections(port) if state == "0A"}
    pids = [server, *descendants(server)]
    holders = [pid for pid in pids if _sockets(pid) & listening]
    # The main process opens the socket and hands it down; it accepts only where it is alone.
    return [pid for pid in holders if pid != server] or holders


def _connections(port: int) -> list[tuple[str, int, str]]:
    """(state, remote port, inode) of the server's side of all connections to a local port."""
    found = []
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        parts = line.split()
        if int(parts[1].rpartition(":")[2], 16) == port:
            found.append((parts[3], int(parts[2].rpartition(":")[2], 16), parts[9]))
    return found


def _sockets(pid: int) -> set[str]:
    found = set()
    for entry in Path(f"/proc/{pid}/fd").glob("*"):
        try:
            target = str(entry.readlink())
        except OSError:
            continue
        if target.startswith("socket:["):
            found.add(target[8:-1])
    return found


def acceptor_of(opened: socket.socket, port: int, pids: list[int]) -> int:
    ours = opened.getsockname()[1]
    deadline = time.monotonic() + ACCEPTED_WITHIN_SECONDS
    while time.monotonic() < deadline:
        inodes = {inode for _, remote, inode in _connections(port) if remote == ours}
        for pid in pids:
            if _sockets(pid) & inodes:
                return pid
        time.sleep(0.005)
    raise SystemExit(f"No process of the server accepted a connection to port {port}.")


def spread(order: Order) -> tuple[list[socket.socket], dict[int, int]]:
    """Connections, as many to each process, and how many each process has.

    Where /proc is missing, as outside Linux, they are as chance has it, and nothing is told.
    """
    if not Path("/proc/net/tcp").exists():
        return [_open(order.port) for _ in range(order.connections)], {}
    pids = acceptors(order.server, order.port)
    share = -(-order.connections // len(pids))
    has: Counter[int] = Counter()
    kept, surplus = [], []
    # What is too much for one process stays open until the end, so that others accept the next.
    for _ in range(TRIES_PER_CONNECTION * order.connections):
        opened = _open(order.port)
        pid = acceptor_of(opened, order.port, pids)
        if has[pid] < share:
            has[pid] += 1
            kept.append(opened)
        else:
            surplus.append(opened)
        if len(kept) == order.connections:
            break
    for opened in surplus:
        opened.close()
    if len(kept) < order.connections:
        raise SystemExit(f"The server's processes would not share the connections: {dict(has)}.")
    return kept, dict(has)


def _open(port: int) -> socket.socket:
    opened = socket.create_connection(("127.0.0.1", port), timeout=SILENCE_SECONDS)
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return opened


# --- Sending --------------------------------------------------------------------------------


class Run:
    """Sends the requests over the connections; one request at a time on each."""

    def __init__(self, requests: list[bytes], due: list[float]) -> None:
        self.requests = requests
        self.due = due
        self.sent = 0
        self.done = 0
        self.statuses: Counter[int] = Counter()
        self.took = [0.0] * len(requests)
        self.free: deque[Line] = deque()
        self.selector = selectors.DefaultSelector()
        self.began = 0.0

    def over(self, sockets: list[socket.socket]) -> float:
        """Returns the seconds from the first request to the last answer."""
        for opened in sockets:
            line = Line(opened)
            self.selector.register(opened, selectors.EVENT_READ, line)
            self.free.append(line)
        self.began = heard = time.perf_counter()
        while self.done < len(self.requests):
            wait = self._send_what_is_due()
            for key, _ in self.selector.select(wait):
                self._hear(key.data)
                heard = time.perf_counter()
            if len(self.free) < len(sockets) and time.perf_counter() - heard > SILENCE_SECONDS:
                raise SystemExit(f"The server was silent for {SILENCE_SECONDS:.0f} seconds.")
        return time.perf_counter() - self.began

    def _send_what_is_due(self) -> float:
        """Returns how long to wait at most for an answer."""
        while self.free and self.sent < len(self.requests):
            now = time.perf_counter()
            planned = self.began + self.due[self.sent] if self.due else now
            if planned > now:
                return planned - now
            line = self.free.popleft()
            line.waits_for = self.sent
            # From when it was due: what waits for a free connection waits on the server.
            self.took[self.sent] = planned
            line.socket.sendall(self.requests[self.sent])
            self.sent += 1
        return 1.0

    def _hear(self, line: Line) -> None:
        piece = line.socket.recv(65536)
        if not piece:
            raise SystemExit("The server closed a connection that was to be kept alive.")
        line.received += piece
        status = answered(line.received)
        if status:
            self.statuses[status] += 1
            self.took[line.waits_for] = time.perf_counter() - self.took[line.waits_for]
            self.done += 1
            line.received.clear()
            self.free.append(line)


def answered(received: bytearray) -> int:
    """The status of a whole answer; 0 where more is to come. Answers must tell their length."""
    head, gap, body = received.partition(b"\r\n\r\n")
    if not gap:
        return 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(head[9:12]) if len(body) >= int(value) else 0
    raise SystemExit(f"The answer does not tell its length: {bytes(head)!r}")


def run(order: Order) -> dict[str, Any]:
    requests = read_requests(Path(order.requests), order.first, order.count)
    sockets, has = spread(order)
    sending = Run(requests, order.due)
    cpu = time.process_time()
    wall = time.time()
    try:
        seconds = sending.over(sockets)
    finally:
        sending.selector.close()
        for opened in sockets:
            opened.close()
    return {
        # Epoch seconds: the moment that `due` counts from.
        "began": wall,
        "seconds": seconds,
        "statuses": dict(sending.statuses),
        "per_process": sorted(has.values()),
        "took": sending.took,
        "cpu_seconds": time.process_time() - cpu,
    }


if __name__ == "__main__":
    json.dump(run(Order(**json.load(sys.stdin))), sys.stdout)
