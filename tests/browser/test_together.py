"""Equal proposals decided by keys, with and without scripts, and what keeps an eye on the load."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone
from playwright.sync_api import expect

from review.models import Decision, Reason
from tests.browser.conftest import Opener
from tests.browser.eyes import NARROW, WIDE, troubles
from tests.review.helpers import (
    Desk,
    make_desk,
    make_proposal,
    make_reasons,
    make_technician,
    make_ticket,
)
from triage.models import Proposal

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def desk(transactional_db: None) -> Desk:
    return make_desk()


@pytest.fixture
def reasons(transactional_db: None) -> dict[str, Reason]:
    return make_reasons()


def make_equal(desk: Desk, number: int) -> list[Proposal]:
    now = timezone.now()
    return [
        make_proposal(desk, make_ticket(desk, opened_at=now - timedelta(minutes=number - one)))
        for one in range(number)
    ]


def test_g_and_a_decide_fifty_with_a_bar_that_shows_how_far_it_is(
    open_window: Opener, desk: Desk, reasons: dict[str, Reason]
) -> None:
    made = make_equal(desk, 50)
    window = open_window(make_technician())
    page = window.page
    seen: list[str] = []
    page.on(
        "response", lambda answer: seen.append(answer.url) if "/together/" in answer.url else None
    )
    window.open(f"/tickets/{made[0].ticket_id}/")

    expect(page.locator("#equal")).to_contain_text("49 more like this")
    page.keyboard.press("g")
    expect(page.get_by_role("heading", level=1)).to_have_text("50 tickets with the same proposal")
    expect(page.locator(".member :checked")).to_have_count(50)
    # Keys are read once the page is whole.
    page.wait_for_load_state("load")
    page.keyboard.press("a")

    page.wait_for_url("**/batches/*/")
    expect(page.get_by_role("heading", level=1)).to_have_text("50 tickets decided")
    assert Decision.objects.filter(batch__isnull=False).count() == 50
    # Three chunks, so that the page could say how far it was.
    assert len(seen) == 3


def test_letters_and_a_digit_override_those_that_are_ticked(
    open_window: Opener, desk: Desk, reasons: dict[str, Reason]
) -> None:
    made = make_equal(desk, 3)
    window = open_window(make_technician())
    page = window.page
    window.open(f"/equal/{made[0].pk}/")

    page.get_by_label(made[1].ticket.subject).uncheck()
    page.locator("h1").click()
    page.keyboard.press("o")
    page.keyboard.type("pass")
    page.keyboard.press("Enter")
    page.keyboard.press("1")
    page.keyboard.press("Enter")

    page.wait_for_url("**/batches/*/")
    decided = Decision.objects.filter(verdict="overridden")
    assert {one.proposal_id for one in decided} == {made[0].pk, made[2].pk}
    finals = {one.values.get(field=desk.category).final for one in decided}
    assert finals == {desk["access.password"]}


def test_what_is_missing_is_said_beside_the_field(
    open_window: Opener, desk: Desk, reasons: dict[str, Reason]
) -> None:
    made = make_equal(desk, 2)
    window = open_window(make_technician())
    page = window.page
    window.open(f"/equal/{made[0].pk}/")

    page.keyboard.press("e")
    page.get_by_role("button", name="Escalate the ticked").click()

    expect(page.locator("#escalate .error")).to_have_text("Choose a reason.")
    expect(page.locator(".member :checked")).to_have_count(2)
    assert not Decision.objects.exists()


def test_all_of_it_works_without_scripts(
    open_window: Opener, desk: Desk, reasons: dict[str, Reason]
) -> None:
    made = make_equal(desk, 3)
    window = open_window(make_technician(), java_script_enabled=False)
    page = window.page
    page.goto(f"{window.server}/tickets/{made[0].ticket_id}/")

    page.get_by_role("link", name="Equal proposals").click()
    page.get_by_role("link", name="Override").click()
    page.locator("#override").get_by_label("What instead").select_option(label="Access › Password")
    page.locator("#override [type=radio]").first.check()
    page.get_by_role("button", name="Override the ticked").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("3 tickets decided")


def test_at_the_cap_a_calm_page_stands_where_the_next_ticket_would(
    open_window: Opener, desk: Desk, reasons: dict[str, Reason]
) -> None:
    made = make_equal(desk, 2)
    maya = make_technician()
    moments = [timezone.now() - timedelta(minutes=20 - one / 4) for one in range(59)]
    cache.set(f"load:{maya.pk}", moments, 300)
    window = open_window(maya)
    page = window.page
    window.open(f"/tickets/{made[0].ticket_id}/")
    expect(page.locator("#load")).to_contain_text("59 this hour")

    page.keyboard.press("a")
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "You have looked at 60 tickets in an hour"
    )
    expect(page.locator("#load")).to_contain_text("60 this hour")
    window.open("/")
    expect(page.locator(".start[data-stays]")).to_be_visible()
    page.get_by_role("button", name="Go on for ten minutes").click()

    expect(page.locator("#accept")).to_be_visible()


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_axe_finds_nothing_and_nothing_scrolls_sideways(
    open_window: Opener,
    desk: Desk,
    reasons: dict[str, Reason],
    size: tuple[int, int],
) -> None:
    made = make_equal(desk, 3)
    make_proposal(desk, probability=0.55)
    maya = make_technician(first_name="Maximiliane-Charlotte", last_name="Berg-Ahrendt")
    cache.set(
        f"load:{maya.pk}",
        [timezone.now() - timedelta(minutes=n / 2) for n in range(119, 0, -1)],
        300,
    )
    window = open_window(maya, size)
    found = {}
    for path in (
        f"/equal/{made[0].pk}/", f"/equal/{made[0].pk}/?do=override", "/pause/", "/", "/agreement/"
    ):  # fmt: skip
        window.open(path)
        found[path] = troubles(window.page)
    window.open(f"/equal/{made[0].pk}/")
    window.page.locator("#accept").click()
    window.page.wait_for_url("**/batches/*/")
    found["batch"] = troubles(window.page)

    assert {path: wrong for path, wrong in found.items() if wrong} == {}
