"""Links that the API makes for helpdesks that can't sign."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from knox.models import AuthToken

from review.models import Decision
from tests.review.embed.world import accept, framed_desk, last_decision, token_in
from tests.review.helpers import Desk, make_proposal, make_technician, make_user
from triage.models import LedgerEntry

pytestmark = pytest.mark.django_db
Minted = Callable[..., Any]


@pytest.fixture
def desk() -> Desk:
    make_technician()
    return framed_desk()


@pytest.fixture
def helpdesk_account() -> User:
    return make_user("helpdesk", "review.embed_decision")


@pytest.fixture
def mint(client: Client, desk: Desk, helpdesk_account: User) -> Minted:
    _, token = AuthToken.objects.create(helpdesk_account)

    def post(ticket: object = "T-1", user: object = "maya", slug: str = "norvik") -> Any:
        return client.post(
            f"/api/v1/sources/{slug}/embed-tokens",
            {"ticket": ticket, "user": user},
            content_type="application/json",
            headers={"Authorization": f"Token {token}"},
        )

    return post


def test_a_minted_link_opens_the_panel_for_its_person_and_ticket(
    client: Client, desk: Desk, mint: Minted, helpdesk_account: User
) -> None:
    proposal = make_proposal(desk)

    answer = mint(proposal.ticket.external_id)

    assert answer.status_code == 201
    assert set(answer.json()) == {"url", "expires_at"}
    page = client.get(answer.json()["url"])
    assert page.status_code == 200
    assert accept(client, proposal, token_in(page)).status_code == 200
    assert last_decision().reviewer.username == "maya"
    entry = LedgerEntry.objects.get(kind=LedgerEntry.Kind.DECISION)
    assert entry.payload["via"] == f"embed user:{helpdesk_account.pk}"


def test_a_minted_link_opens_no_other_ticket(client: Client, desk: Desk, mint: Minted) -> None:
    one, other = make_proposal(desk), make_proposal(desk)
    _, _, query = mint(one.ticket.external_id).json()["url"].partition("?")

    assert client.get(f"/embed/norvik/{other.ticket.external_id}?{query}").status_code == 403


def test_it_ends_with_the_right_to_mint(
    client: Client, desk: Desk, mint: Minted, helpdesk_account: User
) -> None:
    proposal = make_proposal(desk)
    url = mint(proposal.ticket.external_id).json()["url"]
    helpdesk_account.user_permissions.clear()

    assert client.get(url).status_code == 403
    assert mint(proposal.ticket.external_id).status_code == 403
    assert not Decision.objects.exists()


def test_deciding_oneself_is_no_right_to_let_others_decide(client: Client, desk: Desk) -> None:
    client.force_login(User.objects.get(username="maya"))

    answer = client.post(
        "/api/v1/sources/norvik/embed-tokens",
        {"ticket": "T-1", "user": "maya"},
        content_type="application/json",
    )

    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("ticket", "user", "wrong"),
    [
        ("T-1", "nobody", "user"),
        ("T-1", "helpdesk", "user"),
        ("T-1", "", "user"),
        ("T-1", "x\0y", "detail"),
        ("", "maya", "ticket"),
        ("a\nb", "maya", "ticket"),
        ("x" * 65, "maya", "ticket"),
        ({"a": 1}, "maya", "ticket"),
    ],
)
def test_what_no_link_can_be_made_for_is_named(
    mint: Minted, ticket: object, user: object, wrong: str
) -> None:
    answer = mint(ticket, user)

    assert answer.status_code == 400
    assert wrong in answer.json()


def test_without_sites_that_may_show_it_there_is_no_link(desk: Desk, mint: Minted) -> None:
    desk.source.embed_origins = []
    desk.source.save()

    assert mint().status_code == 409
    assert mint(slug="nothing").status_code == 404
