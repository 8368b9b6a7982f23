"""Who may take which step, and that nobody learns how anybody voted."""

import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from review.metrics import co_creation, votes
from review.models import Ballot, DefinitionComment
from tests.review.definitions.world import (
    KEY,
    WHERE,
    make_team,
    page,
    path,
    proposed,
    voted,
)

pytestmark = pytest.mark.django_db
SERVICE = f"{WHERE}{KEY}/1/"
PROPOSE = f"{WHERE}{KEY}/propose/"
STEPS = ("withdraw", "comment", "open-vote", "vote", "close-vote", "activate", "retire")
As = Callable[[User], Client]


def test_strangers_sign_in_and_guests_are_refused(
    client: Client, make_user: Callable[..., User], technician: User
) -> None:
    row = proposed(technician)
    addresses = [WHERE, f"{WHERE}{KEY}/", SERVICE, PROPOSE, path(row)]

    assert {client.get(one).status_code for one in addresses} == {302}
    client.force_login(make_user("guest"))
    assert {client.get(one).status_code for one in addresses} == {403}
    posts = [client.post(path(row, step)) for step in STEPS]
    assert {one.status_code for one in posts} == {403}
    assert {client.get(path(row, step)).status_code for step in STEPS} == {405}


def test_auditors_read_everything_and_change_nothing(
    as_: As, technician: User, auditor: User
) -> None:
    row = proposed(technician)
    client = as_(auditor)

    html = page(client, path(row))
    assert "A week is too short." in html
    assert "<form" not in html.partition("<main")[2].partition("</main>")[0]
    assert {client.post(path(row, step)).status_code for step in STEPS} == {403}
    assert client.get(PROPOSE).status_code == 403


def test_technicians_put_nothing_in_force_and_lead_only_their_own_votes(
    as_: As, technician: User, ai_owner: User
) -> None:
    theirs, own = proposed(ai_owner), proposed(technician, min_n=40)
    client = as_(technician)

    assert client.post(path(theirs, "open-vote")).status_code == 403
    assert client.post(path(own, "open-vote")).status_code == 302
    assert client.post(path(own, "close-vote")).status_code == 302
    for step in ("activate", "retire"):
        assert client.post(path(own, step), {"instead_of": "1"}).status_code == 403
    assert client.post(path(theirs, "withdraw")).status_code == 409


def test_a_comment_is_deleted_by_its_author_alone(
    as_: As, technician: User, ai_owner: User
) -> None:
    row = proposed(technician)
    said = co_creation.comment(row.pk, by=ai_owner, text="Rash.")
    address = f"{WHERE}comments/{said.pk}/delete"

    assert as_(technician).post(address).status_code == 404
    assert address not in page(as_(technician), path(row))
    assert address in page(as_(ai_owner), path(row))
    assert as_(ai_owner).post(address).status_code == 302
    assert as_(ai_owner).post(address).status_code == 404
    assert as_(ai_owner).post(f"{WHERE}comments/{'9' * 30}/delete").status_code == 404
    assert not DefinitionComment.objects.filter(pk=said.pk).exists()


@pytest.mark.parametrize(
    "address",
    ["nothing/", "nothing/1/", "reopened/9/", f"reopened/{'9' * 30}/", "reopened/0/",
     "nothing/propose/"],
)  # fmt: skip
def test_what_is_not_there_is_404(as_: As, technician: User, address: str) -> None:
    assert as_(technician).get(WHERE + address).status_code == 404


def test_what_came_with_the_service_takes_no_step(as_: As, team_lead: User) -> None:
    client = as_(team_lead)
    data = {"text": "x", "says": "yes", "instead_of": "1", "because": "x"}

    assert {client.post(SERVICE + step, data).status_code for step in STEPS} == {404}


def test_an_open_vote_shows_how_many_took_part_from_five_on_and_nothing_else(
    as_: As, team_lead: User
) -> None:
    team = make_team()
    row = proposed(team[0])
    votes.open_vote(row.pk, by=team[0])
    for person in team[:4]:
        votes.vote(row.pk, by=person, says_yes=False, reason="unclear")
    assert "Fewer than 5 of 7 have voted; 5 votes are needed" in page(as_(team_lead), path(row))
    votes.vote(row.pk, by=team[4], says_yes=True)

    html = page(as_(team_lead), path(row))

    assert "5 of 7 have voted; 5 votes are needed" in html
    assert not re.search(r"\d+ (yes|no)\b", html)
    assert [person.username for person in team[1:] if person.username in html] == []


def test_one_sees_only_ones_own_vote_and_can_change_it(
    as_: As, technician: User, ai_owner: User
) -> None:
    row = proposed(technician)
    votes.open_vote(row.pk, by=technician)
    client = as_(technician)
    client.post(path(row, "vote"), {"says": "no", "reason": "unclear"})

    html = page(client, path(row))
    assert "You voted no." in html
    assert re.search(r'value="no"[^>]* checked', html)
    assert "You voted" not in page(as_(ai_owner), path(row))
    as_(technician).post(path(row, "vote"), {"says": "yes", "reason": ""})
    ballot = Ballot.objects.get()
    assert (ballot.says_yes, ballot.reason) == (True, "")


def test_a_closed_vote_shows_counts_and_counts_of_reasons(as_: As, technician: User) -> None:
    row = voted(make_team(), 3, 3)

    html = page(as_(technician), path(row))

    assert "3 yes, 3 no; 5 votes were needed." in html
    assert "It is not clear what is measured: 3" in html
    assert "tech5" not in html
