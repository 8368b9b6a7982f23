"""Effects happen once, in order, or say why not; against a real HTTP helpdesk that fails."""

from collections.abc import Callable
from threading import Barrier
from typing import Any

import pytest
from django.utils import timezone
from standardwebhooks import Webhook

from tests.conftest import ticket_message
from tests.triage.writeback_world import AUTOMATION_SECRET, World, make_due, world
from triage import steps, tasks
from triage.effects import writeback
from triage.models import (
    Effect,
    EmergencyStop,
    Job,
    LedgerEntry,
    Proposal,
    Source,
    Ticket,
    Waiting,
)

__all__ = ["world"]


def test_a_decision_arrives_in_the_helpdesk_once(world: World, work: Callable[[], int]) -> None:
    world.decide()
    world.decide()
    work()

    assert world.remote["values"] == {"category": "network", "priority": "urgent"}
    assert [(n["kind"], n["body"]) for n in world.remote["notes"]] == [
        ("internal", "Countersign: accepted by Maya.")
    ]
    assert set(world.helpdesk.writes.values()) == {1}
    assert world.states() == {"values": "applied", "note": "applied"}
    assert world.helpdesk.tokens == {"Bearer the-token"}
    assert LedgerEntry.objects.filter(kind="effect").count() == 2
    assert not Job.objects.exists()


def test_our_own_write_is_known_and_its_webhook_is_old_news(
    world: World, work: Callable[[], int]
) -> None:
    world.decide()
    work()

    ticket = Ticket.objects.get()
    assert ticket.version == world.remote["version"] == 3
    assert ticket.values == {"category": "network", "priority": "urgent"}


def test_a_playbook_calls_replies_and_resolves_in_this_order(
    world: World, work: Callable[[], int]
) -> None:
    world.decide(with_playbook=True)
    work()

    assert list(world.states().items()) == [
        (kind, "applied") for kind in ("values", "note", "call", "reply", "status")
    ]
    assert world.remote["status"] == "resolved"
    assert world.remote["notes"][1]["body"] == "Hello Ann, it is on its way."
    assert world.remote["notes"][1]["kind"] == "reply"
    ((headers, body),) = world.helpdesk.calls
    assert headers["webhook-id"] == f"p{world.proposal.pk}-call"
    called = Webhook(AUTOMATION_SECRET).verify(body, headers)
    assert called["data"]["ticket_id"] == world.proposal.ticket.external_id


def test_a_reply_that_was_lost_is_not_written_twice(world: World, work: Callable[[], int]) -> None:
    world.helpdesk.faults = ["lost", "lost"]
    world.decide(with_playbook=True)
    for _ in range(4):
        work()
        make_due()

    assert set(world.states().values()) == {"applied"}
    assert set(world.helpdesk.writes.values()) == {1}
    assert [note["kind"] for note in world.remote["notes"]] == ["internal", "reply"]


def test_a_helpdesk_that_is_down_is_tried_again(world: World, work: Callable[[], int]) -> None:
    world.helpdesk.faults = ["500"]
    world.decide()
    work()

    assert world.states()["values"] == "sending"
    job = Job.objects.get()
    assert "answered 500" in job.last_error
    assert "HelpdeskUnavailable" in job.last_error

    make_due()
    work()
    assert set(world.states().values()) == {"applied"}


def test_a_helpdesk_that_stays_down_leaves_a_dead_letter(
    world: World, work: Callable[[], int]
) -> None:
    world.helpdesk.faults = ["500"] * 20
    world.decide()
    for _ in range(6):
        work()
        make_due()

    assert Job.objects.get().dead_at is not None
    assert world.states()["values"] == "sending"


def test_a_ticket_that_changed_meanwhile_is_not_overwritten(
    world: World, work: Callable[[], int]
) -> None:
    world.remote |= {"version": 2, "values": {"category": "hardware"}}
    world.decide(with_playbook=True)
    work()

    assert world.states() == {
        "values": "conflict",
        "note": "applied",
        "call": "conflict",
        "reply": "conflict",
        "status": "conflict",
    }
    assert world.remote["values"] == {"category": "hardware"}
    assert [note["kind"] for note in world.remote["notes"]] == ["internal"]
    assert world.helpdesk.calls == []


def test_a_change_that_our_note_followed_is_still_news(
    world: World, work: Callable[[], int]
) -> None:
    world.remote |= {"version": 2, "values": {"category": "hardware"}}
    world.decide()
    work()

    assert world.remote["version"] == 3
    assert Ticket.objects.get().version == 1


def test_what_the_helpdesk_refuses_is_not_tried_again(
    world: World, work: Callable[[], int]
) -> None:
    world.helpdesk.faults = ["refuse"]
    world.decide()
    work()

    assert world.states() == {"values": "refused", "note": "applied"}
    assert "answered 422" in Effect.objects.get(kind="values").detail
    assert not Job.objects.exists()


