"""Drills that people have answered, for tests of the figures about them."""

from collections.abc import Sequence
from datetime import datetime

from django.contrib.auth.models import User

from review.models import Drill, DrillAnswer
from tests.review.metrics.helpers import LONG_AGO, Desk, make_proposal, numbers


def make_drills(
    desk: Desk,
    advice: str = "vpn",
    kind: str = "wrong",
    *,
    people: int | Sequence[User] = 5,
    hits: int = 0,
    times: int = 1,
    at: datetime = LONG_AGO,
    verdict: str = "",
) -> list[User]:
    """One drill, or `times`, with this advice for each person; the first `hits` are hits.

    The tickets are older than the window of the figures.
    """
    who = [make_person() for _ in range(people)] if isinstance(people, int) else list(people)
    other = "vpn" if advice == "password" else "password"
    truth = advice if kind == "right" else other
    hit, miss = ("accepted", "overridden") if kind == "right" else ("overridden", "accepted")
    for number, person in enumerate(who * times):
        proposal = make_proposal(desk, advice, at=datetime(2025, 6, 1, tzinfo=at.tzinfo))
        drill = Drill.objects.create(
            proposal=proposal,
            person=person,
            advice=desk.choices[advice],
            truth=desk.choices[truth],
            is_right=kind == "right",
            known_by="agreed",
            version=desk.model,
            shown_at=at,
        )
        said = verdict or (hit if number < hits else miss)
        DrillAnswer.objects.create(
            drill=drill,
            verdict=said,
            final=None if said == "passed" else desk.choices[advice],
            seconds=9,
            answered_at=at,
        )
    return who


def make_person() -> User:
    return User.objects.create(username=f"person {next(numbers)}")
