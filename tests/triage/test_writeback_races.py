"""Write-back against people and requests that come in the same moment, late, or twice."""

from collections.abc import Callable

import pytest

from tests.triage.writeback_world import World, make_due, world
from triage.models import Effect, Ticket

__all__ = ["world"]

PLAYBOOK_STEPS = ("call", "reply", "status")


def of_playbook(world: World) -> set[str]:
    return {world.states()[kind] for kind in PLAYBOOK_STEPS}


def test_a_change_in_the_moment_before_our_note_ends_the_playbook(
    world: World, work: Callable[[], int]
) -> None:
    world.helpdesk.faults = ["", "meanwhile"]
    world.decide(with_playbook=True)
    work()

    assert world.states()["note"] == "applied"
    assert of_playbook(world) == {"conflict"}
    assert world.helpdesk.calls == []
    assert [note["kind"] for note in world.remote["notes"]] == ["internal"]


def test_a_change_in_the_moment_before_our_reply_keeps_it_back(
    world: World, work: Callable[[], int]
) -> None:
    world.helpdesk.faults = ["", "", "", "meanwhile"]
    world.decide(with_playbook=True)
    work()

    assert world.states()["call"] == "applied"
    assert {world.states()[kind] for kind in ("reply", "status")} == {"conflict"}
    assert [note["kind"] for note in world.remote["notes"]] == ["internal"]
    assert world.remote["status"] == "open"


def test_the_automation_is_not_called_for_a_ticket_that_has_changed(
    world: World, work: Callable[[], int]
) -> None:
    world.decide(with_playbook=True)
    own = Effect.objects.filter(kind__in=("values", "note"))
    own.update(state="applied", based_on_version=1, applied_version=2)
    world.remote["version"] = 3
    work()

    assert of_playbook(world) == {"conflict"}
    assert world.helpdesk.calls == []


@pytest.mark.parametrize("fault", ["late", "twice", "lost"])
@pytest.mark.parametrize("step", [0, 1, 3, 4])
def test_a_write_that_is_carried_out_late_or_twice_is_no_conflict_with_ourselves(
    world: World, work: Callable[[], int], fault: str, step: int
) -> None:
    world.helpdesk.faults = [*[""] * step, fault]
    world.decide(with_playbook=True)
    for _ in range(3):
        work()
        make_due()

    assert set(world.states().values()) == {"applied"}
    assert set(world.helpdesk.writes.values()) == {1}
    assert [note["kind"] for note in world.remote["notes"]] == ["internal", "reply"]
    assert Ticket.objects.get().version == world.remote["version"] == 5


@pytest.mark.parametrize("step", [0, 1])
def test_a_change_after_a_write_whose_answer_was_lost_is_not_taken_for_ours(
    world: World, work: Callable[[], int], step: int
) -> None:
    world.helpdesk.faults = [*[""] * step, "lost"]
    world.decide(with_playbook=True)
    work()
    world.remote["version"] += 1
    make_due()
    work()

    assert {world.states()[kind] for kind in ("values", "note")} == {"applied"}
    assert of_playbook(world) == {"conflict"}
    assert set(world.helpdesk.writes.values()) == {1}


def test_our_note_on_top_of_a_change_does_not_make_the_change_known(
    world: World, work: Callable[[], int]
) -> None:
    world.remote["version"] = 2
    world.decide()
    work()
    assert world.remote["version"] == 3

    of_both = {}
    for seen in (1, 2):
        effect = Effect.objects.filter(kind="values").earliest("pk")
        effect.pk, effect.key, effect.state = None, f"later-{seen}", "pending"
        effect.seen_version = seen
        effect.save()
        make_due()
        world.decide()
        work()
        of_both[seen] = Effect.objects.get(key=f"later-{seen}").state

    assert of_both == {1: "conflict", 2: "applied"}


def test_an_automation_that_says_no_is_not_a_change_of_the_ticket(
    world: World, work: Callable[[], int]
) -> None:
    world.helpdesk.faults = ["", "", "refuse"]
    world.decide(with_playbook=True)
    work()

    assert world.states()["call"] == "refused"
    assert {world.states()[kind] for kind in ("reply", "status")} == {"conflict"}
    assert "earlier step was refused" in Effect.objects.get(kind="reply").detail


def test_people_learn_that_an_automation_may_have_been_called_before_the_ticket_changed(
    world: World, work: Callable[[], int]
) -> None:
    world.helpdesk.faults = ["", "", "500"]
    world.decide(with_playbook=True)
    work()
    world.remote["version"] += 1
    make_due()
    work()

    assert world.states()["call"] == "conflict"
    assert "earlier call is not known" in Effect.objects.get(kind="call").detail
