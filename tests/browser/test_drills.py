"""A drill in a real browser: by keys alone, and without script."""

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from review.drills import turns
from review.models import Decision, Drill, DrillAnswer, Lease
from review.reasons import ensure_reasons
from tests.browser.conftest import Opener
from tests.browser.eyes import NARROW, WIDE, troubles
from tests.review.drills.world import make_known, make_ready
from tests.review.helpers import Desk, make_desk, make_proposal, make_technician
from triage.models import Proposal

READ_MS = 400
# From within the page: a busy machine would put more between two keys than a person does.
FLURRY = """subject => new Promise(done => {
    let left = 20, pressed = 0;
    const timer = setInterval(() => {
        document.body.dispatchEvent(new KeyboardEvent("keydown", {key: "a", bubbles: true}));
        if (document.querySelector("h1").textContent.includes(subject)) left -= 1;
        pressed += 1;
        if (left === 0 || pressed === 600) { clearInterval(timer); done(); }
    }, 30);
})"""
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def desk(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """The next decision brings a drill with wrong advice."""
    monkeypatch.setattr(turns, "CHANCE", 1.0)
    monkeypatch.setattr(turns, "_is_wrong_one", lambda *given: True)
    ensure_reasons()
    return make_desk()


@pytest.fixture
def maya(desk: Desk) -> User:
    person = make_technician()
    make_ready(desk, person)
    return person


@pytest.fixture
def past(desk: Desk) -> Proposal:
    return make_known(desk, truth="network.wifi")


def test_by_keys_a_drill_is_met_overridden_told_and_left(
    open_window: Opener, desk: Desk, maya: User, past: Proposal
) -> None:
    first, second = make_proposal(desk), make_proposal(desk)
    window = open_window(maya)
    page = window.page
    window.open(f"/tickets/{first.ticket_id}/")
    page.keyboard.press("a")

    expect(page.locator("h1")).to_contain_text(past.ticket.subject)
    expect(page).to_have_url(f"{window.server}/tickets/{past.ticket_id}/")
    expect(page.locator(".toast")).to_contain_text("Accepted")
    expect(page.locator("[data-row][aria-current]")).to_contain_text(past.ticket.subject)
    assert not Lease.objects.exists()
    page.wait_for_timeout(READ_MS)
    page.keyboard.press("o")
    page.keyboard.type("wi fi")
    page.keyboard.press("Enter")
    page.keyboard.press("1")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="That was a drill")).to_be_focused()
    expect(page.get_by_text("The advice was wrong, and you put it right.")).to_be_visible()
    assert DrillAnswer.objects.get().final == desk["network.wifi"]
    page.keyboard.press("j")

    expect(page.locator("h1")).to_contain_text(second.ticket.subject)
    expect(page.locator("#proposal[data-held]")).to_be_visible()
    assert Decision.objects.exclude(stands_for=None).get().proposal == first


def test_a_second_press_of_the_same_key_does_not_answer_what_nobody_has_read(
    open_window: Opener, desk: Desk, maya: User, past: Proposal
) -> None:
    first = make_proposal(desk)
    window = open_window(maya)
    window.open(f"/tickets/{first.ticket_id}/")

    window.page.evaluate(FLURRY, past.ticket.subject)
    window.rest()

    expect(window.page.locator("h1")).to_contain_text(past.ticket.subject)

    assert Drill.objects.count() == 1
    assert not DrillAnswer.objects.exists()


def test_without_script_a_drill_is_plain_pages(
    open_window: Opener, desk: Desk, maya: User, past: Proposal
) -> None:
    first, second = make_proposal(desk), make_proposal(desk)
    window = open_window(maya, java_script_enabled=False)
    page = window.page
    window.open(f"/tickets/{first.ticket_id}/")
    page.get_by_role("button", name="Accept").click()
    expect(page.locator("h1")).to_contain_text(past.ticket.subject)

    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_text("The advice was wrong, and you took it.")).to_be_visible()
    page.get_by_role("link", name="Go on with the work").click()

    expect(page.locator("h1")).to_contain_text(second.ticket.subject)


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_a_drill_and_what_is_told_of_it_are_accessible_and_fit(
    open_window: Opener, desk: Desk, maya: User, past: Proposal, size: tuple[int, int]
) -> None:
    first = make_proposal(desk)
    make_proposal(desk)
    window = open_window(maya, size)
    page = window.page
    window.open(f"/tickets/{first.ticket_id}/")
    page.get_by_role("button", name="Accept").click()
    expect(page.locator("h1")).to_contain_text(past.ticket.subject)
    window.rest()
    assert troubles(page) == []

    page.wait_for_timeout(READ_MS)
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_role("heading", name="That was a drill")).to_be_visible()
    window.rest()
    assert troubles(page) == []
    window.open("/practice/")
    assert troubles(page) == []
