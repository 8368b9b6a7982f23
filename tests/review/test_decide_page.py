"""Deciding through the pages: what is sent, what is refused, and which ticket comes next."""

from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from review import decisions
from review.models import DecidedValue, Decision, Reason
from tests.review.helpers import (
    Desk,
    make_desk,
    make_proposal,
    make_reader,
    make_reasons,
    make_technician,
    make_ticket,
)
from triage.models import Choice, Delivery, Playbook, Proposal, TicketVersion

pytestmark = pytest.mark.django_db


@pytest.fixture
def technician(client: Client) -> Client:
    client.force_login(make_technician())
    return client


@pytest.fixture
def desk() -> Desk:
    return make_desk()


@pytest.fixture
def reasons() -> dict[str, Reason]:
    return make_reasons()


def words(response: Any) -> str:
    return unescape(response.content.decode())


def override(client: Client, proposal: Proposal, **data: object) -> Any:
    """Posts the override form as the page would; values not given stay as proposed."""
    values = {value.field.key: value for value in proposal.values.select_related("field")}
    form: dict[str, Any] = {
        "choice-category": values["category"].choice_id or "",
        "choice-team": "follow",
        "choice-priority": values["priority"].choice_id or "",
        "text": "",
    }
    sent = {key.replace("__", "-"): value for key, value in data.items()}
    return client.post(f"/proposals/{proposal.pk}/override", form | sent)


def test_accepting_keeps_every_value_and_goes_to_the_next_ticket_of_the_filter(
    technician: Client, desk: Desk
) -> None:
    now = timezone.now()
    first = make_proposal(desk, make_ticket(desk, opened_at=now - timedelta(hours=2)))
    make_proposal(
        desk, make_ticket(desk, opened_at=now - timedelta(hours=1)), main="access.password"
    )
    third = make_proposal(desk, make_ticket(desk, opened_at=now))

    response = technician.post(f"/proposals/{first.pk}/accept?category=network")

    assert response.status_code == 302
    assert response["Location"] == f"/tickets/{third.ticket_id}/?category=network"
    decision = Decision.objects.get()
    assert (decision.verdict, decision.reviewer.username) == ("accepted", "maya")
    assert f"Accepted #{first.ticket.external_id}" in words(technician.get(response["Location"]))


def test_after_the_last_one_the_list_says_that_nothing_waits(
    technician: Client, desk: Desk
) -> None:
    proposal = make_proposal(desk)

    response = technician.post(f"/proposals/{proposal.pk}/accept", follow=True)

    assert response.redirect_chain == [("/", 302)]
    assert "Nothing waits for you" in words(response)


@pytest.mark.parametrize("ticked", [True, False])
def test_the_reply_goes_along_only_when_ticked(
    technician: Client, desk: Desk, ticked: bool
) -> None:
    playbook = Playbook.objects.create(
        source=desk.source, name="Reset", owner=desk.owner, reply="Hello"
    )
    proposal = make_proposal(desk, playbook=playbook, reply="Hello")

    technician.post(f"/proposals/{proposal.pk}/accept", {"with_playbook": "1"} if ticked else {})

    assert Decision.objects.get().with_playbook is ticked
    assert proposal.effects.filter(kind="reply").exists() is ticked


def test_overriding_the_category_takes_the_team_that_follows_and_one_reason(
    technician: Client, desk: Desk, reasons: dict[str, Reason]
) -> None:
    proposal = make_proposal(desk)

    override(
        technician,
        proposal,
        choice__category=desk["access.password"].pk,
        reason__category=reasons["override.wrong"].pk,
    )

    changed = {
        value.field.key: (value.proposed, value.final, value.reason)
        for value in DecidedValue.objects.exclude(proposed=None).select_related("field")
    }
    assert Decision.objects.get().verdict == "overridden"
    wrong = reasons["override.wrong"]
    assert changed["category"] == (desk["network.vpn"], desk["access.password"], wrong)
    assert changed["team"] == (desk["team.net"], desk["team.id"], wrong)
    assert changed["priority"] == (desk["normal"], desk["normal"], None)


