"""Answering before the advice, and practice, in a real browser: by keys and without script."""

from collections.abc import Iterable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from review import spotchecks
from review.models import BlindAnswer, DecidedValue, Decision, PracticeAnswer
from review.reasons import ensure_reasons
from tests.browser.conftest import Opener, Window
from tests.browser.eyes import NARROW, WIDE, troubles
from tests.review.blind_world import make_drawn
from tests.review.helpers import Desk, make_desk, make_model, make_proposal, make_technician
from tests.review.test_practice import make_checked
from triage.models import Proposal

# A ticket that has just appeared takes no decision for 300 ms: nobody has read it by then.
READ_MS = 400
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def desk(transactional_db: None) -> Desk:
    ensure_reasons()
    return make_desk()


@pytest.fixture
def drawn(desk: Desk) -> Proposal:
    return make_drawn(desk, model=make_model(desk), words_for=["VPN"])


def test_letters_enter_enter_and_a_confirm_an_answer_that_agrees(
    open_window: Opener, desk: Desk, drawn: Proposal
) -> None:
    window = open_window(make_technician())
    page = window.page
    window.open("/")
    # The first in line opens beside the list, with the cursor in the box.
    expect(page.get_by_role("combobox", name="Category")).to_be_focused()
    expect(page.locator("mark")).to_have_count(0)

    page.keyboard.type("vpn")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The proposal says what you said.")).to_be_visible()
    page.wait_for_timeout(READ_MS)
    page.keyboard.press("a")

    expect(page.locator(".toast")).to_contain_text("Accepted")
    assert Decision.objects.get().verdict == "accepted"
    given = BlindAnswer.objects.get()
    assert given.values.get().choice == desk["network.vpn"]
    assert 0 < given.seconds < 60


def test_a_digit_and_enter_keep_an_answer_that_differs(
    open_window: Opener, desk: Desk, drawn: Proposal
) -> None:
    following = make_proposal(desk)
    window = open_window(make_technician())
    page = window.page
    window.open(f"/tickets/{drawn.ticket_id}/")

    page.keyboard.type("pass")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The proposal says something else.")).to_be_visible()
    page.wait_for_timeout(READ_MS)
    page.keyboard.press("1")
    page.keyboard.press("Enter")

    expect(page.locator("h1")).to_contain_text(following.ticket.subject)
    expect(page.locator(".toast")).to_contain_text("Decided otherwise")
    value = DecidedValue.objects.get(field=desk.category)
    assert (value.proposed, value.final) == (desk["network.vpn"], desk["access.password"])
    assert value.reason is not None
    assert value.reason.key == "wrong-category"


def test_escape_leaves_the_box_so_that_keys_work_again(
    open_window: Opener, desk: Desk, drawn: Proposal
) -> None:
    other = make_proposal(desk)
    window = open_window(make_technician())
    window.open(f"/tickets/{drawn.ticket_id}/")

    window.page.keyboard.press("Escape")
    expect(window.page.locator("#ticket-title")).to_be_focused()
    window.page.keyboard.press("j")

    expect(window.page.locator("h1")).to_contain_text(other.ticket.subject)
    assert not BlindAnswer.objects.exists()


def test_without_script_the_answer_and_the_decision_are_plain_forms(
    open_window: Opener, desk: Desk, drawn: Proposal
) -> None:
    window = open_window(make_technician(), java_script_enabled=False)
    page = window.page
    window.open(f"/tickets/{drawn.ticket_id}/")

    page.get_by_label("Category", exact=True).select_option(str(desk["network.vpn"].pk))
    page.get_by_role("button", name="Answer").click()
    page.get_by_role("button", name="Accept").click()

    assert Decision.objects.get().proposal == drawn


@pytest.mark.parametrize("keeps", [True, False])
def test_an_exercise_is_done_by_keys_alone(open_window: Opener, desk: Desk, keeps: bool) -> None:
    make_checked(desk, truth="network.wifi")
    window = open_window(make_technician())
    page = window.page
    window.open("/practice/")

    page.keyboard.type("wi fi" if keeps else "vpn")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="The advice")).to_be_visible()
    if keeps:
        # What was answered stands there already.
        page.get_by_role("button", name="Decide for this").press("Enter")
    else:
        page.keyboard.press("a")
    expect(page.get_by_role("heading", name="How it was")).to_be_visible()

    done = PracticeAnswer.objects.get()
    assert done.final == desk["network.wifi" if keeps else "network.vpn"]
    page.keyboard.press("j")
    expect(page.get_by_text("No further past tickets")).to_be_visible()


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_every_state_is_accessible_and_fits(
    open_window: Opener, desk: Desk, drawn: Proposal, size: tuple[int, int]
) -> None:
    person = make_technician()
    window = open_window(person, size)
    answered, agreed = make_drawn(desk), make_drawn(desk)
    for proposal, key in ((answered, "access.password"), (agreed, "network.vpn")):
        spotchecks.answer(
            proposal=proposal, reviewer=person, choices={"category": desk[key], "team": None}
        )
    past = [make_checked(desk, truth="network.wifi") for _ in range(3)]
    begun = practised(person, desk, past[0], is_done=False)
    done = practised(person, desk, past[1], is_done=True)
    paths = ["/", *(f"/tickets/{one.ticket_id}/" for one in (drawn, answered, agreed))]
    paths += [f"/practice/{begun.pk}/", f"/practice/{done.pk}/", "/practice/past/"]
    look(window, paths)
    PracticeAnswer.objects.filter(finished_at=None).delete()
    look(window, ["/practice/"])


def practised(person: User, desk: Desk, proposal: Proposal, *, is_done: bool) -> PracticeAnswer:
    return PracticeAnswer.objects.create(
        person=person,
        proposal=proposal,
        answer=desk["access"],
        advice=desk["network.vpn"],
        final=desk["access"] if is_done else None,
        truth=desk["network.wifi"],
        answered_at=proposal.created_at,
        finished_at=proposal.created_at if is_done else None,
    )


def look(window: Window, paths: Iterable[str]) -> None:
    for path in paths:
        window.open(path)
        assert troubles(window.page) == [], path
