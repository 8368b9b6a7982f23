"""Bodies that are no messages, or nearly: a corpus by hand, and mutations of good messages."""

import json
from collections.abc import Callable
from random import Random
from typing import Any

from bench.load import OPENED

# Texts that programs trip over: escapes, halves of characters, direction marks, piles of accents.
TEXTS = (
    "", " ", "\t\r\n", "\x00", "a\x00b", "\x01\x02\x1b[31m", "\x7f", "\x80\x85\x9f", "\ud800",
    "\udfff", "\udc00\ud800", "x\ud83d", "\U0001f600", "\U0010ffff", "\ufffe\uffff", "\ufeffx",
    "\u2028\u2029", "\u202eabc\u202c", "\u200b\u200d\u2060", "e" + "\u0301" * 200,
    "\u05b0\u0591" * 300, "\ufdfa" * 50, "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "\U000e0041\U000e0042", "ÄÖÜß ñ ø ł ď", "ﬁ ﬀ ﬃ", "İıŞş", "한국어 조합 \u1112\u1161\u11ab",
    "ไทย", "العربية ١٢٣", "עברית", "日本語 ﾊﾟｽﾜｰﾄﾞ", "\uffff0", "null", "true", "NaN", "1e309",
    "-0", "0x10", "1_000", "٣", "None", "undefined", "{}", "[]", '"', "\\", "%s%n%d",
    "{0}{1!r:>99999}",
    "${jndi:x}", "'; DROP TABLE triage_ticket; --", "../../etc/passwd", "=1+1", "<script>",
    "\\u0000", "\\ud800", "&#0;", "x" * 5_000, "y " * 40_000, "z" * 90_000,
)  # fmt: skip
MOMENTS = (
    "", "now", "0000-00-00T00:00:00Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59",
    "1969-12-31T23:59:59Z", "2101-01-01T00:00:00Z", "2026-02-30T00:00:00Z", "2016-12-31T23:59:60Z",
    "2026-03-02", "2026-03-02T09:30:00", "2026-03-02T09:30:00+99:99", "2026-W10-1",
    "20260302T093000Z", "2026-03-02T09:30:00.123456789Z", "2026-03-02 09:30:00 +0000", "1772443800",
    "٢٠٢٦-٠٣-٠٢T09:30:00Z", "2026-03-02T24:00:00Z", "-2026-03-02T09:30:00Z", "2026-03-02T09:30:00z",
    "+002026-03-02T09:30:00Z",
)  # fmt: skip
NUMBERS: tuple[Any, ...] = (
    0, -1, 1, 1.0, 1.5, -0.0, 1e300, float("nan"), float("inf"), 2**31, 2**53 + 1, 2**63 - 1, 2**63,
    -(2**63), 10**40, 10**4000,
)  # fmt: skip
SHAPES: tuple[Any, ...] = (None, True, False, [], {}, [[]], [None], {"": None}, {"id": {"id": []}})
KINDS = (
    "reassigned", "recategorised", "escalated", "started", "paused", "awaiting", "resolved",
    "reopened", "closed", "rated", "commented",
)  # fmt: skip
TYPES = ("ticket.created", "ticket.updated", "ticket.event")
RAW = (
    b"\x00", b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xef\xbb\xbf",
    b"\\u0000", b"\\ud83d", b"\\udc00", b"NaN", b"Infinity", b"-", b"1e999", b"9" * 5_000, b"{",
    b"}", b"[" * 2_000, b"]", b'"', b"\\", b",", b":", b"/*x*/", b"'", b"\n", b"\x0b",
    b"\xe2\x80\xa8", b"\\x41", b"0", b".",
)  # fmt: skip


def corpus() -> list[bytes]:
    """Bodies written down once; a few of them are good messages in an unusual dress."""
    whole = json.dumps(message(Random(1), 1)).encode()
    odd = [
        b"", b" ", b"null", b"true", b"0", b'""', b"[]", b"{}", b"{}{}", b"[{}]", b"{", b"}", b'{"',
        b"{]", b"NaN", b"-", b"01", b"1.", b".5", b"+1", b"1e5", b"9" * 5_000, b"'a'", b"{'a': 1}",
        b'{"a": 1,}', b'{"a" 1}', b'{"a": undefined}', b"<xml/>", b"type=ticket.created",
        b"--boundary", b"%7B%7D", b"[" * 100_000, b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 30_000 + b"1" + b"}" * 30_000, b"\xef\xbb\xbf" + whole,
        whole.decode().encode("utf-16"), whole.decode().encode("utf-32"),
        whole.decode().encode("utf-16-le"), whole + b"\x00", b"\x00" + whole, whole + b" \r\n\t ",
        b"\x1f\x8b\x08\x00" + whole, whole[:-1], whole[1:], whole * 2, b"//x\n" + whole,
        b"\x0c" + whole, whole.replace(b'"', b"'"), whole.replace(b": ", b" = "),
        whole.replace(b"{", b"["),
    ]  # fmt: skip
    dressed = [
        json.dumps(message(Random(2), number, body=text)).encode()
        for number, text in enumerate(TEXTS, start=100)
    ]
    raw = [
        json.dumps(message(Random(3), number, subject=text), ensure_ascii=False).encode(
            errors="surrogatepass"
        )
        for number, text in enumerate(TEXTS, start=200)
    ]
    values: list[Any] = [*NUMBERS, *SHAPES, *TEXTS[:40]]
    typed = [
        json.dumps(message(Random(4), number, **{key: value})).encode()
        for place, key in enumerate(("id", "version", "requester", "values", "opened_at"))
        for number, value in enumerate(values, start=300 + 100 * place)
    ]
    return [*odd, *dressed, *raw, *typed]


