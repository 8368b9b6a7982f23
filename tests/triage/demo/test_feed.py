import base64
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Event, Thread
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client

from tests.conftest import new_catalogue, new_secret, new_source
from tests.threads import serving
from triage import tasks
from triage.demo.corpus import Story, split, stories
from triage.demo.desk import Desk
from triage.demo.feed import Feed, NotTaken, Post
from triage.helpdesks.generic import Generic
from triage.models import Delivery, Proposal, Ticket

SECRET = "whsec_" + base64.b64encode(b"an inbound secret of the tests..").decode()


class Receiver(HTTPServer):
    """Keeps what it gets and answers with the codes it was given, the last one for ever."""

    def __init__(self, *codes: int) -> None:
        super().__init__(("127.0.0.1", 0), Taking)
        self.codes = list(codes)
        self.got: list[tuple[dict[str, str], bytes]] = []


class Taking(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append(({k.lower(): v for k, v in self.headers.items()}, body))
        codes = self.server.codes
        self.send_response(codes.pop(0) if codes[1:] else codes[0])
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Silent."""


class ThroughClient(Post):
    """Delivers to the web side without a network in between."""

    def send(self, delivery_id: str, message: dict[str, Any]) -> int:
        receiver = Receiver(202)
        thread = Thread(target=receiver.handle_request)
        thread.start()
        Post(f"http://127.0.0.1:{receiver.server_port}/", self.secret).send(delivery_id, message)
        thread.join()
        receiver.server_close()
        ((headers, body),) = receiver.got
        signed = {key: value for key, value in headers.items() if key.startswith("webhook-")}
        answer = Client().post(
            urlsplit(self.url).path, body, content_type="application/json", headers=signed
        )
        return answer.status_code


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    served = Receiver(503, 202)
    with serving(served):
        yield served


def feed_to(post: Post, told: list[Story] | None = None) -> Feed:
    return Feed(Desk(), post, told or split(stories())[1], seed=1)


def test_deliveries_verify_and_one_that_was_not_taken_comes_again_under_its_id(
    receiver: Receiver,
) -> None:
    feed = feed_to(Post(f"http://127.0.0.1:{receiver.server_port}/", SECRET))
    number = feed.tell_next(opened=datetime.now(UTC))

    assert feed.deliver() == 0
    assert feed.deliver() == 1

    assert feed.desk.outbox() == []
    ids = {Generic().verify(body, headers, [SECRET], time.time()) for headers, body in receiver.got}
    assert len(receiver.got) == 2
    assert len(ids) == 1
    assert f'"id": "{number}"'.encode() in receiver.got[1][1]


def test_a_receiver_that_is_away_is_waited_for() -> None:
    nobody = HTTPServer(("127.0.0.1", 0), Taking)
    post = Post(f"http://127.0.0.1:{nobody.server_port}/", SECRET)
    nobody.server_close()

    with pytest.raises(NotTaken):
        post.send("demo_1", {"type": "ticket.created"})


def test_all_stories_are_told_once_before_others_tell_them_again() -> None:
    told = [story for story in split(stories())[1] if story.language == "en"][:7]
    feed = feed_to(Post("http://127.0.0.1:1/", SECRET), told)

    for _ in range(10):
        feed.tell_next(opened=datetime.now(UTC))

    opened = list(reversed(feed.desk.tickets()))
    assert {ticket["story"] for ticket in opened[:7]} == {story.key for story in told}
    assert [ticket["story"] for ticket in opened[7:]] == [t["story"] for t in opened[:3]]
    assert len({ticket["id"] for ticket in opened}) == 10


def test_a_decided_ticket_lives_on_as_its_story_says(monkeypatch: pytest.MonkeyPatch) -> None:
    moved = next(
        story
        for story in stories()
        if [h.kind for h in story.happenings][:2] == ["reassigned", "resolved"]
    )
    feed = feed_to(Post("http://127.0.0.1:1/", SECRET), [moved])
    number = feed.tell_next(opened=datetime.now(UTC))
    feed.desk.change(number, {"values": {"team": "nobody"}}, seen=1, key="p1-values")
    now = time.time()

    for minutes in range(20):
        monkeypatch.setattr("triage.demo.feed.time.time", lambda at=now + 60 * minutes: at)
        feed.live_on()

    ticket = feed.desk.get(number)
    assert ticket["values"]["team"] == moved.happenings[0].team
    assert ticket["status"] == "resolved"
    events = [d["body"]["data"] for d in feed.desk.outbox() if d["body"]["type"] == "ticket.event"]
    assert [event["kind"] for event in events] == ["reassigned", "resolved"]
    assert events[1]["resolution"] == moved.resolution


def test_what_piles_up_undecided_is_solved_by_the_helpdesk_itself() -> None:
    feed = feed_to(Post("http://127.0.0.1:1/", SECRET))
    oldest = feed.tell_next(opened=datetime.now(UTC))
    for _ in range(60):
        feed.tell_next(opened=datetime.now(UTC))

    feed.live_on()

    assert feed.desk.get(oldest)["status"] == "resolved"


def test_it_fills_the_queue_first_and_stops_when_told(receiver: Receiver) -> None:
    feed = feed_to(Post(f"http://127.0.0.1:{receiver.server_port}/", SECRET))
    stop = Event()
    thread = Thread(target=feed.run, args=(stop,), kwargs={"every_seconds": 60.0, "first": 25})
    thread.start()
    deadline = time.monotonic() + 20
    while (len(feed.desk.tickets()) < 26 or feed.desk.outbox()) and time.monotonic() < deadline:
        time.sleep(0.05)
    stop.set()
    thread.join(5)

    assert not thread.is_alive()
    opened = [datetime.fromisoformat(t["opened_at"]) for t in feed.desk.tickets()]
    assert len(opened) == 26
    assert (max(opened) - min(opened)).total_seconds() > 3600


def test_told_tickets_become_proposals(db: None) -> None:
    source = new_source(slug="norvik")
    new_secret(source, SECRET)
    new_catalogue(source)
    feed = feed_to(ThroughClient("http://testserver/api/v1/sources/norvik/webhook", SECRET))
    for _ in range(5):
        feed.tell_next(opened=datetime.now(UTC))

    assert feed.deliver() == 5
    while tasks.work_once():
        pass

    assert Delivery.objects.filter(outcome=Delivery.Outcome.APPLIED).count() == 5
    assert Proposal.objects.count() == 5
    assert set(Ticket.objects.values_list("external_id", flat=True)) == {
        ticket["id"] for ticket in feed.desk.tickets()
    }
