"""The door for helpdesks: what it takes, what it refuses, and that nothing breaks it."""

import base64
import json
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.conftest import INBOUND_SECRET, OPENED, post_signed, signed, ticket_message
from triage.intake import door
from triage.models import Delivery, Job, LedgerEntry, Source, SourceSecret

pytestmark = pytest.mark.django_db

Deliver = Callable[..., Any]
NOW = datetime(2026, 5, 4, 12, 0, tzinfo=OPENED.tzinfo)


@pytest.fixture(autouse=True)
def client_that_answers_500(client: Client) -> None:
    """The test client would raise what a browser sees as 500."""
    client.raise_request_exception = False


def url(source: Source) -> str:
    return f"/api/v1/sources/{source.slug}/webhook"


# --- What is taken --------------------------------------------------------------------------
def test_a_signed_delivery_is_stored_as_it_came_with_a_job(
    deliver: Deliver, source: Source
) -> None:
    body = (
        b' {"type": "ticket.created",\n "data": '
        + json.dumps(
            ticket_message(subject="Drucker geht nicht – Größe?")["data"], ensure_ascii=False
        ).encode()
        + b"}"
    )

    answer = deliver(source, body, webhook_id="msg_1")

    delivery = Delivery.objects.get()
    assert (answer.status_code, answer.json()) == (202, {"delivery": delivery.pk})
    assert bytes(delivery.body) == body
    assert (delivery.webhook_id, delivery.outcome) == ("msg_1", "")
    assert list(Job.objects.values_list("kind", "subject")) == [("receive", delivery.pk)]


def test_a_delivery_that_comes_again_is_answered_200_and_stores_nothing(
    deliver: Deliver, source: Source
) -> None:
    first = deliver(source, ticket_message(), webhook_id="msg_1")
    Job.objects.all().delete()

    again = deliver(source, ticket_message(), webhook_id="msg_1")

    assert (again.status_code, again.json()) == (200, first.json())
    assert Delivery.objects.count() == 1
    assert not Job.objects.exists()
    assert not LedgerEntry.objects.exists()


def test_a_known_id_with_another_body_is_refused_and_put_on_record(
    deliver: Deliver, source: Source
) -> None:
    deliver(source, ticket_message(), webhook_id="msg_1")

    answer = deliver(source, ticket_message(subject="Other"), webhook_id="msg_1")

    delivery = Delivery.objects.get()
    entry = LedgerEntry.objects.get()
    assert answer.status_code == 409
    assert json.loads(bytes(delivery.body)) == ticket_message()
    assert (entry.kind, entry.subject) == ("intake", f"delivery:{delivery.pk}")
    assert entry.payload["stored"] == delivery.body_sha256 != entry.payload["came"]


def test_two_sources_may_use_the_same_webhook_id(
    deliver: Deliver, source: Source, make_source: Callable[..., Source]
) -> None:
    answers = [
        deliver(one, ticket_message(), webhook_id="msg_1") for one in (source, make_source())
    ]

    assert [answer.status_code for answer in answers] == [202, 202]
    assert Delivery.objects.count() == 2


def test_while_two_secrets_live_both_open_and_a_retired_one_does_not(
    deliver: Deliver, source: Source, make_secret: Callable[..., SourceSecret]
) -> None:
    coded = "whsec_" + base64.b64encode(b"the second secret, in base64").decode()
    make_secret(source, coded)
    make_secret(source, "a retired secret of sufficient length", retired_at=OPENED)
    make_secret(source, "an outbound token of good length", purpose="outbound")

    codes = {
        secret: deliver(source, ticket_message(), secret=secret).status_code
        for secret in (
            INBOUND_SECRET,
            coded,
            "a retired secret of sufficient length",
            "an outbound token of good length",
        )
    }

    assert list(codes.values()) == [202, 202, 401, 401]


def test_one_of_several_signatures_is_enough(deliver: Deliver, source: Source) -> None:
    body = json.dumps(ticket_message()).encode()
    right = signed(body, webhook_id="msg_1")["webhook-signature"]

    answer = deliver(
        source, body, webhook_id="msg_1", headers={"webhook-signature": f"v1,AAAA {right}"}
    )

    assert answer.status_code == 202


# --- Who is let in --------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("skew", "code"), [(-299, 202), (299, 202), (-301, 401), (301, 401), (-86_400, 401)]
)
def test_a_timestamp_may_be_five_minutes_off(
    deliver: Deliver, source: Source, skew: int, code: int
) -> None:
    with time_machine.travel(NOW, tick=False):
        answer = deliver(source, ticket_message(), at=int(time.time()) + skew)

    assert answer.status_code == code
    assert Delivery.objects.count() == (code == 202)


