"""Bodies that are too large, packed, unannounced, or no messages at all."""

import contextlib
import gzip
import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import count
from random import Random
from typing import Any
from urllib.parse import urlsplit

from django.utils import timezone

from bench import invariant
from bench.chaos import malformed
from bench.checks import Check, Result
from bench.load import Sender, in_threads, signed, ticket
from bench.stack import Part, Stack
from bench.world import Desk, new_desk
from triage.models import Delivery, Job, TicketEvent, TicketVersion

SEED = 20_260_302
MEGABYTE = 1_000_000
MOST_GROWTH_BYTES = 50 * MEGABYTE
PIECE = 65_536
SAMPLE_SECONDS = 0.05
QUIET_SECONDS = 300.0
WARM_UP = 100
BATCH = 250
_numbers = count(1)


def too_large(stack: Stack, *, bodies: int, threads: int) -> Result:
    """Large bodies announced and in chunks, and packed ones, `bodies` of each; rightly signed."""
    stack.up()
    desk = new_desk()
    sender = Sender(stack.url, desk)
    for number in range(WARM_UP):
        sender.post(ticket(number))
    large = {size: _padded(size * MEGABYTE) for size in (1, 10)}
    packed = gzip.compress(large[10])
    ways: dict[str, tuple[int, Callable[[], int]]] = {
        "1 MB": (413, partial(_send, stack.url, sender, large[1])),
        "10 MB": (413, partial(_send, stack.url, sender, large[10])),
        "1 MB chunked": (413, partial(_send, stack.url, sender, large[1], chunked=True)),
        "10 MB chunked": (413, partial(_send, stack.url, sender, large[10], chunked=True)),
        "gzip": (415, partial(_send, stack.url, sender, packed, encoding="gzip")),
    }
    small = _send(stack.url, sender, _padded(PIECE + 1), chunked=True)
    before = Delivery.objects.filter(source=desk.source).count()
    answers: Counter[tuple[str, int]] = Counter()
    with watched(stack.web) as memory:
        for name, (_, way) in ways.items():
            answers.update((name, code) for code in in_threads([way] * bodies, threads))
    stored = Delivery.objects.filter(source=desk.source).count() - before
    growth = memory.peak - memory.before
    invariant.until_quiet(QUIET_SECONDS)
    said = ", ".join(f"{name}: {code} x {n}" for (name, code), n in sorted(answers.items()))
    return Result(
        passed=answers == {(name, code): bodies for name, (code, _) in ways.items()}
        and (small, stored) == (202, 0)
        and growth < MOST_GROWTH_BYTES,
        figure=f"{said}; {stored} stored; 64 KB chunked: {small}; "
        f"web grew by {growth / MEGABYTE:.1f} MB",
    )


def no_messages(stack: Stack, *, mutations: int, threads: int) -> Result:
    """The corpus and mutations of good messages, rightly signed; what is taken must be applied."""
    stack.up()
    desk = new_desk()
    sender = Sender(stack.url, desk)
    sender.post(malformed.message(Random(0), 0, id="M-0"))
    bodies = malformed.corpus()
    bodies += [malformed.mutated(Random(f"{SEED}:{n}"), 1_000 + n) for n in range(mutations)]

    def send(numbers: Sequence[int]) -> list[tuple[int, int]]:
        return [(n, sender.post(bodies[n], webhook_id=f"body-{n}").status) for n in numbers]

    parts = [range(hand, len(bodies), threads) for hand in range(threads)]
    codes = dict(sum(in_threads([partial(send, part) for part in parts], threads), []))
    overtakers = bring_their_tickets(desk, sender)
    invariant.until_quiet(QUIET_SECONDS)
    taken = {number for number, code in codes.items() if code == 202}
    unread = [n for n, code in codes.items() if code == 401 and _is_utf_8(bodies[n])]
    strange = [n for n, code in codes.items() if code not in (202, 400, 401)]
    outcomes, wrong = _read_as_sent(desk, {n: bodies[n] for n in taken})
    counted = Counter(codes.values())
    return Result(
        passed=not (unread or strange or wrong) and len(taken) == sum(outcomes.values()) > 0,
        figure=f"{_said(counted)}; of those taken {_said(outcomes)}, "
        f"{overtakers} of them after their ticket came; {len(wrong)} not as sent"
        + "".join(f"; see {bodies[n][:80]!r}" for n in [*unread, *strange, *wrong][:2]),
    )


class Memory:
    """Resident bytes of a part before and at their most."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self.before = self.peak = part.rss_bytes()

    def look(self) -> None:
        self.peak = max(self.peak, self.part.rss_bytes())


@contextlib.contextmanager
def watched(part: Part) -> Iterator[Memory]:
    """The part's memory is looked at many times a second until the block ends."""
    memory, stop = Memory(part), threading.Event()

    def watch() -> None:
        while not stop.wait(SAMPLE_SECONDS):
            memory.look()

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield memory
    finally:
        stop.set()
        thread.join()
        memory.look()


