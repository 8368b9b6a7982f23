"""Taking a decision back: what the helpdesk is told, and what waits again."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User

from review import undo
from review.models import Decision
from tests.conftest import ticket_message
from tests.review.undo_world import accept, bodies, states
from tests.triage.writeback_world import World, world
from triage import ledger
from triage.models import Effect, Job, Label, LedgerEntry, Ticket, Waiting

__all__ = ["world"]

pytestmark = pytest.mark.django_db
Work = Callable[[], int]


# --- Before, while and after it was sent ----------------------------------------------------
def test_what_was_not_sent_yet_is_dropped_and_the_helpdesk_hears_nothing(
    world: World, technician: User, work: Work
) -> None:
    undo.undo(accept(world, technician, with_playbook=True), technician)
    work()

    assert set(states().values()) == {"dropped"}
    assert world.helpdesk.writes == {}
    assert world.helpdesk.calls == []
    assert Waiting.objects.get().proposal == world.proposal


def test_what_was_applied_is_put_back_and_the_proposal_waits_as_before(
    world: World, technician: User, work: Work
) -> None:
    before = Waiting.objects.values().get()
    world.remote["values"] = {"category": "access"}
    decision = accept(world, technician)
    work()
    assert world.remote["values"] == {"category": "network", "team": "infrastructure"}

    withdrawal = undo.undo(decision, technician)
    work()

    assert world.remote["values"] == {"category": "access"}
    assert bodies(world)[1:] == ["Countersign: taken back by Maya Berg."]
    assert Ticket.objects.get().values == {"category": "access"}
    assert Ticket.objects.get().version == world.remote["version"]
    assert Waiting.objects.values().get() == before
    decision.refresh_from_db()
    assert (decision.stands_for, withdrawal.by) == (None, technician)
    assert not Label.objects.filter(origin="decision").exists()
    entry = LedgerEntry.objects.filter(kind="decision").last()
    assert entry is not None
    assert entry.payload["undone"] == decision.pk
    assert ledger.verify() is None


def test_a_playbook_is_taken_back_in_reverse_order_but_for_the_reply(
    world: World, technician: User, work: Work
) -> None:
    decision = accept(world, technician, with_playbook=True)
    work()
    assert world.remote["status"] == "resolved"

    undo.undo(decision, technician)
    work()

    planned = Effect.objects.filter(undoes__isnull=False).order_by("position")
    assert [effect.kind for effect in planned] == ["status", "call", "note", "values"]
    assert set(planned.values_list("state", flat=True)) == {"applied"}
    assert world.remote["status"] == "open"
    assert "The reply to the requester stays" in bodies(world)[-1]
    (_, first), (headers, second) = world.helpdesk.calls
    assert headers["webhook-id"] == f"p{world.proposal.pk}u-call"
    assert b'"playbook.undone"' in second
    assert f'"undoes": "p{world.proposal.pk}-call"'.encode() in second
    assert b'"playbook.accepted"' in first


def test_a_call_that_cannot_be_undone_stays_and_the_note_says_so(
    world: World, technician: User, work: Work
) -> None:
    assert world.proposal.playbook is not None
    type(world.proposal.playbook).objects.update(is_reversible=False)
    decision = accept(world, technician, with_playbook=True)
    work()

    undo.undo(decision, technician)
    work()

    assert len(world.helpdesk.calls) == 1
    assert "cannot be undone from here" in bodies(world)[-1]


def test_one_that_was_being_sent_when_its_worker_died_is_looked_for_and_put_back(
    world: World, technician: User, work: Work
) -> None:
    world.helpdesk.faults = ["lost"]
    decision = accept(world, technician)
    work()
    assert Effect.objects.get(kind="values").state == "sending"
    assert world.remote["values"]["category"] == "network"

    undo.undo(decision, technician)
    work()

    assert states() == {"values": "applied", "note": "dropped", "values!": "applied"}
    assert world.remote["values"] == {}
    assert bodies(world) == []


def test_one_that_was_being_sent_and_did_not_arrive_is_not_sent_again(
    world: World, technician: User, work: Work
) -> None:
    world.helpdesk.faults = ["500"]
    decision = accept(world, technician)
    work()

    undo.undo(decision, technician)
    work()

    assert states() == {"values": "dropped", "note": "dropped", "values!": "dropped"}
    assert world.helpdesk.writes == {}


def test_a_call_that_may_have_arrived_is_undone_and_not_made_again(
    world: World, technician: User, work: Work
) -> None:
    world.helpdesk.faults = ["", "", "lost"]
    decision = accept(world, technician, with_playbook=True)
    work()
    assert Effect.objects.get(kind="call").state == "sending"

    undo.undo(decision, technician)
    work()

    kinds = [b"playbook.undone" in body for _, body in world.helpdesk.calls]
    assert kinds == [False, True]
    call = Effect.objects.get(kind="call", undoes=None)
    assert (call.state, "not known" in call.detail) == ("dropped", True)


def test_values_that_stood_there_before_are_left_when_the_decision_is_taken_back(
    world: World, technician: User, work: Work
) -> None:
    world.remote["values"] = {"category": "network", "team": "infrastructure"}
    decision = accept(world, technician)
    work()

    undo.undo(decision, technician)
    work()

    assert states()["values!"] == "dropped"
    assert world.remote["values"] == {"category": "network", "team": "infrastructure"}


def test_a_helpdesk_that_changed_in_between_is_not_overwritten(
    world: World, technician: User, work: Work
) -> None:
    decision = accept(world, technician)
    work()
    world.remote["version"] += 1
    world.remote["values"]["category"] = "hardware"

    undo.undo(decision, technician)
    work()

    assert states()["values!"] == "conflict"
    assert world.remote["values"]["category"] == "hardware"
    assert bodies(world)[-1] == "Countersign: taken back by Maya Berg."


def test_the_echoes_of_what_was_put_back_are_no_news(
    world: World, technician: User, work: Work, deliver: Callable[..., Any]
) -> None:
    decision = accept(world, technician)
    work()
    undo.undo(decision, technician)
    work()
    ticket = Ticket.objects.get()
    for effect in Effect.objects.filter(applied_version__isnull=False).order_by("applied_version"):
        told = {
            "id": ticket.external_id,
            "version": effect.applied_version,
            "values": {"team": None},
        }
        deliver(ticket.source, ticket_message(**told) | {"caused_by": effect.key})
    work()

    assert Waiting.objects.get().proposal == world.proposal
    assert Ticket.objects.get().values == {}


def test_a_source_without_an_address_still_lets_decisions_be_taken_back(
    world: World, technician: User, work: Work
) -> None:
    world.proposal.ticket.source.api_url = ""
    world.proposal.ticket.source.save()
    decision = accept(world, technician)
    undo.undo(decision, technician)
    work()

    assert set(states().values()) == {"dropped"}
    assert not Job.objects.exists()


# --- Again and again ------------------------------------------------------------------------
def test_decided_undone_and_decided_again_each_turn_has_keys_of_its_own(
    world: World, technician: User, work: Work
) -> None:
    pk = world.proposal.pk
    undo.undo(accept(world, technician), technician)
    accept(world, technician)
    work()
    undo.undo(Decision.objects.get(stands_for__isnull=False), technician)
    work()
    accept(world, technician)
    work()

    keys = list(Effect.objects.order_by("position").values_list("key", "state"))
    assert keys == [
        (f"p{pk}-values", "dropped"),
        (f"p{pk}-note", "dropped"),
        (f"p{pk}.2-values", "applied"),
        (f"p{pk}.2-note", "applied"),
        (f"p{pk}.2u-note", "applied"),
        (f"p{pk}.2u-values", "applied"),
        (f"p{pk}.3-values", "applied"),
        (f"p{pk}.3-note", "applied"),
    ]
    assert world.remote["values"] == {"category": "network", "team": "infrastructure"}
    assert set(world.helpdesk.writes.values()) == {1}
    assert Label.objects.filter(origin="decision").count() == 2
    assert not Waiting.objects.exists()


def test_deciding_again_before_the_first_was_put_back_ends_as_decided(
    world: World, technician: User, work: Work
) -> None:
    decision = accept(world, technician)
    work()
    undo.undo(decision, technician)
    accept(world, technician)
    work()

    assert set(Effect.objects.values_list("state", flat=True)) == {"applied"}
    assert world.remote["values"] == {"category": "network", "team": "infrastructure"}
