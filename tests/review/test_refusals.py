"""Pages that say no: each with its own words and a way on, as a page and swapped in."""

from html import unescape
from typing import Any

import pytest
from django.test import Client

from tests.review.helpers import make_desk, make_proposal, make_reader, make_technician

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def words(response: Any) -> str:
    return unescape(response.content.decode())


def test_what_is_swapped_in_has_no_page_around_it(client: Client) -> None:
    proposal = make_proposal(make_desk())
    client.force_login(make_reader())

    page = client.post(f"/proposals/{proposal.pk}/accept")
    part = client.post(f"/proposals/{proposal.pk}/accept", headers=HTMX)

    assert (page.status_code, part.status_code) == (403, 403)
    assert "This is not open to you" in words(page)
    assert "This is not open to you" in words(part)
    assert "<html" in words(page)
    assert "<html" not in words(part)
    assert 'id="work"' in words(part)
    assert part["HX-Push-Url"] == "false"


def test_a_page_that_is_too_old_says_so_in_either_form() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_technician())
    proposal = make_proposal(make_desk())

    page = client.post(f"/proposals/{proposal.pk}/accept")
    part = client.post(f"/proposals/{proposal.pk}/accept", headers=HTMX)

    assert (page.status_code, part.status_code) == (403, 403)
    assert "too old to be sent" in words(page)
    assert "too old to be sent" in words(part)
    assert "<html" not in words(part)
    assert part["HX-Push-Url"] == "false"


def test_what_is_not_well_formed_is_refused_with_words(client: Client) -> None:
    client.force_login(make_technician())
    many = {f"f{number}": "x" for number in range(1001)}

    response = client.post("/together/", many)

    assert response.status_code == 400
    assert "could not be understood" in words(response)


def test_guessing_passwords_is_stopped_with_words(client: Client, settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = False
    make_technician()
    tried = [
        client.post("/accounts/login/", {"login": "maya", "password": "wrong"}) for _ in range(9)
    ]

    assert tried[-1].status_code == 429
    assert "Too many tries" in words(tried[-1])
