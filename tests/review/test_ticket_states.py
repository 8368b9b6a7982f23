"""The states in which a ticket page meets people: open, decided, changed, finished elsewhere."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from review import decisions
from tests.review.helpers import (
    make_desk,
    make_model,
    make_proposal,
    make_reader,
    make_reasons,
    make_technician,
    make_ticket,
    ticket_page,
)
from triage.jobs import leases
from triage.models import (
    Delivery,
    Effect,
    EscalationRule,
    Job,
    Proposal,
    RuleHit,
    RuleVersion,
    Ticket,
    TicketEvent,
    TicketVersion,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def technician(client: Client) -> Client:
    client.force_login(make_technician())
    return client


def add_version(ticket: Ticket, outcome: str = Delivery.Outcome.APPLIED) -> TicketVersion:
    ticket.version += 1
    ticket.body = "It is the whole office now."
    ticket.save()
    delivery = Delivery.objects.create(
        source=ticket.source, webhook_id=f"{ticket.pk}-{ticket.version}", body=b"", outcome=outcome
    )
    return TicketVersion.objects.create(
        ticket=ticket,
        version=ticket.version,
        subject=ticket.subject,
        body=ticket.body,
        delivery=delivery,
    )


def test_without_a_model_the_form_is_open_and_there_is_nothing_to_accept(
    technician: Client,
) -> None:
    make_reasons()
    proposal = make_proposal(make_desk(), main=None, team=None)

    html = ticket_page(technician, proposal.ticket)

    assert "No model has been trained for Category yet: choose yourself." in html
    assert f"/proposals/{proposal.pk}/accept" not in html
    assert '<section class="form" id="override" aria-labelledby="override-title">' in html


def test_an_unsure_model_leaves_the_value_open_and_says_what_it_leans_to(
    technician: Client,
) -> None:
    desk = make_desk()
    proposal = make_proposal(desk, main=None, model=make_model(desk), probability=0.52)

    html = ticket_page(technician, proposal.ticket)

    assert "Left open: nothing was sure enough to be proposed." in html
    assert "Likeliest, but not likely enough: Network › VPN." in html


def test_a_decided_ticket_says_who_when_and_what(technician: Client) -> None:
    desk, reasons = make_desk(), make_reasons()
    proposal = make_proposal(desk)
    decisions.decide(
        proposal=proposal,
        reviewer=make_technician("bob", first_name="Bob", last_name="Stone"),
        choices={"category": desk["access.password"]},
        reasons={"category": reasons["override.other"]},
        with_playbook=False,
        text="It was the password after all.",
    )

    html = ticket_page(technician, proposal.ticket)

    assert "<b>Overridden</b> by Bob Stone" in html
    assert "Access › Password" in html
    assert "It was the password after all." in html
    assert "/accept" not in html


def test_a_change_of_the_ticket_supersedes_the_proposal_and_an_echo_does_not(
    technician: Client,
) -> None:
    desk = make_desk()
    changed, echoed = make_proposal(desk), make_proposal(desk)
    add_version(changed.ticket)
    add_version(echoed.ticket, Delivery.Outcome.ECHO)

    html = ticket_page(technician, changed.ticket)

    assert "The ticket has changed since this was proposed." in html
    assert "What it said before" in html
    assert f"/proposals/{changed.pk}/accept" not in html
    assert f"/proposals/{echoed.pk}/accept" in ticket_page(technician, echoed.ticket)


def test_an_echo_that_came_late_is_no_change_but_a_late_word_of_the_requester_is(
    technician: Client,
) -> None:
    proposal = make_proposal(make_desk())
    words = proposal.ticket.body
    late = add_version(proposal.ticket, Delivery.Outcome.STALE)
    TicketVersion.objects.filter(pk=late.pk).update(body=words)

    assert "(version 2)" not in ticket_page(technician, proposal.ticket)

    TicketVersion.objects.filter(pk=late.pk).update(body="It is the whole office now.")
    html = ticket_page(technician, proposal.ticket)

    assert "(version 2)" in html
    assert "What it said before" in html


def test_a_held_ticket_names_the_rules_that_hold_it_and_who_answers_for_them(
    technician: Client,
) -> None:
    desk = make_desk()
    held = make_proposal(desk, route=Proposal.Route.HOLD)
    for name, kinds in {"Board": ["raise_priority"], "Theft": ["hold"], "Fire": ["hold"]}.items():
        rule = EscalationRule.objects.create(source=desk.source, name=name, owner=desk.owner)
        version = RuleVersion.objects.create(
            rule=rule,
            number=1,
            author=desk.owner,
            conditions=[],
            actions=[{"kind": kind} for kind in kinds],
        )
        RuleHit.objects.create(proposal=held, rule_version=version)

    html = ticket_page(technician, held.ticket)

    assert "Held by the rule “Theft”, owned by Olga Owner." in html
    assert "Held by the rule “Fire”, owned by Olga Owner." in html
    assert "Held by the rule “Board”" not in html
    assert "A person has to decide." in html


def test_the_other_states_have_their_own_words(technician: Client) -> None:
    desk = make_desk()
    untriaged = make_ticket(desk)
    automatic = make_proposal(desk, route=Proposal.Route.AUTO, waits=False)
    gone = make_proposal(desk, waits=False)
    held = make_proposal(desk, route=Proposal.Route.HOLD)
    shadow = make_proposal(desk, route=Proposal.Route.SHADOW, waits=False)

    assert "triage has not come to this ticket" in ticket_page(technician, untriaged)
    assert "Applied without a person" in ticket_page(technician, automatic.ticket)
    assert "does not wait any more" in ticket_page(technician, gone.ticket)
    assert "Held by a rule" in ticket_page(technician, held.ticket)
    assert "Network › VPN" not in ticket_page(technician, shadow.ticket).split('id="proposal"')[1]


def test_effects_are_asked_for_again_until_all_are_finished(technician: Client) -> None:
    proposal = make_proposal(make_desk(), waits=False)
    effect = Effect.objects.create(
        key="p1-values",
        ticket=proposal.ticket,
        proposal=proposal,
        kind=Effect.Kind.VALUES,
        payload={},
        seen_version=1,
    )
    url = f"/tickets/{proposal.ticket_id}/effects/"

    pending = technician.get(url).content.decode()
    Effect.objects.update(state=Effect.State.CONFLICT, detail="priority was changed to low")
    finished = technician.get(url).content.decode()

    assert "waiting to be sent" in pending
    assert 'hx-trigger="every 3s"' in pending
    assert "changed meanwhile in the helpdesk" in finished
    assert "priority was changed to low" in finished
    assert "hx-trigger" not in finished
    assert "Nothing was overwritten: settle it there." in ticket_page(technician, effect.ticket)


def test_events_and_decisions_stand_in_the_order_in_which_they_happened(
    technician: Client,
) -> None:
    desk = make_desk()
    ticket = make_ticket(desk, opened_at=timezone.now() - timedelta(hours=3))
    cases: list[tuple[int, str, dict[str, Any]]] = [
        (10, TicketEvent.Kind.REASSIGNED, {"choice": desk["team.id"]}),
        (20, TicketEvent.Kind.RATED, {"score": 2}),
    ]
    for minutes, kind, over in cases:
        TicketEvent.objects.create(
            ticket=ticket,
            key=kind,
            kind=kind,
            happened_at=ticket.opened_at + timedelta(minutes=minutes),
            **over,
        )

    told = ticket_page(technician, ticket).split('class="timeline"')[1]

    places = [told.index(words) for words in ("Opened", "Reassigned: Identity", "Rated: 2 of 5")]
    assert places == sorted(places)


def test_readers_see_everything_and_can_decide_nothing(client: Client) -> None:
    proposal = make_proposal(make_desk())
    client.force_login(make_reader())

    html = ticket_page(client, proposal.ticket)

    assert "Deciding is for technicians." in html
    assert "/proposals/" not in html


def test_a_page_opened_before_its_evidence_says_that_it_will_come(technician: Client) -> None:
    proposal = make_proposal(make_desk())
    leases.put(Job.Kind.EVIDENCE, [proposal.pk])

    early = ticket_page(technician, proposal.ticket)
    Job.objects.all().delete()
    late = ticket_page(technician, proposal.ticket)

    assert "is being worked out" in early
    assert "is being worked out" not in late
