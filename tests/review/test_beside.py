"""An earlier ticket beside the present one, and what else a requester wrote."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from review import decisions
from review.requester import PAGE_SIZE
from tests.review.blind_world import make_drawn
from tests.review.helpers import (
    Desk,
    make_desk,
    make_proposal,
    make_reader,
    make_reasons,
    make_technician,
    make_ticket,
    make_user,
    ticket_page,
)
from triage import similar
from triage.models import Proposal, Ticket, TicketEvent

pytestmark = pytest.mark.django_db
MOST_QUERIES = 16
ANN = "ann.lind@example.org"


@pytest.fixture(autouse=True)
def nothing_known_of_words() -> None:
    similar.forget()


@pytest.fixture
def desk() -> Desk:
    return make_desk()


@pytest.fixture
def reader(client: Client) -> Client:
    client.force_login(make_reader())
    return client


def solved(desk: Desk, subject: str, **over: Any) -> Ticket:
    fields = {
        "subject": subject,
        "closed_at": timezone.now() - timedelta(days=1),
        "values": {"category": "network.vpn"},
        "resolution": "Rolled back to 6.1.\nTold her to restart.",
    }
    return make_ticket(desk, **fields | over)


@pytest.fixture
def alike(desk: Desk) -> list[Ticket]:
    return [solved(desk, f"Tunnel breaks {name}") for name in ("first", "second", "third")]


@pytest.fixture
def ticket(desk: Desk, alike: list[Ticket]) -> Ticket:
    similar_ones = [
        {"ticket": one.pk, "similarity": 0.9 - place / 10} for place, one in enumerate(alike)
    ]
    present = make_ticket(desk, subject="Tunnel breaks down", body="It stutters <b>badly</b>.")
    return make_proposal(desk, present, similar=similar_ones).ticket


def page(client: Client, path: str, *, htmx: bool = False) -> str:
    response = client.get(path, headers={"HX-Request": "true"} if htmx else {})
    assert response.status_code == 200
    return unescape(response.content.decode())


def test_both_texts_stand_beside_each_other_with_the_words_they_share(
    reader: Client, ticket: Ticket, alike: list[Ticket]
) -> None:
    answer = reader.get(f"/tickets/{ticket.pk}/beside/{alike[0].pk}/")
    html = answer.content.decode()

    assert "<mark>Tunnel</mark> <mark>breaks</mark> down" in html
    assert "<mark>Tunnel</mark> <mark>breaks</mark> first" in html
    assert "&lt;b&gt;badly&lt;/b&gt;" in html
    assert "Told her to restart." in html
    assert "Network › VPN" in html
    assert "90 % alike" in html


def test_what_was_decided_on_the_earlier_one_is_told(
    reader: Client, desk: Desk, ticket: Ticket, alike: list[Ticket]
) -> None:
    decisions.decide(
        proposal=make_proposal(desk, alike[1]),
        reviewer=make_technician("bob"),
        choices={"category": desk["network.wifi"]},
        reasons={"category": make_reasons()["override.wrong"]},
        with_playbook=False,
    )

    html = page(reader, f"/tickets/{ticket.pk}/beside/{alike[1].pk}/")

    assert "<b>Overridden</b> by bob" in html
    assert "Network › Wi-Fi" in html


def test_the_three_lead_to_each_other_and_back(
    reader: Client, ticket: Ticket, alike: list[Ticket]
) -> None:
    first, second, third = (f"/tickets/{ticket.pk}/beside/{one.pk}/" for one in alike)

    assert f'rel="next" href="{second}"' in page(reader, first)
    assert 'rel="prev"' not in page(reader, first)
    middle = page(reader, f"{second}?category=network")
    assert "Solved before, 2 of 3" in middle
    assert f'rel="prev" href="{first}?category=network"' in middle
    assert f'rel="next" href="{third}?category=network"' in middle
    assert f'href="/tickets/{ticket.pk}/?category=network"' in middle
    assert 'rel="next"' not in page(reader, third)


def test_htmx_gets_the_part_for_the_dialog_that_the_page_itself_includes(
    reader: Client, ticket: Ticket, alike: list[Ticket]
) -> None:
    html = page(reader, f"/tickets/{ticket.pk}/beside/{alike[0].pk}/", htmx=True)

    assert "<html" not in html
    assert "<h2" in html
    assert 'hx-target="#beside"' in html


def test_a_ticket_that_is_not_among_the_similar_ones_may_still_be_compared(
    reader: Client, desk: Desk, ticket: Ticket
) -> None:
    html = page(reader, f"/tickets/{ticket.pk}/beside/{make_ticket(desk).pk}/")

    assert "Two tickets side by side" in html
    assert "alike" not in html


def test_an_erased_one_is_shown_without_words(
    reader: Client, ticket: Ticket, alike: list[Ticket]
) -> None:
    blank = dict.fromkeys(("subject", "body", "requester", "requester_name", "resolution"), "")
    Ticket.objects.filter(pk=alike[0].pk).update(erased_at=timezone.now(), **blank)

    assert "What was written was erased." in page(
        reader, f"/tickets/{ticket.pk}/beside/{alike[0].pk}/"
    )


def test_what_is_of_another_source_itself_or_nowhere_is_404(reader: Client, ticket: Ticket) -> None:
    foreign = make_ticket(make_desk("other"))

    for other in (foreign.pk, ticket.pk, 0, 10**30):
        assert reader.get(f"/tickets/{ticket.pk}/beside/{other}/").status_code == 404
    assert reader.get(f"/tickets/{10**30}/beside/{ticket.pk}/").status_code == 404
    assert reader.get(f"/tickets/{10**30}/requester/").status_code == 404


@pytest.mark.parametrize("path", ["/tickets/{0}/beside/{1}/", "/tickets/{0}/requester/"])
def test_both_are_for_those_who_may_see_decisions(
    client: Client, ticket: Ticket, alike: list[Ticket], path: str
) -> None:
    address = path.format(ticket.pk, alike[0].pk)

    assert client.get(address).status_code == 302
    client.force_login(make_user("guest"))
    assert client.get(address).status_code == 403
    assert client.post(address).status_code == 405


def test_the_ticket_page_leads_to_both(reader: Client, ticket: Ticket, alike: list[Ticket]) -> None:
    html = ticket_page(reader, ticket)

    assert f'href="/tickets/{ticket.pk}/beside/{alike[2].pk}/"' in html
    assert f'hx-get="/tickets/{ticket.pk}/requester/"' in html
    assert "their ticket no. 4, 4 in 30 days" in html


# --- The requester --------------------------------------------------------------------------
def subjects(html: str) -> list[str]:
    return re.findall(r'<a href="/tickets/\d+/"[^>]*>#\d+ (.*?)</a>', html)


def test_a_requesters_tickets_of_the_source_stand_newest_first_with_how_they_went(
    reader: Client, desk: Desk
) -> None:
    now = timezone.now()
    other = make_ticket(make_desk("other"), subject="elsewhere")
    make_ticket(desk, subject="somebody else", requester="bob@example.org")
    went = solved(desk, "went wrong", opened_at=now - timedelta(days=9), reopened_count=2)
    TicketEvent.objects.create(
        ticket=went, key="1", kind=TicketEvent.Kind.RATED, happened_at=now, score=1
    )
    waits = make_proposal(desk, make_ticket(desk, subject="waits")).ticket

    html = page(reader, f"/tickets/{waits.pk}/requester/")

    assert other.requester == went.requester == ANN
    assert subjects(html) == ["waits", "went wrong"]
    assert "Tickets of Ann Lind in Norvik" in html
    assert "waits for a decision" in html
    assert "came back 2 times" in html
    assert "rated 1 of 5" in html
    assert "Network › VPN" in html


def test_pages_of_a_requester_follow_one_another_without_a_gap(reader: Client, desk: Desk) -> None:
    at = timezone.now()
    made = [
        make_ticket(desk, subject=f"case {number}", opened_at=at) for number in range(PAGE_SIZE + 2)
    ]
    address = f"/tickets/{made[0].pk}/requester/"

    first = page(reader, address)
    older = re.search(r'rel="next" href="(.*?)"', first)
    assert older is not None
    second = page(reader, older.group(1), htmx=True)

    assert subjects(second) == ["case 1", "case 0"]
    assert len({*subjects(first), *subjects(second)}) == len(made)
    assert subjects(page(reader, f"{address}?after=nonsense")) == subjects(first)


def test_of_an_erased_ticket_nothing_else_is_found(reader: Client, desk: Desk) -> None:
    make_ticket(desk)
    blank = dict.fromkeys(("subject", "body", "requester", "requester_name"), "")
    erased = make_ticket(desk)
    Ticket.objects.filter(pk=erased.pk).update(erased_at=timezone.now(), **blank)

    html = page(reader, f"/tickets/{erased.pk}/requester/")

    assert subjects(html) == []
    assert "Who wrote it was erased" in html


def test_neither_page_costs_more_queries_the_more_there_is(
    reader: Client, desk: Desk, ticket: Ticket, alike: list[Ticket]
) -> None:
    addresses = [
        f"/tickets/{ticket.pk}/requester/",
        f"/tickets/{ticket.pk}/beside/{alike[0].pk}/",
    ]
    bob, reasons = make_technician("bob"), make_reasons()

    def cost(address: str) -> int:
        similar.forget()
        with CaptureQueriesContext(connection) as queries:
            page(reader, address)
        return len(queries)

    decisions.send_back(
        proposal=make_proposal(desk, alike[0]), reviewer=bob, reason=reasons["send_back.wrong"]
    )
    page(reader, addresses[0])
    few = [cost(address) for address in addresses]
    for number in range(10):
        make_proposal(desk, solved(desk, f"more {number}"))
    many = [cost(address) for address in addresses]

    assert Proposal.objects.count() == 12
    assert many == few
    assert max(many) <= MOST_QUERIES


def test_nothing_stands_beside_what_is_answered_first(reader: Client, desk: Desk) -> None:
    earlier = solved(desk, "VPN gone")
    drawn = make_drawn(desk).ticket

    assert reader.get(f"/tickets/{drawn.pk}/beside/{earlier.pk}/").status_code == 404
    assert reader.get(f"/tickets/{earlier.pk}/beside/{drawn.pk}/").status_code == 404


def test_what_is_answered_first_is_not_among_a_requesters_tickets(
    reader: Client, desk: Desk
) -> None:
    earlier = solved(desk, "VPN gone")
    drawn = make_drawn(desk, make_ticket(desk, subject="Drawn to be answered")).ticket

    html = reader.get(f"/tickets/{drawn.pk}/requester/").content.decode()

    assert earlier.subject in html
    assert html.count("Drawn to be answered") == 0
