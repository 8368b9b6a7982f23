"""Another decision in place of one that stands, or of what was applied without a person."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from review import decisions, undo
from review.decisions import AlreadyDecided, DecisionRefused, Reversal, Superseded
from review.metrics.cohorts import Outcome, proposals
from review.metrics.window import Scope
from review.models import Decision, Reason, Withdrawal
from tests.conftest import ticket_message
from tests.review.undo_world import accept, bodies, states
from tests.triage.writeback_world import World, world
from triage import ledger
from triage.models import (
    Choice,
    Effect,
    EmergencyStop,
    Label,
    LedgerEntry,
    Proposal,
    Ticket,
    Waiting,
)

__all__ = ["world"]

pytestmark = pytest.mark.django_db
Work = Callable[[], int]


@pytest.fixture
def why(db: None) -> Reason:
    return Reason.objects.create(key="wrong", label="Wrong", applies_to="override", digit=1)


def choice(key: str) -> Choice:
    return Choice.objects.select_related("field").get(key=key)


def instead(
    world: World, by: User, of: Decision | None, category: str, why: Reason, **over: Any
) -> Decision:
    said: dict[str, Any] = {
        "choices": {"category": choice(category)},
        "reasons": {"category": why},
        "with_playbook": False,
        "reversal": Reversal(of),
    }
    return decisions.decide(proposal=world.proposal, reviewer=by, **said | over)


def by_nobody(world: World) -> None:
    """As if the proposal had been applied without a person."""
    Proposal.objects.update(route=Proposal.Route.AUTO)
    Waiting.objects.all().delete()
    world.proposal.refresh_from_db()
    world.decide()


def test_a_reversal_takes_the_place_of_a_decision_and_writes_onto_what_is_there_now(
    world: World,
    technician: User,
    ai_owner: User,
    why: Reason,
    work: Work,
    deliver: Callable[..., Any],
) -> None:
    first = accept(world, technician)
    work()
    world.remote["version"] = 8
    world.remote["values"] = {"category": "hardware", "team": "service-desk"}
    told = {"id": world.proposal.ticket.external_id, "version": 8, "body": "New words."}
    deliver(world.proposal.ticket.source, ticket_message(**told, values=world.remote["values"]))
    work()

    second = instead(world, ai_owner, first, "access", why)
    work()

    assert world.remote["values"] == {"category": "access", "team": "infrastructure"}
    assert "in place of what Maya Berg had decided" in bodies(world)[-1]
    first.refresh_from_db()
    assert (first.stands_for, second.stands_for) == (None, world.proposal)
    withdrawal = Withdrawal.objects.get()
    assert (withdrawal.decision, withdrawal.by, withdrawal.reversed_by) == (first, ai_owner, second)
    assert Label.objects.get(field__key="category").choice.key == "access"
    entry = LedgerEntry.objects.filter(kind="decision").last()
    assert entry is not None
    assert entry.payload["reverses"] == first.pk
    assert ledger.verify() is None


def test_a_field_that_is_left_out_keeps_what_stands_with_its_reason(
    world: World, technician: User, why: Reason
) -> None:
    first = accept(
        world,
        technician,
        choices={"team": choice("service-desk")},
        reasons={"team": why},
    )

    second = instead(world, technician, first, "access", why)

    said = {v.field.key: (v.final and v.final.key, v.reason) for v in second.values.all()}
    assert said["team"] == ("service-desk", why)
    assert said["category"] == ("access", why)
    assert second.verdict == "overridden"


def test_going_back_to_what_was_proposed_is_an_acceptance_and_needs_the_reason(
    world: World, technician: User, why: Reason
) -> None:
    first = accept(
        world, technician, choices={"category": choice("access")}, reasons={"category": why}
    )

    with pytest.raises(DecisionRefused, match="pick a reason for Category"):
        instead(world, technician, first, "network", why, reasons={})
    second = instead(world, technician, first, "network", why)

    assert second.verdict == "accepted"


def test_a_reversal_that_changes_nothing_is_refused(
    world: World, technician: User, why: Reason
) -> None:
    first = accept(world, technician)

    with pytest.raises(DecisionRefused, match="Nothing differs from what stands"):
        instead(world, technician, first, "network", why)

    assert Decision.objects.get() == first


def test_what_was_not_sent_yet_is_dropped_for_the_reversal(
    world: World, technician: User, why: Reason, work: Work
) -> None:
    first = accept(world, technician, with_playbook=True)
    instead(world, technician, first, "access", why)
    work()

    assert world.remote["values"]["category"] == "access"
    assert len(world.remote["notes"]) == 1
    assert world.helpdesk.calls == []
    assert world.remote["status"] == "open"


def test_the_same_reply_is_not_sent_twice(
    world: World, technician: User, why: Reason, work: Work
) -> None:
    first = accept(world, technician, with_playbook=True)
    work()

    with pytest.raises(DecisionRefused, match="not sent twice"):
        instead(world, technician, first, "access", why, with_playbook=True)


def test_a_reversal_can_be_taken_back_and_the_proposal_waits(
    world: World, technician: User, ai_owner: User, why: Reason, work: Work
) -> None:
    first = accept(world, technician)
    work()
    second = instead(world, ai_owner, first, "access", why)
    work()

    undo.undo(second, ai_owner)
    work()

    assert world.remote["values"] == {"category": "network", "team": "infrastructure"}
    assert Waiting.objects.get().proposal == world.proposal
    assert not Label.objects.filter(origin="decision").exists()
    assert accept(world, technician).stands_for == world.proposal


def test_a_reversal_on_a_newer_version_that_is_taken_back_has_that_proposed(
    world: World, technician: User, why: Reason, work: Work, deliver: Callable[..., Any]
) -> None:
    first = accept(world, technician)
    work()
    told = {"id": world.proposal.ticket.external_id, "version": 8, "body": "New words."}
    deliver(world.proposal.ticket.source, ticket_message(**told))
    work()
    second = instead(world, technician, first, "access", why)

    undo.undo(second, technician)
    work()

    assert Waiting.objects.get().proposal.ticket_version.version == 8


# --- What nobody had decided ----------------------------------------------------------------
def test_what_was_applied_by_nobody_is_decided_by_a_person(
    world: World, technician: User, why: Reason, work: Work
) -> None:
    by_nobody(world)
    work()

    decision = instead(world, technician, None, "access", why)
    work()

    assert world.remote["values"]["category"] == "access"
    assert "in place of what was applied without a person" in bodies(world)[-1]
    assert Effect.objects.filter(key=f"p{world.proposal.pk}.2-values").exists()
    assert decision.verdict == "overridden"
    assert not Withdrawal.objects.exists()
    today = timezone.localdate()
    scope = Scope(first=today, last=today, now=timezone.now(), outcome_days=7)
    assert [found.outcome for found in proposals(scope)] == [Outcome.OVERRIDDEN]  # type: ignore[attr-defined]


def test_an_emergency_stop_does_not_hold_back_what_a_person_decided(
    world: World, technician: User, why: Reason, work: Work
) -> None:
    by_nobody(world)
    EmergencyStop.objects.create(
        source=world.proposal.ticket.source, reason="drill", pulled_by=technician
    )
    work()
    assert world.helpdesk.writes == {}

    instead(world, technician, None, "access", why)
    work()

    assert world.remote["values"]["category"] == "access"
    assert [state for key, state in states().items()] == ["applied", "applied"]


def test_a_stopped_write_that_was_under_way_is_looked_for_and_not_repeated(
    world: World, technician: User, why: Reason, work: Work
) -> None:
    by_nobody(world)
    world.helpdesk.faults = ["lost"]
    work()
    EmergencyStop.objects.create(
        source=world.proposal.ticket.source, reason="drill", pulled_by=technician
    )
    instead(world, technician, None, "access", why)
    work()

    assert world.remote["values"]["category"] == "access"
    assert set(world.helpdesk.writes.values()) == {1}


# --- When it is refused ---------------------------------------------------------------------
def test_only_what_stands_can_be_reversed(
    world: World, technician: User, ai_owner: User, why: Reason
) -> None:
    with pytest.raises(Superseded, match="can be decided"):
        instead(world, technician, None, "access", why)
    first = accept(world, technician)
    second = instead(world, ai_owner, first, "access", why)
    first.refresh_from_db()

    with pytest.raises(AlreadyDecided) as error:
        instead(world, technician, first, "hardware", why)

    assert error.value.decision == second
    undo.undo(second, ai_owner)
    second.refresh_from_db()
    with pytest.raises(Superseded, match="can be decided"):
        instead(world, technician, second, "hardware", why)


def test_an_erased_ticket_is_not_reversed(world: World, technician: User, why: Reason) -> None:
    first = accept(world, technician)
    Ticket.objects.update(
        erased_at=timezone.now(), subject="", body="", requester="", requester_name="", url=""
    )

    with pytest.raises(Superseded, match="erased"):
        instead(world, technician, first, "access", why)
