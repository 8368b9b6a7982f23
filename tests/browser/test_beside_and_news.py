"""Beside each other, the requester's list, the bell and concerns, in a real browser."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import expect

from review import concerns
from review.roles import AUDITOR, TECHNICIAN
from tests.browser.conftest import Opener
from tests.browser.eyes import NARROW, WIDE, troubles
from tests.conftest import new_user
from tests.emptying import forget_cached
from tests.review.helpers import Desk, make_desk, make_proposal, make_ticket
from triage import ledger, similar
from triage.models import EmergencyStop, Ticket

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LONG = "Donaudampfschifffahrtsgesellschaftskapitaen" * 3


@pytest.fixture
def desk(transactional_db: None) -> Desk:
    similar.forget()
    forget_cached()
    return make_desk()


@pytest.fixture
def maya(desk: Desk) -> User:
    user = new_user("maya", TECHNICIAN, first_name="Maya", last_name="Okafor")
    User.objects.filter(pk=user.pk).update(date_joined=timezone.now() - timedelta(days=60))
    return user


@pytest.fixture
def ticket(desk: Desk) -> Ticket:
    """With three like it, each with long words."""
    made: list[dict[str, Any]] = []
    for place, name in enumerate(("first", "second", "third")):
        solved = make_ticket(
            desk,
            subject=f"Tunnel {name}",
            body=f"The tunnel stutters. {LONG}\n" * 12,
            resolution=f"Restarted. {LONG}",
            closed_at=timezone.now() - timedelta(days=place + 1),
        )
        made.append({"ticket": solved.pk, "similarity": 0.9 - place / 10})
    present = make_ticket(desk, subject="Tunnel again", body=f"The tunnel stutters. {LONG}")
    return make_proposal(desk, present, similar=made).ticket


def pages(ticket: Ticket) -> list[str]:
    other = ticket.proposals.get().similar[0]["ticket"]
    return [
        f"/tickets/{ticket.pk}/beside/{other}/",
        f"/tickets/{ticket.pk}/requester/",
        "/news/",
        f"/concerns/new/?ticket={ticket.pk}",
        "/concerns/mine/",
    ]


def busy(desk: Desk, maya: User, ticket: Ticket) -> None:
    """Something on every page."""
    stop = EmergencyStop.objects.create(reason=LONG, pulled_by=desk.owner)
    ledger.append(
        kind="policy", subject=f"stop:{stop.pk}", payload={"event": "added", "reason": LONG}
    )
    about = concerns.report(by=maya, text=LONG, ticket=ticket, is_anonymous=False)
    concerns.answer(about, by=desk.owner, text=LONG)
    concerns.report(by=maya, text=LONG, ticket=ticket, is_anonymous=True)


def test_similar_tickets_are_gone_through_without_leaving_the_ticket(
    open_window: Opener, maya: User, ticket: Ticket
) -> None:
    window = open_window(maya)
    page = window.page
    window.open(f"/tickets/{ticket.pk}/")
    dialog = page.locator("dialog#beside")

    page.get_by_role("link", name="Tunnel first", exact=True).click()
    expect(page.locator("#beside-title")).to_have_text("Solved before, 1 of 3")
    expect(page.locator("#beside-title")).to_be_focused()
    for key, place in (("j", 2), ("j", 3), ("k", 2)):
        page.keyboard.press(key)
        expect(page.locator("#beside-title")).to_have_text(f"Solved before, {place} of 3")
    boxes = [one.bounding_box() for one in page.locator(".pair > section").all()]
    assert len({box["y"] for box in boxes if box}) == 1
    assert page.locator(".pair mark", has_text="tunnel").count() >= 2
    # None of the keys of the page below acts through it.
    page.keyboard.press("o")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.locator("#override")).to_be_hidden()
    expect(page.get_by_role("link", name="Tunnel first", exact=True)).to_be_focused()
    assert page.url.endswith(f"/tickets/{ticket.pk}/")


def test_beside_is_a_page_of_its_own_without_javascript(
    open_window: Opener, maya: User, ticket: Ticket
) -> None:
    window = open_window(maya, java_script_enabled=False)
    page = window.page
    window.open(f"/tickets/{ticket.pk}/")

    page.get_by_role("link", name="Tunnel second", exact=True).click()
    expect(page.locator("#beside-title")).to_have_text("Solved before, 2 of 3")
    page.get_by_role("link", name="Next").click()
    expect(page.locator("#beside-title")).to_have_text("Solved before, 3 of 3")
    page.get_by_role("link", name="Close").click()
    page.locator(".theirs summary").click()
    page.get_by_role("link", name="All tickets of this person").click()
    expect(page.locator(".theirs-list li")).to_have_count(4)


def test_the_page_beside_has_its_keys_too(open_window: Opener, maya: User, ticket: Ticket) -> None:
    window = open_window(maya)
    window.open(pages(ticket)[0])

    window.page.keyboard.press("j")
    expect(window.page.locator("#beside-title")).to_have_text("Solved before, 2 of 3")
    window.page.keyboard.press("Escape")
    expect(window.page.locator("#ticket-title")).to_be_visible()


def test_a_requesters_tickets_unfold_in_the_head_once_asked_for(
    open_window: Opener, maya: User, ticket: Ticket
) -> None:
    window = open_window(maya)
    window.open(f"/tickets/{ticket.pk}/")

    expect(window.page.locator(".theirs-list")).to_have_count(0)
    window.page.locator(".theirs summary").click()

    expect(window.page.locator(".theirs-list li")).to_have_count(4)
    expect(window.page.locator(".theirs-list .is-this")).to_contain_text("this ticket")


def test_n_opens_what_changed_and_reading_it_empties_the_bell(
    open_window: Opener, desk: Desk, maya: User, ticket: Ticket
) -> None:
    busy(desk, maya, ticket)
    window = open_window(maya)
    window.open("/")
    expect(window.page.locator("#news-count .count")).to_contain_text("2")

    window.page.keyboard.press("n")

    expect(window.page.locator("h1")).to_have_text("What changed")
    expect(window.page.locator(".news .is-new")).to_have_count(2)
    window.open("/")
    expect(window.page.locator("#news-count .count")).to_have_count(0)


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_axe_finds_nothing_on_the_new_pages(
    open_window: Opener, desk: Desk, maya: User, ticket: Ticket, size: tuple[int, int]
) -> None:
    busy(desk, maya, ticket)
    windows = [(open_window(maya, size), pages(ticket))]
    windows += [(open_window(new_user("audrey", AUDITOR), size), ["/concerns/"])]
    found = {}
    for window, paths in windows:
        for path in paths:
            window.open(path)
            found[path] = troubles(window.page)
    page = windows[0][0].page
    windows[0][0].open(f"/tickets/{ticket.pk}/")
    page.locator(".theirs summary").click()
    page.get_by_role("link", name="Tunnel first", exact=True).click()
    expect(page.locator("#beside-title")).to_be_visible()
    found["dialog"] = troubles(page)

    assert {path: wrong for path, wrong in found.items() if wrong} == {}


def test_the_new_pages_neither_scroll_sideways_nor_have_small_targets(
    open_window: Opener, desk: Desk, maya: User, ticket: Ticket
) -> None:
    busy(desk, maya, ticket)
    window = open_window(maya, NARROW, has_touch=True, is_mobile=True)
    for path in pages(ticket):
        window.open(path)
        needed = window.page.evaluate("document.documentElement.scrollWidth")
        assert needed <= NARROW[0], path
        small = window.page.evaluate(
            """() => [...document.querySelectorAll("a, button, summary, label.check, textarea")]
              .filter((element) => element.checkVisibility() && !element.matches(".skip"))
              .map((element) => [element.outerHTML.slice(0, 120), element.getBoundingClientRect()])
              .filter(([, box]) => box.height > 0 && box.height < 43.5)
              .map(([html, box]) => `${box.height}: ${html}`)"""
        )
        assert small == [], path
