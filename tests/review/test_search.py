"""Search over all tickets: what is found, in which order, how it is shown, and what it costs."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from review import decisions, search
from review.search import SearchFilter, search_page, snippet, words_of
from tests.review.helpers import (
    Desk,
    make_desk,
    make_proposal,
    make_reader,
    make_technician,
    make_ticket,
    make_user,
)
from triage.models import Proposal, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(client: Client) -> Client:
    client.force_login(make_reader())
    return client


@pytest.fixture
def desk(db: None) -> Desk:
    return make_desk()


def text(client: Client, query: str) -> str:
    response = client.get(f"/search/{query}")
    assert response.status_code == 200
    return response.content.decode()


def found(client: Client, query: str) -> list[str]:
    titles = re.findall(r'class="subject"[^>]*>(.*?)</a>', text(client, query))
    return [unescape(re.sub(r"</?mark>", "", title)) for title in titles]


def ticket(desk: Desk, subject: str, minutes: int = 5, **over: Any) -> Ticket:
    opened = timezone.now() - timedelta(minutes=minutes)
    return make_ticket(desk, subject=subject, **{"opened_at": opened, "body": "words"} | over)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?q=tunnel", ["second", "first"]),
        ("?q=TUNNEL", ["second", "first"]),
        ("?q=%22tunnel closes%22", ["first"]),
        ("?q=tunnel -closes", ["second"]),
        ("?q=closes or printer", ["third", "first"]),
        ("?q=%2377", ["third"]),
        ("?q=77", ["third"]),
        ("?q=bob%40example.org", ["third"]),
        ("?q=Bob%40Example.org", ["third"]),
        ("?q=tunn", []),
        ("?q=", []),
        ("?q=%00", []),
        ("?q=%23", []),
        ("?q=%22", []),
        ("?q=tunnel&source=norvik", ["second", "first"]),
        ("?q=tunnel&source=nowhere", []),
        ("?q=tunnel&state=nonsense", []),
    ],
)
def test_words_numbers_and_addresses_are_found_newest_first(
    reader: Client, desk: Desk, query: str, expected: list[str]
) -> None:
    ticket(desk, "first", 90, body="The tunnel closes")
    ticket(desk, "second", 60, body="The tunnel is slow")
    ticket(desk, "third", 30, body="A printer", external_id="77", requester="bob@example.org")

    assert found(reader, query) == expected


def test_every_state_is_found_and_can_be_asked_for(reader: Client, desk: Desk) -> None:
    def named(subject: str, **over: Any) -> Proposal:
        return make_proposal(desk, ticket(desk, subject, body="the vpn"), **over)

    named("waits")
    decisions.decide(
        proposal=named("decided"),
        reviewer=make_technician(),
        choices={},
        reasons={},
        with_playbook=False,
    )
    named("automatic", waits=False, route=Proposal.Route.AUTO)
    ticket(desk, "closed", body="the vpn", closed_at=timezone.now())

    assert set(found(reader, "?q=vpn")) == {"waits", "decided", "automatic", "closed"}
    for state, subject, said in [
        ("waiting", "waits", "waiting"),
        ("decided", "decided", "decided by a person"),
        ("auto", "automatic", "applied without a person"),
        ("closed", "closed", "closed"),
    ]:
        assert found(reader, f"?q=vpn&state={state}") == [subject]
        assert f"· {said}</p>" in text(reader, f"?q=vpn&state={state}")


def test_the_words_around_a_hit_are_shown_marked_and_never_as_html(
    reader: Client, desk: Desk
) -> None:
    long = "before " * 60 + "<script>alert(1)</script> the <b>Tunnel</b> closes " + "after " * 60
    ticket(desk, "<i>tunnel</i>", body=long, requester_name="<u>Ann</u>")

    html = text(reader, "?q=tunnel")

    assert "&lt;b&gt;<mark>Tunnel</mark>&lt;/b&gt; closes" in html
    assert "&lt;i&gt;<mark>tunnel</mark>&lt;/i&gt;" in html
    assert "… before" in html
    assert not re.search(r"<(script>alert|b>|u>|i>)", html)


def test_erased_tickets_show_no_words(reader: Client, desk: Desk) -> None:
    gone = ticket(desk, "secret", body="secret tunnel", external_id="77")
    Ticket.objects.filter(pk=gone.pk).update(
        subject="", body="", requester="", requester_name="", url="", erased_at=timezone.now()
    )

    assert found(reader, "?q=secret") == []
    assert found(reader, "?q=%2377") == ["(erased)"]
    assert "secret" not in text(reader, "?q=%2377")


def test_pages_go_on_where_the_last_one_ended(reader: Client, desk: Desk) -> None:
    same = timezone.now() - timedelta(hours=1)
    for number in range(30):
        ticket(desk, f"no {number}", body="tunnel", opened_at=same)

    first = text(reader, "?q=tunnel")
    following = unescape(re.findall(r'rel="next" href="(.*?)"', first)[0])
    second = text(reader, following)

    pages = found(reader, "?q=tunnel"), found(reader, following)
    assert [len(page) for page in pages] == [25, 5]
    assert len({*pages[0], *pages[1]}) == 30
    assert 'rel="next"' not in second
    assert 'href="?q=tunnel">Newest' in second
    assert found(reader, "?q=tunnel&after=nonsense") == pages[0]
    assert found(reader, "?q=tunnel&after=0001-01-01T00:00:00Z_1") == pages[0]


def test_what_is_rare_among_the_newest_is_found_among_the_old(
    monkeypatch: pytest.MonkeyPatch, desk: Desk
) -> None:
    monkeypatch.setattr(search, "NEWEST_LOOKED_AT", 3)
    monkeypatch.setattr(search, "PAGE_SIZE", 2)
    for minutes in range(10):
        ticket(desk, f"old {minutes}", minutes + 100, body="oldword")
    for minutes in range(5):
        ticket(desk, f"new {minutes}", minutes, body="newword")

    rare = search_page(SearchFilter(q="oldword"))
    frequent = search_page(SearchFilter(q="newword"))

    assert [hit.ticket.subject for hit in rare.hits] == ["old 0", "old 1"]
    assert rare.total == 10
    assert [hit.ticket.subject for hit in frequent.hits] == ["new 0", "new 1"]
    # Those that match are not counted where there may be no end of them.
    assert frequent.total is None


def test_a_search_that_takes_too_long_ends_with_words(
    monkeypatch: pytest.MonkeyPatch, reader: Client, desk: Desk
) -> None:
    ticket(desk, "first", body="tunnel")
    monkeypatch.setattr(
        search, "_newest_first", lambda rows: rows.extra(where=["pg_sleep(9) IS NULL"])
    )
    monkeypatch.setattr(search, "PATIENCE_MILLISECONDS", 50)

    html = text(reader, "?q=tunnel")

    assert "This would take too long" in html
    assert found(reader, "?q=%2377") == []


def test_a_lost_database_is_not_taken_for_a_long_search(
    monkeypatch: pytest.MonkeyPatch, desk: Desk
) -> None:
    def lost(*_: object) -> None:
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(search, "_found", lost)

    with pytest.raises(OperationalError):
        search_page(SearchFilter(q="tunnel"))


def test_a_page_costs_the_same_queries_however_much_is_found(reader: Client, desk: Desk) -> None:
    for _ in range(2):
        make_proposal(desk, ticket(desk, "few", body="tunnel"))
    text(reader, "?q=tunnel")
    with CaptureQueriesContext(connection) as few:
        text(reader, "?q=tunnel")
    for _ in range(20):
        make_proposal(desk, ticket(desk, "many", body="tunnel"))
    with CaptureQueriesContext(connection) as many:
        text(reader, "?q=tunnel")

    assert len(many) == len(few)


def test_the_search_is_for_those_who_may_read(client: Client) -> None:
    assert client.get("/search/?q=x").status_code == 302
    client.force_login(make_user("guest"))
    assert client.get("/search/?q=x").status_code == 403
    assert client.post("/search/?q=x").status_code == 405


def test_the_queue_leads_to_the_search_with_its_words(reader: Client, desk: Desk) -> None:
    make_proposal(desk)

    html = reader.get("/?q=a%26b").content.decode()

    assert 'href="/search/?q=a%26b"' in html


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("vpn tunnel", ["vpn", "tunnel"]),
        ('"tunnel closes" -vpn or wifi', ["tunnel", "closes", "wifi"]),
        ('-"not this" yes', ["yes"]),
        ("(!&|", []),
        ("ann@example.org", ["ann@example.org"]),
    ],
)
def test_the_words_to_mark_are_those_that_are_looked_for(query: str, words: list[str]) -> None:
    assert words_of(query) == words


def test_a_snippet_begins_where_a_word_begins() -> None:
    body = " ".join(f"word{number}" for number in range(200))

    assert snippet(body, ["word100"]).startswith("… word")
    assert "word100 " in snippet(body, ["word100"])
    assert snippet("short", ["x"]) == "short"
    assert snippet("", ["x"]) == ""
    assert snippet("a" * 1000, ["a"]).endswith(" …")
