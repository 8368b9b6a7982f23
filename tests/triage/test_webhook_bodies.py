"""Bodies that helpdesks, or others, post: none of them breaks the door."""

import json
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.conftest import post_signed, signed, ticket_message
from triage.models import Delivery, Source

pytestmark = pytest.mark.django_db

Deliver = Callable[..., Any]
LIMIT = settings.WEBHOOK_BODY_LIMIT_BYTES


@pytest.fixture(autouse=True)
def client_that_answers_500(client: Client) -> None:
    """The test client would raise what a browser sees as 500."""
    client.raise_request_exception = False


def url(source: Source) -> str:
    return f"/api/v1/sources/{source.slug}/webhook"


def padded(size: int) -> bytes:
    """A valid message of exactly `size` bytes."""
    empty = json.dumps(ticket_message(body="")).encode()
    return json.dumps(ticket_message(body="x" * (size - len(empty)))).encode()


def test_exactly_the_limit_is_taken_and_one_byte_more_is_413(
    deliver: Deliver, source: Source
) -> None:
    at, over = padded(LIMIT), padded(LIMIT + 1)

    assert (len(at), len(over)) == (262_144, 262_145)
    assert deliver(source, at).status_code == 202
    assert deliver(source, over).status_code == 413


class Pieces(BytesIO):
    """Gives less than asked for, as a body that comes in chunks does."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(min(1000, LIMIT if size is None or size < 0 else size))


@pytest.mark.parametrize(("size", "status"), [(5_000, 202), (LIMIT, 202), (LIMIT + 1, 413)])
def test_a_body_in_chunks_is_read_up_to_the_limit(
    client: Client, source: Source, size: int, status: int
) -> None:
    body = padded(size)
    stream = Pieces(body + b"x" * LIMIT if size > LIMIT else body)
    sent: dict[str, Any] = {"wsgi.input": stream, "CONTENT_LENGTH": ""}

    answer = client.post(
        url(source),
        headers=signed(body, webhook_id="msg_1") | {"transfer-encoding": "chunked"},
        **sent,
    )

    assert answer.status_code == status
    assert [bytes(one.body) for one in Delivery.objects.all()] == [body] * (status == 202)
    assert stream.tell() <= LIMIT + 1


def test_a_body_larger_than_announced_is_not_read_further(client: Client, source: Source) -> None:
    body = padded(LIMIT + 50_000)

    answer = client.post(
        url(source),
        body,
        content_type="application/json",
        headers=signed(body, webhook_id="msg_1"),
        CONTENT_LENGTH="100",
    )

    assert answer.status_code == 401


@pytest.mark.parametrize("length", ["", "abc", "-1", "1e3", "9" * 30, "9" * 5000])
def test_a_content_length_that_lies_is_a_4xx(client: Client, source: Source, length: str) -> None:
    body = json.dumps(ticket_message()).encode()

    answer = client.post(
        url(source),
        body,
        content_type="application/json",
        headers=signed(body, webhook_id="msg_1"),
        CONTENT_LENGTH=length,
    )

    assert answer.status_code in (400, 401, 413)


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "gzip, identity"])
def test_an_encoded_body_is_415(deliver: Deliver, source: Source, encoding: str) -> None:
    answer = deliver(source, ticket_message(), headers={"Content-Encoding": encoding})

    assert answer.status_code == 415


NOT_USABLE = {
    "empty": b"",
    "cut": b'{"type": "ticket.created", "data": {',
    "two values": b"{}{}",
    "not json": b"type=ticket.created",
    "huge integer": b'{"type": ' + b"9" * 5000 + b"}",
    "deep lists": b"[" * 100_000 + b"]" * 100_000,
    "deep objects": b'{"a":' * 40_000 + b"1" + b"}" * 40_000,
    "half a surrogate pair": json.dumps(ticket_message(subject="\ud800")).encode(),
    "half a pair as a key": json.dumps(ticket_message(values={"\udfff": "x"})).encode(),
    "NUL in the text": json.dumps(ticket_message(body="a\0b")).encode(),
    "NUL in a key": json.dumps(ticket_message(values={"a\0": "x"})).encode(),
    "NUL deep inside what is ignored": json.dumps({"x": [{"y": ["\0"]}]}).encode(),
    "a list": b"[]",
    "a string": b'"ticket.created"',
    "null": b"null",
    "NaN": b"NaN",
}


@pytest.mark.parametrize("body", NOT_USABLE.values(), ids=NOT_USABLE)
def test_a_signed_body_that_is_not_usable_is_400_and_not_stored(
    deliver: Deliver, source: Source, body: bytes
) -> None:
    answer = deliver(source, body)

    assert answer.status_code == 400
    assert answer.json()["detail"]
    assert not Delivery.objects.exists()


@pytest.mark.parametrize("body", [b"\xff\xfe{\0}\0", b"\xed\xa0\x80", bytes(range(256))])
def test_a_signed_body_that_is_not_utf_8_is_a_4xx(
    deliver: Deliver, source: Source, body: bytes
) -> None:
    assert deliver(source, body).status_code in (400, 401)


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_no_depth_of_nesting_breaks_the_reading(
    deliver: Deliver, source: Source, opening: str, closing: str
) -> None:
    """Around the depth at which Python gives up, whichever step is the first to do so."""
    codes = {}
    for depth in range(600, 1000, 2):
        nested = opening * depth + "1" + closing * depth
        codes[depth] = deliver(source, f'{{"type": {nested}, "data": {{}}}}'.encode()).status_code

    assert {depth: code for depth, code in codes.items() if code != 400} == {}


STRANGE: list[object] = [
    None,
    True,
    0,
    -1,
    1.5,
    2**64,
    10**400,
    "",
    "x" * 5000,
    [],
    [[]],
    {},
    {"a": {}},
]


@pytest.mark.parametrize("value", STRANGE, ids=lambda value: repr(value)[:20])
@pytest.mark.parametrize(
    "key",
    ["type", "timestamp", "caused_by", "data"]
    + [f"data.{k}" for k in ("id", "version", "subject", "body", "requester", "url")]
    + [f"data.{k}" for k in ("opened_at", "values")]
    + ["data.requester.address", "data.requester.name", "data.values.category"],
)
def test_a_wrong_type_at_any_key_is_named_or_taken(
    deliver: Deliver, source: Source, key: str, value: object
) -> None:
    message = ticket_message(values={"category": "network"})
    *path, last = key.split(".")
    place = message
    for step in path:
        place = place[step]
    place[last] = value

    answer = deliver(source, message)

    assert answer.status_code in (202, 400)
    if answer.status_code == 400:
        assert last in json.dumps(answer.json()["detail"])


@hypothesis_settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    payload=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(["type", "data", "id", "version", "values", "opened_at", "url"])
                | st.text(max_size=8),
                inner,
                max_size=6,
            )
        ),
        max_leaves=30,
    )
)
def test_no_signed_json_gets_a_5xx(client: Client, source: Source, payload: object) -> None:
    assert post_signed(client, source, payload).status_code in (202, 400)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("version", -1, "greater than or equal to 0"),
        ("version", 2**63, "less than or equal to"),
        ("opened_at", "yesterday", "wrong format"),
        ("opened_at", "0001-01-01T00:00:00+14:00", "out of range"),
        ("opened_at", "1969-12-31T23:59:59Z", "1970 to 2100; it is 1969"),
        ("id", "x" * 65, "no more than 64 characters"),
        ("url", "javascript:alert(1)", "valid URL"),
        ("requester", {"address": "x" * 255}, "no more than 254 characters"),
    ],
)
def test_a_refusal_names_the_key_and_the_rule(
    deliver: Deliver, source: Source, key: str, value: object, said: str
) -> None:
    answer = deliver(source, ticket_message(**{key: value}))

    assert answer.status_code == 400
    assert said in json.dumps(answer.json()["detail"]["data"][key])
