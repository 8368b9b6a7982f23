"""Signature headers: signed over whatever is said to be the time, and made up from real ones."""

import base64
import hashlib
import hmac
import time
from collections.abc import Callable
from random import Random

NAMES = ("webhook-id", "webhook-timestamp", "webhook-signature")
Headers = dict[str, str]
Mutation = Callable[[Headers, Random], None]
# What HTTP lets a header hold; each character is the byte of its number.
ALLOWED = [chr(code) for code in (9, *range(32, 127), *range(128, 256))]
ODD_SIGNATURES = (
    "", "v1", "v1,", ",", "v1,=", "v1,====", "v1,AAAA", "v1,not base64!", "v1,AAAAA", "v1,\xff\xfe",
    "v1,a,b,c", "v1, ", "v1a,AAAA", "None", "null", "{}", "v1,None", "v1,%00", "v1,../../passwd",
    "sha256=", "Bearer x", "v1,v1,v1,", " " * 3000, "v1,AA== " * 300, "v1," + "A" * 4000,
)  # fmt: skip
ODD_NAMES = (
    "", " ", ".", "..", "a" * 65, "a b", "msg/1", "msg.1", "msg;1", "msg\t1", "<b>", "' or 1=1 --",
    "m\xfcg", "%6d", "msg\\n", "a" * 4000, "*", "null", "\xd9\xa1", "-1.5",
)  # fmt: skip
ODD_MOMENTS = ("", "0", "-1", "NaN", "inf", "1e9", "9" * 10, "9" * 4000, "0x10", "now", "\xd9\xa1")


def sign(body: bytes, webhook_id: str, timestamp: str, secret: str) -> Headers:
    """The three headers, rightly signed over a timestamp of any spelling, as UTF-8 on the wire."""
    digest = _digest(body, webhook_id, timestamp.encode(), secret)
    values = (webhook_id, timestamp, f"v1,{base64.b64encode(digest).decode()}")
    told = {name: _on_the_wire(value) for name, value in zip(NAMES, values, strict=True)}
    return {"content-type": "application/json"} | told


def fuzzed(body: bytes, secret: str, other_secret: str, rng: Random) -> Headers:
    """Headers that were right and are not any more; the same for the same state of `rng`."""
    while True:
        told = sign(body, f"msg_{rng.getrandbits(64):x}", str(int(time.time())), secret)
        told |= {"x-other": _signature(body, told, other_secret)}
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            rng.choice(MUTATIONS)(told, rng)
        told.pop("x-other", None)
        if not is_genuine(body, told, secret):
            return told


def is_genuine(body: bytes, told: Headers, secret: str) -> bool:
    """Whether one of the signatures, read as leniently as can be, is that of id, time and body."""
    webhook_id, timestamp, signatures = (told.get(name, "") for name in NAMES)
    raw = timestamp.strip(" \t").encode("latin-1")
    right = _digest(body, webhook_id.strip(" \t"), raw, secret)
    parts = [part for part in signatures.strip(" \t").split(" ") if part.startswith("v1,")]
    return any(right == _read(part.removeprefix("v1,")) for part in parts)


def _read(part: str) -> bytes:
    try:
        return base64.b64decode(part)
    except ValueError:
        return b""


def _digest(body: bytes, webhook_id: str, timestamp: bytes, secret: str) -> bytes:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    name = webhook_id.encode("latin-1", errors="replace")
    return hmac.digest(key, name + b"." + timestamp + b"." + body, hashlib.sha256)


def _signature(body: bytes, told: Headers, secret: str) -> str:
    digest = _digest(body, told["webhook-id"], told["webhook-timestamp"].encode(), secret)
    return f"v1,{base64.b64encode(digest).decode()}"


def _on_the_wire(value: str) -> str:
    # http.client writes one byte a character.
    return value.encode().decode("latin-1")


def _lose_one(told: Headers, rng: Random) -> None:
    told.pop(rng.choice(NAMES), None)


def _change_a_character(told: Headers, rng: Random) -> None:
    name = rng.choice(NAMES)
    value = told.get(name, "")
    at = rng.randrange(len(value) + 1)
    told[name] = value[:at] + rng.choice(ALLOWED) + value[at + 1 :]


def _put_something_in(told: Headers, rng: Random) -> None:
    name = rng.choice(NAMES)
    value = told.get(name, "")
    at = rng.randrange(len(value) + 1)
    told[name] = value[:at] + "".join(rng.choices(ALLOWED, k=rng.choice((1, 2, 40)))) + value[at:]


def _cut(told: Headers, rng: Random) -> None:
    name = rng.choice(NAMES)
    value = told.get(name, "")
    told[name] = value[: rng.randrange(len(value) + 1)]


def _swap_two(told: Headers, rng: Random) -> None:
    one, other = rng.sample(NAMES, 2)
    told[one], told[other] = told.get(other, ""), told.get(one, "")


def _another_moment(told: Headers, rng: Random) -> None:
    told["webhook-timestamp"] = str(
        int(time.time()) + rng.choice((-1, 1)) * rng.randrange(1, 10**5)
    )


def _another_name(told: Headers, rng: Random) -> None:
    told["webhook-id"] = f"msg_{rng.getrandbits(64):x}"


def _another_secret(told: Headers, rng: Random) -> None:
    told["webhook-signature"] = told.get("x-other", "")


def _another_version(told: Headers, rng: Random) -> None:
    version = rng.choice(("v0", "v2", "v1a", "V1", "v1 ", "v11", "", "1", "hmac", "v1;"))
    told["webhook-signature"] = version + told.get("webhook-signature", "").removeprefix("v1")


def _made_up_bytes(told: Headers, rng: Random) -> None:
    made = base64.b64encode(rng.randbytes(rng.choice((0, 1, 16, 31, 32, 33, 64)))).decode()
    told["webhook-signature"] = f"v1,{made}"


def _hexadecimal(told: Headers, rng: Random) -> None:
    raw = _read(told.get("webhook-signature", "").removeprefix("v1,"))
    told["webhook-signature"] = f"v1,{raw.hex()}"


def _odd_signature(told: Headers, rng: Random) -> None:
    told["webhook-signature"] = rng.choice(ODD_SIGNATURES)


def _odd_name(told: Headers, rng: Random) -> None:
    told["webhook-id"] = rng.choice(ODD_NAMES)


def _odd_moment(told: Headers, rng: Random) -> None:
    told["webhook-timestamp"] = rng.choice(ODD_MOMENTS)


def _noise(told: Headers, rng: Random) -> None:
    told[rng.choice(NAMES)] = "".join(rng.choices(ALLOWED, k=rng.randrange(200)))


MUTATIONS: tuple[Mutation, ...] = (
    _lose_one, _change_a_character, _put_something_in, _cut, _swap_two, _another_moment,
    _another_name, _another_secret, _another_version, _made_up_bytes, _hexadecimal,
    _odd_signature, _odd_name, _odd_moment, _noise,
)  # fmt: skip
