"""All pages of the review room, as each role that may open them: for every eye and every width."""

import re

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from playwright._impl._api_structures import SetCookieParam
from playwright.sync_api import BrowserContext

from review.roles import AI_OWNER, AUDITOR, TEAM_LEAD, TECHNICIAN
from tests.browser.conftest import Opener, Window
from tests.browser.eyes import NARROW, WIDE, troubles
from tests.browser.walk import addresses, pages
from tests.conftest import new_user
from tests.review.fullest import make_fullest
from tests.review.helpers import Desk, make_desk, make_proposal, make_torn
from triage.models import Ticket

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
# The technician first: what others see besides is looked at on top.
ROLES = (TECHNICIAN, AI_OWNER, TEAM_LEAD, AUDITOR)
LONG = "Rechnungsprüfungsvorgangsbearbeitungsbildschirmfehlermeldung"


@pytest.fixture
def desk(transactional_db: None) -> Desk:
    return make_desk()


@pytest.fixture
def full(desk: Desk) -> Ticket:
    ticket = make_fullest(desk)
    Ticket.objects.filter(pk=ticket.pk).update(subject=LONG, body=LONG)
    make_torn(desk)
    make_proposal(desk, main=None)
    return ticket


@pytest.fixture
def people(desk: Desk) -> dict[str, User]:
    return {
        role: new_user(f"{number}-{LONG}"[:60], role, first_name="Robin", last_name=LONG)
        for number, role in enumerate(ROLES)
    }


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, "review.accounts.People")
    return client


def become(context: BrowserContext, window: Window, client: Client) -> None:
    name = settings.SESSION_COOKIE_NAME
    cookie: SetCookieParam = {
        "name": name,
        "value": client.cookies[name].value,
        "url": window.server,
    }
    context.clear_cookies()
    context.add_cookies([cookie])


def kinds_of_elements(html: str) -> set[str]:
    return set(
        re.findall(
            r'<(\w+[^>]*? class="[^"]*"|\w+)', re.sub(r' (?!class)[\w:-]+="[^"]*"', "", html)
        )
    )


def test_every_page_suits_every_eye_and_every_width(
    open_window: Opener, full: Ticket, people: dict[str, User]
) -> None:
    window = open_window(size=WIDE)
    page = window.page
    wrong: dict[str, list[str]] = {}
    seen: dict[str, set[str]] = {}
    for role in ROLES:
        client = signed_in(people[role])
        become(page.context, window, client)
        for address, html in pages(client, addresses(full, people[role])):
            known = seen.setdefault(f"{address.name} {address.query}", set())
            kinds = kinds_of_elements(html)
            if kinds <= known:
                continue
            known |= kinds
            page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
            window.open(address.path)
            if page.evaluate("document.documentElement.scrollWidth") > NARROW[0]:
                wrong.setdefault(f"{role} {address.path}", []).append("scrolls sideways")
            page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
            if violated := troubles(page):
                wrong.setdefault(f"{role} {address.path}", []).extend(violated)

    assert wrong == {}
    assert len(seen) >= 7


def test_no_page_allows_script_or_style_within_it(full: Ticket, people: dict[str, User]) -> None:
    walked = 0
    for role in ROLES:
        client = signed_in(people[role])
        for address, html in pages(client, addresses(full, people[role])):
            walked += 1
            policy = client.get(address.path).headers["Content-Security-Policy"]
            assert "unsafe" not in policy, address
            assert "default-src 'self'" in policy, address
            assert not re.search(r"<[^>]+ (?:style|on\w+)=", html), address
            for script in re.findall(r"<script[^>]*>", html):
                # Data for scripts is none; everything else comes from a file.
                assert " src=" in script or 'type="application/json"' in script, address
            assert "<style" not in html, address

    assert walked >= 7 * len(ROLES)
