"""A helpdesk that goes on delivering new tickets while something happens to the service."""

import secrets
import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count
from types import TracebackType
from typing import Self

from bench.load import TAKEN, NoAnswer, Sender, ticket

NO_ANSWER, TIMED_OUT = "no answer", "timed out"


@dataclass(frozen=True)
class Sent:
    """One ticket that was delivered once. `status` is 0 where no answer came."""

    number: int
    webhook_id: str
    status: int
    retry_after: str
    timed_out: bool
    seconds: float

    @property
    def is_taken(self) -> bool:
        return self.status in TAKEN

    @property
    def word(self) -> str:
        if self.status:
            return str(self.status)
        return TIMED_OUT if self.timed_out else NO_ANSWER


class Stream:
    """`with Stream(sender) as stream` delivers from `threads` threads until the block ends.

    Each thread pauses between deliveries and repeats none. `most` ends it earlier. Ticket and
    webhook ids start with `prefix`.
    """

    def __init__(
        self, sender: Sender, *, threads: int = 2, pause: float = 0.02, most: int | None = None
    ) -> None:
        self.prefix = f"s{secrets.token_hex(4)}-"
        self.sent: list[Sent] = []
        self._sender = sender
        self._pause = pause
        self._most = most
        self._numbers = count()
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._go) for _ in range(threads)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def wait(self) -> None:
        """Until `most` are delivered."""
        for thread in self._threads:
            thread.join()

    def acknowledged(self) -> list[str]:
        return [sent.webhook_id for sent in self.sent if sent.is_taken]

    def repeat(self, sents: Iterable[Sent]) -> list[str]:
        """Deliver these again under their ids, as helpdesks do; answers what was not taken still.

        Each is tried again and again for a minute.
        """
        refused = []
        for sent in sents:
            message = ticket(sent.number, id=sent.webhook_id)
            statuses = self._sender.deliver(message, webhook_id=sent.webhook_id, patience=60.0)
            if statuses[-1] not in TAKEN:
                refused.append(sent.webhook_id)
        return refused

    def words(self) -> str:
        """How it was answered: "202: 310, 503: 12"."""
        counted = Counter(sent.word for sent in self.sent)
        return ", ".join(f"{word}: {number:,}" for word, number in sorted(counted.items()))

    def longest_seconds(self) -> float:
        return max((sent.seconds for sent in self.sent), default=0.0)

    def _go(self) -> None:
        while not self._over.is_set():
            number = next(self._numbers)
            if self._most is not None and number >= self._most:
                break
            self.sent.append(self._deliver(number))
            self._over.wait(self._pause)
        self._sender.close()

    def _deliver(self, number: int) -> Sent:
        name = f"{self.prefix}{number}"
        began = time.monotonic()
        status, retry_after, timed_out = 0, "", False
        try:
            answer = self._sender.post(ticket(number, id=name), webhook_id=name)
            status, retry_after = answer.status, answer.headers.get("retry-after", "")
        except NoAnswer as error:
            timed_out = error.timed_out
        return Sent(number, name, status, retry_after, timed_out, time.monotonic() - began)
