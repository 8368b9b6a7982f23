"""Signing in and out: the pages of the accounts app in the product's own frame."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.review.helpers import PASSWORD, make_technician

pytestmark = pytest.mark.django_db
FRAME = '<a class="brand" href="/">'


def test_whoever_signs_in_lands_where_they_wanted_to_go(client: Client) -> None:
    make_technician()

    response = client.post(
        "/accounts/login/?next=/history/",
        {"login": "maya", "password": PASSWORD, "next": "/history/"},
    )

    assert response.status_code == 302
    assert response["Location"] == "/history/"


def test_a_wrong_password_is_refused_in_words(client: Client) -> None:
    make_technician()

    response = client.post("/accounts/login/", {"login": "maya", "password": "wrong"})
    html = response.content.decode()

    assert response.status_code == 200
    assert FRAME in html
    assert 'class="error" role="alert"' in html


def test_nobody_can_sign_up(client: Client) -> None:
    page = client.get("/accounts/signup/").content.decode()
    client.post(
        "/accounts/signup/",
        {"username": "eve", "email": "e@example.org", "password1": PASSWORD, "password2": PASSWORD},
    )

    assert FRAME in page
    assert "<form" not in page
    assert not User.objects.filter(username="eve").exists()


def test_signing_out_takes_a_post(client: Client) -> None:
    client.force_login(make_technician(), "django.contrib.auth.backends.ModelBackend")

    assert 'method="post" action="/accounts/logout/"' in client.get("/").content.decode()
    client.get("/accounts/logout/")
    assert client.get("/").status_code == 200
    client.post("/accounts/logout/")
    assert client.get("/").status_code == 302


@pytest.mark.parametrize(
    "path",
    [
        "/accounts/2fa/",
        "/accounts/email/",
        "/accounts/logout/",
        "/accounts/password/change/",
        "/accounts/reauthenticate/",
    ],
)
def test_the_pages_of_an_account_look_like_the_product(client: Client, path: str) -> None:
    client.force_login(make_technician(), "django.contrib.auth.backends.ModelBackend")

    response = client.get(path)

    assert response.status_code == 200
    assert FRAME in response.content.decode()
    assert 'aria-label="Your account"' in response.content.decode() or "reauth" in path
