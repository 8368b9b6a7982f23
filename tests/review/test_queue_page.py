"""The list of what waits: its order, its filters, its cost and who may see it."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from review.catalogue import catalogue
from review.queue import QueueFilter, queue_page
from tests.review.helpers import (
    make_desk,
    make_proposal,
    make_reader,
    make_ticket,
    make_user,
)
from triage.models import Playbook, Proposal, Waiting

pytestmark = pytest.mark.django_db
MOST_QUERIES = 12


@pytest.fixture
def reader(client: Client) -> Client:
    client.force_login(make_reader())
    return client


def page(client: Client, query: str = "") -> str:
    response = client.get(f"/{query}")
    assert response.status_code == 200
    return response.content.decode()


def subjects(html: str) -> list[str]:
    return re.findall(r'<span class="subject">(.*?)</span>', html)


def test_held_comes_first_then_the_most_pressing_then_the_oldest(reader: Client) -> None:
    desk = make_desk()
    now = timezone.now()
    cases: list[tuple[str, int, dict[str, Any]]] = [
        ("young and normal", 1, {}),
        ("old and normal", 90, {}),
        ("urgent", 2, {"priority": "urgent"}),
        ("held and low", 1, {"priority": "low", "route": Proposal.Route.HOLD}),
    ]
    for subject, minutes, over in cases:
        ticket = make_ticket(desk, subject=subject, opened_at=now - timedelta(minutes=minutes))
        make_proposal(desk, ticket, **over)

    assert subjects(page(reader)) == [
        "held and low",
        "urgent",
        "old and normal",
        "young and normal",
    ]


def test_a_row_says_who_what_how_sure_how_long_and_how_pressing(reader: Client) -> None:
    desk = make_desk()
    opened = timezone.now() - timedelta(minutes=7, seconds=10)
    ticket = make_ticket(desk, requester_name="Ann Lind", opened_at=opened)
    make_proposal(desk, ticket, priority="high")

    row = page(reader).split("data-row")[1]

    for words in ("Ann Lind", "Network › VPN", "suggest", "7 min", "High"):
        assert words in row


@pytest.mark.parametrize(
    ("over", "badge"),
    [
        ({"route": Proposal.Route.HOLD}, "rule: hold"),
        ({"probability": 0.3}, "unsure"),
        ({"main": None}, "choose"),
    ],
)
def test_the_badge_says_what_kind_of_look_is_needed(
    reader: Client, over: dict[str, Any], badge: str
) -> None:
    make_proposal(make_desk(), **over)

    assert f">{badge}</span>" in page(reader)


def test_a_proposal_with_a_reply_on_offer_is_marked(reader: Client) -> None:
    desk = make_desk()
    playbook = Playbook.objects.create(
        source=desk.source, name="Reset", owner=desk.owner, reply="Hello"
    )
    make_proposal(desk, playbook=playbook, reply="Hello")

    assert ">playbook</span>" in page(reader)


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("?category=network", {"vpn", "wifi"}),
        ("?category=network.vpn", {"vpn"}),
        ("?category=gone", set()),
        ("?priority=urgent", {"wifi"}),
        ("?team=team.id", {"password"}),
        ("?held=1", {"password"}),
        ("?source=norvik", {"vpn", "wifi", "password"}),
        ("?source=nowhere", set()),
        ("?category=network&priority=urgent", {"wifi"}),
        ("?q=access point", {"wifi"}),
        ("?q=%22point access%22", set()),
        ("?q=%2377", {"vpn"}),
        ("?q=-vpn", {"wifi", "password"}),
        ("?q=%00%27", set()),
    ],
)
def test_filters_live_in_the_url(reader: Client, query: str, shown: set[str]) -> None:
    desk = make_desk()
    vpn = make_ticket(desk, subject="vpn", external_id="77", body="tunnel")
    wifi = make_ticket(desk, subject="wifi", body="The access point is dark")
    password = make_ticket(desk, subject="password", body="locked out")
    make_proposal(desk, vpn)
    make_proposal(desk, wifi, main="network.wifi", priority="urgent")
    make_proposal(desk, password, main="access.password", team="team.id", route=Proposal.Route.HOLD)

    html = page(reader, query)

    assert set(subjects(html)) == shown
    assert ("Nothing matches this filter" in html) == (not shown)


def test_an_empty_queue_is_calm_and_a_filter_that_hides_all_can_be_cleared(
    reader: Client,
) -> None:
    assert "Nothing waits for you" in page(reader)

    make_proposal(make_desk())
    html = page(reader, "?category=access")

    assert "Nothing matches this filter" in html
    assert 'href="/">Show everything that waits</a>' in html


def test_the_link_of_a_row_keeps_the_filter(reader: Client) -> None:
    proposal = make_proposal(make_desk())

    assert f'href="/tickets/{proposal.ticket_id}/?category=network"' in page(
        reader, "?category=network&source="
    )


def test_twenty_five_stand_on_a_page_and_the_total_is_shown(reader: Client) -> None:
    desk = make_desk()
    for _ in range(27):
        make_proposal(desk)

    first, second, beyond = page(reader), page(reader, "?page=2"), page(reader, "?page=9")

    assert len(subjects(first)) == 25
    assert "1–25 of 27 waiting" in first
    assert len(subjects(second)) == 2
    assert "26–27 of 27 waiting" in second
    assert subjects(beyond) == subjects(second)
    assert not set(subjects(first)) & set(subjects(second))
    assert subjects(page(reader, "?page=x")) == subjects(first)


def test_the_queue_costs_the_same_queries_whatever_waits(reader: Client) -> None:
    desk = make_desk()
    make_proposal(desk)
    page(reader)
    with CaptureQueriesContext(
        connection,
    ) as one:
        page(reader, "?category=network&priority=normal&q=vpn")
    for _ in range(24):
        make_proposal(desk)
    with CaptureQueriesContext(connection) as many:
        page(reader, "?category=network&priority=normal&q=vpn")

    assert len(many) == len(one) <= MOST_QUERIES


def test_the_page_on_which_a_ticket_stands_is_found(reader: Client) -> None:
    desk = make_desk()
    now = timezone.now()
    for minutes in range(60, 30, -1):
        make_proposal(desk, make_ticket(desk, opened_at=now - timedelta(minutes=minutes)))
    last = Waiting.objects.order_by("-since")[0]

    found = queue_page(QueueFilter(), catalogue(), showing=last)

    assert found.number == 2
    assert found.rows[-1].waiting == last


def test_htmx_gets_the_part_that_the_whole_page_includes(reader: Client) -> None:
    make_proposal(make_desk())

    whole = reader.get("/")
    part = reader.get("/", headers={"HX-Request": "true"})

    assert "<!doctype html>" in whole.content.decode()
    assert "<!doctype html>" not in part.content.decode()
    assert 'id="work"' in part.content.decode()
    assert "HX-Request" in part["Vary"]
    assert "no-store" in part["Cache-Control"]


def test_strangers_are_sent_to_sign_in_and_htmx_opens_that_as_a_page(client: Client) -> None:
    whole = client.get("/?category=network")
    part = client.get("/", headers={"HX-Request": "true"})

    assert whole.status_code == 302
    assert whole["Location"] == "/accounts/login/?next=/%3Fcategory%3Dnetwork"
    assert part.status_code == 204
    assert part["HX-Redirect"].startswith("/accounts/login/")


def test_without_the_permission_there_are_words_instead(client: Client) -> None:
    client.force_login(make_user("guest"))

    response = client.get("/")

    assert response.status_code == 403
    assert "ask whoever manages accounts" in response.content.decode()


def test_the_policy_of_the_pages_allows_no_inline_code(reader: Client) -> None:
    make_proposal(make_desk())
    response = reader.get("/")
    html = response.content.decode()

    assert "default-src 'self'" in response["Content-Security-Policy"]
    assert "unsafe" not in response["Content-Security-Policy"]
    assert not re.search(r"<style|\sstyle=|\son\w+=", html)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", html) if "json" not in tag)