def message(rng: Random, number: int, **over: Any) -> dict[str, Any]:
    """A good message: a ticket, or one time in four an event of ticket M-0; `over` its data."""
    if rng.randrange(4) == 0:
        data: dict[str, Any] = {
            "id": f"E-{number}",
            "ticket_id": "M-0",
            "kind": rng.choice(KINDS),
            "happened_at": OPENED.isoformat(),
            "field": "team",
            "choice": "network",
            "score": rng.choice((None, 1, 5)),
            "resolution": rng.choice(TEXTS[:30]) if rng.randrange(5) == 0 else "Done.",
        }
        return {"type": "ticket.event", "data": data | over}
    data = {
        "id": f"M-{number}",
        "version": rng.randrange(1, 9),
        "subject": "VPN drops every hour",
        "body": "Since Monday the tunnel closes after an hour.",
        "requester": {"address": "ann@example.org", "name": "Ann Weber"},
        "url": "https://helpdesk.example.org/tickets/1",
        "opened_at": OPENED.isoformat(),
        "values": {"priority": "normal"},
    }
    return {"type": rng.choice(TYPES[:2]), "data": data | over}


def mutated(rng: Random, number: int) -> bytes:
    """A good message after one to three changes of its tree and up to two of its bytes."""
    tree = message(rng, number)
    for _ in range(rng.choice((1, 1, 2, 3))):
        rng.choice(TREE)(tree, rng)
    ascii_only = rng.random() < 0.5
    body = json.dumps(tree, ensure_ascii=ascii_only).encode(errors="surrogatepass")
    for _ in range(rng.choice((0, 0, 0, 1, 2))):
        body = rng.choice(BYTES)(body, rng)
    return body[:200_000]


def _odd(rng: Random) -> Any:
    return rng.choice(rng.choice((TEXTS, TEXTS, MOMENTS, NUMBERS, SHAPES)))


def _place(tree: dict[str, Any], rng: Random) -> dict[str, Any]:
    """The message, its data, or an object within that."""
    data = tree.get("data")
    inner = [data] if isinstance(data, dict) else []
    inner += [item for found in inner for item in found.values() if isinstance(item, dict)]
    return rng.choice([tree, *inner, *inner])


def _replace(tree: dict[str, Any], rng: Random) -> None:
    place = _place(tree, rng)
    if place:
        place[rng.choice(list(place))] = _odd(rng)


def _retext(tree: dict[str, Any], rng: Random) -> None:
    """An odd text where a text belongs, so that most of these are taken."""
    data = tree.get("data")
    if isinstance(data, dict):
        key = rng.choice(("subject", "body", "resolution", "id", "choice", "field"))
        data[key] = rng.choice(TEXTS)


def _remove(tree: dict[str, Any], rng: Random) -> None:
    place = _place(tree, rng)
    if place:
        del place[rng.choice(list(place))]


def _add(tree: dict[str, Any], rng: Random) -> None:
    _place(tree, rng)[str(rng.choice(TEXTS))] = _odd(rng)


def _rename(tree: dict[str, Any], rng: Random) -> None:
    place = _place(tree, rng)
    if place:
        key = rng.choice(list(place))
        place[rng.choice((key.upper(), f"{key} ", key[:-1], rng.choice(TEXTS)))] = place.pop(key)


def _nest(tree: dict[str, Any], rng: Random) -> None:
    deep: Any = _odd(rng)
    for _ in range(rng.choice((1, 5, 50, 300))):
        deep = [deep] if rng.random() < 0.5 else {"a": deep}
    _place(tree, rng)[rng.choice(("values", "data", "requester", "x"))] = deep


def _remoment(tree: dict[str, Any], rng: Random) -> None:
    data = tree.get("data")
    if isinstance(data, dict):
        data[rng.choice(("opened_at", "happened_at"))] = rng.choice(MOMENTS)


def _renumber(tree: dict[str, Any], rng: Random) -> None:
    data = tree.get("data")
    if isinstance(data, dict):
        data[rng.choice(("version", "score"))] = rng.choice(NUMBERS)


def _flip(body: bytes, rng: Random) -> bytes:
    at = rng.randrange(len(body) or 1)
    return body[:at] + bytes([body[at] ^ 1 << rng.randrange(8)] if body else []) + body[at + 1 :]


def _splice(body: bytes, rng: Random) -> bytes:
    at = rng.randrange(len(body) + 1)
    return body[:at] + rng.choice(RAW) + body[at:]


def _cut(body: bytes, rng: Random) -> bytes:
    start, end = sorted((rng.randrange(len(body) + 1), rng.randrange(len(body) + 1)))
    return body[:start] + body[end:]


def _repeat(body: bytes, rng: Random) -> bytes:
    start, end = sorted((rng.randrange(len(body) + 1), rng.randrange(len(body) + 1)))
    return body[:end] + body[start:end] * rng.choice((1, 2, 30)) + body[end:]


def _twin_key(body: bytes, rng: Random) -> bytes:
    key, value = rng.choice((b"type", b"data", b"id", b"version")), rng.choice(RAW)
    return body.replace(b"{", b'{"' + key + b'": ' + value + b", ", 1)


TREE: tuple[Callable[[dict[str, Any], Random], None], ...] = (
    _replace, _replace, _retext, _retext, _retext, _remove, _add, _rename, _nest, _remoment,
    _renumber,
)  # fmt: skip
BYTES: tuple[Callable[[bytes, Random], bytes], ...] = (_flip, _splice, _cut, _repeat, _twin_key)
