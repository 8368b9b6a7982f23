"""Second looks in a real browser: by keys, without script, and what they look like."""

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from review import decisions
from review.looks import offers
from review.models import BlindAnswer, Decision, SecondLook, SpotCheck
from review.reasons import ensure_reasons
from tests.browser.conftest import Opener
from tests.browser.eyes import NARROW, WIDE, troubles
from tests.browser.test_answer_first import READ_MS
from tests.emptying import forget_cached
from tests.review.helpers import Desk, make_proposal, make_technician
from tests.review.looks.world import give, make_waiting_check, second_desk

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def desk(transactional_db: None) -> Desk:
    forget_cached()
    ensure_reasons()
    return second_desk()


@pytest.fixture
def check(desk: Desk) -> SpotCheck:
    return make_waiting_check(desk, make_technician("ada"))


@pytest.fixture
def tom(desk: Desk) -> User:
    return make_technician("tom")


def test_a_look_comes_after_a_decision_and_letters_enter_enter_answer_it(
    open_window: Opener, desk: Desk, check: SpotCheck, tom: User
) -> None:
    for _ in range(offers.ONE_IN - 1):
        proposal = make_proposal(desk)
        decisions.decide(
            proposal=proposal, reviewer=tom, choices={}, reasons={}, with_playbook=False
        )
    first, following = make_proposal(desk), make_proposal(desk)
    window = open_window(tom)
    page = window.page
    window.open(f"/tickets/{first.ticket_id}/")
    page.wait_for_timeout(READ_MS)

    page.keyboard.press("a")
    expect(page.locator("h1")).to_contain_text(check.proposal.ticket.subject)
    expect(page.get_by_role("combobox", name="Category")).to_be_focused()
    page.keyboard.type("wi fi")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")

    expect(page.locator("h1")).to_contain_text(following.ticket.subject)
    expect(page.locator(".toast")).to_contain_text("Thank you")
    given = BlindAnswer.objects.get(reviewer=tom)
    assert (given.nth, given.values.get().choice) == (2, desk["network.wifi"])
    assert 0 < given.seconds < 60
    assert Decision.objects.filter(reviewer=tom).count() == offers.ONE_IN


def test_l_opens_the_list_of_looks_and_from_there_the_first(
    open_window: Opener, desk: Desk, check: SpotCheck, tom: User
) -> None:
    make_proposal(desk)
    window = open_window(tom)
    page = window.page
    window.open("/")
    expect(page.locator("#looks .count")).to_have_text("1")

    page.keyboard.press("l")
    page.get_by_role("link", name="1 waits for you").click()

    expect(page.locator("h1")).to_contain_text(check.proposal.ticket.subject)
    expect(page.get_by_role("heading", name="Answer first")).to_be_visible()


def test_without_script_a_look_is_a_plain_form(
    open_window: Opener, desk: Desk, check: SpotCheck, tom: User
) -> None:
    window = open_window(tom, java_script_enabled=False)
    page = window.page
    window.open("/looks/")
    page.get_by_role("link", name="1 waits for you").click()

    page.get_by_label("Category", exact=True).select_option(str(desk["network.vpn"].pk))
    page.get_by_role("button", name="Answer").click()

    expect(page.get_by_text("Thank you.")).to_be_visible()
    assert BlindAnswer.objects.get(reviewer=tom).check_of == check
    assert not SecondLook.objects.exists()


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_every_state_is_accessible_and_fits(
    open_window: Opener, desk: Desk, check: SpotCheck, tom: User, size: tuple[int, int]
) -> None:
    ada = User.objects.get(username="ada")
    window = open_window(tom, size)
    for path in ("/looks/", f"/looks/{check.pk}/"):
        window.open(path)
        assert troubles(window.page) == [], path
    for said in ("network.vpn", "network.wifi", None):
        give(desk, make_waiting_check(desk, ada), tom, category=said)
    for path in ("/looks/", "/metrics/truth/"):
        window.open(path)
        assert troubles(window.page) == [], path
