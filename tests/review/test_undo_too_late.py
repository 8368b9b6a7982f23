"""When a decision can be taken back no longer, and by whom."""

from collections.abc import Callable
from threading import Barrier
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from review import erasure, undo
from review.models import Withdrawal
from tests.conftest import event_message, ticket_message
from tests.review.undo_world import accept, can_undo
from tests.triage.writeback_world import World, world
from triage.erasure import Whose
from triage.models import Ticket, Waiting

__all__ = ["world"]

pytestmark = pytest.mark.django_db
Work = Callable[[], int]


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