def test_a_team_chosen_by_hand_needs_its_own_reason(
    technician: Client, desk: Desk, reasons: dict[str, Reason]
) -> None:
    proposal = make_proposal(desk)

    refused = override(technician, proposal, choice__team=desk["team.id"].pk)

    assert refused.status_code == 422
    assert words(refused).count("Say why: choose a reason.") == 1
    assert not Decision.objects.exists()

    override(
        technician,
        proposal,
        choice__team=desk["team.id"].pk,
        reason__team=reasons["override.wrong"].pk,
    )

    assert Decision.objects.get().values.get(field=desk.team).final == desk["team.id"]


def test_a_reason_that_needs_words_is_refused_without_them(
    technician: Client, desk: Desk, reasons: dict[str, Reason]
) -> None:
    proposal = make_proposal(desk)
    change = {
        "choice__category": desk["access.password"].pk,
        "reason__category": reasons["override.other"].pk,
    }

    refused = override(technician, proposal, **change, text="   ")
    kept = override(technician, proposal, **change, text="It was the password.")

    assert refused.status_code == 422
    assert "“Other (override)” needs a few words." in words(refused)
    assert refused["HX-Push-Url"] == "false"
    assert kept.status_code == 302
    assert Decision.objects.get().text == "It was the password."


def test_what_was_typed_is_still_there_when_the_form_comes_back(
    technician: Client, desk: Desk, reasons: dict[str, Reason]
) -> None:
    proposal = make_proposal(desk)

    html = words(
        override(technician, proposal, choice__category=desk["access.password"].pk, text="Because.")
    )

    assert f'<option value="{desk["access.password"].pk}" selected>Access › Password' in html
    assert "Because.</textarea>" in html


def test_an_override_that_changes_nothing_is_refused(
    technician: Client, desk: Desk, reasons: dict[str, Reason]
) -> None:
    refused = override(technician, make_proposal(desk))

    assert refused.status_code == 422
    assert "Nothing differs from the proposal" in words(refused)


def test_retired_and_foreign_choices_cannot_be_chosen(
    technician: Client, desk: Desk, reasons: dict[str, Reason]
) -> None:
    proposal = make_proposal(desk)
    Choice.objects.filter(pk=desk["network.wifi"].pk).update(retired_at=timezone.now())
    other = make_desk("other")

    for choice in (desk["network.wifi"], other["network.wifi"], desk["urgent"]):
        refused = override(technician, proposal, choice__category=choice.pk)

        assert refused.status_code == 422
        assert "This is not one of the choices any more." in words(refused)


def test_a_value_left_open_is_chosen_without_a_reason(
    technician: Client, desk: Desk, reasons: dict[str, Reason]
) -> None:
    proposal = make_proposal(desk, main=None, team=None)

    refused = technician.post(f"/proposals/{proposal.pk}/accept")
    chosen = override(
        technician,
        proposal,
        choice__category=desk["hardware.printer"].pk,
        choice__team=desk["team.id"].pk,
    )

    assert refused.status_code == 422
    assert "Choose a value for Category" in words(refused)
    assert chosen.status_code == 302
    assert Decision.objects.get().values.get(field=desk.category).final == desk["hardware.printer"]


def test_an_open_team_follows_the_category_that_a_person_chooses(
    technician: Client, desk: Desk, reasons: dict[str, Reason]
) -> None:
    proposal = make_proposal(desk, main=None, team=None)

    override(technician, proposal, choice__category=desk["access.password"].pk)

    assert Decision.objects.get().values.get(field=desk.team).final == desk["team.id"]


