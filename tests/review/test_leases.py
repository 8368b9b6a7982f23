"""Who looks at which ticket: claimed, renewed, taken over, free again."""

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Barrier
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from time_machine import TimeMachineFixture

from review import decisions, leases
from review.leases import LeasedTo
from review.models import Decision, Lease
from review.tasks import tidy
from tests.review.helpers import Desk, make_desk, make_proposal, make_technician
from triage.models import Proposal, Waiting

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Desk:
    return make_desk()


@pytest.fixture
def maya() -> User:
    return make_technician("maya", first_name="Maya", last_name="Berg")


@pytest.fixture
def tom() -> User:
    return make_technician("tom", first_name="Tom", last_name="Reed")


@pytest.fixture
def now() -> datetime:
    return timezone.now()


def holder(proposal: Proposal) -> tuple[int, UUID]:
    lease = Lease.objects.get(ticket=proposal.ticket)
    return lease.holder_id, lease.window


def test_the_second_person_learns_who_looks_and_since_when(
    desk: Desk, maya: User, tom: User, time_machine: TimeMachineFixture, now: datetime
) -> None:
    ticket, first, second = make_proposal(desk).ticket, uuid4(), uuid4()
    time_machine.move_to(now, tick=False)
    leases.claim(ticket, tom, first)
    time_machine.move_to(now + timedelta(seconds=40), tick=False)

    answer = leases.claim(ticket, maya, second)

    assert answer == LeasedTo("Tom Reed", now)
    assert Lease.objects.get().window == first


def test_claiming_is_one_statement(desk: Desk, maya: User) -> None:
    ticket = make_proposal(desk).ticket

    with CaptureQueriesContext(connection) as queries:
        leases.claim(ticket, maya, uuid4())

    assert len(queries) == 1


def test_a_lease_ends_45_seconds_after_the_last_beat(
    desk: Desk, maya: User, tom: User, time_machine: TimeMachineFixture, now: datetime
) -> None:
    proposal, first, second = make_proposal(desk), uuid4(), uuid4()
    ticket = proposal.ticket
    time_machine.move_to(now, tick=False)
    leases.claim(ticket, tom, first)
    time_machine.move_to(now + timedelta(seconds=30), tick=False)
    assert leases.renew([ticket.pk], tom, first) == {ticket.pk: proposal.pk}

    time_machine.move_to(now + timedelta(seconds=74), tick=False)
    assert isinstance(leases.claim(ticket, maya, second), LeasedTo)
    time_machine.move_to(now + timedelta(seconds=76), tick=False)
    assert isinstance(leases.claim(ticket, maya, second), Lease)

    assert leases.renew([ticket.pk], tom, first) == {}
    assert holder(proposal) == (maya.pk, second)


def test_a_laptop_that_wakes_up_goes_on_if_nobody_took_the_ticket(
    desk: Desk, tom: User, time_machine: TimeMachineFixture, now: datetime
) -> None:
    proposal, window = make_proposal(desk), uuid4()
    time_machine.move_to(now, tick=False)
    leases.claim(proposal.ticket, tom, window)
    time_machine.move_to(now + timedelta(hours=2), tick=False)
    tidy()
    assert not Lease.objects.exists()

    assert leases.renew([proposal.ticket_id], tom, window) == {proposal.ticket_id: proposal.pk}
    assert Lease.objects.get().until == now + timedelta(hours=2, seconds=45)


def test_a_person_takes_a_ticket_over_from_their_own_other_window(desk: Desk, tom: User) -> None:
    proposal, old, new = make_proposal(desk), uuid4(), uuid4()
    leases.claim(proposal.ticket, tom, old)

    leases.claim(proposal.ticket, tom, new)

    assert leases.renew([proposal.ticket_id], tom, old) == {}
    assert leases.renew([proposal.ticket_id], tom, new) == {proposal.ticket_id: proposal.pk}


def test_a_window_that_opens_another_ticket_lets_go_of_the_former(
    desk: Desk, tom: User, maya: User
) -> None:
    first, second, window = make_proposal(desk), make_proposal(desk), uuid4()
    leases.claim(first.ticket, tom, window)

    leases.claim(second.ticket, tom, window)

    assert list(Lease.objects.values_list("ticket", flat=True)) == [second.ticket_id]
    # Another person's window of the same number is another window.
    leases.claim(first.ticket, maya, window)
    assert Lease.objects.count() == 2


def test_a_closed_window_frees_all_it_held_and_nothing_else(desk: Desk, tom: User) -> None:
    proposals = [make_proposal(desk) for _ in range(3)]
    closed, kept = uuid4(), uuid4()
    leases.claim(proposals[0].ticket, tom, closed)
    leases.claim_first([proposals[1].ticket_id], tom, closed)
    leases.claim(proposals[2].ticket, tom, kept)

    leases.release(closed, tom)

    assert list(Lease.objects.values_list("ticket", flat=True)) == [proposals[2].ticket_id]


def test_what_waits_no_more_is_not_renewed(desk: Desk, tom: User) -> None:
    proposal, window = make_proposal(desk), uuid4()
    leases.claim(proposal.ticket, tom, window)
    Waiting.objects.all().delete()

    assert leases.renew([proposal.ticket_id, 10**17], tom, window) == {}


def test_only_one_of_many_who_claim_at_once_gets_the_ticket(
    transactional_db: None, in_threads: Callable[..., None]
) -> None:
    proposal = make_proposal(make_desk())
    people = [make_technician(f"tech{number}") for number in range(6)]
    start, answers = Barrier(len(people)), list[Lease | LeasedTo]()

    def press(who: User) -> None:
        start.wait()
        answers.append(leases.claim(proposal.ticket, who, uuid4()))

    in_threads([lambda who=who: press(who) for who in people])

    winners = [answer for answer in answers if isinstance(answer, Lease)]
    losers = [answer.name for answer in answers if isinstance(answer, LeasedTo)]
    assert len(winners) == 1
    assert set(losers) == {winners[0].holder.username}


def test_deciding_what_somebody_else_looks_at_is_refused_and_names_them(
    desk: Desk, maya: User, tom: User
) -> None:
    proposal = make_proposal(desk)
    leases.claim(proposal.ticket, tom, uuid4())

    with pytest.raises(decisions.Leased, match="Tom Reed is looking at this ticket"):
        decisions.decide(
            proposal=proposal, reviewer=maya, choices={}, reasons={}, with_playbook=False
        )
    assert not Decision.objects.exists()

    decisions.decide(proposal=proposal, reviewer=tom, choices={}, reasons={}, with_playbook=False)
    assert not Lease.objects.exists()


def test_a_lease_that_ended_keeps_nobody_from_deciding(
    desk: Desk, maya: User, tom: User, time_machine: TimeMachineFixture, now: datetime
) -> None:
    proposal = make_proposal(desk)
    leases.claim(proposal.ticket, tom, uuid4())
    time_machine.move_to(now + timedelta(seconds=60), tick=False)

    decisions.decide(proposal=proposal, reviewer=maya, choices={}, reasons={}, with_playbook=False)

    with pytest.raises(decisions.AlreadyDecided, match="Maya Berg has already accepted"):
        decisions.decide(
            proposal=proposal, reviewer=tom, choices={}, reasons={}, with_playbook=False
        )
