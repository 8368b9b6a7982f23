"""HTTP towards helpdesks: bounded in time and size, no redirects, no private addresses.

Straight on a socket, because clients that do more read more than they are asked to: they unpack
the body of a redirect that nobody follows, or look a name up again after it was checked.
"""

import json
import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPResponse, IncompleteRead, InvalidURL
from typing import Any
from urllib.parse import SplitResult, quote, urlsplit

from triage.helpdesks.addresses import Place, places
from triage.helpdesks.base import (
    HelpdeskConflict,
    HelpdeskRefused,
    HelpdeskSilent,
    HelpdeskUnavailable,
)
from triage.helpdesks.deadline import Deadline

DEADLINE_SECONDS = 20.0
CONNECT_SECONDS = 5.0
RESPONSE_LIMIT_BYTES = 64 * 1024
USER_AGENT = "Countersign"
PORTS = {"http": 80, "https": 443}
# What a path may already contain; everything else is percent-encoded.
PATH_CHARACTERS = "/%:@!$&'()*+,;=~"


def call(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes | None = None,
    allows_private_addresses: bool,
) -> dict[str, Any]:
    """Send one request and answer its JSON object ({} for an empty body).

    Raises HelpdeskConflict on 409 and 412, HelpdeskRefused on any other 3xx or 4xx or an address
    that is not allowed, HelpdeskUnavailable on 429, 5xx, or an answer that is too large or not
    JSON, and its kind HelpdeskSilent if there is no answer in time. Proxies that the
    environment names are not used: the address that was checked is the one connected to.
    """
    parts, port = _checked(url)
    with Deadline(DEADLINE_SECONDS) as deadline:
        try:
            at = places(
                str(parts.hostname),
                port,
                seconds=deadline.left,
                allows_private=allows_private_addresses,
            )
            with _connected(parts, at, deadline) as connection:
                _send(connection, method, parts, headers, body)
                with connection.getresponse() as response:
                    _check_time(deadline)
                    _raise_for(response.status)
                    content = _read(response)
        except (OSError, HTTPException) as error:
            _check_time(deadline)
            said = f"{method} failed: {type(error).__name__}"
            if isinstance(error, TimeoutError):
                raise HelpdeskSilent(said) from error
            raise HelpdeskUnavailable(said) from error
        _check_time(deadline)
    return _object(content)


def destination(url: str) -> str:
    """What shares one limit: scheme, host and port, however they are written."""
    parts, port = _checked(url)
    return f"{parts.scheme}://{parts.hostname}:{port}"


def _checked(url: str) -> tuple[SplitResult, int]:
    try:
        parts = urlsplit(url)
        port = PORTS[parts.scheme] if parts.port is None else parts.port
    except (ValueError, KeyError) as error:
        raise HelpdeskRefused(f"The address is not valid: {error}") from error
    if not parts.hostname:
        raise HelpdeskRefused("The address is not valid: it names no host.")
    if parts.username is not None:
        raise HelpdeskRefused("The address is not valid: it names a user; give the source a token.")
    return parts, port


@contextmanager
def _connected(
    parts: SplitResult, at: Sequence[Place], deadline: Deadline
) -> Iterator[HTTPConnection]:
    host = str(parts.hostname)
    connection = HTTPConnection(f"[{host}]" if ":" in host else host, parts.port)
    opened = _open(at, deadline)
    try:
        opened.settimeout(deadline.left)
        if parts.scheme == "https":
            opened = _trust().wrap_socket(opened, server_hostname=host)
        connection.sock = opened
        yield connection
    finally:
        connection.close()
        opened.close()


def _open(at: Sequence[Place], deadline: Deadline) -> socket.socket:
    """A connection to the first place that answers; the error of the last one if none does."""
    failure: OSError = TimeoutError("No time was left to connect.")
    for place in at:
        if deadline.is_over:
            break
        opened = socket.socket(place.family, socket.SOCK_STREAM)
        try:
            opened.settimeout(min(CONNECT_SECONDS, deadline.left))
            opened.connect(place.address)
        except OSError as error:
            opened.close()
            failure = error
            continue
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return deadline.hold(opened)
    raise failure


@cache
def _trust() -> ssl.SSLContext:
    """The authorities that this machine trusts."""
    return ssl.create_default_context()


def _send(
    connection: HTTPConnection,
    method: str,
    parts: SplitResult,
    headers: Mapping[str, str],
    body: bytes | None,
) -> None:
    target = quote(parts.path or "/", safe=PATH_CHARACTERS)
    if parts.query:
        target += f"?{quote(parts.query, safe=PATH_CHARACTERS + '?')}"
    fixed = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity", "Connection": "close"}
    try:
        connection.request(method, target, body, {**headers, **fixed})
    except (InvalidURL, ValueError) as error:
        raise HelpdeskRefused(f"The request cannot be written: {type(error).__name__}") from error


def _check_time(deadline: Deadline) -> None:
    if deadline.is_over:
        raise HelpdeskSilent(f"The answer took longer than {deadline.seconds:.0f} s.")


def _raise_for(status: int) -> None:
    if status in (409, 412):
        raise HelpdeskConflict(f"The helpdesk answered {status}.")
    if status == 429 or status >= 500:
        raise HelpdeskUnavailable(f"The helpdesk answered {status}.")
    if status >= 300:
        raise HelpdeskRefused(f"The helpdesk answered {status}.")


def _read(response: HTTPResponse) -> bytes:
    """Raw bytes as sent: a compressed answer, which we did not ask for, is not unpacked."""
    if response.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise HelpdeskUnavailable("The helpdesk sent a compressed answer, which we refuse.")
    content = bytearray()
    while chunk := response.read1(8192):
        content += chunk
        if len(content) > RESPONSE_LIMIT_BYTES:
            raise HelpdeskUnavailable(f"The answer is larger than {RESPONSE_LIMIT_BYTES} bytes.")
    if response.length:
        raise IncompleteRead(bytes(content), response.length)
    return bytes(content)


def _object(content: bytes) -> dict[str, Any]:
    if not content.strip():
        return {}
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise HelpdeskUnavailable("The answer is not JSON.") from error
    if not isinstance(answer, dict):
        raise HelpdeskUnavailable("The answer is not a JSON object.")
    return answer
