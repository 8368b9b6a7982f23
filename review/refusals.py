"""Why a decision is not taken, in words for the reviewer, and what is asked of one."""

from django.utils.translation import gettext as _

from review import leases
from review.models import Decision, Reason
from triage.effects.plan import BEGUN
from triage.models import Choice, Effect, Field, Proposal


class DecisionError(Exception):
    pass


class AlreadyDecided(DecisionError):
    """Somebody was first; `decision` is theirs."""

    def __init__(self, decision: Decision) -> None:
        name = decision.reviewer.get_full_name() or decision.reviewer.get_username()
        said = {"name": name, "verdict": decision.get_verdict_display()}
        super().__init__(_("%(name)s has already %(verdict)s this proposal.") % said)
        self.decision = decision


class Superseded(DecisionError):
    """The ticket changed, was closed, or has a newer proposal."""


class Leased(DecisionError):
    """Somebody else looks at the ticket; `to` says who and since when."""

    def __init__(self, to: leases.LeasedTo) -> None:
        super().__init__(
            _(
                "%(name)s is looking at this ticket; it is free %(seconds)s seconds after they "
                "leave it."
            )
            % {"name": to.name, "seconds": leases.LEASE_SECONDS}
        )
        self.to = to


class DecisionRefused(DecisionError):
    """The decision lacks something; the message is for the reviewer."""


class AnswerFirst(DecisionRefused):
    """It was drawn to be answered before the advice is shown, and has not been."""


def check_choice(field: Field, choice: Choice, proposed: Choice | None) -> None:
    said = {"choice": choice.name, "field": field.name}
    if choice.field_id != field.pk:
        raise DecisionRefused(_("%(choice)r is not a choice of %(field)s.") % said)
    if choice.retired_at is not None and choice != proposed:
        raise DecisionRefused(_("%(choice)r is retired; choose another %(field)s.") % said)


def check_playbook(proposal: Proposal, with_playbook: bool) -> None:
    if not with_playbook:
        return
    if proposal.playbook is None:
        raise DecisionRefused(_("This proposal offers no playbook."))
    if proposal.effects.filter(kind=Effect.Kind.REPLY, state__in=BEGUN).exists():
        raise DecisionRefused(_("The requester got this reply already: it is not sent twice."))


def check_reason(reason: Reason | None, applies_to: str, text: str, what: str) -> None:
    if reason is None:
        raise DecisionRefused(_("Say why: pick a reason for %(what)s.") % {"what": what})
    said = {"reason": reason.shown, "what": what}
    if reason.applies_to != applies_to or not reason.is_active:
        raise DecisionRefused(_("%(reason)r is not a reason for %(what)s.") % said)
    if reason.needs_text and not text.strip():
        raise DecisionRefused(_("The reason %(reason)r needs a few words.") % said)
