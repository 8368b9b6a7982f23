"""Tickets whose news cross our own work: overtaken by it, closed, reopened, proposed late."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from django.contrib.auth.models import User

from review import decisions
from tests.conftest import OPENED, event_message, ticket_message
from triage import steps
from triage.models import (
    Choice,
    Delivery,
    Effect,
    EscalationRule,
    Proposal,
    Source,
    Ticket,
    Waiting,
)

pytestmark = pytest.mark.django_db

numbers = count(1)


def receive(source: Source, message: dict[str, Any]) -> Delivery:
    delivery = Delivery.objects.create(
        source=source, webhook_id=f"msg_{next(numbers)}", body=json.dumps(message).encode()
    )
    steps.receive([delivery.pk])
    delivery.refresh_from_db()
    return delivery


def after(minutes: int) -> datetime:
    return OPENED + timedelta(minutes=minutes)


def settled(
    source: Source, catalogue: dict[str, Choice], person: User, work: Callable[[], int]
) -> None:
    """Receive, propose and decide ticket T-1."""
    receive(source, ticket_message())
    work()
    decisions.decide(
        proposal=Proposal.objects.get(),
        reviewer=person,
        choices={"category": catalogue["network"]},
        reasons={},
        with_playbook=False,
    )


def left_a_note(ticket: Ticket, **over: Any) -> Effect:
    """An effect of our own that led the ticket from version 1 to version 3 or so."""
    return Effect.objects.create(
        key=f"t{ticket.pk}-note",
        ticket=ticket,
        proposal=Proposal.objects.get(),
        kind=Effect.Kind.NOTE,
        payload={"text": "Countersign suggests"},
        seen_version=1,
        state=Effect.State.APPLIED,
        **over,
    )


@pytest.mark.parametrize("echo_first", [True, False])
def test_a_change_that_our_own_write_overtook_is_proposed(
    source: Source, catalogue: dict[str, Choice], work: Callable[[], int], echo_first: bool
) -> None:
    receive(source, ticket_message())
    work()
    effect = left_a_note(Ticket.objects.get(), applied_version=3)
    Ticket.objects.update(version=1 if echo_first else 3)
    changed = {"version": 2, "body": "It is the printer."}
    echo = ticket_message(**changed | {"version": 3}) | {"caused_by": effect.key}
    both = [echo, ticket_message(**changed)]
    outcomes = [receive(source, m).outcome for m in (both if echo_first else both[::-1])]
    work()

    assert sorted(outcomes) == (["applied", "echo"] if echo_first else ["applied", "stale"])
    ticket = Ticket.objects.get()
    assert (ticket.version, ticket.body) == (3, "It is the printer.")
    assert Waiting.objects.get().proposal.ticket_version.version == 2


def test_an_echo_does_not_swallow_the_proposal_that_is_due(
    source: Source, catalogue: dict[str, Choice], work: Callable[[], int]
) -> None:
    receive(source, ticket_message())
    work()
    receive(source, ticket_message(version=2))
    effect = left_a_note(Ticket.objects.get(), applied_version=3)
    Ticket.objects.update(version=3)
    receive(source, ticket_message(version=3) | {"caused_by": effect.key})
    work()

    assert Waiting.objects.get().proposal.ticket_version.version == 2


def test_an_update_that_came_before_its_reopening_is_proposed(
    source: Source, catalogue: dict[str, Choice], technician: User, work: Callable[[], int]
) -> None:
    settled(source, catalogue, technician, work)
    receive(source, event_message(id="E-1", kind="resolved"))
    receive(source, ticket_message(version=2, body="Still broken."))
    later = after(60).isoformat()
    receive(source, event_message(id="E-2", kind="reopened", happened_at=later))
    work()

    assert Waiting.objects.get().proposal.ticket_version.version == 2


@pytest.mark.parametrize("proposed_before", [True, False])
def test_a_ticket_that_was_closed_by_mistake_comes_back_to_the_queue(
    source: Source,
    catalogue: dict[str, Choice],
    work: Callable[[], int],
    proposed_before: bool,
) -> None:
    receive(source, ticket_message(values={"priority": "urgent"}))
    if proposed_before:
        work()
    before = list(Waiting.objects.values())
    receive(source, event_message(id="E-1", kind="closed"))
    work()
    assert not Waiting.objects.exists()

    later = after(60).isoformat()
    receive(source, event_message(id="E-2", kind="reopened", happened_at=later))
    work()

    assert Waiting.objects.get().urgency == 3
    if proposed_before:
        assert list(Waiting.objects.values()) == before
    assert Proposal.objects.count() == 1


def test_a_decided_ticket_that_is_reopened_unchanged_is_not_decided_twice(
    source: Source, catalogue: dict[str, Choice], technician: User, work: Callable[[], int]
) -> None:
    settled(source, catalogue, technician, work)
    receive(source, event_message(id="E-1", kind="resolved"))
    later = after(60).isoformat()
    receive(source, event_message(id="E-2", kind="reopened", happened_at=later))
    work()

    assert not Waiting.objects.exists()


def test_a_job_for_an_older_version_that_runs_late_makes_no_proposal(
    source: Source,
    catalogue: dict[str, Choice],
    deliver: Callable[..., Any],
    work: Callable[..., int],
) -> None:
    deliver(source, ticket_message())
    deliver(source, ticket_message(version=2))
    work()
    old = Ticket.objects.get().versions.get(version=1)

    assert steps.propose([old.pk]) == 0
    assert Waiting.objects.get().proposal.ticket_version.version == 2


def test_a_line_break_in_a_tickets_id_does_not_keep_a_notice_back(
    source: Source,
    catalogue: dict[str, Choice],
    deliver: Callable[..., Any],
    work: Callable[..., int],
    mailoutbox: list[Any],
) -> None:
    rule = EscalationRule.objects.create(source=source, name="rule 0", owner=source.owner)
    rule.versions.create(
        number=1,
        conditions=[{"kind": "words_any", "words": ["vip"], "where": "either"}],
        actions=[{"kind": "notify", "to": "lead@example.org"}],
        author=source.owner,
    )
    deliver(source, ticket_message(id="T-1\nBcc: x", subject="VIP cannot print"))
    work()

    (mail,) = mailoutbox
    assert mail.subject == "[Countersign] rule 0: #T-1 Bcc: x"
