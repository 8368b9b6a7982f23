"""Checks that one person has answered and decided, so that they wait for another."""

from django.contrib.auth.models import User

from review import decisions, spotchecks
from review.looks import answers
from review.models import BlindAnswer, SpotCheck, Truth
from tests.review.blind_world import make_drawn
from tests.review.helpers import Desk, make_desk
from triage.models import Choice, Label, Ticket


def second_desk() -> Desk:
    """Of whose checks every one is answered by a second person."""
    return make_desk(second_share=1.0)


def make_waiting_check(
    desk: Desk, first: User, ticket: Ticket | None = None, **said: str | None
) -> SpotCheck:
    """Answered and decided by `first`; `said` by field, None: could not tell."""
    proposal = make_drawn(desk, ticket)
    said = said or {"category": "network.vpn"}
    spotchecks.answer(proposal=proposal, reviewer=first, choices=choices_of(desk, said))
    decisions.decide(proposal=proposal, reviewer=first, choices={}, reasons={}, with_playbook=False)
    return SpotCheck.objects.get(proposal=proposal)


def give(desk: Desk, check: SpotCheck, person: User, **said: str | None) -> BlindAnswer:
    return answers.answer(check=check.pk, reviewer=person, choices=choices_of(desk, said))


def choices_of(desk: Desk, said: dict[str, str | None]) -> dict[str, Choice | None]:
    return {field: desk[key] if key else None for field, key in said.items()}


def truths(check: SpotCheck) -> dict[str, tuple[str, str]]:
    """Field key to choice key and origin."""
    rows = Truth.objects.filter(check_of=check)
    found = rows.values_list("field__key", "choice__key", "origin")
    return {field: (choice, origin) for field, choice, origin in found}


def labels(check: SpotCheck) -> dict[str, str]:
    """Of its ticket, from spot checks: field key to choice key."""
    rows = Label.objects.filter(ticket=check.proposal.ticket, origin=Label.Origin.SPOT_CHECK)
    return dict(rows.values_list("field__key", "choice__key"))
