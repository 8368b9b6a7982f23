"""What a panel says where there is nothing to decide, or not by this person, or not here."""

import re
from datetime import timedelta
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from review import decisions, leases, spotchecks
from review.models import Decision
from tests.review.embed.world import (
    ORIGIN,
    accept,
    framed_desk,
    last_decision,
    link,
    link_to,
    opened,
    token_in,
)
from tests.review.helpers import (
    Desk,
    make_proposal,
    make_reader,
    make_technician,
    make_ticket,
    make_user,
)
from triage.models import Delivery, TicketVersion, Waiting

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Desk:
    make_technician(first_name="Maya", last_name="Berg")
    return framed_desk()


def words(answer: Any) -> str:
    return unescape(answer.content.decode())


def test_a_ticket_that_has_not_arrived_is_waited_for(client: Client, desk: Desk) -> None:
    answer = client.get(link("norvik", "T/9 &x"))

    assert answer.status_code == 404
    assert "Ticket #T/9 &x has not arrived from Norvik yet" in words(answer)
    ticket = make_ticket(desk, external_id="T/9 &x")
    again = client.post("/embed/look", {"token": token_in(answer)})
    assert "Nothing is proposed yet" in words(again)
    make_proposal(desk, ticket)
    assert "Network › VPN" in words(client.post("/embed/look", {"token": token_in(again)}))


def test_what_was_decided_is_shown_and_can_be_undone_by_whoever_did(
    client: Client, desk: Desk
) -> None:
    make_technician("bob")
    proposal = make_proposal(desk)
    done = accept(client, proposal, opened(client, proposal))
    form = {"token": token_in(done), "decision": last_decision().pk}
    others = words(client.get(link_to(proposal, user="bob")))
    assert "Accepted</b> by Maya Berg" in others
    assert "/embed/undo" not in others
    assert "/embed/accept" not in others

    undone = client.post("/embed/undo", form)

    assert undone.status_code == 200
    assert f"Undone: #{proposal.ticket.external_id} waits again" in words(undone)
    assert "/embed/accept" in words(undone)
    assert Waiting.objects.filter(proposal=proposal).exists()
    assert client.post("/embed/undo", form).status_code == 409


def test_nobody_takes_back_what_another_decided(client: Client, desk: Desk) -> None:
    make_technician("bob")
    proposal = make_proposal(desk)
    token = opened(client, proposal, user="bob")
    accept(client, proposal, opened(client, proposal))

    answer = client.post("/embed/undo", {"token": token, "decision": last_decision().pk})

    assert answer.status_code == 403
    assert "Only who decided can take it back" in words(answer)
    assert not Waiting.objects.exists()


def test_who_works_on_it_in_countersign_is_left_to_it(client: Client, desk: Desk) -> None:
    proposal = make_proposal(desk)
    token = opened(client, proposal)
    bob = make_technician("bob", first_name="Bob", last_name="Stone")
    leases.claim(proposal.ticket, bob, uuid4())

    page = words(client.get(link_to(proposal)))
    assert "Bob Stone is looking at it." in page
    assert "/embed/accept" not in page
    assert accept(client, proposal, token).status_code == 409
    assert not Decision.objects.exists()

    leases.release_ticket(proposal.ticket_id)
    assert accept(client, proposal, token).status_code == 200


def test_the_second_of_two_learns_who_was_first(client: Client, desk: Desk) -> None:
    proposal = make_proposal(desk)
    token = opened(client, proposal)
    bob = make_technician("bob", first_name="Bob", last_name="Stone")
    decisions.decide(proposal=proposal, reviewer=bob, choices={}, reasons={}, with_playbook=False)

    answer = accept(client, proposal, token)

    assert answer.status_code == 409
    assert "Nothing was saved" in words(answer)
    assert "by Bob Stone" in words(answer)
    assert Decision.objects.count() == 1


def test_a_proposal_for_an_older_text_is_not_decided(client: Client, desk: Desk) -> None:
    proposal = make_proposal(desk)
    token = opened(client, proposal)
    delivery = Delivery.objects.create(
        source=desk.source, webhook_id="m2", body=b"", body_sha256="0" * 64, outcome="applied"
    )
    TicketVersion.objects.create(
        ticket=proposal.ticket, version=2, subject="New", body="New", delivery=delivery
    )

    answer = accept(client, proposal, token)

    assert answer.status_code == 409
    assert "The ticket has changed since this was proposed" in words(answer)
    assert not Decision.objects.exists()


