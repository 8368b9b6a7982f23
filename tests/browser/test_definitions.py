"""Definitions in a real browser: every state for every eye and width, and without scripts."""

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from review.metrics import co_creation, votes
from review.models import MetricDefinition
from review.roles import AI_OWNER, TEAM_LEAD
from tests.browser.conftest import Opener
from tests.browser.eyes import NARROW, WIDE, troubles
from tests.conftest import new_user
from tests.review.definitions.world import WHERE, active, make_team, path, proposed, voted

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LONG = "Rechnungsprüfungsvorgangsbearbeitungsbildschirmfehlermeldung"


@pytest.fixture
def lead(transactional_db: None) -> User:
    return new_user("lead", AI_OWNER, first_name=LONG)


@pytest.fixture
def addresses(lead: User) -> list[str]:
    """A page in every state that a version can have, with long words."""
    team = make_team()
    row = proposed(lead, purpose=LONG, caveat=f"{LONG} {LONG}")
    co_creation.comment(row.pk, by=lead, text=LONG * 3)
    split = voted(team, 3, 3, key="acceptance", caveat=LONG)
    by_reason = voted(team, 2, key="untouched")
    co_creation.activate(by_reason.pk, by=lead, instead_of=1, because=LONG)
    in_force = active(team, lead, key="step-ins")
    on_vote = proposed(lead, key="override-reasons", min_n=1000)
    votes.open_vote(on_vote.pk, by=lead)
    rows = (row, split, by_reason, in_force, on_vote)
    return [WHERE, f"{WHERE}?q=zqnothing", f"{WHERE}reopened/propose/", *map(path, rows)]


def test_every_state_suits_every_eye_and_every_width(
    open_window: Opener, lead: User, addresses: list[str]
) -> None:
    window = open_window(lead)
    page = window.page
    wrong: dict[str, list[str]] = {}
    for address in addresses:
        for width, height in (NARROW, WIDE):
            page.set_viewport_size({"width": width, "height": height})
            window.open(address)
            if found := troubles(page):
                wrong.setdefault(address, []).extend(found)

    assert wrong == {}


def test_the_whole_way_works_without_scripts(open_window: Opener, transactional_db: None) -> None:
    lead = new_user("theo", TEAM_LEAD)
    window = open_window(lead, java_script_enabled=False)
    page = window.page
    page.goto(f"{window.server}{WHERE}")
    page.get_by_role("link", name="Came back").click()
    page.get_by_role("link", name="Propose a change").click()
    page.get_by_label("Least number of cases").fill("")
    page.get_by_label("Why").fill("Twenty are too few.")
    page.get_by_role("button", name="Propose").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("Least number of cases").fill("30")
    page.get_by_role("button", name="Propose").click()
    expect(page.get_by_text("Twenty are too few.")).to_be_visible()
    page.get_by_role("button", name="Open the vote").click()
    page.get_by_label("Yes, use this definition").check()
    page.get_by_role("button", name="Vote", exact=True).click()
    expect(page.get_by_text("You voted yes.")).to_be_visible()
    page.get_by_role("button", name="Close the vote and count").click()
    expect(page.get_by_text("Not ratified.")).to_be_visible()
    page.get_by_label("Why it comes into force although no vote ratified it").fill("A pilot.")
    page.get_by_role("button", name="Put in force instead of version 1").click()

    expect(page.locator(".unratified")).to_contain_text("A pilot.")
    row = MetricDefinition.objects.get()
    assert (row.status, row.min_n, row.activated_by) == ("active", 30, lead)
