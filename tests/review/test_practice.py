"""The practice ground: past tickets with a known truth, and nothing that leaves it."""

from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from review.catalogue import catalogue
from review.models import DecidedValue, Decision, PracticeAnswer
from review.practice import ground
from review.practice.score import score
from tests.review.helpers import (
    Desk,
    make_desk,
    make_model,
    make_proposal,
    make_reader,
    make_technician,
    make_ticket,
)
from triage.models import (
    Effect,
    Job,
    Label,
    LedgerEntry,
    Proposal,
    Ticket,
    TicketEvent,
    Waiting,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def learner(client: Client) -> User:
    user = make_technician()
    client.force_login(user)
    return user


@pytest.fixture
def desk() -> Desk:
    return make_desk()


@pytest.fixture(autouse=True)
def always_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.random", lambda: 0.9)
    monkeypatch.setattr("random.choice", lambda pool: pool[0])


def words(response: Any) -> str:
    return unescape(response.content.decode())


def make_past(desk: Desk, *, truth: str = "network.vpn", **over: Any) -> Proposal:
    """A closed ticket, proposed as VPN, and decided by somebody else weeks ago."""
    now = timezone.now()
    ticket = make_ticket(
        desk, opened_at=now - timedelta(days=30), closed_at=now - timedelta(days=28)
    )
    proposal = make_proposal(desk, ticket, waits=False, **over)
    other, _ = User.objects.get_or_create(username="tom")
    decision = Decision.objects.create(
        proposal=proposal,
        stands_for=proposal,
        reviewer=other,
        verdict="accepted",
        decided_at=now - timedelta(days=29),
    )
    DecidedValue.objects.create(
        decision=decision, field=desk.category, proposed=desk[truth], final=desk[truth]
    )
    return proposal


def make_checked(desk: Desk, *, truth: str = "network.vpn", **over: Any) -> Proposal:
    """A closed ticket that somebody answered before the advice."""
    now = timezone.now()
    ticket = make_ticket(
        desk, opened_at=now - timedelta(days=30), closed_at=now - timedelta(days=28)
    )
    proposal = make_proposal(desk, ticket, waits=False, **over)
    Label.objects.create(
        ticket=ticket,
        field=desk.category,
        choice=desk[truth],
        origin=Label.Origin.SPOT_CHECK,
        propensity=0.05,
    )
    return proposal


def answer(client: Client, proposal: Proposal, choice: Any) -> Any:
    return client.post(
        f"/practice/tickets/{proposal.pk}/answer", {"choice-category": choice.pk}, follow=True
    )


def finish(client: Client, choice: Any) -> Any:
    begun = PracticeAnswer.objects.latest("pk")
    return client.post(f"/practice/{begun.pk}/finish", {"choice-category": choice.pk}, follow=True)


def test_without_a_known_truth_there_is_nothing_to_practise_on(
    client: Client, learner: User
) -> None:
    assert "No past tickets with a known truth yet" in words(client.get("/practice/"))


def test_an_exercise_goes_from_the_own_answer_over_the_advice_to_the_truth(
    client: Client, learner: User, desk: Desk
) -> None:
    proposal = make_checked(desk, truth="network.wifi", model=make_model(desk), words_for=["VPN"])

    first = words(client.get("/practice/"))
    assert proposal.ticket.subject in first
    assert "The model expects" not in first
    assert "<mark>" not in first

    advised = words(answer(client, proposal, desk["network.wifi"]))
    assert "The advice says something else." in advised
    assert "The model expects" in advised
    assert "<mark>VPN</mark>" in advised
    assert "So said somebody" not in advised

    told = words(finish(client, desk["network.wifi"]))
    assert "you kept to your answer against wrong advice" in told
    assert "So said somebody who had not seen the advice." in told
    done = PracticeAnswer.objects.get()
    assert (done.answer, done.advice, done.final, done.truth) == (
        desk["network.wifi"],
        desk["network.vpn"],
        desk["network.wifi"],
        desk["network.wifi"],
    )


def test_practice_leaves_no_trace_outside_itself(client: Client, learner: User, desk: Desk) -> None:
    proposal = make_checked(desk, truth="network.wifi")
    kinds = (Decision, Effect, Job, Label, LedgerEntry, Proposal, Waiting)
    before = {kind: kind.objects.count() for kind in kinds}
    values = Ticket.objects.get().values

    client.get("/practice/")
    answer(client, proposal, desk["access"])
    finish(client, desk["network.vpn"])
    client.get("/practice/past/")

    assert {kind: kind.objects.count() for kind in kinds} == before
    assert Ticket.objects.get().values == values
    assert PracticeAnswer.objects.filter(finished_at__isnull=False).count() == 1


def test_a_decision_is_a_truth_only_while_nothing_spoke_against_it(
    learner: User, desk: Desk
) -> None:
    good, moved = make_past(desk), make_past(desk)
    TicketEvent.objects.create(
        ticket=moved.ticket,
        key="e",
        kind="reassigned",
        happened_at=timezone.now() - timedelta(days=28),
    )
    for state in ("open", "waiting", "undone", "erased"):
        one = make_past(desk)
        if state == "open":
            Ticket.objects.filter(pk=one.ticket_id).update(closed_at=None)
        elif state == "waiting":
            Waiting.objects.create(
                proposal=one,
                ticket=one.ticket,
                source=desk.source,
                since=one.ticket.opened_at,
                look_by=one.ticket.opened_at,
            )
        elif state == "undone":
            Decision.objects.filter(proposal=one).update(stands_for=None)
        else:
            _erase(one.ticket)

    found = ground.exercises(learner, catalogue())

    assert [one.proposal for one in found] == [good.pk]


def test_what_was_said_without_the_advice_goes_before_a_decision(learner: User, desk: Desk) -> None:
    proposal = make_past(desk)
    Label.objects.create(
        ticket=proposal.ticket,
        field=desk.category,
        choice=desk["access"],
        origin=Label.Origin.SPOT_CHECK,
        propensity=0.05,
    )

    assert ground.exercises(learner, catalogue())[0].truth == desk["access"].pk


def test_what_one_decided_lately_is_left_out(learner: User, desk: Desk) -> None:
    proposal = make_past(desk)
    Decision.objects.update(reviewer=learner)
    assert [one.proposal for one in ground.exercises(learner, catalogue())] == [proposal.pk]

    Decision.objects.update(decided_at=timezone.now() - timedelta(days=2))
    assert ground.exercises(learner, catalogue()) == []


def test_a_parent_of_the_truth_is_no_exercise(learner: User, desk: Desk) -> None:
    make_past(desk, main="network")

    assert ground.exercises(learner, catalogue()) == []


def test_each_ticket_is_practised_once_and_an_open_exercise_is_gone_back_to(
    client: Client, learner: User, desk: Desk
) -> None:
    proposal = make_past(desk)
    answer(client, proposal, desk["access"])
    answer(client, proposal, desk["hardware"])

    begun = PracticeAnswer.objects.get()
    assert begun.answer == desk["access"]
    back = client.get("/practice/")
    assert back.headers["Location"] == f"/practice/{begun.pk}/"
    finish(client, desk["access"])
    finish(client, desk["hardware"])
    begun.refresh_from_db()
    assert begun.final == desk["access"]
    assert "No further past tickets" in words(client.get("/practice/"))


def test_tickets_that_wait_cannot_be_practised_on(
    client: Client, learner: User, desk: Desk
) -> None:
    proposal = make_proposal(desk)

    assert answer(client, proposal, desk["access"]).status_code == 404
    assert answer(client, make_past(desk), desk["team.net"]).status_code == 422
    assert not PracticeAnswer.objects.exists()


@pytest.mark.parametrize("said", ["", "unsure", "\0", "9" * 30, "x"])
def test_nonsense_is_told_beside_the_field(
    client: Client, learner: User, desk: Desk, said: str
) -> None:
    proposal = make_past(desk)

    first = client.post(f"/practice/tickets/{proposal.pk}/answer", {"choice-category": said})
    answer(client, proposal, desk["access"])
    begun = PracticeAnswer.objects.get()
    last = client.post(f"/practice/{begun.pk}/finish", {"choice-category": said})

    assert (first.status_code, last.status_code) == (422, 422)
    begun.refresh_from_db()
    assert begun.final is None


def test_nobody_else_sees_an_exercise(client: Client, learner: User, desk: Desk) -> None:
    answer(client, make_past(desk), desk["access"])
    begun = PracticeAnswer.objects.get()
    other = Client()
    other.force_login(make_technician("lars"))

    assert other.get(f"/practice/{begun.pk}/").status_code == 404
    assert other.post(f"/practice/{begun.pk}/finish").status_code == 404
    assert "VPN drops" not in words(other.get("/practice/past/"))


def test_readers_have_no_practice(client: Client, desk: Desk) -> None:
    client.force_login(make_reader())

    assert client.get("/practice/").status_code == 403
    assert "Practice" not in words(client.get("/"))


def test_erased_tickets_are_gone_from_practice(client: Client, learner: User, desk: Desk) -> None:
    proposal = make_past(desk)
    answer(client, proposal, desk["access"])
    finish(client, desk["access"])
    begun = PracticeAnswer.objects.get()
    _erase(proposal.ticket)

    assert client.get(f"/practice/{begun.pk}/").status_code == 404
    assert client.get(f"/practice/tickets/{proposal.pk}/answer").status_code == 405
    assert answer(client, proposal, desk["access"]).status_code == 404
    assert "You have not finished an exercise yet." in words(client.get("/practice/past/"))
    # The numbers hold no words.
    assert score(learner).finished == 1


def test_the_score_counts_by_hand(learner: User, desk: Desk) -> None:
    vpn, wifi, access = (desk[key] for key in ("network.vpn", "network.wifi", "access"))
    done = [
        # answer, advice, final, truth
        *[(vpn, vpn, vpn, vpn)] * 5,
        *[(wifi, vpn, vpn, vpn)] * 3,
        *[(wifi, vpn, wifi, vpn)] * 2,
        *[(wifi, vpn, wifi, wifi)],
        *[(access, vpn, vpn, wifi)] * 2,
    ]
    proposal = make_past(desk)
    for said, advice, final, truth in done:
        PracticeAnswer.objects.create(
            person=learner,
            proposal=proposal,
            answer=said,
            advice=advice,
            final=final,
            truth=truth,
            answered_at=timezone.now(),
            finished_at=timezone.now(),
        )

    figures = {figure.name: figure for figure in score(learner).figures}

    assert {name: (figure.k, figure.n) for name, figure in figures.items()} == {
        "right alone": (6, 13),
        "right with the advice": (9, 13),
        "followed wrong advice": (2, 3),
        "refused right advice": (2, 10),
    }
    assert figures["refused right advice"].is_enough
    assert not figures["followed wrong advice"].is_enough


def test_the_ground_costs_the_same_however_much_is_known(
    client: Client, learner: User, desk: Desk
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            client.get("/practice/")
        return len(asked)

    make_past(desk)
    # Once before counting: what the frame of every page remembers for some seconds is known then.
    queries()
    few = queries()
    for _ in range(12):
        make_past(desk)

    assert queries() == few <= 20


def _erase(ticket: Ticket) -> None:
    Ticket.objects.filter(pk=ticket.pk).update(
        subject="",
        body="",
        requester="",
        requester_name="",
        url="",
        resolution="",
        erased_at=timezone.now(),
    )