def test_who_may_only_read_sees_no_forms_and_can_send_none(client: Client, desk: Desk) -> None:
    make_reader()
    proposal = make_proposal(desk)
    answer = client.get(link_to(proposal, user="lena"))

    assert "Deciding is for technicians" in words(answer)
    token = re.search(r'X-Embed-Token": "([^"]+)"', words(answer))
    assert token is not None
    assert accept(client, proposal, token[1]).status_code == 403
    assert not Decision.objects.exists()


@pytest.mark.parametrize(
    ("user", "said"),
    [("nobody", "You are not known here"), ("gone", "not known"), ("guest", "not open to you")],
)
def test_people_who_may_not_are_told_so(client: Client, desk: Desk, user: str, said: str) -> None:
    make_user("guest")
    make_technician("gone", is_active=False)
    proposal = make_proposal(desk)

    answer = client.get(link_to(proposal, user=user))

    assert answer.status_code == 403
    assert said in words(answer)
    assert "Open in Countersign" in words(answer)
    assert "Network" not in words(answer)


def test_without_listed_sites_embedding_is_off_and_says_so(client: Client, desk: Desk) -> None:
    proposal = make_proposal(desk)
    token = opened(client, proposal)
    desk.source.embed_origins = []
    desk.source.save()

    answers = [client.get(link_to(proposal)), accept(client, proposal, token)]

    for answer in answers:
        assert answer.status_code == 403
        assert "Embedding is not set up" in words(answer)
        assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
    assert not Decision.objects.exists()


def test_a_source_that_is_unknown_or_off_is_not_there(client: Client, desk: Desk) -> None:
    proposal = make_proposal(desk)
    desk.source.is_active = False
    desk.source.save()

    assert client.get(link_to(proposal)).status_code == 404
    assert client.get(link("nothing", "T-1")).status_code == 404


def test_a_drawn_proposal_shows_no_advice_before_it_was_answered(
    client: Client, desk: Desk
) -> None:
    proposal = make_proposal(desk)
    token = opened(client, proposal)
    Waiting.objects.update(blind_at=0.05)

    answer = client.get(link_to(proposal))
    assert "This one is answered first" in words(answer)
    assert "VPN</p>" not in words(answer)
    assert "/embed/accept" not in words(answer)
    assert accept(client, proposal, token).status_code == 409
    spotchecks.answer(
        proposal=proposal,
        reviewer=User.objects.get(username="maya"),
        choices={"category": desk["network.vpn"], "team": None, "priority": None},
    )
    assert "Network › VPN" in words(client.get(link_to(proposal)))
    assert accept(client, proposal, token).status_code == 200


def test_effects_are_asked_with_the_token_and_without_the_pages_address(
    client: Client, desk: Desk
) -> None:
    proposal = make_proposal(desk)
    token = opened(client, proposal)
    accept(client, proposal, token)

    answer = client.get("/embed/effects", headers={"X-Embed-Token": token})

    assert answer.status_code == 200
    assert "Add an internal note" in words(answer)
    assert 'hx-get="/embed/effects"' in words(answer)


def test_a_page_in_use_goes_on_and_one_that_rests_ends(
    client: Client, desk: Desk, time_machine: Any
) -> None:
    start = timezone.now()
    time_machine.move_to(start, tick=False)
    token = token_in(client.get(link("norvik", "not-here-yet")))
    for minutes in (25, 50, 75):
        time_machine.move_to(start + timedelta(minutes=minutes), tick=False)
        answer = client.post("/embed/look", {"token": token})
        assert "has not arrived" in words(answer)
        token = token_in(answer)

    time_machine.move_to(start + timedelta(minutes=106), tick=False)
    ended = client.post("/embed/look", {"token": token})

    assert ended.status_code == 403
    assert "This link has run out" in words(ended)
    assert ORIGIN in ended["Content-Security-Policy"]
