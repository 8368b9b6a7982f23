"""What a link to the panel proves, and that no part of it can be another one."""

import logging
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from django.contrib.auth.models import User
from django.core import signing
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from review.embed import links
from review.models import Decision
from tests.conftest import new_secret
from tests.review.embed.world import accept, framed_desk, link, link_to, opened, token_in
from tests.review.helpers import Desk, make_proposal, make_technician
from triage.models import SourceSecret

pytestmark = pytest.mark.django_db
OTHER_SECRET = "another-secret-that-is-long-enough"
NAMES = st.text(st.characters(blacklist_categories=["Cs"]), max_size=20)


@pytest.fixture
def desk() -> Desk:
    make_technician()
    return framed_desk()


@pytest.fixture(autouse=True)
def no_remembered_complaints(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "_complained", {})


def status(client: Client, path: str) -> int:
    return client.get(path).status_code


# --- The helpdesk's own signature -------------------------------------------------------------
def test_the_signature_is_that_of_the_documented_text() -> None:
    # By hand: printf 'embed\\ndesk\\n41001\\nmaya\\n1764230400' | openssl dgst -sha256 -hmac s3cret
    made = links.signature("s3cret", "desk", "41001", "maya", "1764230400")

    assert made == "40ce235851aa87b00e4fe63bbcc16dfeef57896e6398c4f688f191d4ee77cbde"


@pytest.mark.parametrize(
    "change",
    [
        {"user": "bob"},
        {"user": "maya "},
        {"user": "maya\n"},
        {"user": ""},
        {"expires": "9999999999"},
        {"expires": "soon"},
        {"expires": "\u0661\u0662"},
        {"expires": "9" * 400},
        {"expires": "-1"},
        {"signature": ""},
        {"signature": "0" * 64},
        {"signature": "\u00e9" * 64},
        {"signature": "0" * 10_000},
    ],
)
def test_no_part_of_a_signed_link_can_be_changed(
    client: Client, desk: Desk, change: dict[str, str]
) -> None:
    make_technician("bob")
    proposal = make_proposal(desk)

    answer = client.get(_changed(link_to(proposal), **change))

    assert answer.status_code == 403
    assert b"This link is not valid" in answer.content
    assert b"Network" not in answer.content


def _changed(address: str, **change: str) -> str:
    path, _, query = address.partition("?")
    return f"{path}?{urlencode(dict(parse_qsl(query)) | change)}"


def test_a_link_is_for_one_ticket_of_one_source(client: Client, desk: Desk) -> None:
    first, second = make_proposal(desk), make_proposal(desk)
    other = framed_desk(slug="other")
    path, _, query = link_to(first).partition("?")

    assert status(client, f"{path}?{query}") == 200
    assert status(client, f"/embed/norvik/{second.ticket.external_id}?{query}") == 403
    make_proposal(other)
    assert status(client, f"/embed/other/{first.ticket.external_id}?{query}") == 403


def test_a_link_may_be_opened_again_until_it_ends(
    client: Client, desk: Desk, time_machine: Any
) -> None:
    start = timezone.now()
    time_machine.move_to(start, tick=False)
    path = link_to(make_proposal(desk), ends_in=300)

    assert [status(client, path), status(client, path)] == [200, 200]
    time_machine.move_to(start + timedelta(seconds=301), tick=False)
    ended = client.get(path)
    assert ended.status_code == 403
    assert b"This link has run out" in ended.content


@pytest.mark.parametrize(("ahead", "code"), [(600, 200), (601, 403), (86_400, 403), (0, 403)])
def test_a_link_ends_at_most_ten_minutes_ahead(
    client: Client, desk: Desk, time_machine: Any, ahead: int, code: int
) -> None:
    time_machine.move_to(timezone.now().replace(microsecond=0), tick=False)

    assert status(client, link_to(make_proposal(desk), ends_in=ahead)) == code


def test_while_secrets_change_over_both_are_good_and_a_retired_one_ends_its_pages(
    client: Client, desk: Desk
) -> None:
    proposal = make_proposal(desk)
    old = SourceSecret.objects.get()
    new_secret(desk.source, OTHER_SECRET)
    token = opened(client, proposal)
    assert status(client, link_to(proposal, secret=OTHER_SECRET)) == 200

    old.retired_at = timezone.now()
    old.save()

    assert status(client, link_to(proposal)) == 403
    assert status(client, link_to(proposal, secret=OTHER_SECRET)) == 200
    assert accept(client, proposal, token).status_code == 403
    assert not Decision.objects.exists()


def test_secrets_for_other_purposes_sign_no_links(client: Client, desk: Desk) -> None:
    new_secret(desk.source, OTHER_SECRET, purpose=SourceSecret.Purpose.AUTOMATION)

    assert status(client, link_to(make_proposal(desk), secret=OTHER_SECRET)) == 403


