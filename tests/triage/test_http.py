"""Calls to helpdesks: bounded in time and size, never redirected, never to private addresses."""

import gzip
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from triage.helpdesks import http
from triage.helpdesks.base import (
    HelpdeskConflict,
    HelpdeskRefused,
    HelpdeskSilent,
    HelpdeskUnavailable,
)

Answer = Callable[[BaseHTTPRequestHandler], None]


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], str]]:
    """Start a loopback server that answers every request as told; gives its address."""
    servers = []

    def start(answer: Answer) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                hits.append(self.path)
                answer(self)

            def log_message(self, format: str, *args: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    hits.clear()
    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


hits: list[str] = []


def says(status: int, body: bytes = b"{}", **headers: str) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    return answer


def get(url: str, *, private: bool = True) -> dict[str, object]:
    return http.call("GET", url, headers={}, allows_private_addresses=private)


def test_a_json_object_is_answered_and_an_empty_body_is_an_empty_one(
    serve: Callable[[Answer], str],
) -> None:
    assert get(serve(says(200, b'{"version": 3}'))) == {"version": 3}
    assert get(serve(says(204, b""))) == {}


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (301, HelpdeskRefused),
        (400, HelpdeskRefused),
        (404, HelpdeskRefused),
        (409, HelpdeskConflict),
        (412, HelpdeskConflict),
        (429, HelpdeskUnavailable),
        (500, HelpdeskUnavailable),
        (503, HelpdeskUnavailable),
    ],
)
def test_each_answer_says_whether_to_try_again(
    serve: Callable[[Answer], str], status: int, error: type[Exception]
) -> None:
    with pytest.raises(error):
        get(serve(says(status, Location="http://127.0.0.1:1/")))


def test_a_redirect_is_not_followed(serve: Callable[[Answer], str]) -> None:
    trap = serve(says(200))

    with pytest.raises(HelpdeskRefused):
        get(serve(says(302, Location=f"{trap}/trap")))

    assert hits == ["/"]


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0x7f000001", "0", "[::1]", "[::ffff:7f00:1]"]
)
def test_private_addresses_are_refused_in_every_spelling(
    serve: Callable[[Answer], str], host: str
) -> None:
    port = serve(says(200)).rsplit(":", 1)[1]

    with pytest.raises((HelpdeskRefused, HelpdeskUnavailable)):
        get(f"http://{host}:{port}/", private=False)

    assert hits == []


def test_nothing_listening_may_work_later() -> None:
    with pytest.raises(HelpdeskUnavailable):
        get("http://127.0.0.1:9/")


@pytest.mark.parametrize("body", [b"<html>", b"[1]", b'"x"', b"[" * 60_000])
def test_what_is_not_a_json_object_is_not_trusted(
    serve: Callable[[Answer], str], body: bytes
) -> None:
    with pytest.raises(HelpdeskUnavailable):
        get(serve(says(200, body)))


def test_a_large_answer_is_cut_off(serve: Callable[[Answer], str]) -> None:
    with pytest.raises(HelpdeskUnavailable, match="larger than 65536 bytes"):
        get(serve(says(200, b" " * 1_000_000)))


def test_a_compressed_answer_is_not_unpacked(serve: Callable[[Answer], str]) -> None:
    bomb = gzip.compress(b"0" * 5_000_000)

    with pytest.raises(HelpdeskUnavailable, match="compressed"):
        get(serve(says(200, bomb, Content_Encoding="gzip")))


def test_the_body_of_a_redirect_is_not_read(serve: Callable[[Answer], str]) -> None:
    sent = []

    def redirect(request: BaseHTTPRequestHandler) -> None:
        request.send_response(302)
        request.send_header("Location", "http://127.0.0.1:1/")
        request.send_header("Content-Encoding", "gzip")
        request.send_header("Content-Length", "300000000")
        request.end_headers()
        try:
            while True:
                sent.append(request.wfile.write(b"\0" * 65536))
        except OSError:
            done.set()

    done = threading.Event()
    with pytest.raises(HelpdeskRefused):
        get(serve(redirect))

    assert done.wait(10)
    # What fits into the buffers of both sides; nobody took the rest.
    assert sum(sent) < 30_000_000


def test_an_answer_that_never_begins_ends_at_the_deadline(
    serve: Callable[[Answer], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "DEADLINE_SECONDS", 0.5)
    silence = threading.Event()

    def say_nothing(request: BaseHTTPRequestHandler) -> None:
        silence.wait(20)

    began = time.monotonic()
    with pytest.raises(HelpdeskSilent):
        get(serve(say_nothing))

    assert time.monotonic() - began < 5
    silence.set()


def test_a_header_that_cannot_be_sent_is_refused(serve: Callable[[Answer], str]) -> None:
    with pytest.raises(HelpdeskRefused, match="cannot be written"):
        http.call(
            "GET",
            serve(says(200)),
            headers={"Authorization": "Bearer a\r\nX-Other: b"},
            allows_private_addresses=True,
        )

    assert hits == []


def test_an_answer_that_drips_ends_at_the_deadline(
    serve: Callable[[Answer], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "DEADLINE_SECONDS", 1.0)

    def drip(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", "1000")
        request.end_headers()
        for _ in range(40):
            request.wfile.write(b" ")
            time.sleep(0.2)

    began = time.monotonic()
    with pytest.raises(HelpdeskUnavailable, match="took longer"):
        get(serve(drip))

    assert time.monotonic() - began < 5


def test_a_head_that_drips_ends_at_the_deadline_and_is_no_answer(
    serve: Callable[[Answer], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "DEADLINE_SECONDS", 1.0)

    def drip(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        for _ in range(40):
            try:
                request.wfile.write(b"a")
            except OSError:
                return
            time.sleep(0.2)

    began = time.monotonic()
    with pytest.raises(HelpdeskUnavailable, match="took longer"):
        get(serve(drip))

    assert time.monotonic() - began < 5


def test_an_answer_that_breaks_off_may_work_later(serve: Callable[[Answer], str]) -> None:
    def half(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", "1000")
        request.end_headers()
        request.wfile.write(b'{"version"')

    with pytest.raises(HelpdeskUnavailable):
        get(serve(half))
