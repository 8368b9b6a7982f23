"""Changes whose decision was taken back, and the changes that make them good."""

from triage.models import Effect, Proposal

NEVER_DONE = "There is nothing to make good: the change never reached the helpdesk."
THERE_BEFORE = "There is nothing to make good: it stood there already, and not by us."
NOT_KNOWN = "What stood there before is not on record: set it right in the helpdesk."
PERHAPS_CALLED = (
    "Taken back while it was being sent. Whether the automation got an earlier call is not known."
)
WITHDRAWN = "Taken back while it was being sent; it is not there."


def stem(effect: Effect) -> str:
    """What the keys of the effects of one turn, or of its undoing, have in common."""
    return effect.key.rpartition("-")[0]


def is_automatic(effect: Effect) -> bool:
    """Whether nobody decided it."""
    return effect.proposal.route == Proposal.Route.AUTO and stem(effect) == f"p{effect.proposal_id}"


def is_superseded(effect: Effect) -> bool:
    """Whether a later word on its proposal came: it was taken back, or decided otherwise.

    What makes changes good is never superseded, nor is a suggestion.
    """
    if effect.undoes_id is not None or not effect.key.startswith("p"):
        return False
    later = Effect.objects.filter(
        proposal=effect.proposal_id, position__gt=effect.position, key__startswith="p"
    )
    return later.exclude(key__startswith=f"{stem(effect)}-").exists()


def why_withdrawn(effect: Effect) -> str:
    """What is said of one that is superseded and not there."""
    was_begun = effect.based_on_version is not None
    return PERHAPS_CALLED if effect.kind == Effect.Kind.CALL and was_begun else WITHDRAWN


def is_owed(effect: Effect) -> bool:
    """Whether it is carried out however the ticket has changed.

    The internal note is, and so is the call that reverses what the automation did: neither
    overwrites anything.
    """
    is_reversal = effect.undoes_id is not None and effect.kind == Effect.Kind.CALL
    return effect.kind == Effect.Kind.NOTE or is_reversal


def fill_in(effect: Effect) -> str:
    """Give a change that makes another good what it sets back; else why there is nothing to do.

    The other one is finished by now, or was never begun.
    """
    original = effect.undoes
    if original is None:
        return ""
    was_begun = original.based_on_version is not None
    if original.state != Effect.State.APPLIED:
        perhaps = original.kind == Effect.Kind.CALL and was_begun
        is_certain = original.state == Effect.State.REFUSED
        return "" if perhaps and not is_certain else NEVER_DONE
    if effect.kind not in (Effect.Kind.VALUES, Effect.Kind.STATUS):
        return ""
    if original.before is None:
        return NOT_KNOWN if was_begun or original.applied_version is not None else THERE_BEFORE
    if not original.before.get(effect.kind):
        return NOT_KNOWN
    effect.payload = original.before
    Effect.objects.filter(pk=effect.pk).update(payload=effect.payload)
    return ""
