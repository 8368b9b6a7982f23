"""The load generator on a server of two processes that accept from one socket."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.speed import client
from bench.speed.client import Order, answered

SCRIPT = Path(client.__file__)
# Both processes accept; each connection is answered by a thread until it is closed.
SERVER = """
import os, socket, threading, time

listening = socket.create_server(("127.0.0.1", 0))

def serve(connection):
    while request := connection.recv(65536):
        body = str(os.getpid()).encode()
        status = b"202 Accepted" if b"good" in request else b"500 Oh"
        connection.sendall(
            b"HTTP/1.1 " + status + b"\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body) + body
        )

def accept():
    while True:
        threading.Thread(target=serve, args=listening.accept()[:1], daemon=True).start()

for _ in range(2):
    if os.fork() == 0:
        accept()
print(listening.getsockname()[1], flush=True)
time.sleep(60)
"""


@pytest.fixture
def server() -> Iterator[tuple[int, int]]:
    """Its port and the pid of its main process."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVER], stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        below = client.descendants(process.pid)
        yield port, process.pid
        for pid in below:
            subprocess.run(["kill", "-9", str(pid)], check=True)
        process.kill()


def requests_in(folder: Path, *bodies: bytes) -> str:
    path = folder / "requests.bin"
    path.write_bytes(b"".join(len(body).to_bytes(4, "big") + body for body in bodies))
    return str(path)


def test_connections_are_shared_evenly_and_every_answer_is_counted(
    server: tuple[int, int], tmp_path: Path
) -> None:
    port, pid = server
    requests = requests_in(tmp_path, *[b"unwanted"] * 5, *[b"good"] * 90, *[b"bad"] * 10)
    order = {"port": port, "server": pid, "connections": 8, "requests": requests}

    done = subprocess.run(
        [sys.executable, str(SCRIPT)],
        input=json.dumps(order | {"first": 5, "count": 100}),
        capture_output=True,
        text=True,
        check=True,
    )

    said = json.loads(done.stdout)
    assert said["statuses"] == {"202": 90, "500": 10}
    assert said["per_process"] == [4, 4]
    assert len(said["took"]) == 100
    assert all(0 < seconds <= said["seconds"] for seconds in said["took"])


def test_requests_are_sent_when_they_are_due_and_wait_on_our_clock(
    server: tuple[int, int], tmp_path: Path
) -> None:
    port, pid = server
    requests = requests_in(tmp_path, *[b"good"] * 4)

    said = client.run(Order(port, pid, 2, requests, 0, 4, due=[0.0, 0.1, 0.2, 0.4]))

    assert 0.4 <= said["seconds"] < 5
    assert said["statuses"] == {202: 4}


def test_fewer_requests_than_wanted_are_refused(tmp_path: Path) -> None:
    path = requests_in(tmp_path, b"good")

    with pytest.raises(SystemExit, match="holds 1 requests; 3 are wanted"):
        client.read_requests(Path(path), 1, 2)


def test_an_answer_is_whole_once_its_body_is() -> None:
    head = b"HTTP/1.1 202 Accepted\r\nContent-Length: 5\r\n\r\n"

    assert answered(bytearray(head[:20])) == 0
    assert answered(bytearray(head + b"abcd")) == 0
    assert answered(bytearray(head + b"abcde")) == 202
    with pytest.raises(SystemExit, match="does not tell its length"):
        answered(bytearray(b"HTTP/1.1 202 Accepted\r\n\r\n"))
