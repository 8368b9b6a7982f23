"""The simulated helpdesk over HTTP: what docs/helpdesk-api.md asks of one, and pages for people."""

import hmac
import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from standardwebhooks import Webhook, WebhookVerificationError

from triage.demo import desk_page
from triage.demo.desk import BadRequest, Conflict, Desk, NoSuchTicket
from triage.demo.frame import Frame

BODY_LIMIT_BYTES = 256 * 1024
POLICY = "default-src 'none'; style-src 'self'"
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


class Refused(Exception):
    def __init__(self, code: int, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class Helpdesk(ThreadingHTTPServer):
    """Serves a desk on loopback to whoever has the token.

    GET and PATCH /tickets/{id}, POST /tickets/{id}/notes, POST /automation (signed), and for
    people GET / and /t/{id}.
    """

    daemon_threads = True

    def __init__(
        self,
        desk: Desk,
        *,
        port: int,
        token: str,
        automation_secret: str,
        frame: Frame | None = None,
    ) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.desk = desk
        self.token = token
        self.frame = frame
        self.policy = POLICY if frame is None else f"{POLICY}; frame-src {frame.target}"
        self.automation = Webhook(automation_secret)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Helpdesk
    protocol_version = "HTTP/1.1"
    timeout = 20

    def do_GET(self) -> None:
        match self._path():
            case []:
                self._page(desk_page.overview(self.server.desk))
            case ["style.css"]:
                self._send(200, desk_page.STYLE.encode(), "text/css; charset=utf-8")
            case ["t", number]:
                self._answer_page(number)
            case ["tickets", number]:
                self._answer(lambda: self._ticket(number))
            case _:
                self._nothing()

    def do_PATCH(self) -> None:
        match self._path():
            case ["tickets", number]:
                self._answer(lambda: self._change(number))
            case _:
                self._nothing()

    def do_POST(self) -> None:
        match self._path():
            case ["tickets", number, "notes"]:
                self._answer(lambda: self._note(number))
            case ["automation"]:
                self._answer(self._automate)
            case _:
                self._nothing()

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: the page shows what came."""

    # --- Answers ------------------------------------------------------------------------------
    def _ticket(self, number: str) -> dict[str, Any]:
        self._authorise()
        ticket = self.server.desk.get(number)
        shown = ("id", "version", "status", "values")
        return {key: ticket[key] for key in shown} | {
            "notes": [{"marker": note["marker"], "kind": note["kind"]} for note in ticket["notes"]]
        }

    def _change(self, number: str) -> dict[str, Any]:
        self._authorise()
        body = self._object()
        seen = self._seen()
        if seen is None:
            raise Refused(428, 'Say which version you have seen: If-Match: "7".')
        key = self.headers.get("Idempotency-Key", "")
        return {"version": self.server.desk.change(number, body, seen=seen, key=key)}

    def _note(self, number: str) -> dict[str, Any]:
        self._authorise()
        body = self._object()
        key = self.headers.get("Idempotency-Key", "")
        return {
            "version": self.server.desk.note(
                number,
                str(body.get("kind", "")),
                str(body.get("body", "")),
                str(body.get("marker", "")),
                seen=self._seen(),
                key=key,
            )
        }

    def _automate(self) -> dict[str, Any]:
        raw = self._body()
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            self.server.automation.verify(raw, headers)
            message = json.loads(raw)
            data, is_undoing = message["data"], message["type"] == "playbook.undone"
        except (WebhookVerificationError, ValueError, KeyError, TypeError):
            raise Refused(401, "The call is not signed by the automation's secret.") from None
        is_new = self.server.desk.call(headers["webhook-id"], data, is_undoing=is_undoing)
        return {"state": "done" if is_new else "done before"}

    # --- Plumbing -----------------------------------------------------------------------------
    def _seen(self) -> int | None:
        seen = self.headers.get("If-Match", "").strip('"')
        return int(seen) if seen.isascii() and seen.isdigit() else None

    def _path(self) -> list[str]:
        return [unquote(part) for part in urlsplit(self.path).path.split("/") if part]

    def _authorise(self) -> None:
        given = self.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {self.server.token}".encode()):
            raise Refused(401, "Send the token: Authorization: Bearer …")

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit() or int(length) > BODY_LIMIT_BYTES:
            # What was announced is not read, so nothing else can follow on this connection.
            self.close_connection = True
            raise Refused(413, f"Send a body of at most {BODY_LIMIT_BYTES} bytes.")
        return self.rfile.read(int(length))

    def _object(self) -> dict[str, Any]:
        try:
            body = json.loads(self._body())
        except (ValueError, RecursionError):
            raise Refused(400, "The body is not JSON.") from None
        if not isinstance(body, dict):
            raise Refused(400, "The body must be a JSON object.")
        return body

    def _answer(self, act: Callable[[], dict[str, Any]]) -> None:
        try:
            self._json(200, act())
        except Refused as error:
            self.close_connection = True
            self._json(error.code, {"detail": error.detail})
        except NoSuchTicket as error:
            self._json(404, {"detail": str(error)})
        except Conflict as error:
            self._json(412, {"detail": str(error)})
        except BadRequest as error:
            self._json(400, {"detail": str(error)})

    def _answer_page(self, number: str) -> None:
        try:
            ticket, frame = self.server.desk.get(number), self.server.frame
            self._page(desk_page.one(ticket, panel=frame.url(ticket["id"]) if frame else ""))
        except NoSuchTicket:
            self._json(404, {"detail": f"There is no ticket {number!r}."})

    def _nothing(self) -> None:
        # A body that came along is not read.
        self.close_connection = True
        self._json(404, {"detail": "There is nothing here."})

    def _json(self, code: int, answer: dict[str, Any]) -> None:
        self._send(code, json.dumps(answer).encode(), "application/json")

    def _page(self, page: str) -> None:
        self._send(200, page.encode(), "text/html; charset=utf-8")

    def _send(self, code: int, content: bytes, kind: str) -> None:
        self.send_response(code)
        self.send_header("Content-Security-Policy", self.server.policy)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)