def test_escalating_names_a_reason_and_maybe_a_team(
    technician: Client, desk: Desk, reasons: dict[str, Reason]
) -> None:
    proposal = make_proposal(desk)
    url = f"/proposals/{proposal.pk}/escalate"

    refused = technician.post(url, {"team": "", "text": ""})
    done = technician.post(
        url, {"reason": reasons["escalate.wrong"].pk, "team": desk["team.id"].pk, "text": ""}
    )

    assert refused.status_code == 422
    assert "Choose a reason." in words(refused)
    assert done.status_code == 302
    decision = Decision.objects.get()
    assert (decision.verdict, decision.reason) == ("escalated", reasons["escalate.wrong"])
    assert proposal.effects.get(kind="values").payload == {"values": {"team": "team.id"}}


def test_sending_back_names_a_reason(
    technician: Client, desk: Desk, reasons: dict[str, Reason]
) -> None:
    proposal = make_proposal(desk)
    url = f"/proposals/{proposal.pk}/send-back"

    refused = technician.post(url, {"reason": reasons["escalate.wrong"].pk, "text": ""})
    done = technician.post(url, {"reason": reasons["send_back.wrong"].pk, "text": ""})

    assert refused.status_code == 422
    assert done.status_code == 302
    assert Decision.objects.get().verdict == "sent_back"


@pytest.mark.parametrize("way", ["accept", "override", "escalate", "send-back"])
def test_whoever_comes_second_is_told_who_was_first(
    technician: Client, desk: Desk, reasons: dict[str, Reason], way: str
) -> None:
    proposal, _ = make_proposal(desk), make_proposal(desk)
    bob = make_technician("bob", first_name="Bob", last_name="Stone")
    decisions.decide(proposal=proposal, reviewer=bob, choices={}, reasons={}, with_playbook=False)

    response = technician.post(f"/proposals/{proposal.pk}/{way}?category=network")

    assert response.status_code == 409
    assert f"Bob Stone was faster on #{proposal.ticket.external_id}" in words(response)
    assert 'href="/tickets/next/?category=network"' in words(response)
    assert Decision.objects.get().reviewer == bob


@pytest.mark.parametrize("way", ["accept", "override", "escalate", "send-back"])
def test_a_ticket_that_changed_meanwhile_leads_to_its_newer_version(
    technician: Client, desk: Desk, reasons: dict[str, Reason], way: str
) -> None:
    proposal = make_proposal(desk)
    delivery = Delivery.objects.create(
        source=desk.source, webhook_id="w2", body=b"", outcome=Delivery.Outcome.APPLIED
    )
    TicketVersion.objects.create(
        ticket=proposal.ticket, version=2, subject="New words", delivery=delivery
    )

    response = technician.post(f"/proposals/{proposal.pk}/{way}", headers={"HX-Request": "true"})

    assert response.status_code == 409
    assert response["HX-Push-Url"] == "false"
    assert "<!doctype html>" not in words(response)
    assert f"#{proposal.ticket.external_id} has changed meanwhile" in words(response)
    assert f'href="/tickets/{proposal.ticket_id}/">Look at the ticket' in words(response)
    assert not Decision.objects.exists()


def test_readers_and_shadows_cannot_be_decided(client: Client, desk: Desk) -> None:
    client.force_login(make_reader())
    open_, shadow = make_proposal(desk), make_proposal(desk, route="shadow", waits=False)

    assert client.post(f"/proposals/{open_.pk}/accept").status_code == 403
    client.force_login(make_technician())
    assert client.post(f"/proposals/{shadow.pk}/accept").status_code == 404
    assert client.get(f"/proposals/{open_.pk}/accept").status_code == 405
    assert not Decision.objects.exists()


def test_a_decision_without_the_token_of_the_page_is_refused_with_words(desk: Desk) -> None:
    proposal = make_proposal(desk)
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_technician())

    response = client.post(f"/proposals/{proposal.pk}/accept")

    assert response.status_code == 403
    assert "This page was too old to be sent" in words(response)
    assert not Decision.objects.exists()