def test_people_are_found_by_login_or_by_a_mail_address_that_is_theirs_alone(
    client: Client, desk: Desk
) -> None:
    proposal = make_proposal(desk)
    assert b"as maya" in client.get(link_to(proposal, user="Maya@Example.org")).content

    bob = make_technician("bob")
    bob.email = "maya@example.org"
    bob.save()

    assert status(client, link_to(proposal, user="maya@example.org")) == 403
    assert status(client, link_to(proposal, user="maya")) == 200


@settings(max_examples=200, deadline=None)
@given(NAMES, NAMES, NAMES, NAMES, st.integers(0, 10**11), st.integers(0, 10**11))
@example("T-1", "x\ny", "T-1\nx", "y", 1, 1)
def test_two_links_never_sign_the_same_text(
    ticket: str, user: str, other_ticket: str, other_user: str, expires: int, other_expires: int
) -> None:
    """As long as their parts are ones that a link may have."""
    one, other = (ticket, user, str(expires)), (other_ticket, other_user, str(other_expires))
    allowed = [
        links.is_plain(parts[0], links.LONGEST_TICKET)
        and links.is_plain(parts[1], links.LONGEST_LOGIN)
        for parts in (one, other)
    ]

    if all(allowed) and one != other:
        assert links.message("desk", *one) != links.message("desk", *other)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(user=NAMES, expires=NAMES, signature=NAMES, ticket=st.text(min_size=1, max_size=80))
def test_whatever_a_link_says_it_is_refused_with_words(
    client: Client, desk: Desk, user: str, expires: str, signature: str, ticket: str
) -> None:
    path = link("norvik", ticket.encode(errors="replace").decode())
    answer = client.get(
        path.partition("?")[0] or "/",
        {"user": user, "expires": expires, "signature": signature},
    )

    assert answer.status_code in (301, 403, 404)


def test_forged_links_are_told_to_the_log_once_a_minute(
    client: Client, desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    proposal = make_proposal(desk)

    with caplog.at_level(logging.WARNING, logger="review.embed"):
        for _ in range(5):
            client.get(link_to(proposal, secret=OTHER_SECRET))

    said = [each.getMessage() for each in caplog.records if each.name.startswith("review.")]
    assert said == ["a link to the panel of source norvik is not signed by it"]


# --- The page's own token ---------------------------------------------------------------------
def test_the_token_of_a_page_decides_on_no_other_ticket(client: Client, desk: Desk) -> None:
    first, second = make_proposal(desk), make_proposal(desk)

    answer = accept(client, second, opened(client, first))

    assert answer.status_code == 409
    assert not Decision.objects.exists()


def test_a_token_changed_anywhere_is_none(client: Client, desk: Desk) -> None:
    proposal = make_proposal(desk)
    token = opened(client, proposal)
    places = [0, len(token) // 3, token.index(":") + 1, len(token) - 1]
    changed = [f"{token[:at]}{'B' if token[at] != 'B' else 'C'}{token[at + 1 :]}" for at in places]

    for wrong in [*changed, "", ":", "a:b:c", token[:-1], f"{token}A", "\0", "x" * 20_000]:
        assert accept(client, proposal, wrong).status_code == 403
    assert not Decision.objects.exists()


def test_a_links_token_is_no_pages_token_and_the_other_way_round(
    client: Client, desk: Desk
) -> None:
    proposal = make_proposal(desk)
    token = opened(client, proposal)
    grant = links.read_sealed(token)
    path = link_to(proposal).partition("?")[0]

    assert status(client, f"{path}?token={links.minted(grant)}") == 200
    assert status(client, f"{path}?token={token}") == 403
    assert accept(client, proposal, links.minted(grant)).status_code == 403
    forged = signing.dumps(["a", "list"], salt=links.PAGE_SALT)
    assert accept(client, proposal, forged).status_code == 403


def test_a_person_who_lost_permission_or_account_can_do_nothing_with_an_open_page(
    client: Client, desk: Desk
) -> None:
    proposal = make_proposal(desk)
    token = opened(client, proposal)
    User.objects.filter(username="maya").update(is_active=False)

    assert accept(client, proposal, token).status_code == 403
    assert not Decision.objects.exists()


def test_a_page_ends_after_a_working_day_however_much_it_is_used(
    client: Client, desk: Desk, time_machine: Any
) -> None:
    start = timezone.now()
    time_machine.move_to(start, tick=False)
    token = token_in(client.get(link("norvik", "not-here-yet")))
    for minutes in range(25, 12 * 60, 25):
        time_machine.move_to(start + timedelta(minutes=minutes), tick=False)
        token = token_in(client.post("/embed/look", {"token": token}))

    time_machine.move_to(start + timedelta(hours=12, minutes=1), tick=False)

    assert client.post("/embed/look", {"token": token}).status_code == 403
