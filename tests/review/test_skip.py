"""Leaving a ticket to others: what it changes for whom, and how it is taken back."""

from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client

from review import decisions, erasure, leases, skips
from review.models import Decision, Lease, Reason, Skip
from tests.review.helpers import (
    Desk,
    make_desk,
    make_proposal,
    make_reader,
    make_reasons,
    make_technician,
)
from triage.erasure import Whose
from triage.models import LedgerEntry, Proposal

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def desk() -> Desk:
    return make_desk()


@pytest.fixture
def reasons() -> dict[str, Reason]:
    return make_reasons()


@pytest.fixture
def maya() -> User:
    return make_technician("maya")


@pytest.fixture
def technician(client: Client, maya: User) -> Client:
    client.force_login(maya)
    return client


@pytest.fixture
def proposals(desk: Desk, reasons: dict[str, Reason]) -> list[Proposal]:
    return [make_proposal(desk), make_proposal(desk)]


def words(response: Any) -> str:
    return unescape(response.content.decode())


def skip(client: Client, proposal: Proposal, reason: Reason, text: str = "", **more: Any) -> Any:
    data = {"reason": reason.pk, "text": text}
    return client.post(f"/proposals/{proposal.pk}/skip?category=network", data, **more)


def test_it_leaves_the_list_of_that_person_alone_and_the_next_ticket_comes(
    technician: Client, proposals: list[Proposal], reasons: dict[str, Reason], maya: User
) -> None:
    first, second = proposals
    technician.get(f"/tickets/{first.ticket_id}/")

    response = skip(technician, first, reasons["skip.wrong"])

    assert response["Location"] == f"/tickets/{second.ticket_id}/?category=network"
    row = Skip.objects.get()
    assert (row.proposal, row.person, row.reason) == (first, maya, reasons["skip.wrong"])
    assert not Lease.objects.filter(ticket=first.ticket).exists()
    mine = words(technician.get("/"))
    assert first.ticket.subject not in mine
    assert second.ticket.subject in mine
    other = Client()
    other.force_login(make_technician("tom"))
    assert first.ticket.subject in words(other.get("/"))
    assert not Decision.objects.exists()
    assert not LedgerEntry.objects.exists()


def test_a_reason_is_needed_and_words_where_it_asks_for_them(
    technician: Client, proposals: list[Proposal], reasons: dict[str, Reason]
) -> None:
    nothing = technician.post(f"/proposals/{proposals[0].pk}/skip")
    wordless = skip(technician, proposals[0], reasons["skip.other"])
    foreign = skip(technician, proposals[0], reasons["escalate.wrong"])
    assert {nothing.status_code, wordless.status_code, foreign.status_code} == {422}
    assert "Choose a reason." in words(nothing)
    assert "“Other (skip)” needs a few words." in words(wordless)
    assert not Skip.objects.exists()

    assert skip(technician, proposals[0], reasons["skip.other"], "Ask Jo.").status_code == 302
    assert Skip.objects.get().text == "Ask Jo."


def test_what_was_skipped_is_shown_and_taken_back(
    technician: Client, proposals: list[Proposal], reasons: dict[str, Reason]
) -> None:
    for proposal in proposals:
        skip(technician, proposal, reasons["skip.wrong"])

    assert "2 skipped by you" in words(technician.get("/skipped/", headers=HTMX))
    page = words(technician.get("/skipped/"))
    assert page.count("Take back") == 2
    back = technician.post(f"/proposals/{proposals[0].pk}/unskip", follow=True)

    assert f"Back in your list: #{proposals[0].ticket.external_id}" in words(back)
    assert "1 skipped by you" in words(technician.get("/skipped/", headers=HTMX))
    assert proposals[0].ticket.subject in words(technician.get("/"))
    assert technician.post(f"/proposals/{proposals[0].pk}/unskip").status_code == 302


def test_whoever_skipped_can_decide_all_the_same_and_then_it_is_not_listed_any_more(
    technician: Client, proposals: list[Proposal], reasons: dict[str, Reason]
) -> None:
    skip(technician, proposals[0], reasons["skip.wrong"])

    assert 'class="acts"' in words(technician.get(f"/tickets/{proposals[0].ticket_id}/"))
    technician.post(f"/proposals/{proposals[0].pk}/accept")

    assert Decision.objects.get().proposal == proposals[0]
    assert Skip.objects.count() == 1
    assert "skipped by you" not in words(technician.get("/skipped/", headers=HTMX))
    assert "nothing to others that still waits" in words(technician.get("/skipped/"))


def test_what_is_decided_cannot_be_skipped(
    technician: Client, proposals: list[Proposal], reasons: dict[str, Reason]
) -> None:
    decisions.decide(
        proposal=proposals[0],
        reviewer=make_technician("tom"),
        choices={},
        reasons={},
        with_playbook=False,
    )

    response = skip(technician, proposals[0], reasons["skip.wrong"])

    assert response.status_code == 409
    assert not Skip.objects.exists()


def test_skipping_does_not_free_what_somebody_else_holds(
    technician: Client, proposals: list[Proposal], reasons: dict[str, Reason]
) -> None:
    leases.claim(proposals[0].ticket, make_technician("tom"), uuid4())

    skip(technician, proposals[0], reasons["skip.wrong"])

    assert Lease.objects.filter(ticket=proposals[0].ticket).exists()


def test_those_who_do_not_decide_see_how_many_left_it(
    client: Client, proposals: list[Proposal], reasons: dict[str, Reason]
) -> None:
    for name in ("ann", "bob", "cid"):
        skips.skip(proposals[0], make_technician(name), reason=reasons["skip.wrong"])
    client.force_login(make_reader())

    html = words(client.get("/"))

    assert html.count("skipped by 3") == 1
    client.force_login(make_technician())
    assert "skipped by 3" not in words(client.get("/"))


def test_readers_cannot_skip(
    client: Client, proposals: list[Proposal], reasons: dict[str, Reason]
) -> None:
    client.force_login(make_reader())

    assert skip(client, proposals[0], reasons["skip.wrong"]).status_code == 403
    assert client.post(f"/proposals/{proposals[0].pk}/unskip").status_code == 403
    assert client.get("/skipped/").status_code == 403


def test_the_page_that_shows_the_next_ticket_is_told_how_many_are_skipped(
    technician: Client, proposals: list[Proposal], reasons: dict[str, Reason]
) -> None:
    window = {"X-Window": str(uuid4())}
    technician.get(f"/tickets/{proposals[0].ticket_id}/ahead/", headers=HTMX | window)

    response = skip(
        technician,
        proposals[0],
        reasons["skip.wrong"],
        headers=HTMX | window | {"X-Ahead": str(proposals[1].pk)},
    )

    assert response["X-Ahead"] == str(proposals[1].pk)
    assert 'id="skipped" hx-swap-oob="true"><a href="/skipped/">1 skipped by you' in words(response)
    assert f"Left to others: #{proposals[0].ticket.external_id}" in words(response)


def test_words_on_a_skip_go_with_the_requester(
    proposals: list[Proposal], reasons: dict[str, Reason], maya: User
) -> None:
    skips.skip(proposals[0], maya, reason=reasons["skip.other"], text="Ann calls back")
    whose = Whose(source=proposals[0].ticket.source, ticket=proposals[0].ticket.external_id)

    assert erasure.preview(whose).counts.named()[erasure.SKIPS] == 1
    erasure.erase(whose, by=None)

    assert Skip.objects.get().text == ""
