"""A helpdesk on loopback that keeps the documented contract, and breaks down when told to."""

import json
import threading
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class FaultyHelpdesk:
    """Tickets by id, and the faults of the next writes: "lost", "500" or "refuse"."""

    tickets: dict[str, dict[str, Any]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    writes: Counter[str] = field(default_factory=Counter)
    tokens: set[str] = field(default_factory=set)
    calls: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def start(self) -> str:
        desk = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                desk.tokens.add(self.headers.get("Authorization", ""))
                self.answer(200, desk.tickets[self.path.split("/")[2]])

            def do_PATCH(self) -> None:
                self.write(self.patch)

            def do_POST(self) -> None:
                self.write(self.call if self.path == "/automation" else self.note)

            def write(self, change: Any) -> None:
                self.raw = self.rfile.read(int(self.headers["Content-Length"]))
                body = json.loads(self.raw)
                fault = desk.faults.pop(0) if desk.faults else ""
                if fault == "500":
                    self.answer(500, {})
                elif fault == "refuse":
                    self.answer(422, {})
                else:
                    status, answer = change(body)
                    if fault == "lost":
                        self.close_connection = True
                        return
                    self.answer(status, answer)

            def patch(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
                ticket = desk.tickets[self.path.split("/")[2]]
                if self.headers["If-Match"] != f'"{ticket["version"]}"':
                    return 412, {}
                ticket["values"] |= body.get("values", {})
                ticket["status"] = body.get("status", ticket["status"])
                return self.done(ticket)

            def note(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
                ticket = desk.tickets[self.path.split("/")[2]]
                ticket["notes"].append(body)
                return self.done(ticket)

            def call(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
                desk.calls.append(({k.lower(): v for k, v in self.headers.items()}, self.raw))
                return 200, {}

            def done(self, ticket: dict[str, Any]) -> tuple[int, dict[str, Any]]:
                ticket["version"] += 1
                desk.writes[self.headers["Idempotency-Key"]] += 1
                return 200, {"version": ticket["version"]}

            def answer(self, status: int, body: dict[str, Any]) -> None:
                content = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.server.server_port}"

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def put(self, external_id: str, **over: Any) -> dict[str, Any]:
        blank: dict[str, Any] = {"version": 1, "status": "open", "values": {}, "notes": []}
        self.tickets[external_id] = blank | over
        return self.tickets[external_id]
