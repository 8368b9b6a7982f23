"""What people meet: a ticket somebody looks at, a page out of date, a session that ended."""

from html import unescape
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client

from review import leases
from review.models import Decision, Lease
from tests.review.helpers import (
    Desk,
    make_desk,
    make_proposal,
    make_reader,
    make_reasons,
    make_technician,
)
from triage.models import Proposal, Waiting

pytestmark = pytest.mark.django_db
WINDOW = UUID(int=1)
HTMX = {"HX-Request": "true", "X-Window": str(WINDOW)}


@pytest.fixture
def desk() -> Desk:
    return make_desk()


@pytest.fixture
def proposal(desk: Desk) -> Proposal:
    return make_proposal(desk)


@pytest.fixture
def maya() -> User:
    return make_technician("maya")


@pytest.fixture
def technician(client: Client, maya: User) -> Client:
    client.force_login(maya)
    return client


@pytest.fixture
def tom() -> User:
    return make_technician("tom", first_name="Tom", last_name="Reed")


def words(response: Any) -> str:
    return unescape(response.content.decode())


def test_opening_a_ticket_claims_it_for_the_window(
    technician: Client, proposal: Proposal, maya: User
) -> None:
    technician.get(f"/tickets/{proposal.ticket_id}/", headers=HTMX)
    assert Lease.objects.get().window == WINDOW

    whole = words(technician.get(f"/tickets/{proposal.ticket_id}/"))

    lease = Lease.objects.get()
    assert lease.holder == maya
    assert lease.window != WINDOW
    assert f'data-window="{lease.window}"' in whole


def test_others_read_it_with_words_and_no_buttons(
    technician: Client, proposal: Proposal, tom: User
) -> None:
    leases.claim(proposal.ticket, tom, uuid4())

    html = words(technician.get(f"/tickets/{proposal.ticket_id}/?category=network"))

    assert "Tom Reed is looking at this and opened it just now" in html
    assert "It is free 45 seconds after they leave it" in html
    assert proposal.ticket.body in html
    assert 'class="acts"' not in html
    assert f'hx-get="/tickets/{proposal.ticket_id}/lease/?category=network"' in html


def test_the_forms_come_back_when_it_is_free(
    technician: Client, proposal: Proposal, tom: User
) -> None:
    window = uuid4()
    leases.claim(proposal.ticket, tom, window)
    address = f"/tickets/{proposal.ticket_id}/lease/"
    assert "Tom Reed" in words(technician.get(address, headers=HTMX))

    leases.release(window, tom)

    html = words(technician.get(address, headers=HTMX))
    assert 'hx-trigger="load"' in html
    assert 'hx-select="#proposal"' in html
    assert 'class="acts"' in words(technician.get(f"/tickets/{proposal.ticket_id}/", headers=HTMX))


def test_a_window_is_told_why_it_lost_its_ticket(
    technician: Client, proposal: Proposal, maya: User
) -> None:
    address = f"/tickets/{proposal.ticket_id}/lease/"
    leases.claim(proposal.ticket, maya, uuid4())
    assert "in another window" in words(technician.get(address, headers=HTMX))

    Waiting.objects.all().delete()

    assert "This page is out of date" in words(technician.get(address, headers=HTMX))


def test_the_beat_renews_and_names_what_is_still_held(
    technician: Client, desk: Desk, proposal: Proposal, tom: User
) -> None:
    taken = make_proposal(desk)
    technician.get(f"/tickets/{proposal.ticket_id}/", headers=HTMX)
    leases.claim(taken.ticket, tom, uuid4())

    answer = technician.post(
        "/leases/renew",
        {"ticket": [str(proposal.ticket_id), str(taken.ticket_id), "x", "9" * 40, "\0"]},
        headers=HTMX,
    )

    assert answer.json() == {"held": {str(proposal.ticket_id): proposal.pk}}


def test_a_page_that_goes_away_says_so_without_headers(
    technician: Client, proposal: Proposal
) -> None:
    technician.get(f"/tickets/{proposal.ticket_id}/", headers=HTMX)

    assert technician.post("/leases/release", {"window": "nonsense"}).status_code == 204
    assert Lease.objects.exists()
    assert technician.post("/leases/release", {"window": str(WINDOW)}).status_code == 204
    assert not Lease.objects.exists()


@pytest.mark.parametrize("way", ["accept", "escalate"])
def test_deciding_what_somebody_looks_at_is_409_with_who_has_it(
    technician: Client, proposal: Proposal, tom: User, way: str
) -> None:
    reasons = make_reasons()
    leases.claim(proposal.ticket, tom, uuid4())

    response = technician.post(
        f"/proposals/{proposal.pk}/{way}", {"reason": reasons["escalate.wrong"].pk}
    )

    assert response.status_code == 409
    assert f"Tom Reed is looking at #{proposal.ticket.external_id}" in words(response)
    assert not Decision.objects.exists()


def test_leases_are_for_those_who_decide(client: Client, proposal: Proposal) -> None:
    client.force_login(make_reader())

    assert client.post("/leases/renew", {"ticket": proposal.ticket_id}).status_code == 403
    assert client.post("/leases/release").status_code == 403
    assert client.get(f"/tickets/{proposal.ticket_id}/lease/").status_code == 403
    assert not Lease.objects.exists()


# --- Sessions -------------------------------------------------------------------------------
def test_a_decision_after_the_session_leads_over_the_login_back_to_the_ticket(
    client: Client, proposal: Proposal
) -> None:
    page = f"http://testserver/tickets/{proposal.ticket_id}/?category=network"

    part = client.post(f"/proposals/{proposal.pk}/accept", headers=HTMX | {"HX-Current-URL": page})
    whole = client.post(f"/proposals/{proposal.pk}/accept", headers={"Referer": page})

    back = f"/accounts/login/?next=/tickets/{proposal.ticket_id}/%3Fcategory%3Dnetwork"
    assert (part.status_code, part["HX-Redirect"]) == (204, f"{back}%26signed_out%3D1")
    assert (whole.status_code, whole["Location"]) == (302, f"{back}%26signed_out%3D1")
    assert "Sign in and you are back at the ticket" in words(client.get(whole["Location"]))
    client.force_login(make_technician())
    ticket = client.get(f"/tickets/{proposal.ticket_id}/?category=network&signed_out=1")
    assert "You had been signed out, so nothing was saved" in words(ticket)
    assert not Decision.objects.exists()


@pytest.mark.parametrize("told", ["", "https://evil.example/x", "javascript:alert(1)", "//evil/x"])
def test_nobody_is_led_to_a_foreign_page(client: Client, proposal: Proposal, told: str) -> None:
    answer = client.post(
        f"/proposals/{proposal.pk}/accept", headers=HTMX | {"HX-Current-URL": told}
    )

    assert answer["HX-Redirect"] == "/accounts/login/?next=/%3Fsigned_out%3D1"


def test_a_part_that_is_asked_for_without_a_session_leads_to_its_page(
    client: Client, proposal: Proposal
) -> None:
    page = f"http://testserver/tickets/{proposal.ticket_id}/"

    answer = client.get(
        f"/tickets/{proposal.ticket_id}/effects/", headers=HTMX | {"HX-Current-URL": page}
    )

    assert answer["HX-Redirect"] == (
        f"/accounts/login/?next=/tickets/{proposal.ticket_id}/%3Fsigned_out%3D1"
    )
