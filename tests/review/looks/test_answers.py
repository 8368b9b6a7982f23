"""A second and a third answer: what becomes of truths, labels and the record."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from threading import Barrier

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from review import erasure, spotchecks
from review.looks import answers, offers
from review.models import BlindAnswer, SecondLook, SpotCheck, Truth
from review.refusals import DecisionRefused
from tests.review.blind_world import SHARE, make_drawn
from tests.review.helpers import Desk, make_desk, make_model, make_prediction, make_technician
from tests.review.looks.world import give, labels, make_waiting_check, second_desk, truths
from triage import certify
from triage.erasure import Whose
from triage.models import Label, LedgerEntry, Waiting

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Desk:
    return second_desk()


@pytest.fixture
def people() -> list[User]:
    return [make_technician(name) for name in ("maya", "tom", "ada", "bob")]


def test_a_drawn_check_waits_for_a_second_person_at_a_logged_probability(
    desk: Desk, people: list[User]
) -> None:
    check = make_waiting_check(desk, people[0])

    assert (check.propensity, check.second_at) == (SHARE, 1.0)
    assert SecondLook.objects.get().nth == 2
    assert truths(check) == {"category": ("network.vpn", "single")}
    payload = LedgerEntry.objects.get(subject=f"check:{check.pk}").payload
    assert payload["second_at"] == 1.0


def test_without_a_draw_one_answer_is_the_truth_and_nobody_else_is_asked(
    people: list[User],
) -> None:
    check = make_waiting_check(make_desk(), people[0])

    assert check.second_at is None
    assert not SecondLook.objects.exists()
    assert truths(check) == {"category": ("network.vpn", "single")}


def test_two_who_agree_settle_the_truth(desk: Desk, people: list[User]) -> None:
    check = make_waiting_check(desk, people[0])

    give(desk, check, people[1], category="network.vpn")

    assert truths(check) == {"category": ("network.vpn", "agreed")}
    assert labels(check) == {"category": "network.vpn"}
    assert not SecondLook.objects.exists()


def test_where_two_differ_nothing_is_true_until_a_third_says_one_of_the_two(
    desk: Desk, people: list[User]
) -> None:
    check = make_waiting_check(desk, people[0])

    give(desk, check, people[1], category="network.wifi")

    assert (truths(check), labels(check)) == ({}, {})
    assert SecondLook.objects.get().nth == 3

    give(desk, check, people[2], category="network.wifi")

    assert truths(check) == {"category": ("network.wifi", "adjudicated")}
    assert labels(check) == {"category": "network.wifi"}
    assert Label.objects.get(origin=Label.Origin.SPOT_CHECK).propensity == SHARE
    assert not SecondLook.objects.exists()
    assert list(check.answers.order_by("nth").values_list("nth", "reviewer__username")) == [
        (1, "maya"),
        (2, "tom"),
        (3, "ada"),
    ]


@pytest.mark.parametrize("third", ["access.password", None])
def test_three_who_differ_leave_no_truth_and_nobody_is_asked_again(
    desk: Desk, people: list[User], third: str | None
) -> None:
    check = make_waiting_check(desk, people[0])
    give(desk, check, people[1], category="network.wifi")

    give(desk, check, people[2], category=third)

    assert (truths(check), labels(check)) == ({}, {})
    assert not SecondLook.objects.exists()


def test_two_who_could_not_tell_leave_no_truth(desk: Desk, people: list[User]) -> None:
    check = make_waiting_check(desk, people[0], category=None)

    give(desk, check, people[1], category=None)

    assert (truths(check), labels(check)) == ({}, {})
    assert not SecondLook.objects.exists()


def test_only_the_field_in_dispute_waits_and_what_was_agreed_stays(
    desk: Desk, people: list[User]
) -> None:
    check = make_waiting_check(desk, people[0], category="network.vpn", team="team.net")
    give(desk, check, people[1], category="network.vpn", team="team.id")
    settled = Truth.objects.get().settled_at

    assert truths(check) == {"category": ("network.vpn", "agreed")}
    assert [field.key for field in answers.asked(check)] == ["category", "team"]

    give(desk, check, people[2], category="access.password", team="team.id")

    assert truths(check) == {
        "category": ("network.vpn", "agreed"),
        "team": ("team.id", "adjudicated"),
    }
    assert Truth.objects.get(field=desk.category).settled_at == settled


def test_what_fell_away_certifies_nothing_and_what_comes_back_is_as_old_as_it_was(
    desk: Desk, people: list[User]
) -> None:
    start = timezone.now()
    check = make_waiting_check(desk, people[0])
    with time_machine.travel(start + timedelta(days=1), tick=False):
        model = make_model(desk)
        make_prediction(check.proposal.ticket_version, model, 0.9)
    with time_machine.travel(start - timedelta(days=1), tick=False):
        old = make_model(desk, number=2, field=desk.team)
        make_prediction(check.proposal.ticket_version, old, 0.9)

    give(desk, check, people[1], category="network.wifi")
    assert not Label.objects.filter(origin=Label.Origin.SPOT_CHECK).exists()
    with time_machine.travel(start + timedelta(days=2), tick=False):
        give(desk, check, people[2], category="network.vpn")

    # The model came between the first answer and the last, and may have learnt from the first.
    assert labels(check) == {"category": "network.vpn"}
    assert certify.blind_checks(desk["network.vpn"], model) == []


def test_nobody_answers_twice_nor_what_they_decided(desk: Desk, people: list[User]) -> None:
    check = make_waiting_check(desk, people[0])

    with pytest.raises(answers.NoLook):
        give(desk, check, people[0], category="network.vpn")
    give(desk, check, people[1], category="network.wifi")
    with pytest.raises(answers.NoLook):
        give(desk, check, people[1], category="network.wifi")

    assert BlindAnswer.objects.count() == 2


@pytest.mark.parametrize(
    "said",
    [{}, {"team": "team.net"}, {"category": "network.vpn", "priority": "low"}],
)
def test_an_answer_names_every_field_that_is_asked_and_no_other(
    desk: Desk, people: list[User], said: dict[str, str | None]
) -> None:
    check = make_waiting_check(desk, people[0])

    with pytest.raises(DecisionRefused):
        give(desk, check, people[1], **said)

    assert BlindAnswer.objects.count() == 1


def test_a_choice_of_another_field_is_refused(desk: Desk, people: list[User]) -> None:
    check = make_waiting_check(desk, people[0])

    with pytest.raises(DecisionRefused):
        give(desk, check, people[1], category="team.net")


def test_the_record_names_an_answer_by_its_number_and_not_who_gave_it(
    desk: Desk, people: list[User]
) -> None:
    check = make_waiting_check(desk, people[0])

    second = give(desk, check, people[1], category="network.wifi")
    third = give(desk, check, people[2], category="network.wifi")

    entries = list(LedgerEntry.objects.filter(subject=f"check:{check.pk}"))[1:]
    assert [entry.payload["answer"] for entry in entries] == [second.pk, third.pk]
    assert [entry.payload["fields"] for entry in entries] == [
        {"category": "disputed"},
        {"category": "adjudicated"},
    ]
    assert {entry.actor for entry in entries} == {"service"}
    assert "wifi" not in str([entry.payload for entry in entries])


def test_erasing_a_ticket_takes_its_look_away(desk: Desk, people: list[User]) -> None:
    check = make_waiting_check(desk, people[0])

    whose = Whose(desk.source, ticket=check.proposal.ticket.external_id)
    erasure.erase(whose, by=people[3])

    assert not SecondLook.objects.exists()
    assert offers.claim(people[1]) is None
    assert truths(check) == {"category": ("network.vpn", "single")}


def test_a_failure_half_way_leaves_everything_as_it_was(
    desk: Desk, people: list[User], monkeypatch: pytest.MonkeyPatch
) -> None:
    check = make_waiting_check(desk, people[0])

    def fail(**_: object) -> None:
        raise RuntimeError("the machine is gone")

    with monkeypatch.context() as broken:
        broken.setattr("triage.ledger.append", fail)
        with pytest.raises(RuntimeError):
            give(desk, check, people[1], category="network.wifi")

    assert BlindAnswer.objects.count() == 1
    assert truths(check) == {"category": ("network.vpn", "single")}
    assert labels(check) == {"category": "network.vpn"}
    give(desk, check, people[1], category="network.wifi")
    assert SecondLook.objects.get().nth == 3


def test_a_check_that_waits_again_is_not_asked_first_a_second_time(
    desk: Desk, people: list[User]
) -> None:
    check = make_waiting_check(desk, people[0])
    give(desk, check, people[1], category="network.wifi")
    again = make_drawn(desk)
    Waiting.objects.filter(proposal=again).update(proposal=check.proposal)

    assert not spotchecks.look(Waiting.objects.get(proposal=check.proposal))


@pytest.mark.django_db(transaction=True)
def test_of_two_who_answer_the_same_look_at_once_one_is_kept(
    in_threads: Callable[[Sequence[Callable[[], None]]], None],
) -> None:
    desk = second_desk()
    first, tom, ada = (make_technician(name) for name in ("maya", "tom", "ada"))
    check = make_waiting_check(desk, first)
    barrier, told = Barrier(2, timeout=20), []

    def answer(who: User, said: str) -> None:
        barrier.wait()
        try:
            with transaction.atomic():
                give(desk, check, who, category=said)
        except answers.NoLook as error:
            told.append(str(error))

    in_threads([lambda: answer(tom, "network.vpn"), lambda: answer(ada, "network.vpn")])

    assert BlindAnswer.objects.filter(check_of=check, nth=2).count() == 1
    assert len(told) == 1
    assert truths(check) == {"category": ("network.vpn", "agreed")}
    assert SpotCheck.objects.count() == 1