WRONG_HEADERS = [
    {"webhook-timestamp": ""},
    {"webhook-timestamp": "٠١٢٣٤٥٦٧٨٩"},
    {"webhook-timestamp": "NaN"},
    {"webhook-timestamp": "inf"},
    {"webhook-timestamp": "1e9"},
    {"webhook-timestamp": "-100000000"},
    {"webhook-timestamp": "9" * 5000},
    {"webhook-id": ""},
    {"webhook-id": "msg 1"},
    {"webhook-id": "a" * 65},
    {"webhook-id": "mśg"},
    {"webhook-signature": ""},
    {"webhook-signature": "v1"},
    {"webhook-signature": "v1,"},
    {"webhook-signature": "v1,not base64!"},
    {"webhook-signature": "v1,AAAAA"},
    {"webhook-signature": "v2,AAAA"},
    {"webhook-signature": "v1,ÿþ"},
    {"webhook-signature": "v1,a,b,c"},
    {"webhook-signature": " " * 3000},
]


@pytest.mark.parametrize("headers", WRONG_HEADERS, ids=str)
def test_a_header_that_is_not_right_is_401_and_never_says_why(
    deliver: Deliver, source: Source, headers: dict[str, str]
) -> None:
    answer = deliver(source, ticket_message(), headers=headers)

    assert answer.status_code == 401
    assert answer.json() == {
        "detail": "The delivery is not signed by a live secret of this source."
    }
    assert not Delivery.objects.exists()


def test_arabic_digits_of_the_present_moment_are_401(client: Client, source: Source) -> None:
    body = json.dumps(ticket_message()).encode()
    headers = signed(body, webhook_id="msg_1")
    arabic = headers["webhook-timestamp"].translate({48 + n: 0x0660 + n for n in range(10)})

    answer = client.post(
        url(source), body, content_type="application/json",
        headers={**headers, "webhook-timestamp": arabic},
    )  # fmt: skip

    assert int(arabic) == int(headers["webhook-timestamp"])
    assert answer.status_code == 401


@pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_without_one_of_the_three_headers_it_is_401(
    client: Client, source: Source, missing: str
) -> None:
    body = json.dumps(ticket_message()).encode()
    headers = signed(body, webhook_id="msg_1")
    del headers[missing]

    answer = client.post(url(source), body, content_type="application/json", headers=headers)

    assert answer.status_code == 401


@hypothesis_settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    headers=st.fixed_dictionaries(
        {},
        optional={
            name: st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=80)
            for name in ("webhook-id", "webhook-timestamp", "webhook-signature")
        },
    ).filter(bool)
)
@example({"webhook-signature": "v1,"})
def test_no_header_that_is_made_up_opens_the_door(
    client: Client, source: Source, headers: dict[str, str]
) -> None:
    answer = post_signed(client, source, ticket_message(), webhook_id="msg_1", headers=headers)

    assert answer.status_code == 401


def test_a_body_that_was_changed_on_the_way_is_401(client: Client, source: Source) -> None:
    body = json.dumps(ticket_message()).encode()

    answer = client.post(
        url(source),
        body.replace(b"VPN", b"ALL"),
        content_type="application/json",
        headers=signed(body, webhook_id="msg_1"),
    )

    assert answer.status_code == 401


def test_an_inactive_or_unknown_source_is_404(deliver: Deliver, source: Source) -> None:
    unknown = Source(slug="nobody")
    Source.objects.filter(pk=source.pk).update(is_active=False)

    codes = [deliver(one, ticket_message()).status_code for one in (source, unknown)]

    assert codes == [404, 404]
    assert not Delivery.objects.exists()


@pytest.mark.parametrize("method", ["get", "head", "put", "patch", "delete"])
def test_anything_but_post_is_405(client: Client, source: Source, method: str) -> None:
    assert getattr(client, method)(url(source)).status_code == 405


# --- When something behind the door fails ---------------------------------------------------
def test_above_its_rate_a_source_is_told_when_to_come_back(
    deliver: Deliver, make_source: Callable[..., Source]
) -> None:
    source, other = make_source(deliveries_per_minute=3), make_source()

    codes = [deliver(source, ticket_message()).status_code for _ in range(3)]
    answer = deliver(source, ticket_message())

    assert codes == [202, 202, 202]
    assert answer.status_code == 429
    assert 1 <= int(answer["Retry-After"]) <= 61
    assert deliver(other, ticket_message()).status_code == 202


def test_who_cannot_sign_does_not_use_up_the_rate_of_a_source(
    deliver: Deliver, make_source: Callable[..., Source]
) -> None:
    source = make_source(deliveries_per_minute=1)

    for _ in range(5):
        assert deliver(source, ticket_message(), secret="x" * 30).status_code == 401

    assert deliver(source, ticket_message()).status_code == 202


def test_the_door_stands_where_the_address_table_says_and_tells_lengths(
    client: Client, deliver: Deliver, source: Source
) -> None:
    assert door.PATH.fullmatch(reverse("triage_api:webhook", args=[source.slug]))

    answer = deliver(source, ticket_message())
    foreign = client.post(url(source), b"{}", content_type="text/plain", headers={"Host": "evil"})

    assert int(answer["Content-Length"]) == len(answer.content)
    assert (foreign.status_code, client.get(url(source)).status_code) == (400, 405)
