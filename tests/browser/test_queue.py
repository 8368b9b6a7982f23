"""The list in a browser: views, filters with several values, why it stands there, the search."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import expect

from review.models import SavedView
from tests.browser.conftest import Opener, Window
from tests.browser.eyes import NARROW, WIDE, troubles
from tests.browser.test_looks import LONG
from tests.review.helpers import Desk, make_desk, make_proposal, make_technician, make_ticket
from triage.models import Job, Proposal, Ticket, Waiting

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def desk(transactional_db: None) -> Desk:
    return make_desk()


@pytest.fixture
def maya(transactional_db: None) -> User:
    maya = make_technician()
    bob = make_technician("bob", first_name="Bob", last_name="Stone")
    SavedView.objects.create(owner=maya, name="Network", query="category=network")
    SavedView.objects.create(owner=maya, name=LONG[:60], query="held=1")
    SavedView.objects.create(owner=bob, name="Bob’s", query="q=vpn", is_shared=True)
    return maya


@pytest.fixture
def line(desk: Desk) -> list[Ticket]:
    """Late, held, novel, unsure and plain ones, some with long words."""
    now = timezone.now()
    made: list[tuple[str, int, dict[str, Any]]] = [
        ("VPN drops every five minutes", 90, {"priority": "high"}),
        (LONG, 3, {"priority": "urgent", "route": Proposal.Route.HOLD}),
        ("Printer prints blank pages", 200, {"main": "hardware.printer", "priority": "low"}),
        ("Password forgotten", 20, {"main": "access.password", "probability": 0.3}),
        ("Something else entirely", 15, {"main": None, "priority": None}),
    ]
    proposals = [
        make_proposal(
            desk,
            make_ticket(desk, subject=subject, opened_at=now - timedelta(minutes=minutes)),
            **over,
        )
        for subject, minutes, over in made
    ]
    Waiting.objects.filter(pk=proposals[2].pk).update(novelty=0.99)
    Job.objects.create(kind="propose", subject=1, created_at=now - timedelta(minutes=12))
    return [proposal.ticket for proposal in proposals]


def paths(line: list[Ticket]) -> list[str]:
    return [
        "/?category=network&category=gone&kind=novel&held=1&since=soon&q=x",
        "/",
        f"/tickets/{line[0].pk}/",
        "/search/?q=vpn",
        "/search/?q=nothing&state=gone",
        "/views/",
    ]


def unfold(window: Window) -> None:
    window.page.evaluate(
        """() => document.querySelectorAll("details:not([data-menu])").forEach((one) => {
            one.open = true;
        })"""
    )


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_axe_finds_nothing_with_all_unfolded(
    open_window: Opener, maya: User, line: list[Ticket], size: tuple[int, int]
) -> None:
    window = open_window(maya, size)
    found = {}
    for path in paths(line):
        window.open(path)
        unfold(window)
        found[path] = troubles(window.page)

    assert {path: wrong for path, wrong in found.items() if wrong} == {}


def test_fingers_meet_targets_of_44_pixels(
    open_window: Opener, maya: User, line: list[Ticket]
) -> None:
    window = open_window(maya, NARROW, has_touch=True, is_mobile=True)
    for path in paths(line):
        window.open(path)
        unfold(window)
        small = window.page.evaluate(
            """() => [...document.querySelectorAll("a, button, summary, select, label.check,"
                + "input:not([type=hidden], [type=radio], [type=checkbox])")]
              .filter((element) => element.checkVisibility() && !element.matches(".skip"))
              .map((element) => [element.outerHTML.slice(0, 120), element.getBoundingClientRect()])
              .filter(([, box]) => box.height > 0 && box.height < 43.5)
              .map(([html, box]) => `${box.height}: ${html}`)"""
        )
        assert small == [], path


def test_a_second_value_joins_the_first_and_the_address_stays_clean(
    open_window: Opener, maya: User, line: list[Ticket]
) -> None:
    window = open_window(maya)
    window.open("/")
    page = window.page
    page.get_by_text("Filter", exact=True).click()

    page.locator("select[name=category]").select_option("network")
    expect(page.locator("[data-row]")).to_have_count(2)
    page.locator("select[name=category]").select_option("access")
    expect(page.locator("[data-row]")).to_have_count(3)
    window.rest()

    page.wait_for_url("**/tickets/*/?category=network&category=access")
    page.get_by_role("link", name="Network (remove)").click()
    expect(page.locator("[data-row]")).to_have_count(1)


def test_all_of_it_works_without_javascript(
    open_window: Opener, maya: User, line: list[Ticket]
) -> None:
    window = open_window(maya, java_script_enabled=False)
    page = window.page
    window.open("/?category=network")
    page.get_by_text("Filter", exact=True).click()
    page.get_by_label("Category").select_option("access")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("[data-row]")).to_have_count(3)

    page.get_by_text("Save as a view").click()
    page.get_by_label("Name of the view").fill("Two branches")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".views [aria-current]")).to_have_text("Two branches")

    page.get_by_role("link", name="views", exact=True).click()
    row = page.locator(".kept li", has_text="Two branches")
    row.get_by_text("Change").click()
    row.get_by_label("Begin with it when I open the queue").check()
    row.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="Countersign").click()
    expect(page.locator("[data-row]")).to_have_count(3)
    page.get_by_role("link", name="clear").click()
    expect(page.locator("[data-row]")).to_have_count(5)

    page.locator("[data-row]").nth(1).click()
    page.locator(".place summary").click()
    expect(page.locator(".place dl")).to_contain_text("target of High")


def test_the_sum_opens_by_the_question_mark(
    open_window: Opener, maya: User, line: list[Ticket]
) -> None:
    window = open_window(maya)
    window.open(f"/tickets/{line[0].pk}/")
    summary = window.page.locator(".place summary")

    expect(summary).to_contain_text("30 min over target")
    summary.focus()
    window.page.keyboard.press("Enter")

    expect(window.page.locator(".place")).to_contain_text("its place in line")
