"""Deliveries that come twice, late, skewed or with made-up headers."""

import json
import time
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import permutations
from random import Random
from typing import TypeVar

from bench import invariant
from bench.chaos import headers as made_up
from bench.checks import Check, Result
from bench.load import Sender, in_threads, ticket
from bench.stack import Stack
from bench.world import Desk, new_desk
from triage.models import Delivery, Proposal, Ticket, TicketVersion, Waiting

T = TypeVar("T")

SEED = 20_260_302
QUIET_SECONDS = 300.0
VERSIONS = 5
ORDERS = list(permutations(range(1, VERSIONS + 1)))
# A case of which the answer took longer than this after its second began is not judged.
JUDGED_SECONDS = 0.9
PATIENCE = 20


def duplicates(stack: Stack, *, tickets: int, copies: int, threads: int) -> Result:
    """Each delivery is sent `copies` times, all of them mixed, from several threads at once."""
    stack.up()
    desk = new_desk()
    sender = Sender(stack.url, desk)
    bodies = [json.dumps(ticket(number)).encode() for number in range(tickets)]
    order = [number for number in range(tickets) for _ in range(copies)]
    Random(SEED).shuffle(order)

    def send(numbers: Sequence[int]) -> Counter[int]:
        return Counter(
            sender.post(bodies[number], webhook_id=f"copy-{number}").status for number in numbers
        )

    answers = _added(in_threads([partial(send, part) for part in _dealt(order, threads)], threads))
    invariant.until_quiet(QUIET_SECONDS)
    stored, made, proposed = _counts(desk)
    expected = {202: tickets, 200: tickets * (copies - 1)}
    return Result(
        passed=answers == {k: v for k, v in expected.items() if v}
        and stored == made == proposed == tickets,
        figure=f"{_said(answers)}; {stored:,} deliveries, {made:,} tickets, {proposed:,} proposals",
    )


def out_of_order(stack: Stack, *, tickets: int, threads: int) -> Result:
    """Five versions of each ticket in every order there is, while other tickets come between."""
    stack.up()
    desk = new_desk()
    sender = Sender(stack.url, desk)
    rng = Random(SEED)
    sent: list[tuple[int, int]] = []
    for place in range(VERSIONS):
        numbers = list(range(tickets))
        rng.shuffle(numbers)
        sent += [(number, ORDERS[number % len(ORDERS)][place]) for number in numbers]

    def send(part: Sequence[tuple[int, int]]) -> Counter[int]:
        return Counter(sender.post(_version(number, version)).status for number, version in part)

    answers = _added(in_threads([partial(send, part) for part in _dealt(sent, threads)], threads))
    invariant.until_quiet(QUIET_SECONDS)
    wrong = [_misread(row) for row in Ticket.objects.filter(source=desk.source)]
    unread = Delivery.objects.filter(source=desk.source, outcome="").count()
    kept = TicketVersion.objects.filter(ticket__source=desk.source).count()
    newest = Waiting.objects.filter(
        source=desk.source, proposal__ticket_version__version=VERSIONS
    ).count()
    return Result(
        passed=answers == {202: tickets * VERSIONS}
        and len(wrong) == newest == tickets
        and not any(wrong)
        and kept == tickets * VERSIONS
        and not unread,
        figure=f"{len(wrong):,} tickets, {sum(wrong):,} not at the highest version; {newest:,} "
        f"proposals about it; {kept:,} versions kept; {_orders_that_came(desk)} orders of arrival",
    )


def clock_skew(stack: Stack, *, rounds: int) -> Result:
    """Five minutes either way, from a clock that is read just after a second began."""
    stack.up()
    desk = new_desk()
    sender = Sender(stack.url, desk)
    answers: Counter[tuple[int, int]] = Counter()
    for _ in range(rounds):
        for skew in (-301, -299, 299, 301):
            answers[skew, _skewed(sender, skew)] += 1
    stored = Delivery.objects.filter(source=desk.source).count()
    expected = {(skew, 202 if abs(skew) == 299 else 401): rounds for skew in (-301, -299, 299, 301)}
    said = ", ".join(f"{skew:+d} s: {code} x {n}" for (skew, code), n in sorted(answers.items()))
    invariant.until_quiet(QUIET_SECONDS)
    return Result(passed=answers == expected and stored == 2 * rounds, figure=said)


def odd_timestamps(stack: Stack) -> Result:
    """The present moment, or nearly, in every spelling but ten ASCII digits; rightly signed."""
    stack.up()
    desk = new_desk()
    sender = Sender(stack.url, desk)
    body = json.dumps(ticket(1)).encode()
    answers: Counter[int] = Counter()
    opened = []
    for number, spelled in enumerate(odd_spellings(int(time.time()))):
        told = made_up.sign(body, f"odd-{number}", spelled, desk.secret)
        code = sender.send("POST", sender.path, body, told).status
        answers[code] += 1
        if code != 401:
            opened.append(spelled)
    stored = Delivery.objects.filter(source=desk.source).count()
    # Told apart from a door that is simply shut.
    control = sender.post(body).status
    invariant.until_quiet(QUIET_SECONDS)
    return Result(
        passed=set(answers) == {401} and not stored and control == 202,
        figure=f"{_said(answers)}; plain digits: {control}"
        + (f"; opened by {opened[:3]!r}" if opened else ""),
    )


