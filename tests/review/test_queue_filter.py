"""What the queue can be narrowed to, and the words for what the URL gets wrong."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client
from django.utils import timezone

from review.queue import QueueFilter
from tests.review.helpers import Desk, make_desk, make_proposal, make_reader, make_ticket
from triage.models import Playbook, Proposal, Waiting

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(client: Client) -> Client:
    client.force_login(make_reader())
    return client


@pytest.fixture
def desk(db: None) -> Desk:
    return make_desk()


def page(client: Client, query: str) -> str:
    response = client.get(f"/{query}")
    assert response.status_code == 200
    return unescape(response.content.decode())


def shown(client: Client, query: str) -> set[str]:
    return set(re.findall(r'<span class="subject">(.*?)</span>', page(client, query)))


def named(desk: Desk, subject: str, **over: Any) -> Proposal:
    ticket_fields = {key: over.pop(key) for key in ("opened_at", "requester") if key in over}
    return make_proposal(desk, make_ticket(desk, subject=subject, **ticket_fields), **over)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?category=network.vpn&category=access", {"vpn", "password"}),
        ("?priority=urgent&priority=low", {"wifi", "password"}),
        ("?team=team.id&team=team.net", {"vpn", "wifi", "password"}),
        ("?category=gone&category=access", {"password"}),
        ("?source=norvik&source=nowhere", {"vpn", "wifi", "password"}),
        ("?category=network&priority=urgent&priority=low", {"wifi"}),
    ],
)
def test_several_values_of_one_filter_mean_any_of_them(
    reader: Client, desk: Desk, query: str, expected: set[str]
) -> None:
    named(desk, "vpn")
    named(desk, "wifi", main="network.wifi", priority="urgent")
    named(desk, "password", main="access.password", team="team.id", priority="low")

    assert shown(reader, query) == expected


def test_every_kind_of_look_can_be_asked_for(reader: Client, desk: Desk) -> None:
    playbook = Playbook.objects.create(
        source=desk.source, name="Reset", owner=desk.owner, reply="Hello"
    )
    named(desk, "plain")
    named(desk, "unsure", probability=0.3)
    named(desk, "open", main=None)
    named(desk, "playbook", playbook=playbook, reply="Hello")
    novel = named(desk, "novel")
    Waiting.objects.filter(pk=novel.pk).update(novelty=0.97)

    for kind in ("unsure", "open", "playbook", "novel"):
        assert shown(reader, f"?kind={kind}") == {kind}
    assert shown(reader, "?kind=open&kind=novel") == {"open", "novel"}


def test_what_is_over_its_target_can_be_asked_for(reader: Client, desk: Desk) -> None:
    now = timezone.now()
    named(desk, "late", priority="high", opened_at=now - timedelta(minutes=61))
    named(desk, "soon", priority="high", opened_at=now - timedelta(minutes=59))
    # Near the front because nobody is sure of it, but not over its target.
    doubtful = named(desk, "doubtful", priority="high", opened_at=now - timedelta(minutes=55))
    Waiting.objects.filter(pk=doubtful.pk).update(look_by=now - timedelta(minutes=5))

    assert shown(reader, "?overdue=1") == {"late"}


def test_a_requester_and_a_day_can_be_asked_for(reader: Client, desk: Desk) -> None:
    now = timezone.now()
    day = (now - timedelta(days=3)).date()
    named(desk, "bob", requester="bob@example.org")
    named(desk, "old", opened_at=now - timedelta(days=3))

    assert shown(reader, "?requester=Bob@Example.org") == {"bob"}
    assert shown(reader, f"?until={day}") == {"old"}
    assert shown(reader, f"?since={day + timedelta(days=1)}") == {"bob"}
    assert shown(reader, f"?since={day}&until={day}") == {"old"}


@pytest.mark.parametrize(
    ("query", "words", "remain"),
    [
        ("?category=gone", "There is no category “gone”.", False),
        ("?priority=gone", "There is no priority “gone”.", False),
        ("?team=gone", "There is no team “gone”.", False),
        ("?source=gone", "There is no helpdesk “gone”.", False),
        ("?kind=gone", "There is no kind “gone”.", False),
        ("?since=yesterday", "“yesterday” is not a date; use the form 2026-03-31.", True),
        ("?until=0000-00-00", "“0000-00-00” is not a date; use the form 2026-03-31.", True),
    ],
)
def test_a_value_that_nobody_knows_is_said_in_words(
    reader: Client, desk: Desk, query: str, words: str, remain: bool
) -> None:
    named(desk, "vpn")

    html = page(reader, query)

    assert words in html
    assert shown(reader, query) == ({"vpn"} if remain else set())


@pytest.mark.parametrize(
    "query",
    [
        "?" + "&".join(f"category=c{number}" for number in range(500)),
        f"?q={'x' * 5000}",
        "?q=%00&category=%00&kind=%00&requester=%00",
        "?since=9999-12-31&until=0001-01-01",
        "?page=99999999999999999999",
        "?page=-1&held=nonsense&overdue=%F0%9F%92%A9",
        "?q=%23",
        "?q=%22unbalanced",
        "?requester=" + "é" * 300,
    ],
)
def test_nothing_in_a_url_breaks_the_page(reader: Client, desk: Desk, query: str) -> None:
    named(desk, "vpn")

    page(reader, query)


def test_each_chip_takes_one_value_away_and_keeps_the_rest(reader: Client, desk: Desk) -> None:
    named(desk, "vpn")

    html = page(reader, "?category=network&category=access&held=1")

    assert 'href="/?category=access&held=1"' in html
    assert 'href="/?category=network&held=1"' in html
    assert 'href="/?category=network&category=access"' in html


def test_the_filter_reads_what_it_writes() -> None:
    written = QueueFilter(category=("a", "b"), kind=("novel",), q="x & y", held="1")

    assert QueueFilter.read(QueryDict(written.saved_query)) == written
    assert QueueFilter().query == ""
    assert QueueFilter(everything="1").query == "?everything=1"
    assert QueueFilter(everything="1", q="x").query == "?q=x"
