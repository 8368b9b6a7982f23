"""U takes a decision back, and the simulated helpdesk has its ticket as it was."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from review.models import Decision, Withdrawal
from tests.browser.conftest import Opener, Window
from tests.conftest import new_secret
from tests.review.helpers import Desk, make_desk, make_proposal, make_technician, make_ticket
from tests.threads import serving
from triage.demo.desk import Desk as Store
from triage.demo.helpdesk import Helpdesk
from triage.models import Effect, Proposal, SourceSecret

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

TOKEN, SECRET = "a-token-of-the-tests", "whsec_YXV0b21hdGlvbi1zZWNyZXQtb2YtdGhlLXRlc3Rz"


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def desk(transactional_db: None, store: Store) -> Iterator[Desk]:
    """Connected with the simulated helpdesk."""
    served = Helpdesk(store, port=0, token=TOKEN, automation_secret=SECRET)
    with serving(served):
        desk = make_desk(api_url=served.url, allows_private_addresses=True)
        new_secret(desk.source, TOKEN, purpose=SourceSecret.Purpose.OUTBOUND)
        yield desk


@pytest.fixture
def proposals(desk: Desk, store: Store) -> list[Proposal]:
    """Two that wait; of the first one the helpdesk has a category already."""
    made = []
    for values in ({"category": "access.password"}, {}):
        number = store.open(
            {
                "subject": "VPN drops",
                "body": "Every five minutes.",
                "requester": {"address": "ann@example.org", "name": "Ann"},
                "opened_at": datetime.now(UTC).isoformat(),
                "values": values,
            }
        )
        made.append(make_proposal(desk, make_ticket(desk, external_id=number)))
    return made


@pytest.fixture
def maya(transactional_db: None) -> User:
    return make_technician(first_name="Maya", last_name="Berg")


@pytest.fixture
def window(open_window: Opener, proposals: list[Proposal], maya: User) -> Window:
    window = open_window(maya)
    window.open(f"/tickets/{proposals[0].ticket_id}/")
    return window


def test_u_after_accepting_opens_the_ticket_again_and_restores_it_in_the_helpdesk(
    window: Window, proposals: list[Proposal], store: Store, work: Callable[[], int]
) -> None:
    page, number = window.page, proposals[0].ticket.external_id
    before = store.get(number)["values"]
    page.keyboard.press("a")
    toast = page.locator("#toast")
    expect(toast).to_contain_text(f"Accepted #{number}")
    expect(toast.get_by_role("button", name="Undo")).to_be_visible()
    work()
    assert store.get(number)["values"]["category"] == "network.vpn"

    page.keyboard.press("u")

    expect(toast).to_contain_text(f"Undone: #{number} waits again")
    expect(page).to_have_url(f"{window.server}/tickets/{proposals[0].ticket_id}/")
    expect(page.locator("#accept")).to_be_visible()
    work()
    assert store.get(number)["values"] == before
    assert store.get(number)["notes"][-1]["body"] == "Countersign: taken back by Maya Berg."
    assert Decision.objects.get().stands_for is None


def test_u_twice_takes_the_last_two_back_and_a_third_time_says_there_is_none(
    window: Window, proposals: list[Proposal]
) -> None:
    page = window.page
    for left, proposal in ((1, proposals[0]), (0, proposals[1])):
        page.keyboard.press("a")
        expect(page.locator("[data-row]")).to_have_count(left)
        expect(page.locator("#toast")).to_contain_text(f"#{proposal.ticket.external_id}")
        # Nobody reads a ticket in less.
        page.wait_for_timeout(400)

    for taken_back in (1, 2):
        page.keyboard.press("u")
        expect(page.locator("[data-row]")).to_have_count(taken_back)
    page.keyboard.press("u")

    expect(page.locator("#toast")).to_contain_text("There is nothing to undo")
    assert Withdrawal.objects.count() == 2


def test_a_decided_ticket_is_undone_or_reversed_by_its_keys(
    window: Window, proposals: list[Proposal], desk: Desk
) -> None:
    page = window.page
    page.keyboard.press("a")
    expect(page.locator("#toast")).to_contain_text("Accepted")
    window.open(f"/tickets/{proposals[0].ticket_id}/")

    page.keyboard.press("o")
    expect(page.get_by_role("combobox", name="Category")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(page.locator("#reverse")).to_be_hidden()
    page.keyboard.press("u")

    expect(page.locator("#accept")).to_be_visible()
    assert Effect.objects.filter(state="dropped").count() == 2


def test_the_history_takes_back_without_scripts(
    open_window: Opener, proposals: list[Proposal], maya: User
) -> None:
    window = open_window(maya, java_script_enabled=False)
    page = window.page
    page.goto(f"{window.server}/tickets/{proposals[0].ticket_id}/")
    page.get_by_role("button", name="Accept").click()
    page.goto(f"{window.server}/history/")

    page.get_by_role("button", name="Undo").click()

    expect(page.locator("h1")).to_contain_text(proposals[0].ticket.subject)
    expect(page.locator("#toast")).to_contain_text("Undone")
