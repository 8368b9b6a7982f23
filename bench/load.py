"""What a helpdesk does: signs deliveries and posts them over connections that stay open."""

import base64
import hashlib
import hmac
import http.client
import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from types import MappingProxyType
from typing import Any, TypeVar
from urllib.parse import urlsplit

from bench.world import Desk
from triage.demo import company, corpus

T = TypeVar("T")

TAKEN = (200, 202)
OPENED = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
NO_HEADERS: Mapping[str, str] = MappingProxyType({})
RETRY_SECONDS = 0.25


class NoAnswer(Exception):
    """The connection was refused, cut or silent: the sender cannot know what became of it."""

    def __init__(self, message: str, *, timed_out: bool) -> None:
        super().__init__(message)
        self.timed_out = timed_out


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def json(self) -> Any:
        return json.loads(self.body)


class Sender:
    """Deliveries of one desk, signed by Standard Webhooks; one connection per thread.

    `timeout` is in seconds, for connecting and for each answer. A connection stays with the web
    process that accepted it, so a thread opens a new one after every `renew_every` deliveries.
    """

    def __init__(
        self, url: str, desk: Desk, *, timeout: float = 30.0, renew_every: int = 50
    ) -> None:
        parts = urlsplit(url)
        self.host, self.port = parts.hostname or "", parts.port or 80
        self.path = f"/api/v1/sources/{desk.source.slug}/webhook"
        self.secret = desk.secret
        self.timeout = timeout
        self.renew_every = renew_every
        self._numbers = count(1)
        self._run = f"{time.time_ns():x}"
        self._own = threading.local()

    def post(
        self,
        message: Mapping[str, Any] | bytes,
        *,
        webhook_id: str = "",
        at: int | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> Answer:
        """Deliver once and answer what came back; NoAnswer where nothing did.

        Bytes go as they are. `at` is the signed time in seconds since 1970, now if None.
        `headers` come last and may replace those of the signature.
        """
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        name = webhook_id or self.new_id()
        told = {"content-type": "application/json"}
        told |= signed(body, webhook_id=name, secret=self.secret, at=at) | dict(headers)
        return self.send("POST", self.path, body, told)

    def deliver(
        self, message: Mapping[str, Any], *, webhook_id: str = "", patience: float = 120.0
    ) -> list[int]:
        """Deliver until it is taken, as helpdesks do; answers the statuses, 0 for no answer.

        Gives up after `patience` seconds: the last status then is neither 200 nor 202.
        """
        name = webhook_id or self.new_id()
        deadline = time.monotonic() + patience
        statuses: list[int] = []
        while True:
            try:
                statuses.append(self.post(message, webhook_id=name).status)
            except NoAnswer:
                statuses.append(0)
            if statuses[-1] in TAKEN or time.monotonic() > deadline:
                return statuses
            time.sleep(RETRY_SECONDS)

    def new_id(self) -> str:
        return f"msg_{self._run}_{next(self._numbers)}"

    def send(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """One request over this thread's connection; NoAnswer closes it."""
        connection = self._connection()
        try:
            connection.request(method, path, body, dict(headers))
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise NoAnswer(
                f"{method} {path}: {type(error).__name__}: {error}",
                timed_out=isinstance(error, TimeoutError),
            ) from error
        if response.will_close:
            self.close()
        told = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, told, content)

    def close(self) -> None:
        """Close this thread's connection; the next delivery opens another."""
        connection = getattr(self._own, "connection", None)
        if connection is not None:
            connection.close()
            self._own.connection = None

    def _connection(self) -> http.client.HTTPConnection:
        used = getattr(self._own, "used", 0)
        if used and used % self.renew_every == 0:
            self.close()
        self._own.used = used + 1
        if getattr(self._own, "connection", None) is None:
            self._own.connection = http.client.HTTPConnection(
                self.host, self.port, timeout=self.timeout
            )
        kept: http.client.HTTPConnection = self._own.connection
        return kept


def signed(body: bytes, *, webhook_id: str, secret: str, at: int | None = None) -> dict[str, str]:
    """The three headers of Standard Webhooks; `secret` is text, or base64 after whsec_."""
    moment = int(time.time()) if at is None else at
    coded = secret.removeprefix("whsec_")
    key = base64.b64decode(coded) if coded != secret else secret.encode()
    digest = hmac.digest(key, f"{webhook_id}.{moment}.".encode() + body, hashlib.sha256)
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(moment),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def ticket(number: int, *, version: int = 1, **over: Any) -> dict[str, Any]:
    """The payload about ticket T-NUMBER; its text is one of the demo's, `over` changes its data."""
    story = corpus.stories()[number % len(corpus.stories())]
    data = {
        "id": f"T-{number}",
        "version": version,
        "subject": story.subject,
        "body": story.body,
        "requester": {
            "address": company.address(story.requester),
            "name": company.requester_name(story.requester),
        },
        "opened_at": OPENED.isoformat(),
    }
    kind = "ticket.created" if version == 1 else "ticket.updated"
    return {"type": kind, "data": data | over}


def in_threads(works: Sequence[Callable[[], T]], threads: int) -> list[T]:
    """What each work answered, in their order; the first error of any of them is raised."""
    with ThreadPoolExecutor(threads) as pool:
        return [future.result() for future in [pool.submit(work) for work in works]]
