"""From stored deliveries to tickets and events, in whatever order they are read."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from django.contrib.auth.models import User
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from review import decisions
from tests.conftest import OPENED, event_message, ticket_message
from triage import steps
from triage.intake import inbox
from triage.jobs import leases
from triage.models import (
    Choice,
    Delivery,
    Effect,
    Job,
    Proposal,
    Source,
    Ticket,
    TicketEvent,
    Waiting,
)

pytestmark = pytest.mark.django_db

CLOSING = ("resolved", "closed")
numbers = count(1)
any_order = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def stored(source: Source, message: dict[str, Any]) -> Delivery:
    return Delivery.objects.create(
        source=source, webhook_id=f"msg_{next(numbers)}", body=json.dumps(message).encode()
    )


def receive(source: Source, message: dict[str, Any]) -> Delivery:
    delivery = stored(source, message)
    steps.receive([delivery.pk])
    delivery.refresh_from_db()
    return delivery


def after(minutes: int) -> datetime:
    return OPENED + timedelta(minutes=minutes)


# --- Versions -------------------------------------------------------------------------------
@any_order
@given(order=st.permutations(range(1, 6)))
def test_the_highest_version_wins_in_any_order_and_every_delivery_is_kept(
    source: Source, order: list[int]
) -> None:
    name = f"T-{next(numbers)}"
    deliveries = [
        receive(source, ticket_message(id=name, version=version, subject=f"Version {version}"))
        for version in order
    ]

    ticket = Ticket.objects.get(external_id=name)
    newest_so_far = [v for i, v in enumerate(order) if v == max(order[: i + 1])]
    kept = {json.loads(bytes(delivery.body))["data"]["version"] for delivery in deliveries}
    applied = {
        json.loads(bytes(delivery.body))["data"]["version"]
        for delivery in deliveries
        if delivery.outcome == Delivery.Outcome.APPLIED
    }
    assert (ticket.version, ticket.subject) == (5, "Version 5")
    assert kept == {1, 2, 3, 4, 5}
    assert applied == set(newest_so_far)
    assert set(newest_so_far) <= set(ticket.versions.values_list("version", flat=True))
    assert ticket.versions.get(version=5).subject == "Version 5"


def test_the_same_version_under_another_webhook_id_changes_nothing(source: Source) -> None:
    receive(source, ticket_message(subject="First"))

    again = receive(source, ticket_message(subject="Second"))

    assert Ticket.objects.get().subject == "First"
    assert (again.outcome, again.explanation) == ("stale", "Version 1 is not newer than 1.")


def test_a_delivery_that_is_read_twice_leaves_what_one_reading_leaves(source: Source) -> None:
    delivery = receive(source, ticket_message())
    jobs = list(Job.objects.values_list("kind", "subject"))

    steps.receive([delivery.pk])

    ticket = Ticket.objects.get()
    assert ticket.versions.count() == 1
    assert list(Job.objects.values_list("kind", "subject")) == jobs


def test_an_update_that_leaves_out_the_requester_keeps_the_known_one(source: Source) -> None:
    receive(source, ticket_message())

    receive(source, ticket_message(version=2, requester={}, body="New words"))

    ticket = Ticket.objects.get()
    assert (ticket.requester, ticket.body) == ("ann@example.org", "New words")


def test_an_address_that_grows_when_made_small_is_still_read(
    source: Source, deliver: Callable[..., Any], work: Callable[[], int]
) -> None:
    message = ticket_message(requester={"address": "\u0130" * 254})
    assert deliver(source, message).status_code == 202
    work()

    assert len(Ticket.objects.get().requester) == 254
    assert not Job.objects.exists()


def test_the_same_id_in_two_sources_is_two_tickets(
    source: Source, make_source: Callable[..., Source]
) -> None:
    receive(source, ticket_message())
    receive(make_source(), ticket_message(version=7))

    assert sorted(Ticket.objects.values_list("version", flat=True)) == [1, 7]


def test_a_stored_delivery_that_cannot_be_read_is_refused_for_good(source: Source) -> None:
    delivery = receive(source, {"type": "ticket.created", "data": {"id": "T-1"}})

    assert delivery.outcome == "refused"
    assert "version" in delivery.explanation
    assert not Job.objects.exists()


# --- Events ---------------------------------------------------------------------------------
def test_an_event_before_its_ticket_raises_and_is_read_when_the_ticket_has_come(
    source: Source,
) -> None:
    delivery = stored(source, event_message())

    with pytest.raises(inbox.TicketNotThereYet, match="E-1"):
        steps.receive([delivery.pk])
    receive(source, ticket_message())
    steps.receive([delivery.pk])

    assert Ticket.objects.get().closed_at == OPENED


def test_a_worker_gives_an_event_back_until_its_ticket_has_come(
    source: Source, deliver: Callable[..., Any], work: Callable[[], int]
) -> None:
    deliver(source, event_message())
    work()
    given_back = Job.objects.get()

    deliver(source, ticket_message())
    work()
    Job.objects.update(next_attempt_at=given_back.created_at)
    work()

    assert "TicketNotThereYet" in given_back.last_error
    assert given_back.attempts == 1
    assert Ticket.objects.get().closed_at == OPENED


def test_a_repeated_event_leaves_one_row(source: Source) -> None:
    receive(source, ticket_message())

    deliveries = [receive(source, event_message(kind="reopened")) for _ in range(3)]

    ticket = Ticket.objects.get()
    assert [delivery.outcome for delivery in deliveries] == ["applied", "repeated", "repeated"]
    assert (ticket.events.count(), ticket.reopened_count) == (1, 1)


@any_order
@given(
    kinds=st.lists(st.sampled_from(["resolved", "closed", "reopened", "commented"]), max_size=6),
    data=st.data(),
)
def test_events_in_any_order_settle_when_the_ticket_was_closed(
    source: Source, kinds: list[str], data: st.DataObject
) -> None:
    name = f"T-{next(numbers)}"
    receive(source, ticket_message(id=name))
    happened = list(enumerate(kinds))
    for minute, kind in data.draw(st.permutations(happened)):
        receive(
            source,
            event_message(
                id=f"E-{minute}", ticket_id=name, kind=kind, happened_at=after(minute).isoformat()
            ),
        )

    ticket = Ticket.objects.get(external_id=name)
    last_reopened = max((m for m, kind in happened if kind == "reopened"), default=-1)
    closed = [m for m, kind in happened if kind in CLOSING and m > last_reopened]
    assert ticket.closed_at == (after(closed[0]) if closed else None)
    assert ticket.reopened_count == kinds.count("reopened")
    assert ticket.events.count() == len(kinds)


def test_an_event_names_the_choice_it_led_to_and_keeps_an_unknown_one_out(
    source: Source, catalogue: dict[str, Choice]
) -> None:
    receive(source, ticket_message())

    receive(source, event_message(kind="reassigned", field="team", choice="infrastructure"))
    receive(source, event_message(id="E-2", kind="reassigned", field="team", choice="nobody"))

    choices = TicketEvent.objects.order_by("key").values_list("choice__key", flat=True)
    assert list(choices) == ["infrastructure", None]


def test_a_rating_and_a_resolution_are_kept(source: Source) -> None:
    receive(source, ticket_message())

    receive(source, event_message(kind="rated", score=2))
    receive(source, event_message(id="E-2", resolution="Restarted the tunnel."))

    ticket = Ticket.objects.get()
    assert ticket.events.get(kind="rated").score == 2
    assert ticket.resolution == "Restarted the tunnel."


# --- What follows for the queue -------------------------------------------------------------
def test_a_new_ticket_gets_a_proposal_and_waits(
    source: Source, catalogue: dict[str, Choice], work: Callable[[], int]
) -> None:
    receive(source, ticket_message())
    work()

    assert Waiting.objects.get().proposal == Proposal.objects.get()


def test_a_closed_ticket_leaves_the_queue(
    source: Source, catalogue: dict[str, Choice], work: Callable[[], int]
) -> None:
    receive(source, ticket_message())
    work()

    receive(source, event_message(kind="closed"))

    assert not Waiting.objects.exists()
    assert Proposal.objects.count() == 1


def test_a_ticket_that_was_closed_before_its_turn_never_enters_the_queue(
    source: Source, catalogue: dict[str, Choice], work: Callable[[], int]
) -> None:
    receive(source, ticket_message())
    receive(source, event_message(kind="closed"))
    work()

    assert not Waiting.objects.exists()
    assert not Proposal.objects.exists()


def test_a_ticket_that_changed_before_it_was_decided_is_proposed_anew(
    source: Source, catalogue: dict[str, Choice], work: Callable[[], int]
) -> None:
    receive(source, ticket_message())
    work()
    receive(source, ticket_message(version=2))
    work()

    waiting = Waiting.objects.get()
    assert Proposal.objects.count() == 2
    assert waiting.proposal.ticket_version.version == 2


def settled(
    source: Source, catalogue: dict[str, Choice], person: User, work: Callable[[], int]
) -> Effect:
    """Receive, propose and decide ticket T-1; answers the effect that sets its values."""
    receive(source, ticket_message())
    work()
    decisions.decide(
        proposal=Proposal.objects.get(),
        reviewer=person,
        choices={"category": catalogue["network"]},
        reasons={},
        with_playbook=False,
    )
    return Effect.objects.get(kind=Effect.Kind.VALUES)


def test_an_echo_of_our_own_write_makes_no_proposal(
    source: Source, catalogue: dict[str, Choice], technician: User, work: Callable[[], int]
) -> None:
    effect = settled(source, catalogue, technician, work)

    message = ticket_message(version=2, values={"category": "network"})
    echo = receive(source, message | {"type": "ticket.updated", "caused_by": effect.key})

    assert (echo.outcome, echo.explanation) == ("echo", f"Caused by {effect.key}.")
    assert Ticket.objects.get().values == {"category": "network"}
    assert not Job.objects.exists()
    assert Proposal.objects.count() == 1


def test_a_key_of_another_tickets_effect_is_no_echo(
    source: Source, catalogue: dict[str, Choice], technician: User, work: Callable[[], int]
) -> None:
    effect = settled(source, catalogue, technician, work)

    other = receive(source, ticket_message(id="T-2") | {"caused_by": effect.key})

    assert other.outcome == "applied"
    assert Job.objects.get().kind == Job.Kind.PROPOSE


def test_a_settled_ticket_is_proposed_anew_only_after_it_was_reopened(
    source: Source, catalogue: dict[str, Choice], technician: User, work: Callable[[], int]
) -> None:
    settled(source, catalogue, technician, work)

    receive(source, ticket_message(version=2))
    quiet = Job.objects.count()
    later = Proposal.objects.get().created_at + timedelta(hours=1)
    receive(source, event_message(kind="reopened", happened_at=later.isoformat()))
    receive(source, ticket_message(version=3))
    work()

    assert quiet == 0
    assert Proposal.objects.count() == 2
    assert Waiting.objects.get().proposal.ticket_version.version == 3


def test_a_rating_does_not_reopen_a_ticket_that_was_imported_as_solved(
    source: Source, make_ticket: Callable[..., Ticket]
) -> None:
    ticket = make_ticket(source, external_id="T-1", closed_at=after(5))

    receive(source, event_message(kind="rated", score=4))
    ticket.refresh_from_db()

    assert ticket.closed_at == after(5)


def test_jobs_of_deliveries_that_were_read_are_gone(
    source: Source, deliver: Callable[..., Any], work: Callable[[], int]
) -> None:
    for number in range(5):
        deliver(source, ticket_message(id=f"T-{number}"))
    work()

    assert leases.oldest_age_seconds() == 0
    assert set(Delivery.objects.values_list("outcome", flat=True)) == {"applied"}
