"""Who is given a second look, and when."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from threading import Barrier

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from review import decisions, load
from review.looks import offers
from review.models import Decision, PracticeAnswer, SecondLook
from tests.emptying import forget_cached
from tests.review.helpers import (
    Desk,
    make_proposal,
    make_reader,
    make_technician,
    make_user,
    make_waiting,
)
from tests.review.looks.world import give, make_waiting_check, second_desk

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Desk:
    forget_cached()
    return second_desk()


@pytest.fixture
def maya() -> User:
    return make_technician("maya")


@pytest.fixture
def tom() -> User:
    return make_technician("tom")


def decide(desk: Desk, who: User, times: int) -> None:
    for _ in range(times):
        decisions.decide(
            proposal=make_proposal(desk),
            reviewer=who,
            choices={},
            reasons={},
            with_playbook=False,
        )


def test_the_oldest_is_given_first_and_two_people_never_get_the_same(
    desk: Desk, maya: User, tom: User
) -> None:
    older, newer = make_waiting_check(desk, maya), make_waiting_check(desk, maya)
    ada = make_technician("ada")

    first, second, third = offers.claim(tom), offers.claim(ada), offers.claim(tom)

    assert first is not None
    assert second is not None
    assert (first.pk, second.pk) == (older.pk, newer.pk)
    # Whoever has begun one is led back to it.
    assert third is not None
    assert third.pk == older.pk
    assert offers.claim(make_technician("bob")) is None


def test_one_that_was_left_is_free_again_after_a_while(desk: Desk, maya: User, tom: User) -> None:
    check = make_waiting_check(desk, maya)
    offers.claim(tom)
    ada = make_technician("ada")

    assert offers.claim(ada) is None
    with time_machine.travel(timezone.now() + offers.HELD + timedelta(seconds=1)):
        held = offers.claim(ada)

    assert held is not None
    assert held.pk == check.pk


def test_nobody_is_given_what_they_know(desk: Desk, maya: User, tom: User) -> None:
    check = make_waiting_check(desk, maya)
    ada = make_technician("ada")
    PracticeAnswer.objects.create(
        person=ada,
        proposal=check.proposal,
        answer=desk["network"],
        truth=desk["network"],
        answered_at=timezone.now(),
    )
    Decision.objects.create(
        proposal=check.proposal, reviewer=tom, verdict="accepted", decided_at=timezone.now()
    )

    assert [offers.count_for(who) for who in (maya, tom, ada)] == [0, 0, 0]
    assert offers.count_for(make_technician("bob")) == 1


def test_nothing_is_given_while_the_ticket_waits_in_the_queue(
    desk: Desk, maya: User, tom: User
) -> None:
    check = make_waiting_check(desk, maya)
    make_waiting(desk, check.proposal, "network.vpn", "normal", 0.9)

    assert offers.claim(tom) is None


def test_a_look_comes_once_in_so_many_decisions(desk: Desk, maya: User, tom: User) -> None:
    check = make_waiting_check(desk, maya)
    decide(desk, tom, offers.ONE_IN - 1)
    assert not offers.is_due(tom)
    assert offers.is_due(tom, more=1)

    decide(desk, tom, 1)
    assert offers.offer(tom) == check.pk
    # Left unanswered, it does not come again at the next step.
    assert offers.offer(tom) is None
    decide(desk, tom, offers.ONE_IN)
    assert offers.offer(tom) == check.pk


def test_an_answer_starts_the_count_anew_and_is_a_review_of_the_hour(
    desk: Desk, maya: User, tom: User, django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    check = make_waiting_check(desk, maya)
    make_waiting_check(desk, maya)
    decide(desk, tom, offers.ONE_IN)
    before = load.load_of(tom).reviews

    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        give(desk, check, tom, category="network.vpn")

    assert load.load_of(tom).reviews == before + 1
    forget_cached()
    assert load.load_of(tom).reviews == before + 1
    assert offers.offer(tom) is None


def test_where_nothing_waits_the_question_costs_one_query(desk: Desk, tom: User) -> None:
    with CaptureQueriesContext(connection) as asked:
        assert not offers.is_due(tom)

    assert len(asked) == 1


def test_how_many_are_there_to_be_asked(desk: Desk, maya: User, tom: User) -> None:
    check = make_waiting_check(desk, maya)
    make_reader("lena")
    make_user("gone", "review.add_decision", is_active=False)
    assert offers.standing() == offers.Standing(second=1, third=0, people=1)
    assert offers.standing().lacks_second

    give(desk, check, tom, category="network.wifi")
    assert offers.standing() == offers.Standing(second=0, third=1, people=2)
    assert offers.standing().lacks_third

    with time_machine.travel(timezone.now() + offers.ACTIVE + timedelta(days=1)):
        assert offers.people() == 0


@pytest.mark.django_db(transaction=True)
def test_of_two_who_ask_at_once_each_gets_another(
    in_threads: Callable[[Sequence[Callable[[], None]]], None],
) -> None:
    desk = second_desk()
    maya = make_technician("maya")
    others = [make_technician(f"tech-{number}") for number in range(4)]
    for _ in range(4):
        make_waiting_check(desk, maya)
    barrier, given = Barrier(4, timeout=20), []

    def ask(who: User) -> None:
        barrier.wait()
        held = offers.claim(who)
        given.append(held.pk if held else None)

    in_threads([lambda who=who: ask(who) for who in others])  # type: ignore[misc]

    assert sorted(pk for pk in given if pk) == sorted(
        SecondLook.objects.values_list("pk", flat=True)
    )
