"""Systems that sign the body alone: what the door takes from them, and what it cannot tell."""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.conftest import INBOUND_SECRET, new_secret, new_source, signed, ticket_message
from triage.models import Delivery, Job, LedgerEntry, Source, SourceSecret, Ticket

pytestmark = pytest.mark.django_db

BODY = json.dumps(ticket_message()).encode()


@pytest.fixture
def hub(db: None) -> Source:
    return new_source(helpdesk="hub")


def signature(body: bytes, secret: str = INBOUND_SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def post(
    client: Client,
    source: Source,
    body: bytes = BODY,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> Any:
    """With the right signature unless `headers` hold another."""
    return client.post(
        f"/api/v1/sources/{source.slug}/webhook",
        body,
        content_type="application/json",
        headers={"x-hub-signature-256": signature(body), **headers},
    )


def test_a_signed_body_is_stored_under_its_own_hash_and_read(
    client: Client, hub: Source, work: Callable[[], int]
) -> None:
    answer = post(client, hub)

    delivery = Delivery.objects.get()
    assert (answer.status_code, answer.json()) == (202, {"delivery": delivery.pk})
    assert bytes(delivery.body) == BODY
    assert delivery.webhook_id == delivery.body_sha256 == hashlib.sha256(BODY).hexdigest()
    assert list(Job.objects.values_list("kind", "subject")) == [("receive", delivery.pk)]
    work()
    assert Ticket.objects.get().subject == "VPN drops every hour"


def test_the_same_body_again_is_answered_200_and_stores_nothing(
    client: Client, hub: Source
) -> None:
    first = post(client, hub)
    Job.objects.all().delete()

    again = post(client, hub)

    assert (again.status_code, again.json()) == (200, first.json())
    assert Delivery.objects.count() == 1
    assert not Job.objects.exists()
    assert not LedgerEntry.objects.exists()


def test_the_next_version_is_another_delivery(client: Client, hub: Source) -> None:
    later = json.dumps(ticket_message(version=2)).encode()

    codes = [post(client, hub, body).status_code for body in (BODY, later)]

    assert codes == [202, 202]
    assert Delivery.objects.count() == 2


def test_an_id_in_a_header_that_nobody_signed_counts_for_nothing(
    client: Client, hub: Source
) -> None:
    post(client, hub, headers={"webhook-id": "msg_1"})

    again = post(client, hub, headers={"webhook-id": "msg_2"})

    assert again.status_code == 200
    assert Delivery.objects.get().webhook_id == hashlib.sha256(BODY).hexdigest()


def test_a_body_that_was_changed_on_the_way_is_401(client: Client, hub: Source) -> None:
    changed = BODY.replace(b"VPN", b"ALL")

    answer = post(client, hub, changed, headers={"x-hub-signature-256": signature(BODY)})

    assert answer.status_code == 401
    assert answer.json() == {
        "detail": "The delivery is not signed by a live secret of this source."
    }
    assert not Delivery.objects.exists()


def test_while_two_secrets_live_both_open_and_a_retired_one_does_not(
    client: Client, hub: Source
) -> None:
    second = "whsec_a-second-secret-whose-text-is-the-key"
    old = SourceSecret.objects.get(source=hub)
    new_secret(hub, second)
    new_secret(hub, "an outbound token of good length", purpose="outbound")

    def code(secret: str, version: int) -> int:
        body = json.dumps(ticket_message(version=version)).encode()
        answer = post(client, hub, body, headers={"x-hub-signature-256": signature(body, secret)})
        return int(answer.status_code)

    assert [code(INBOUND_SECRET, 1), code(second, 2)] == [202, 202]
    assert code("an outbound token of good length", 3) == 401
    SourceSecret.objects.filter(pk=old.pk).update(retired_at=old.created_at)
    assert [code(INBOUND_SECRET, 4), code(second, 5)] == [401, 202]


def test_without_a_live_secret_nothing_is_let_in(client: Client, hub: Source) -> None:
    hub.secrets.all().delete()

    assert post(client, hub).status_code == 401
    assert (
        post(client, hub, headers={"x-hub-signature-256": signature(BODY, "")}).status_code == 401
    )


def test_neither_dialect_takes_the_signature_of_the_other(client: Client, hub: Source) -> None:
    generic = new_source()
    other = signed(BODY, webhook_id="msg_1")

    assert post(client, generic).status_code == 401
    assert post(client, hub, headers={"x-hub-signature-256": ""} | other).status_code == 401


RIGHT = signature(BODY)
WRONG = [
    "",
    "sha256",
    "sha256=",
    RIGHT.removeprefix("sha256="),
    RIGHT[:-1],
    RIGHT + "0",
    RIGHT.replace("sha256=", "sha1="),
    RIGHT.replace("sha256=", "SHA256="),
    RIGHT.replace("sha256=", "sha256= "),
    f" {RIGHT[:-1]}g",
    f"{RIGHT},{RIGHT}",
    f"sha256={'g' * 64}",
    f"sha256={'0' * 64}",
    f"sha256={'ÿ' * 64}",
    "x" * 5000,
]


@pytest.mark.parametrize("header", WRONG, ids=lambda header: repr(header[:24]))
def test_a_header_that_is_not_right_is_401(client: Client, hub: Source, header: str) -> None:
    client.raise_request_exception = False

    assert post(client, hub, headers={"x-hub-signature-256": header}).status_code == 401
    assert not Delivery.objects.exists()


def test_the_older_header_with_sha1_opens_nothing(client: Client, hub: Source) -> None:
    digest = hmac.new(INBOUND_SECRET.encode(), BODY, hashlib.sha1).hexdigest()
    headers = {"x-hub-signature-256": "", "x-hub-signature": f"sha1={digest}"}

    assert post(client, hub, headers=headers).status_code == 401


def test_hexadecimal_may_be_written_large(client: Client, hub: Source) -> None:
    large = "sha256=" + RIGHT.removeprefix("sha256=").upper()

    assert post(client, hub, headers={"x-hub-signature-256": large}).status_code == 202


@hypothesis_settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    header=st.one_of(
        st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=90),
        st.text("0123456789abcdefABCDEF=, ", max_size=90).map("sha256={}".format),
        st.text("0123456789abcdef", min_size=64, max_size=64).map("sha256={}".format),
    ).filter(lambda header: header.strip() != RIGHT)
)
@example("sha256=" + "٠" * 64)
def test_no_header_that_is_made_up_opens_the_door(client: Client, hub: Source, header: str) -> None:
    client.raise_request_exception = False

    assert post(client, hub, headers={"x-hub-signature-256": header}).status_code == 401


@hypothesis_settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(position=st.integers(0, len(BODY) - 1), bit=st.integers(0, 7))
def test_no_single_bit_of_the_body_may_change(
    client: Client, hub: Source, position: int, bit: int
) -> None:
    changed = bytearray(BODY)
    changed[position] ^= 1 << bit

    answer = post(client, hub, bytes(changed), headers={"x-hub-signature-256": RIGHT})

    assert answer.status_code == 401
