"""A model in doubt, in a real browser: one key makes a parent more precise; every width fits."""

import pytest
from playwright.sync_api import expect

from review.models import DecidedValue, Decision
from review.reasons import MORE_PRECISE, ensure_reasons
from tests.browser.conftest import Opener
from tests.browser.eyes import NARROW, WIDE, troubles
from tests.review.helpers import (
    Desk,
    make_desk,
    make_doubtful,
    make_proposal,
    make_technician,
    make_torn,
)
from triage.models import Choice, Proposal

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def desk(transactional_db: None) -> Desk:
    ensure_reasons()
    return make_desk()


@pytest.fixture
def torn(desk: Desk) -> Proposal:
    """One that has more choices below it than there are digits, some with long names."""
    for number in range(9):
        Choice.objects.create(
            field=desk.category,
            key=f"network.{number}",
            name=f"Network of the building at number {number}",
            parent=desk["network"],
        )
    return make_torn(desk)


@pytest.mark.parametrize("java_script_enabled", [True, False])
def test_a_digit_or_a_press_decides_for_a_choice_below(
    open_window: Opener, desk: Desk, torn: Proposal, java_script_enabled: bool
) -> None:
    following = make_proposal(desk)
    window = open_window(make_technician(), java_script_enabled=java_script_enabled)
    page = window.page
    window.open(f"/tickets/{torn.ticket_id}/")
    expect(page.locator("[data-picks] button")).to_have_count(9)

    if java_script_enabled:
        page.keyboard.press("2")
    else:
        page.get_by_role("button", name="Wi-Fi").click()

    expect(page.locator("h1")).to_contain_text(following.ticket.subject)
    # The next ticket is there before the decision is stored.
    expect(page.locator("#toast")).to_contain_text("Decided otherwise")
    assert Decision.objects.get().proposal == torn
    value = DecidedValue.objects.get(field=desk.category)
    assert value.final == desk["network.wifi"]
    assert value.reason is not None
    assert value.reason.key == MORE_PRECISE


def test_with_a_form_open_digits_are_for_its_reasons(
    open_window: Opener, desk: Desk, torn: Proposal
) -> None:
    window = open_window(make_technician())
    window.open(f"/tickets/{torn.ticket_id}/")

    window.page.keyboard.press("e")
    window.page.keyboard.press("1")

    expect(window.page.locator("#escalate [data-digit='1']")).to_be_checked()
    assert not Decision.objects.exists()


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_what_is_said_of_a_doubt_fits_and_reads_well(
    open_window: Opener, desk: Desk, torn: Proposal, size: tuple[int, int]
) -> None:
    strange = make_doubtful(desk, doubt="unlike", asked=0.01, in_scope=0.0)
    window = open_window(make_technician(), size)

    for proposal in (torn, strange):
        window.open(f"/tickets/{proposal.ticket_id}/")
        assert troubles(window.page) == []
