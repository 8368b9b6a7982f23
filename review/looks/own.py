"""What came of one's own second looks. Nobody else's are ever read here."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import QuerySet

from review.catalogue import Catalogue
from review.looks.verdicts import Result, result_of
from review.models import BlindAnswer
from triage.models import Ticket


@dataclass(frozen=True)
class OwnValue:
    """One field: what this person said, what came of it, and the truth where that is another."""

    field: str
    path: str
    result: Result
    truth: str


@dataclass(frozen=True)
class OwnLook:
    ticket: Ticket
    answered_at: datetime
    values: list[OwnValue]


def own_looks(person: User) -> QuerySet[BlindAnswer]:
    """The newest first, with all that `told` needs in a fixed number of queries."""
    return (
        BlindAnswer.objects.filter(reviewer=person, nth__gt=1)
        .select_related("check_of__proposal__ticket")
        .defer("check_of__proposal__ticket__body", "check_of__proposal__ticket__search")
        .prefetch_related("values", "check_of__truths", "check_of__answers__values")
        .order_by("-answered_at", "-pk")
    )


def told(answer: BlindAnswer, choices: Catalogue) -> OwnLook:
    """Fields in their order; what others said is compared with and not told."""
    truths = {truth.field_id: truth.choice_id for truth in answer.check_of.truths.all()}
    said: dict[int, list[int | None]] = {}
    for each in sorted(answer.check_of.answers.all(), key=lambda one: one.nth):
        for value in each.values.all():
            said.setdefault(value.field_id, []).append(value.choice_id)
    values = []
    for value in answer.values.all():
        result = result_of(said[value.field_id], value.choice_id)
        other = choices.path(truths.get(value.field_id)) if result == Result.OTHERWISE else ""
        name = choices.fields[value.field_id].name
        values.append(OwnValue(name, choices.path(value.choice_id), result, other))
    return OwnLook(answer.check_of.proposal.ticket, answer.answered_at, values)
