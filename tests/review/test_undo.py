"""Taking a decision back: what is told the helpdesk, what waits again, and when it is too late."""

from collections.abc import Callable
from threading import Barrier
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from review import decisions, erasure, standing, undo
from review.models import Decision, Withdrawal
from tests.conftest import event_message, ticket_message
from tests.triage.writeback_world import World, world
from triage import ledger
from triage.erasure import Whose
from triage.models import Effect, Job, Label, LedgerEntry, Ticket, Waiting

__all__ = ["world"]

pytestmark = pytest.mark.django_db
Work = Callable[[], int]


def accept(world: World, by: User, **over: Any) -> Decision:
    said: dict[str, Any] = {"choices": {}, "reasons": {}, "with_playbook": False}
    return decisions.decide(proposal=world.proposal, reviewer=by, **said | over)


def states() -> dict[str, str]:
    """By kind; with a "!" of those that make another good."""
    rows = Effect.objects.order_by("position").values_list("key", "state")
    return {key.partition("-")[2] + "!" * ("u-" in key): state for key, state in rows}


def bodies(world: World) -> list[str]:
    return [note["body"] for note in world.remote["notes"]]


def can_undo(decision: Decision) -> bool:
    return standing.undoable(Decision.objects.filter(pk=decision.pk)).get().can_undo  # type: ignore[attr-defined, no-any-return]


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


# --- When it is refused ---------------------------------------------------------------------
def test_twice_is_refused(world: World, technician: User) -> None:
    decision = accept(world, technician)
    assert can_undo(decision)
    undo.undo(decision, technician)

    with pytest.raises(undo.TooLate, match="taken back already"):
        undo.undo(decision, technician)

    assert not can_undo(decision)
    assert Withdrawal.objects.count() == 1


def test_only_who_decided_may(world: World, technician: User, ai_owner: User) -> None:
    decision = accept(world, technician)

    with pytest.raises(undo.NotYours, match="reverse it instead"):
        undo.undo(decision, ai_owner)

    decision.refresh_from_db()
    assert decision.stands_for == world.proposal


def test_after_the_helpdesk_changed_the_ticket_it_is_too_late(
    world: World, technician: User, work: Work, deliver: Callable[..., Any]
) -> None:
    decision = accept(world, technician)
    work()
    ticket = Ticket.objects.get()
    assert can_undo(decision)
    changed = {"id": ticket.external_id, "version": 9, "body": "It is the printer."}
    deliver(ticket.source, ticket_message(**changed))
    work()

    with pytest.raises(undo.TooLate, match="changed the ticket .* ago: reverse"):
        undo.undo(decision, technician)
    assert not can_undo(decision)


def test_a_ticket_that_was_closed_by_hand_is_not_put_back(
    world: World, technician: User, work: Work, deliver: Callable[..., Any]
) -> None:
    decision = accept(world, technician)
    work()
    closed = {"ticket_id": world.proposal.ticket.external_id}
    happened = timezone.now().isoformat()
    deliver(world.proposal.ticket.source, event_message(**closed, happened_at=happened))
    work()

    with pytest.raises(undo.TooLate, match="closed in the helpdesk"):
        undo.undo(decision, technician)
    assert not can_undo(decision)


def test_a_ticket_that_our_own_playbook_closed_opens_again(
    world: World, technician: User, work: Work, deliver: Callable[..., Any]
) -> None:
    decision = accept(world, technician, with_playbook=True)
    work()
    event = {"ticket_id": world.proposal.ticket.external_id}
    source = world.proposal.ticket.source
    deliver(source, event_message(**event, happened_at=timezone.now().isoformat()))
    work()
    assert Ticket.objects.get().closed_at is not None
    assert can_undo(decision)

    undo.undo(decision, technician)
    work()
    again = event_message(
        **event, id="E-2", kind="reopened", happened_at=timezone.now().isoformat()
    )
    deliver(source, again)
    work()

    assert Ticket.objects.get().closed_at is None
    assert Waiting.objects.get().proposal == world.proposal


def test_a_closing_that_is_told_late_does_not_keep_the_proposal_from_coming_back(
    world: World, technician: User, work: Work, deliver: Callable[..., Any]
) -> None:
    decision = accept(world, technician, with_playbook=True)
    work()
    undo.undo(decision, technician)
    work()
    event = {"ticket_id": world.proposal.ticket.external_id}
    source = world.proposal.ticket.source
    for number, kind in enumerate(["resolved", "reopened"]):
        at = timezone.now().isoformat()
        deliver(source, event_message(**event, id=f"E-{number}", kind=kind, happened_at=at))
        work()

    assert Waiting.objects.get().proposal == world.proposal


def test_an_erased_ticket_is_not_touched(world: World, technician: User, ai_owner: User) -> None:
    decision = accept(world, technician)
    whose = Whose(world.proposal.ticket.source, ticket=world.proposal.ticket.external_id)
    erasure.erase(whose, by=ai_owner)

    with pytest.raises(undo.TooLate, match="erased"):
        undo.undo(decision, technician)
    assert not can_undo(decision)


@pytest.mark.django_db(transaction=True)
def test_of_two_windows_at_once_one_takes_it_back(
    world: World, technician: User, in_threads: Callable[..., None]
) -> None:
    decision = accept(world, technician)
    start, told = Barrier(2), []

    def press() -> None:
        start.wait()
        try:
            undo.undo(decision, technician)
            told.append("undone")
        except undo.TooLate:
            told.append("too late")

    in_threads([press, press])

    assert sorted(told) == ["too late", "undone"]
    assert Withdrawal.objects.count() == 1
    assert Waiting.objects.count() == 1


def test_the_newest_own_decision_that_can_be_taken_back_is_found(
    world: World, technician: User, ai_owner: User
) -> None:
    assert undo.newest_undoable(technician) is None
    decision = accept(world, technician)

    assert undo.newest_undoable(technician) == decision
    assert undo.newest_undoable(ai_owner) is None

    undo.undo(decision, technician)
    assert undo.newest_undoable(technician) is None