def _padded(size: int) -> bytes:
    """A good message of exactly `size` bytes."""
    empty = len(json.dumps(ticket(1, body="")).encode())
    return json.dumps(ticket(1, body="x" * (size - empty))).encode()


def _send(
    url: str, sender: Sender, body: bytes, *, chunked: bool = False, encoding: str = ""
) -> int:
    """One delivery piece by piece on a connection of its own; 0 where no answer can be read.

    A server may answer and close before it was sent all; what it said counts.
    """
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    name = f"large-{next(_numbers)}"
    headers = {"Content-Type": "application/json"}
    headers |= signed(body, webhook_id=name, secret=sender.secret)
    headers |= {"Content-Encoding": encoding} if encoding else {}
    headers |= {"Transfer-Encoding": "chunked"} if chunked else {"Content-Length": str(len(body))}
    try:
        connection.putrequest("POST", sender.path)
        for key, value in headers.items():
            connection.putheader(key, value)
        connection.endheaders()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for start in range(0, len(body), PIECE):
                piece = body[start : start + PIECE]
                connection.send(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
            if chunked:
                connection.send(b"0\r\n\r\n")
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def bring_their_tickets(desk: Desk, sender: Sender) -> int:
    """Send the tickets that events wait for; answers how many events that were.

    Their jobs are made due, as Redeliver does, so that no backoff is waited for.
    """
    _until_tried(desk)
    jobs = Job.objects.filter(kind=Job.Kind.RECEIVE, last_error__contains="TicketNotThereYet")
    waiting = dict(jobs.values_list("subject", "pk"))
    for delivery in Delivery.objects.filter(source=desk.source, pk__in=waiting):
        named = json.loads(bytes(delivery.body))["data"]["ticket_id"]
        # Sent again where the connection had been idle for too long.
        sender.deliver(ticket(1, id=named))
    Job.objects.filter(pk__in=waiting.values()).update(next_attempt_at=timezone.now())
    return len(waiting)


def _until_tried(desk: Desk) -> None:
    """Wait until each delivery was read, or tried and given back."""
    deadline = time.monotonic() + QUIET_SECONDS
    fresh = Job.objects.filter(kind=Job.Kind.RECEIVE, dead_at__isnull=True, last_error="")
    while fresh.exists() and time.monotonic() < deadline:
        time.sleep(SAMPLE_SECONDS)


def _read_as_sent(desk: Desk, sent: dict[int, bytes]) -> tuple[Counter[str], list[int]]:
    """Outcomes of the deliveries by their names, and those that are not there as they were sent."""
    outcomes: Counter[str] = Counter()
    wrong = []
    numbers = sorted(sent)
    for start in range(0, len(numbers), BATCH):
        chosen = {f"body-{n}": n for n in numbers[start : start + BATCH]}
        rows = Delivery.objects.filter(source=desk.source, webhook_id__in=chosen)
        found = {chosen[row.webhook_id]: row for row in rows}
        texts = _texts(row.pk for row in found.values())
        for number in chosen.values():
            row = found.get(number)
            if row is None or bytes(row.body) != sent[number]:
                wrong.append(number)
                continue
            outcomes[row.outcome or "dead letter"] += 1
            is_applied = row.outcome == Delivery.Outcome.APPLIED
            if not row.outcome or (is_applied and not _is_kept(sent[number], texts.get(row.pk))):
                wrong.append(number)
    return outcomes, wrong


def _texts(deliveries: Iterator[int]) -> dict[int, tuple[str, str] | None]:
    """Subject and body of the version that a delivery brought; None where it was an event."""
    wanted = list(deliveries)
    versions = TicketVersion.objects.filter(delivery__in=wanted)
    found: dict[int, tuple[str, str] | None] = {
        pk: (subject, body)
        for pk, subject, body in versions.values_list("delivery", "subject", "body")
    }
    events = TicketEvent.objects.filter(delivery__in=wanted).values_list("delivery", flat=True)
    return found | dict.fromkeys(events)


def _is_kept(body: bytes, kept: Any) -> bool:
    """Whether what an applied delivery left says what its body said, where that was text."""
    message = json.loads(body)
    if message["type"] == "ticket.event":
        return kept is None
    if kept is None:
        return False
    subject, text = message["data"]["subject"], message["data"].get("body", "")
    return (not isinstance(subject, str) or kept[0] == subject[:300]) and (
        not isinstance(text, str) or kept[1] == text
    )


def _is_utf_8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _said(counted: Counter[Any]) -> str:
    return ", ".join(f"{n:,} x {what}" for what, n in sorted(counted.items()))


CHECKS = [
    Check(
        "large, chunked and packed bodies",
        too_large,
        full={"bodies": 100, "threads": 8},
        small={"bodies": 4, "threads": 4},
    ),
    Check(
        "bodies that are no messages",
        no_messages,
        full={"mutations": 10_000, "threads": 8},
        small={"mutations": 60, "threads": 4},
    ),
]
