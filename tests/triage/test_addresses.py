"""Where calls may go, and that they go nowhere else; as addresses and over real sockets."""

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from triage.helpdesks import addresses, http
from triage.helpdesks.base import HelpdeskRefused, HelpdeskSilent, HelpdeskUnavailable

PRIVATE = [
    "0.0.0.0", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.8.9.10", "169.254.169.254",
    "172.16.0.1", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1",
    "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "::7f00:1", "::ffff:127.0.0.1",
    "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1",
    "2002:7f00:1::", "3fff::1", "5f00::1", "fc00::1", "fd12::1", "fe80::1", "fe80::1%1", "fec0::1",
    "ff02::1",
]  # fmt: skip
PUBLIC = ["1.1.1.1", "93.184.216.34", "::ffff:93.184.216.34", "2606:2800:220:1::1", "2a00::1"]
Resolver = Callable[..., list[tuple[Any, ...]]]


@pytest.mark.parametrize("address", PRIVATE)
def test_what_is_not_one_machine_on_the_internet_is_private(address: str) -> None:
    assert not addresses.is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_what_the_internet_routes_is_public(address: str) -> None:
    assert addresses.is_public(address)


class Answers:
    """A resolver that gives the next answer each time it is asked, and counts the questions."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    def __call__(self, host: str, port: int, *_: Any, **options: Any) -> list[tuple[Any, ...]]:
        if options.get("flags", 0) & socket.AI_NUMERICHOST:
            raise socket.gaierror("a name")
        self.asked += 1
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [_row(address, port) for address in found]


def _row(address: str, port: int) -> tuple[Any, ...]:
    if ip_address(address).version == 4:
        return (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
    return (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, port, 0, 0))


@pytest.fixture
def trap() -> Iterator[tuple[int, list[str]]]:
    """A port on all of loopback, and the local addresses at which connections came in."""
    came: list[str] = []
    server = socket.create_server(("0.0.0.0", 0))
    server.settimeout(0.02)
    done = Event()

    def accept() -> None:
        while not done.is_set():
            try:
                opened, _ = server.accept()
            except TimeoutError:
                continue
            came.append(opened.getsockname()[0])
            with opened:
                opened.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    thread = Thread(target=accept)
    thread.start()
    yield server.getsockname()[1], came
    done.set()
    thread.join()
    server.close()


def get(url: str, *, private: bool) -> dict[str, Any]:
    return http.call("GET", url, headers={}, allows_private_addresses=private)


def test_the_address_that_was_checked_is_the_one_connected_to(
    trap: tuple[int, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, came = trap
    resolver = Answers(["127.0.0.1"], ["127.0.0.2"])
    monkeypatch.setattr(socket, "getaddrinfo", resolver)

    assert get(f"http://moving.example.org:{port}/", private=True) == {}

    assert came == ["127.0.0.1"]
    assert resolver.asked == 1


@pytest.mark.parametrize("answer", [["127.0.0.1"], ["93.184.216.34", "127.0.0.1"], ["::1"]])
def test_a_name_that_leads_to_a_private_address_is_refused_before_anything_is_opened(
    trap: tuple[int, list[str]], monkeypatch: pytest.MonkeyPatch, answer: list[str]
) -> None:
    port, came = trap
    monkeypatch.setattr(socket, "getaddrinfo", Answers(answer))

    with pytest.raises(HelpdeskRefused, match="private"):
        get(f"http://moving.example.org:{port}/", private=False)

    assert came == []


def test_the_next_address_is_tried_when_one_refuses(
    trap: tuple[int, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, came = trap
    monkeypatch.setattr(socket, "getaddrinfo", Answers(["::1", "127.0.0.3"]))

    assert get(f"http://two.example.org:{port}/", private=True) == {}

    assert came == ["127.0.0.3"]


def test_a_resolver_that_hangs_ends_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "DEADLINE_SECONDS", 0.4)
    let_go = Event()

    def hang(*_: Any, **options: Any) -> Any:
        if not options.get("flags"):
            let_go.wait(20)
        raise socket.gaierror("not now")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    began = time.monotonic()
    with pytest.raises(HelpdeskSilent, match="not found in time"):
        get("http://nowhere.example.org/", private=True)

    assert time.monotonic() - began < 5
    let_go.set()


def test_a_name_that_nobody_knows_may_be_known_later(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror("Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(HelpdeskUnavailable, match="No machine with this name"):
        get("http://nowhere.example.org/", private=False)


@pytest.mark.parametrize(
    "url",
    [
        "", "/tickets", "ftp://example.org/", "file:///etc/passwd", "http://", "http://:80/",
        "http://example.org:99999/", "http://[::1/", "http://user:secret@example.org/",
        f"http://{'a' * 70}.example.org/",
    ],
)  # fmt: skip
def test_what_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(HelpdeskRefused):
        get(url, private=True)


def test_proxies_of_the_environment_are_not_asked(
    trap: tuple[int, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, came = trap
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.5:{port}")

    get(f"http://127.0.0.1:{port}/", private=True)

    assert came == ["127.0.0.1"]


# --- TLS ------------------------------------------------------------------------------------
@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Key and certificate of `localhost`, signed by itself, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "localhost.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return file


@pytest.fixture
def safe_port(certificate: Path) -> Iterator[int]:
    """Answers one connection over TLS, if the other side goes through with it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(10)

    def answer() -> None:
        opened, _ = server.accept()
        opened.settimeout(5)
        try:
            with context.wrap_socket(opened, server_side=True) as safe:
                safe.recv(4096)
                safe.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{"version":7}')
        except OSError:
            opened.close()

    thread = Thread(target=answer)
    thread.start()
    yield server.getsockname()[1]
    thread.join()
    server.close()


@pytest.fixture
def fresh_trust() -> Iterator[None]:
    http._trust.cache_clear()
    yield
    http._trust.cache_clear()


def test_a_certificate_that_this_machine_trusts_is_good(
    safe_port: int, certificate: Path, fresh_trust: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    assert get(f"https://localhost:{safe_port}/", private=True) == {"version": 7}


def test_a_certificate_that_nobody_vouches_for_is_not(safe_port: int, fresh_trust: None) -> None:
    with pytest.raises(HelpdeskUnavailable, match="SSLCertVerificationError"):
        get(f"https://localhost:{safe_port}/", private=True)


def test_a_certificate_for_another_name_is_not(
    safe_port: int, certificate: Path, fresh_trust: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    with pytest.raises(HelpdeskUnavailable, match="SSLCertVerificationError"):
        get(f"https://127.0.0.1:{safe_port}/", private=True)


def test_a_handshake_that_never_comes_ends_at_the_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http, "DEADLINE_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        with pytest.raises(HelpdeskSilent):
            get(f"https://localhost:{silent.getsockname()[1]}/", private=True)

    assert time.monotonic() - began < 5