def test_values_that_are_there_already_are_not_written(
    world: World, work: Callable[[], int]
) -> None:
    world.remote["values"] = {"category": "network", "priority": "urgent"}
    world.decide()
    work()

    assert world.states()["values"] == "applied"
    assert f"p{world.proposal.pk}-values" not in world.helpdesk.writes


def test_a_source_without_an_address_is_not_written_to(
    world: World, work: Callable[[], int]
) -> None:
    Source.objects.update(api_url="")
    world.proposal.ticket.source.refresh_from_db()
    world.decide()
    work()

    assert set(world.states().values()) == {"skipped"}
    assert world.helpdesk.writes == {}


@pytest.mark.django_db(transaction=True)
def test_four_workers_at_once_write_once(world: World, in_threads: Callable[..., None]) -> None:
    world.decide(with_playbook=True)
    start = Barrier(4)

    def send() -> None:
        start.wait()
        try:
            writeback.send(Proposal.objects.get())
        except writeback.TicketBusy:
            return

    in_threads([send] * 4)

    assert set(world.states().values()) == {"applied"}
    assert set(world.helpdesk.writes.values()) == {1}
    assert len(world.helpdesk.calls) == 1


def test_a_conflict_still_ends_the_playbook_when_the_note_had_to_be_tried_again(
    world: World, work: Callable[[], int]
) -> None:
    world.remote |= {"version": 2, "values": {"category": "hardware"}}
    world.helpdesk.faults = ["500"]
    world.decide(with_playbook=True)
    work()
    make_due()
    work()

    assert world.states() == {
        "values": "conflict",
        "note": "applied",
        "call": "conflict",
        "reply": "conflict",
        "status": "conflict",
    }
    assert world.helpdesk.calls == []
    assert world.remote["status"] == "open"


def test_values_that_somebody_else_set_do_not_make_their_change_ours(
    world: World, work: Callable[[], int]
) -> None:
    world.remote |= {"version": 2, "values": {"category": "network", "priority": "urgent"}}
    world.decide(with_playbook=True)
    work()

    assert world.states()["values"] == "applied"
    assert {world.states()[kind] for kind in ("call", "reply", "status")} == {"conflict"}
    assert world.helpdesk.calls == []
    assert [note["kind"] for note in world.remote["notes"]] == ["internal"]


def test_a_change_between_our_values_and_our_note_ends_the_playbook(
    world: World, work: Callable[[], int]
) -> None:
    world.decide(with_playbook=True)
    Effect.objects.filter(kind="values").update(state="applied", applied_version=2)
    world.remote |= {"version": 3, "values": {"category": "network", "priority": "low"}}
    work()

    assert world.states()["note"] == "applied"
    assert {world.states()[kind] for kind in ("call", "reply", "status")} == {"conflict"}
    assert world.helpdesk.calls == []


def test_an_emergency_stop_holds_back_what_was_decided_by_nobody(
    world: World, work: Callable[[], int]
) -> None:
    world.decide()
    Proposal.objects.update(route=Proposal.Route.AUTO)
    stop = EmergencyStop.objects.create(
        source=world.proposal.ticket.source,
        reason="drill",
        pulled_by=world.proposal.ticket.source.owner,
    )
    work()

    assert world.helpdesk.writes == {}
    assert set(world.states().values()) == {"pending"}
    assert "emergency stop" in Job.objects.get().last_error

    stop.released_at = timezone.now()
    stop.save()
    make_due()
    work()
    assert set(world.states().values()) == {"applied"}


@pytest.mark.parametrize("news_first", [True, False])
def test_a_ticket_that_changed_before_it_was_applied_by_nobody_goes_to_a_person(
    world: World, work: Callable[[], int], deliver: Callable[..., Any], news_first: bool
) -> None:
    Proposal.objects.update(route=Proposal.Route.AUTO)
    Waiting.objects.all().delete()
    world.decide()
    ticket = world.proposal.ticket
    world.remote |= {"version": 2, "values": {"category": "hardware"}}
    changed = ticket_message(id=ticket.external_id, version=2, body="It is the printer.")
    if news_first:
        deliver(ticket.source, changed)
        work()
    else:
        work()
        deliver(ticket.source, changed)
        work()

    assert Effect.objects.get(kind="values").state == "conflict"
    assert Waiting.objects.get().proposal.ticket_version.version == 2


def test_effects_are_claimed_one_by_one(world: World, make_ticket: Callable[..., Ticket]) -> None:
    world.decide()
    other = make_ticket(world.proposal.ticket.source)
    steps.propose([other.versions.get().pk])
    steps.apply(Proposal.objects.latest("pk"), values={}, note="accepted by Maya.")

    assert tasks.work_once([Job.Kind.EFFECT]) == 1
    assert Job.objects.get(kind=Job.Kind.EFFECT).attempts == 0