def fuzzed_signatures(stack: Stack, *, headers: int, threads: int) -> Result:
    """Headers of a rightly signed delivery, changed until they are its signature no more."""
    stack.up()
    desk, other = new_desk(), new_desk()
    sender = Sender(stack.url, desk)
    body = json.dumps(ticket(1)).encode()

    def send(numbers: Sequence[int]) -> Counter[int]:
        return Counter(_fuzzed(sender, body, number, other.secret) for number in numbers)

    before = sender.post(body).status
    answers = _added(
        in_threads([partial(send, part) for part in _dealt(range(headers), threads)], threads)
    )
    # Its connection has been idle for as long as the others were busy.
    sender.close()
    after = sender.post(json.dumps(ticket(2)).encode()).status
    stored = Delivery.objects.filter(source=desk.source).count()
    invariant.until_quiet(QUIET_SECONDS)
    return Result(
        passed=set(answers) == {401} and (before, after) == (202, 202) and stored == 2,
        figure=f"{_said(answers)}; {stored - 2} of them stored; unchanged: {before}, {after}",
    )


def odd_spellings(now: int) -> list[str]:
    """Header values that some reader of numbers would take for a timestamp."""
    text = str(now)
    zeros = [
        chr(code)
        for code in range(0x80, 0x110000)
        if unicodedata.decimal(chr(code), None) == 0 and chr(code).isdecimal()
    ]
    scripts = [text.translate({48 + n: ord(zero) + n for n in range(10)}) for zero in zeros]
    # One foreign digit among nine plain ones.
    mixed = [text[:-1] + line[-1] for line in scripts[:5]]
    spellings = [
        "", "0", "NaN", "nan", "-nan", "inf", "Infinity", "-inf", "1e9", "1E10", f"{text}e0",
        f"{text}.0", f"{text}.", f".{text}", f"+{text}", f"-{text}", f"--{text}", f"0{text}",
        f"{text}0", f"{text}000", text[:9], text[1:], f"{text[:9]} ", f"{text[:5]} {text[5:]}",
        f"{text[0]}_{text[1:4]}_{text[4:7]}_{text[7:]}", f"{now:,}", f"{text}L", f"{text}s",
        hex(now), oct(now), bin(now), f"{now:x}", f"{text};", f"{text},{text}", f"{text} {text}",
        f"'{text}'", f'"{text}"', f"\u00a0{text}", f"{text}\u00a0", f"\u2212{text}",
        f"{text}\u200b", f"\u200f{text}", f"{text}\u0301", f"\ufeff{text}",
        "٠١٢٣٤٥٦٧٨٩", "一二三四五六七八九〇", "①②③④⑤⑥⑦⑧⑨⓪", "ⅠⅡⅢⅣⅤⅥⅦⅧⅨⅩ", "¹²³⁴⁵⁶⁷⁸⁹⁰",
        "9" * 10, "0" * 10, "9" * 5000, "null", "true", "today", "2026-03-02T09:30:00Z",
        "Mon, 02 Mar 2026 09:30:00 GMT", "%31%37%37%32", "&#49;", "\\u0031",
    ]  # fmt: skip
    return [*spellings, *scripts, *mixed]


def _fuzzed(sender: Sender, body: bytes, number: int, other_secret: str) -> int:
    told = made_up.fuzzed(body, sender.secret, other_secret, Random(f"{SEED}:{number}"))
    return sender.send("POST", sender.path, body, told).status


def _skewed(sender: Sender, skew: int) -> int:
    """The answer to a delivery that is `skew` seconds off when it is judged."""
    for _ in range(PATIENCE):
        time.sleep(1.0 - time.time() % 1.0)
        second = int(time.time())
        body = json.dumps(ticket(second, id=f"T-{time.time_ns()}")).encode()
        code = sender.post(body, at=second + skew).status
        if time.time() - second < JUDGED_SECONDS or code not in (202, 401):
            return code
    return 0


def _version(number: int, version: int) -> dict[str, object]:
    return ticket(
        number, version=version, subject=f"Case {number}, {version}", body=f"As of {version}."
    )


def _misread(row: Ticket) -> bool:
    return (row.version, row.subject.rpartition(", ")[2], row.body) != (
        VERSIONS, str(VERSIONS), f"As of {VERSIONS}.",
    )  # fmt: skip


def _orders_that_came(desk: Desk) -> str:
    """How many of the 120 orders the deliveries were really stored in."""
    came: dict[int, list[int]] = {}
    rows = TicketVersion.objects.filter(ticket__source=desk.source).order_by("delivery_id")
    for ticket_id, version in rows.values_list("ticket_id", "version"):
        came.setdefault(ticket_id, []).append(version)
    return f"{len(set(map(tuple, came.values())))} of {len(ORDERS)}"


def _counts(desk: Desk) -> tuple[int, int, int]:
    return (
        Delivery.objects.filter(source=desk.source).count(),
        Ticket.objects.filter(source=desk.source).count(),
        Proposal.objects.filter(ticket__source=desk.source).count(),
    )


def _dealt(items: Sequence[T], hands: int) -> list[Sequence[T]]:
    return [items[hand::hands] for hand in range(hands)]


def _added(counts: Sequence[Counter[int]]) -> Counter[int]:
    return sum(counts, Counter())


def _said(answers: Mapping[int, int]) -> str:
    return ", ".join(f"{n:,} x {code}" for code, n in sorted(answers.items()))


CHECKS = [
    Check(
        "duplicate deliveries",
        duplicates,
        full={"tickets": 1_000, "copies": 10, "threads": 8},
        small={"tickets": 20, "copies": 4, "threads": 4},
    ),
    Check(
        "deliveries out of order",
        out_of_order,
        full={"tickets": 1_000, "threads": 8},
        small={"tickets": 24, "threads": 4},
    ),
    Check("clock skew", clock_skew, full={"rounds": 10}, small={"rounds": 1}),
    Check("odd timestamps", odd_timestamps),
    Check(
        "fuzzed signatures",
        fuzzed_signatures,
        full={"headers": 10_000, "threads": 8},
        small={"headers": 150, "threads": 4},
    ),
]
