import base64
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from tests.conftest import new_secret, new_source, new_ticket
from tests.threads import serving
from triage.demo.desk import Desk
from triage.demo.frame import Frame
from triage.demo.helpdesk import Helpdesk
from triage.helpdesks import http
from triage.helpdesks.base import HelpdeskConflict, HelpdeskRefused
from triage.helpdesks.generic import Generic
from triage.models import SourceSecret, Ticket

TOKEN = "a-token-of-the-tests"
AUTOMATION = "whsec_" + base64.b64encode(b"an automation secret of the tests").decode()


def told(**over: Any) -> dict[str, Any]:
    return {
        "story": "vpn-01",
        "subject": "No tunnel <b>at all</b>",
        "body": "It stops at 45 %.",
        "requester": {"address": "emma.clarke@norvik.example", "name": "Emma Clarke"},
        "opened_at": datetime(2026, 3, 2, 9, tzinfo=UTC).isoformat(),
    } | over


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def helpdesk(desk: Desk) -> Iterator[Helpdesk]:
    served = Helpdesk(desk, port=0, token=TOKEN, automation_secret=AUTOMATION)
    with serving(served):
        yield served


@pytest.fixture
def ticket(db: None, helpdesk: Helpdesk, desk: Desk) -> Ticket:
    """A ticket that both sides have at version 1."""
    source = new_source(api_url=helpdesk.url, allows_private_addresses=True)
    new_secret(source, TOKEN, purpose=SourceSecret.Purpose.OUTBOUND)
    return new_ticket(source, external_id=desk.open(told()))


def page(url: str) -> str:
    with urllib.request.urlopen(url, timeout=5) as answer:
        return str(answer.read().decode())


def test_values_are_set_at_the_version_that_was_seen(ticket: Ticket, desk: Desk) -> None:
    version = Generic().set_values(ticket, {"category": "network.vpn"}, version=1, key="p1-values")

    assert version == 2
    assert desk.get(ticket.external_id)["values"] == {"category": "network.vpn"}
    assert Generic().read(ticket).values == {"category": "network.vpn"}


def test_a_ticket_that_has_changed_meanwhile_is_a_conflict(ticket: Ticket, desk: Desk) -> None:
    desk.edit(ticket.external_id, lambda own: own.update(body="Solved itself."))

    with pytest.raises(HelpdeskConflict):
        Generic().set_values(ticket, {"category": "network.vpn"}, version=1, key="p1-values")

    assert desk.get(ticket.external_id)["values"] == {}


def test_the_same_key_again_changes_nothing_and_gets_the_first_answer(
    ticket: Ticket, desk: Desk
) -> None:
    first = Generic().add_note(
        ticket, "Countersign: accepted.", is_public=False, version=1, key="p1-note"
    )
    again = Generic().add_note(
        ticket, "Countersign: accepted.", is_public=False, version=1, key="p1-note"
    )
    Generic().set_values(ticket, {"team": "network"}, version=first, key="p1-values")
    late = Generic().set_values(ticket, {"team": "network"}, version=first, key="p1-values")

    assert (first, again, late) == (2, 2, 3)
    assert [note["marker"] for note in desk.get(ticket.external_id)["notes"]] == ["p1-note"]
    assert Generic().read(ticket).markers == {"p1-note"}


def test_a_wrong_token_is_refused(ticket: Ticket, desk: Desk) -> None:
    ticket.source.secrets.filter(purpose=SourceSecret.Purpose.OUTBOUND).delete()
    new_secret(ticket.source, "another-token", purpose=SourceSecret.Purpose.OUTBOUND)

    with pytest.raises(HelpdeskRefused, match="401"):
        Generic().set_status(ticket, "resolved", version=1, key="p1-status")

    assert desk.get(ticket.external_id)["status"] == "open"


