"""Two windows at the same moment: one drill, one answer."""

from collections.abc import Callable, Sequence
from threading import Barrier

import pytest
from django.contrib.auth.models import User

from review.catalogue import catalogue
from review.drills import answers, turns
from review.models import Drill, DrillAnswer
from review.queue_filter import QueueFilter
from tests.review.drills.world import make_drill, make_known, make_ready
from tests.review.helpers import Desk, make_desk, make_proposal, make_technician
from triage.models import Waiting

pytestmark = pytest.mark.django_db(transaction=True)
InThreads = Callable[[Sequence[Callable[[], None]]], None]


@pytest.fixture
def desk(transactional_db: None) -> Desk:
    return make_desk()


@pytest.fixture
def maya(desk: Desk) -> User:
    return make_technician()


def test_of_two_decisions_at_once_one_is_followed_by_a_drill(
    desk: Desk, maya: User, always_drawn: None, in_threads: InThreads
) -> None:
    make_ready(desk, maya)
    decided = [Waiting.objects.get(proposal=make_proposal(desk)) for _ in range(2)]
    for _ in range(3):
        make_known(desk)
    Waiting.objects.all().delete()
    start = Barrier(2)

    def give(after: Waiting) -> None:
        start.wait()
        turns.give(maya, after, QueueFilter(), catalogue())

    in_threads([lambda one=one: give(one) for one in decided])  # type: ignore[misc]

    assert Drill.objects.count() == 1


def test_of_two_answers_at_once_the_first_is_kept(
    desk: Desk, maya: User, in_threads: InThreads
) -> None:
    drill = make_drill(desk, maya, make_known(desk), "network.wifi")
    start, kept = Barrier(2), []

    def answer(verdict: str, key: str) -> None:
        start.wait()
        kept.append(answers.answer(Drill.objects.get(pk=drill.pk), verdict, desk[key]).verdict)

    in_threads(
        [
            lambda: answer("accepted", "network.wifi"),
            lambda: answer("overridden", "network.vpn"),
        ]
    )

    assert kept == [DrillAnswer.objects.get().verdict] * 2
