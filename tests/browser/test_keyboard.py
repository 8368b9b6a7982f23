"""Deciding by keys alone, in a real browser."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import expect

from review.models import Decision, Lease, Reason
from tests.browser.conftest import Opener, Window
from tests.review.helpers import (
    Desk,
    make_desk,
    make_proposal,
    make_reasons,
    make_technician,
    make_ticket,
)
from triage.models import Effect, Proposal

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def desk(transactional_db: None) -> Desk:
    return make_desk()


@pytest.fixture
def reasons(transactional_db: None) -> dict[str, Reason]:
    return make_reasons()


@pytest.fixture
def proposals(desk: Desk, reasons: dict[str, Reason]) -> list[Proposal]:
    """Three that wait, in the order of the list: the one opened first is on top."""
    now = timezone.now()
    return [
        make_proposal(
            desk, make_ticket(desk, subject=word, opened_at=now - timedelta(minutes=minutes))
        )
        for word, minutes in (("first", 30), ("second", 20), ("third", 10))
    ]


@pytest.fixture
def window(open_window: Opener, proposals: list[Proposal]) -> Window:
    window = open_window(make_technician())
    window.open(f"/tickets/{proposals[0].ticket_id}/")
    return window


def page_ticket(window: Window) -> int:
    """The ticket whose row is marked in the list."""
    href = window.page.locator("[data-row][aria-current]").get_attribute("href") or ""
    found = re.search(r"/tickets/(\d+)/", href)
    assert found is not None
    return int(found.group(1))


def test_a_accepts_and_the_next_ticket_is_there(window: Window, proposals: list[Proposal]) -> None:
    page = window.page

    page.keyboard.press("a")

    expect(page.locator("#toast p")).to_have_text(f"Accepted #{proposals[0].ticket.external_id}")
    expect(page.locator("h1")).to_be_focused()
    expect(page.locator("[data-row]")).to_have_count(2)
    expect(page.locator("#waiting-count")).to_contain_text("2")
    decision = Decision.objects.get()
    assert (decision.proposal, decision.verdict) == (proposals[0], "accepted")
    assert page.url == f"{window.server}/tickets/{page_ticket(window)}/"


def test_o_three_letters_and_a_digit_override(
    window: Window, proposals: list[Proposal], desk: Desk
) -> None:
    page = window.page

    page.keyboard.press("o")
    expect(page.get_by_role("combobox", name="Category")).to_be_focused()
    page.keyboard.type("pas")
    expect(page.locator(".picker [role=option]")).to_have_text(["Access › Password"])
    page.keyboard.press("Enter")
    expect(page.locator(".follows:visible")).to_have_text("→ Identity")
    page.keyboard.press("1")
    page.keyboard.press("Enter")

    expect(page.locator("#toast")).to_contain_text(proposals[0].ticket.external_id)
    decision = Decision.objects.get()
    finals = {value.field.key: value.final for value in decision.values.select_related("field")}
    assert decision.verdict == "overridden"
    assert finals["category"] == desk["access.password"]
    assert finals["team"] == desk["team.id"]


def test_a_reason_that_needs_words_takes_the_focus_to_them(window: Window) -> None:
    page = window.page

    page.keyboard.press("o")
    page.keyboard.type("wi")
    page.keyboard.press("Enter")
    page.keyboard.press("2")

    words = page.locator("#override textarea")
    expect(words).to_be_focused()
    page.keyboard.type("a and e and 1 are only letters here")
    expect(words).to_have_value("a and e and 1 are only letters here")
    assert not Decision.objects.exists()


def test_an_override_without_a_reason_comes_back_with_the_focus_on_it(window: Window) -> None:
    page = window.page

    page.keyboard.press("o")
    page.keyboard.type("pas")
    page.keyboard.press("Enter")
    page.locator("#override button[type=submit]").click()

    expect(page.locator("#override .error").first).to_have_text("Say why: choose a reason.")
    expect(page.locator("#override [data-change=category] [type=radio]").first).to_be_focused()
    expect(page.get_by_role("combobox", name="Category")).to_have_value("Access › Password")
    assert "/tickets/" in page.url


@pytest.mark.parametrize(("key", "verdict"), [("e", "escalated"), ("b", "sent_back")])
def test_e_escalates_and_s_sends_back_with_a_digit(window: Window, key: str, verdict: str) -> None:
    page = window.page

    page.keyboard.press(key)
    page.keyboard.press("1")
    page.keyboard.press("Enter")

    expect(page.locator("#toast p")).to_have_count(1)
    assert Decision.objects.get().verdict == verdict


def test_j_and_k_walk_the_list_and_quick_presses_are_not_lost(
    window: Window, proposals: list[Proposal]
) -> None:
    page = window.page
    order = [page_ticket(window)]

    page.keyboard.press("j")
    page.keyboard.press("j")
    window.rest()
    order.append(page_ticket(window))
    page.keyboard.press("k")
    window.rest()
    order.append(page_ticket(window))

    listed = [proposal.ticket_id for proposal in proposals]
    assert order == [listed[0], listed[2], listed[1]]
    expect(page.locator("h1")).to_contain_text(proposals[1].ticket.subject)


def test_keys_mean_letters_while_somebody_types(window: Window) -> None:
    page = window.page

    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("aejos?")

    expect(page.locator("#q")).to_have_value("aejos?")
    expect(page.locator("dialog[open]")).to_have_count(0)
    assert not Decision.objects.exists()


def test_searching_opens_the_first_match(window: Window, proposals: list[Proposal]) -> None:
    page = window.page

    page.keyboard.press("/")
    page.keyboard.type("third")
    page.keyboard.press("Enter")

    expect(page.locator("h1")).to_contain_text("third")
    expect(page.locator("[data-row]")).to_have_count(1)
    assert page.url.endswith("?q=third")


def test_the_question_mark_shows_the_keys_and_escape_hides_them(window: Window) -> None:
    page = window.page

    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("a")
    page.keyboard.press("Escape")

    expect(page.get_by_role("dialog")).to_have_count(0)
    assert not Decision.objects.exists()


def test_escape_folds_the_form_and_nothing_is_decided(window: Window) -> None:
    page = window.page

    page.keyboard.press("o")
    page.keyboard.press("Escape")

    expect(page.locator("#override")).to_be_hidden()
    expect(page.locator("[data-opens=override]")).to_have_attribute("aria-expanded", "false")


def test_the_list_opens_its_first_ticket_by_itself_where_there_is_room(
    open_window: Opener, proposals: list[Proposal]
) -> None:
    user = make_technician()
    wide, narrow = open_window(user), open_window(user, (390, 800))

    wide.open("/")
    narrow.open("/")

    expect(wide.page.locator("h1")).to_contain_text(proposals[0].ticket.subject)
    assert wide.page.url.endswith(f"/tickets/{proposals[0].ticket_id}/")
    expect(narrow.page.locator("[data-row]")).to_have_count(3)
    assert narrow.page.url.endswith("/")


def test_the_loser_of_a_race_reads_who_won_and_can_go_on(
    open_window: Opener, proposals: list[Proposal]
) -> None:
    maya, bob = make_technician("maya"), make_technician("bob", first_name="Bob")
    mine, theirs = open_window(maya), open_window(bob)
    mine.open(f"/tickets/{proposals[0].ticket_id}/")
    # As after a laptop was closed for a while.
    Lease.objects.filter(ticket=proposals[0].ticket).update(until=timezone.now())
    theirs.open(f"/tickets/{proposals[0].ticket_id}/")

    theirs.page.keyboard.press("a")
    expect(theirs.page.locator("#toast p")).to_have_count(1)
    mine.page.keyboard.press("a")

    expect(mine.page.locator("h1")).to_contain_text("Bob was faster")
    mine.page.get_by_role("link", name="Next ticket").click()
    expect(mine.page.locator("h1")).to_contain_text(proposals[1].ticket.subject)


def test_what_reaches_the_helpdesk_shows_up_by_itself(
    window: Window, proposals: list[Proposal]
) -> None:
    page = window.page
    page.keyboard.press("a")
    expect(page.locator("#toast p")).to_have_count(1)
    window.open(f"/tickets/{proposals[0].ticket_id}/")
    expect(page.locator(".effect.pending")).to_have_count(2)

    Effect.objects.update(state=Effect.State.APPLIED)

    expect(page.locator(".effect.applied")).to_have_count(2, timeout=8_000)
    expect(page.locator("#effects")).not_to_have_attribute("hx-trigger", re.compile("."))


def test_after_the_session_has_ended_the_next_click_leads_to_the_login(window: Window) -> None:
    window.page.context.clear_cookies()

    window.page.keyboard.press("j")

    expect(window.page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_everything_works_without_scripts(
    open_window: Opener, proposals: list[Proposal], desk: Desk
) -> None:
    window = open_window(make_technician(), java_script_enabled=False)
    page = window.page
    page.goto(f"{window.server}/")

    page.get_by_role("link", name="first").first.click()
    page.get_by_role("button", name="Accept").click()
    expect(page.locator("#toast")).to_contain_text("Accepted")
    page.get_by_role("link", name="Override").click()
    page.locator("#override").get_by_label("Category").select_option(label="Access › Password")
    page.locator("#override [data-change=category] [type=radio]").first.check()
    page.get_by_role("button", name="Save override").click()

    expect(page.locator("#toast p")).to_have_count(1)
    verdicts = set(Decision.objects.values_list("verdict", flat=True))
    assert verdicts == {"accepted", "overridden"}


def test_a_permission_that_went_while_a_ticket_was_open_is_said_in_its_place(
    window: Window,
) -> None:
    maya = User.objects.get(username="maya")
    maya.user_permissions.remove(maya.user_permissions.get(codename="add_decision"))

    window.page.keyboard.press("a")

    expect(window.page.locator("#work")).to_contain_text("This is not open to you")
    expect(window.page.locator(".top")).to_have_count(1)
    assert not Decision.objects.exists()