@pytest.mark.parametrize(
    ("headers", "body", "code"),
    [
        ({}, b'{"values": {"team": "network"}}', 428),
        ({"If-Match": '"1"'}, b"{", 400),
        ({"If-Match": '"1"'}, b"[]", 400),
        ({"If-Match": '"1"'}, b'{"status": "lost"}', 400),
        ({"If-Match": '"1"'}, b"{}", 400),
    ],
)
def test_a_change_that_is_not_understood_is_refused(
    helpdesk: Helpdesk, desk: Desk, headers: dict[str, str], body: bytes, code: int
) -> None:
    number = desk.open(told())
    request = urllib.request.Request(
        f"{helpdesk.url}/tickets/{number}",
        data=body,
        headers={"Authorization": f"Bearer {TOKEN}", **headers},
        method="PATCH",
    )

    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=5)

    assert caught.value.code == code
    caught.value.close()
    assert desk.get(number)["version"] == 1


def test_our_own_write_goes_out_as_caused_by_us(ticket: Ticket, desk: Desk) -> None:
    Generic().set_status(ticket, "resolved", version=1, key="p1-status")

    bodies = [delivery["body"] for delivery in desk.outbox()]
    assert [body["type"] for body in bodies] == [
        "ticket.created",
        "ticket.event",
        "ticket.updated",
    ]
    assert bodies[1]["data"]["kind"] == "resolved"
    assert bodies[2]["caused_by"] == "p1-status"
    assert bodies[2]["data"]["version"] == 2


def test_a_signed_playbook_call_is_done_once(helpdesk: Helpdesk, desk: Desk) -> None:
    body = json.dumps({"type": "playbook.accepted", "data": {"ticket_id": "41001"}})
    now = datetime.now(UTC)
    headers = {
        "webhook-id": "p7-call",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(AUTOMATION).sign("p7-call", now, body),
    }

    def call(**over: str) -> dict[str, Any]:
        return http.call(
            "POST",
            f"{helpdesk.url}/automation",
            headers=headers | over,
            body=body.encode(),
            allows_private_addresses=True,
        )

    assert call() == {"state": "done"}
    assert call() == {"state": "done before"}
    with pytest.raises(HelpdeskRefused, match="401"):
        call(**{"webhook-id": "p8-call"})
    assert [made["id"] for made in desk.calls()] == ["p7-call"]


def test_its_pages_show_tickets_as_text(helpdesk: Helpdesk, desk: Desk) -> None:
    number = desk.open(told())
    desk.change(number, {"values": {"team": "<i>network</i>"}}, seen=1, key="p1-values")
    desk.note(number, "reply", "Hello <script>alert(1)</script>", "p1-reply", key="p1-reply")

    for shown in (page(helpdesk.url), page(f"{helpdesk.url}/t/{number}")):
        assert "No tunnel &lt;b&gt;at all&lt;/b&gt;" in shown
        assert "team: &lt;i&gt;network&lt;/i&gt;" in shown
        assert "Hello &lt;script&gt;" in shown
        assert "<script>" not in shown


def test_beside_a_ticket_stands_the_panel_and_the_policy_lets_it_in(desk: Desk) -> None:
    frame = Frame("http://127.0.0.1:9", "norvik", "maya", TOKEN)
    served = Helpdesk(desk, port=0, token=TOKEN, automation_secret=AUTOMATION, frame=frame)
    number = desk.open(told())

    with serving(served), urllib.request.urlopen(f"{served.url}/t/{number}", timeout=5) as answer:
        policy = answer.headers["Content-Security-Policy"]
        shown = answer.read().decode()

    assert policy.endswith("; frame-src http://127.0.0.1:9")
    assert f"<iframe src='http://127.0.0.1:9/embed/norvik/{number}?user=maya&amp;expires=" in shown


def test_a_second_start_goes_on_where_the_first_ended(tmp_path: Path) -> None:
    first = Desk(tmp_path / "desk.json", url="http://127.0.0.1:1")
    number = first.open(told())
    first.change(number, {"values": {"team": "network"}}, seen=1, key="p1-values")
    first.delivered(first.outbox()[0]["id"])

    second = Desk(tmp_path / "desk.json", url="http://127.0.0.1:1")

    assert second.get(number) == first.get(number)
    assert [delivery["body"]["type"] for delivery in second.outbox()] == ["ticket.updated"]
    assert second.open(told()) == str(int(number) + 1)
