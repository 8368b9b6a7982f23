"""A helpdesk on loopback that keeps the documented contract, and breaks down when told to."""

import json
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Body = dict[str, Any]


@dataclass
class FaultyHelpdesk:
    """Tickets by id, and the faults of the next writes, "" for none.

    "500", "refuse": nothing is changed. "lost": carried out, no answer. "late": a 500, and carried
    out when the next write comes. "twice": carried out twice, the second answer comes back.
    "meanwhile": a person changes the ticket in the moment before. "hang", "hang after": no answer
    until `released`, nothing or all carried out; `hangs` tells that a call has come so far.
    Keys of earlier writes are not remembered, so that nothing but Countersign prevents doubles.
    `writes` counts the changes by Idempotency-Key, `calls` keeps what the automation was sent.
    """

    tickets: dict[str, Body] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    writes: Counter[str] = field(default_factory=Counter)
    tokens: set[str] = field(default_factory=set)
    calls: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    overdue: list[Callable[[], object]] = field(default_factory=list)
    hangs: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)

    def start(self) -> str:
        handler = type("Handler", (_Handler,), {"desk": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.server.server_port}"

    def stop(self) -> None:
        self.released.set()
        self.server.shutdown()
        self.server.server_close()

    def put(self, external_id: str, **over: Any) -> Body:
        blank: Body = {"version": 1, "status": "open", "values": {}, "notes": []}
        self.tickets[external_id] = blank | over
        return self.tickets[external_id]


class _Handler(BaseHTTPRequestHandler):
    desk: FaultyHelpdesk

    def do_GET(self) -> None:
        self.desk.tokens.add(self.headers.get("Authorization", ""))
        self._answer(200, self._ticket())

    def do_PATCH(self) -> None:
        self._write(self._patch)

    def do_POST(self) -> None:
        self._write(self._call if self.path == "/automation" else self._note)

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _ticket(self) -> Body:
        return self.desk.tickets[self.path.split("/")[2]]

    def _write(self, change: Callable[[Body], tuple[int, Body]]) -> None:
        self.raw = self.rfile.read(int(self.headers["Content-Length"]))
        while self.desk.overdue:
            self.desk.overdue.pop(0)()
        fault = self.desk.faults.pop(0) if self.desk.faults else ""
        body = json.loads(self.raw)
        if fault == "late":
            self.desk.overdue.append(lambda: change(body))
        if fault in ("500", "refuse", "late"):
            self._answer(422 if fault == "refuse" else 500, {})
            return
        if fault == "meanwhile":
            self._ticket()["version"] += 1
        if fault == "twice":
            change(body)
        if fault == "hang":
            self._hang()
            return
        status, answer = change(body)
        if fault == "hang after":
            self._hang()
        elif fault == "lost":
            self.close_connection = True
        else:
            self._answer(status, answer)

    def _hang(self) -> None:
        self.close_connection = True
        self.desk.hangs.set()
        self.desk.released.wait(60)

    def _has_moved(self) -> bool:
        seen = self.headers["If-Match"]
        return seen is not None and seen != f'"{self._ticket()["version"]}"'

    def _patch(self, body: Body) -> tuple[int, Body]:
        ticket = self._ticket()
        if self.headers["If-Match"] is None or self._has_moved():
            return 412, {}
        values = {**ticket["values"], **body.get("values", {})}
        ticket["values"] = {key: value for key, value in values.items() if value is not None}
        ticket["status"] = body.get("status", ticket["status"])
        return self._done(ticket)

    def _note(self, body: Body) -> tuple[int, Body]:
        ticket = self._ticket()
        if self._has_moved():
            return 412, {}
        ticket["notes"].append(body)
        return self._done(ticket)

    def _call(self, body: Body) -> tuple[int, Body]:
        self.desk.calls.append(({k.lower(): v for k, v in self.headers.items()}, self.raw))
        return 200, {}

    def _done(self, ticket: Body) -> tuple[int, Body]:
        ticket["version"] += 1
        self.desk.writes[self.headers["Idempotency-Key"]] += 1
        return 200, {"version": ticket["version"]}

    def _answer(self, status: int, body: Body) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
