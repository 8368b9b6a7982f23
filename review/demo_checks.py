"""Blind answers of the demo's past: more of them than a team would give, so that there is a figure.

Everything here is invented; how often who is right was chosen so that every corner has tickets.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.models import User

from review.demo_decisions import Word
from review.models import BlindAnswer, BlindValue, SpotCheck, Truth
from triage.drawing import stratum_of
from triage.models import Choice, Field, Label

SHARE = 0.6
FIRST_RIGHT, SECOND_RIGHT = 0.8, 0.95
# Who waved wrong advice through had known better before as often as this.
KNEW_BETTER = 0.3


@dataclass
class Checked:
    """One check: who answered what of the main field, in order, and what the truth came to."""

    word: Word
    field: Field
    answers: list[tuple[User, Choice]]
    truth: Choice
    origin: str


def check_past(
    words: Sequence[Word],
    truths: Mapping[int, Choice],
    people: Sequence[User],
    chance: random.Random,
) -> int:
    """Answers of two people, and of a third where these differ; answers how many were checked.

    `truths` are the right main choices by ticket.
    """
    checked = []
    for word in words:
        main = next((value for value, _, _ in word.settled if value.field.is_main), None)
        right = truths.get(word.proposal.ticket_id)
        if main is None or main.choice is None or right is None or chance.random() >= SHARE:
            continue
        others = [person for person in people if person != word.reviewer]
        second, third = chance.sample(others, 2)
        wrong = _siblings(right, truths.values())
        final = word.finals.get(main.field.key)
        answers = [
            (word.reviewer, _first(chance, main.choice, final, right, wrong)),
            (second, right if chance.random() < SECOND_RIGHT else chance.choice(wrong)),
        ]
        agreed = answers[0][1] == answers[1][1]
        if not agreed:
            answers.append((third, right))
        truth = answers[-1][1]
        origin = Truth.Origin.AGREED if agreed else Truth.Origin.ADJUDICATED
        checked.append(Checked(word, main.field, answers, truth, origin))
    _store(checked)
    return len(checked)


def _siblings(right: Choice, choices: Iterable[Choice]) -> list[Choice]:
    """Other choices that come up, those of the same parent first."""
    others = sorted({choice for choice in choices if choice != right}, key=lambda one: one.pk)
    near = [one for one in others if one.parent_id == right.parent_id]
    return near or others


def _first(
    chance: random.Random, advice: Choice, final: Choice | None, right: Choice, wrong: list[Choice]
) -> Choice:
    """What somebody answers who has not seen the advice and will then decide as they did."""
    if advice != right and final == advice:
        return right if chance.random() < KNEW_BETTER else advice
    return right if chance.random() < FIRST_RIGHT else chance.choice(wrong)


def _store(checked: Sequence[Checked]) -> None:
    checks = SpotCheck.objects.bulk_create(
        SpotCheck(
            proposal=one.word.proposal,
            propensity=SHARE,
            stratum=stratum_of(one.word.proposal.route),
            drawn_at=one.word.decided_at - timedelta(seconds=40),
            second_at=1.0,
        )
        for one in checked
    )
    pairs = list(zip(checks, checked, strict=True))
    answers = BlindAnswer.objects.bulk_create(
        BlindAnswer(
            check_of=check,
            reviewer=person,
            answered_at=one.word.decided_at + timedelta(hours=3 * place, seconds=-10),
            seconds=18 + 4 * place,
            nth=place + 1,
        )
        for check, one in pairs
        for place, (person, _) in enumerate(one.answers)
    )
    said = [(one.field, choice) for _, one in pairs for _, choice in one.answers]
    BlindValue.objects.bulk_create(
        BlindValue(answer=answer, field=field, choice=choice)
        for answer, (field, choice) in zip(answers, said, strict=True)
    )
    Truth.objects.bulk_create(
        Truth(
            check_of=check,
            field=one.field,
            choice=one.truth,
            origin=one.origin,
            settled_at=one.word.decided_at + timedelta(hours=3 * len(one.answers)),
        )
        for check, one in pairs
    )
    _store_labels(checked)


def _store_labels(checked: Sequence[Checked]) -> None:
    labels = Label.objects.bulk_create(
        Label(
            ticket=one.word.proposal.ticket,
            field=one.field,
            choice=one.truth,
            origin=Label.Origin.SPOT_CHECK,
            propensity=SHARE,
        )
        for one in checked
    )
    moments = {one.word.proposal.ticket_id: one.word.decided_at for one in checked}
    for label in labels:
        label.created_at = moments[label.ticket_id]
    Label.objects.bulk_update(labels, ["created_at"], batch_size=500)
