"""What drills are made of: past tickets with a truth, and right or wrong advice for them."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from review.catalogue import catalogue
from review.drills.material import Material, pick
from review.models import BlindAnswer, Decision, PracticeAnswer, SpotCheck, Truth
from tests.review.drills.world import make_drill, make_known, model_of
from tests.review.helpers import Desk, make_proposal, make_ticket
from triage.models import Label, Prediction, Proposal, ProposedValue, Ticket, Waiting

pytestmark = pytest.mark.django_db
SALT = "a salt of the tests"


def picked(
    person: User, desk: Desk, *, is_right: bool = False, salt: str = SALT, **over: set[int]
) -> Material | None:
    return pick(person, desk.source.pk, catalogue(), is_right=is_right, salt=salt, **over)


def test_right_advice_is_the_truth_whatever_the_model_had_said(desk: Desk, maya: User) -> None:
    proposal = make_known(desk, truth="network.wifi")

    found = picked(maya, desk, is_right=True)

    wifi = desk["network.wifi"].pk
    assert found == Material(proposal.pk, wifi, wifi, "agreed", model_of(desk).pk)
    assert found.is_right


def test_wrong_advice_is_what_the_model_said_where_that_was_wrong(desk: Desk, maya: User) -> None:
    make_known(desk, truth="access.password")

    found = picked(maya, desk)

    assert found is not None
    assert (found.advice, found.truth) == (desk["network.vpn"].pk, desk["access.password"].pk)
    assert not found.is_right


def test_wrong_advice_is_else_the_runner_up_of_the_prediction(desk: Desk, maya: User) -> None:
    make_known(desk)

    found = picked(maya, desk)

    assert found is not None
    assert (found.advice, found.truth) == (desk["access.password"].pk, desk["network.vpn"].pk)


def test_wrong_advice_is_else_a_sibling_and_never_above_or_below_the_truth(
    desk: Desk, maya: User
) -> None:
    make_known(desk)
    Prediction.objects.update(probabilities={"network.vpn": 0.8, "network": 0.2})

    found = picked(maya, desk)

    assert found is not None
    assert found.advice == desk["network.wifi"].pk


def test_without_another_choice_there_is_no_wrong_advice(desk: Desk, maya: User) -> None:
    make_known(desk)
    Prediction.objects.update(probabilities={"network.vpn": 1.0})
    desk["network.wifi"].retired_at = timezone.now()
    desk["network.wifi"].save()

    assert picked(maya, desk) is None
    assert picked(maya, desk, is_right=True) is not None


def test_agreed_answers_go_before_a_single_one_and_that_before_history(
    desk: Desk, maya: User
) -> None:
    proposal = make_known(desk, truth="network.wifi", origin=Truth.Origin.SINGLE)
    history = {"ticket": proposal.ticket, "field": desk.category}
    Label.objects.create(choice=desk["access"], origin=Label.Origin.HISTORY, **history)
    found = picked(maya, desk, is_right=True)
    assert found is not None
    assert (found.truth, found.known_by) == (desk["network.wifi"].pk, "single")

    Truth.objects.all().delete()
    found = picked(maya, desk, is_right=True)
    assert found is not None
    assert (found.truth, found.known_by) == (desk["access"].pk, "history")


@pytest.mark.parametrize(
    "state", ["open", "waiting", "erased", "shadow", "rule", "other-source", "retired"]
)
def test_some_tickets_are_never_drilled_on(desk: Desk, maya: User, state: str) -> None:
    proposal = make_known(desk)
    tickets, values = Ticket.objects.all(), ProposedValue.objects.filter(field=desk.category)
    match state:
        case "open":
            tickets.update(closed_at=None)
        case "waiting":
            now = timezone.now()
            Waiting.objects.create(
                proposal=proposal,
                ticket=proposal.ticket,
                source=desk.source,
                since=now,
                look_by=now,
            )
        case "erased":
            blank = dict.fromkeys(("subject", "body", "requester", "requester_name"), "")
            tickets.update(erased_at=timezone.now(), **blank)
        case "shadow":
            Proposal.objects.update(route=Proposal.Route.SHADOW)
        case "rule":
            values.update(basis=ProposedValue.Basis.PARENT)
        case "retired":
            desk["network.vpn"].retired_at = timezone.now()
            desk["network.vpn"].save()

    source = 0 if state == "other-source" else desk.source.pk
    found = pick(maya, source, catalogue(), is_right=True, salt=SALT)

    assert found is None


@pytest.mark.parametrize("how", ["decided", "answered", "practised", "drilled"])
def test_nobody_is_drilled_on_what_they_have_met(desk: Desk, maya: User, how: str) -> None:
    proposal = make_known(desk)
    long_ago = timezone.now() - timedelta(days=200)
    vpn = desk["network.vpn"]
    match how:
        case "decided":
            Decision.objects.create(
                proposal=proposal, reviewer=maya, verdict="accepted", decided_at=long_ago
            )
        case "answered":
            BlindAnswer.objects.create(
                check_of=SpotCheck.objects.get(), reviewer=maya, answered_at=long_ago, seconds=3
            )
        case "practised":
            PracticeAnswer.objects.create(
                person=maya, proposal=proposal, answer=vpn, truth=vpn, answered_at=long_ago
            )
        case "drilled":
            make_drill(desk, maya, proposal, "network.vpn", shown_at=long_ago)

    assert picked(maya, desk) is None
    assert picked(User.objects.create(username="lars"), desk) is not None


def test_which_ticket_it_is_hangs_on_the_secret_and_on_the_person(desk: Desk, maya: User) -> None:
    for _ in range(12):
        make_known(desk)
    lars = User.objects.create(username="lars")

    same = {picked(maya, desk) for _ in range(3)}
    others = {picked(who, desk, salt=f"salt {n}") for n in range(6) for who in (maya, lars)}

    assert len(same) == 1
    assert len(others) > 3


def test_advice_stays_within_what_the_person_looks_at(desk: Desk, maya: User) -> None:
    make_known(desk)

    assert picked(maya, desk, within={desk["network.wifi"].pk}) is None
    assert picked(maya, desk, within={desk["access.password"].pk}) is not None


def test_a_proposal_without_a_truth_is_no_material(desk: Desk, maya: User) -> None:
    closed = make_ticket(desk, closed_at=timezone.now())
    make_proposal(desk, closed, model=model_of(desk), waits=False)

    assert picked(maya, desk, is_right=True) is None
