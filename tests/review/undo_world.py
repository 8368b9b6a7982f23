"""What tests of taking decisions back ask of the world of write-back."""

from typing import Any

from django.contrib.auth.models import User

from review import decisions, standing
from review.models import Decision
from tests.triage.writeback_world import World
from triage.models import Effect


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
