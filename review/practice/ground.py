"""The practice ground: past tickets whose truth is known, answered first, then with the advice.

Nothing here reaches the helpdesk, training, the queue or the service's figures.
"""

import random
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone

from review.catalogue import Catalogue
from review.models import BlindAnswer, DecidedValue, Decision, PracticeAnswer
from triage.models import Choice, Label, Proposal, ProposedValue, TicketEvent

# The newest of each kind of truth; an old one teaches what is no longer so.
CANDIDATES = 400
# Wrong advice comes more often than at work, or nobody would meet it.
SHARE_OF_WRONG_ADVICE = 0.4
# What somebody dealt with lately is remembered rather than judged.
REMEMBERED = timedelta(days=14)
TURNED_OUT_WRONG = (
    TicketEvent.Kind.REASSIGNED,
    TicketEvent.Kind.RECATEGORISED,
    TicketEvent.Kind.REOPENED,
)


class NoExercise(Exception):
    """The ticket is none that can be practised on."""


@dataclass(frozen=True)
class Known:
    """A past proposal whose truth is known; primary keys of it and of the main choices."""

    proposal: int
    advice: int
    truth: int

    @property
    def is_right(self) -> bool:
        return self.advice == self.truth


def exercises(person: User, choices: Catalogue) -> list[Known]:
    """What this person can practise on: known, not practised yet, and not fresh in their mind.

    A parent of the truth is neither right nor wrong as far as it goes, so it is left out.
    """
    truths = _truths()
    for pk in (*_practised(person), *_remembered(person)):
        truths.pop(pk, None)
    newest = (
        Proposal.objects.filter(ticket__in=truths)
        .exclude(route=Proposal.Route.SHADOW)
        .order_by("ticket", "-ticket_version__version")
        .distinct("ticket")
        .values_list("pk", "ticket")
    )
    tickets = dict(newest)
    advice = ProposedValue.objects.filter(
        proposal__in=tickets, field__is_main=True, choice__isnull=False
    ).values_list("proposal", "choice")
    found = [Known(pk, advised, truths[tickets[pk]]) for pk, advised in advice if advised]
    return [one for one in found if one.is_right or not _is_below(one, choices)]


def draw(person: User, choices: Catalogue) -> Known | None:
    """The next exercise, at random; None if there is none."""
    known = exercises(person, choices)
    wrong = [one for one in known if not one.is_right]
    right = [one for one in known if one.is_right]
    first, other = (wrong, right) if random.random() < SHARE_OF_WRONG_ADVICE else (right, wrong)
    pool = first or other
    return random.choice(pool) if pool else None


@transaction.atomic
def answer(person: User, proposal: int, choice: Choice, choices: Catalogue) -> PracticeAnswer:
    """Keep the answer before the advice. The same ticket again: what was begun or done before.

    Raises NoExercise, also where the choice is not one of the ticket's main field.
    """
    # One person's exercises follow each other, so that two clicks make one.
    User.objects.select_for_update().get(pk=person.pk)
    begun = mine(person).filter(proposal=proposal).first()
    if begun is not None:
        return begun
    known = next((one for one in exercises(person, choices) if one.proposal == proposal), None)
    if known is None or choices.by_pk[known.truth].field_id != choice.field_id:
        raise NoExercise(f"Proposal {proposal} is no exercise.")
    return PracticeAnswer.objects.create(
        person=person,
        proposal_id=proposal,
        answer=choice,
        advice_id=known.advice,
        truth_id=known.truth,
        answered_at=timezone.now(),
    )


def finish(exercise: PracticeAnswer, choice: Choice) -> None:
    """Keep the final answer, with the advice in view; a second one changes nothing.

    Raises NoExercise where the choice is not one of the ticket's main field.
    """
    if choice.field_id != exercise.truth.field_id:
        raise NoExercise(f"{choice.pk} is no answer here.")
    open_ = PracticeAnswer.objects.filter(pk=exercise.pk, finished_at__isnull=True)
    open_.update(final=choice, finished_at=timezone.now())


def mine(person: User) -> QuerySet[PracticeAnswer]:
    """A person's own exercises, the newest first, without those whose words were erased."""
    return (
        PracticeAnswer.objects.filter(person=person, proposal__ticket__erased_at__isnull=True)
        .select_related("proposal__ticket__source", "proposal__ticket_version", "truth")
        .order_by("-answered_at", "-pk")
    )


def was_checked_blind(exercise: PracticeAnswer) -> bool:
    """Whether the truth is what somebody said without the advice, rather than a decision."""
    return Label.objects.filter(
        ticket=exercise.proposal.ticket_id,
        field=exercise.truth.field_id,
        origin=Label.Origin.SPOT_CHECK,
    ).exists()


def _truths() -> dict[int, int]:
    """Ticket to main choice: by blind checks, else by decisions that nothing has spoken against."""
    checked = Label.objects.filter(
        origin=Label.Origin.SPOT_CHECK,
        field__is_main=True,
        ticket__erased_at__isnull=True,
        ticket__waiting__isnull=True,
    ).order_by("-created_at")
    spoken_against = TicketEvent.objects.filter(
        ticket=OuterRef("decision__proposal__ticket"),
        kind__in=TURNED_OUT_WRONG,
        happened_at__gt=OuterRef("decision__decided_at"),
    )
    decided = (
        DecidedValue.objects.filter(
            ~Exists(spoken_against),
            field__is_main=True,
            final__isnull=False,
            decision__stands_for__isnull=False,
            decision__verdict__in=[Decision.Verdict.ACCEPTED, Decision.Verdict.OVERRIDDEN],
            decision__proposal__ticket__closed_at__isnull=False,
            decision__proposal__ticket__erased_at__isnull=True,
            decision__proposal__ticket__waiting__isnull=True,
        )
        .annotate(ticket=F("decision__proposal__ticket"))
        .order_by("-decision__decided_at")
    )
    return {
        ticket: choice
        for rows in (
            decided.values_list("ticket", "final")[:CANDIDATES],
            checked.values_list("ticket", "choice")[:CANDIDATES],
        )
        for ticket, choice in rows
        if choice is not None
    }


def _practised(person: User) -> Collection[int]:
    return set(
        PracticeAnswer.objects.filter(person=person).values_list("proposal__ticket", flat=True)
    )


def _remembered(person: User) -> Collection[int]:
    since = timezone.now() - REMEMBERED
    decided = Decision.objects.filter(reviewer=person, decided_at__gte=since)
    answered = BlindAnswer.objects.filter(reviewer=person, answered_at__gte=since)
    return {
        *decided.values_list("proposal__ticket", flat=True),
        *answered.values_list("check_of__proposal__ticket", flat=True),
    }


def _is_below(one: Known, choices: Catalogue) -> bool:
    advised = choices.by_pk.get(one.advice)
    return one.truth in {choice.pk for choice in choices.branch(advised)}
