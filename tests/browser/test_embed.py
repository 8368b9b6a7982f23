"""The panel in a helpdesk's page: another site, no cookies, a narrow frame."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, FrameLocator, Page, Playwright, expect
from pytest_django.live_server_helper import LiveServer

from review.models import Decision, Reason
from tests.browser.conftest import FLAGS, MEANT, PROGRAMS, Opener
from tests.browser.eyes import troubles
from tests.conftest import INBOUND_SECRET
from tests.review.embed.world import framed_desk, link, link_to
from tests.review.helpers import (
    Desk,
    make_model,
    make_proposal,
    make_reasons,
    make_technician,
    make_torn,
)
from tests.threads import serving
from triage.demo import desk as demo_desk
from triage.demo.frame import Frame
from triage.demo.helpdesk import Helpdesk
from triage.models import Effect, Playbook, Proposal, Ticket

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
# Chromium's own setting "block third-party cookies", which takes storage in frames away too.
BLOCKING = {"profile": {"cookie_controls_mode": 1, "block_third_party_cookies": True}}


@pytest.fixture
def reasons(transactional_db: None) -> dict[str, Reason]:
    return make_reasons()


@pytest.fixture
def desk(transactional_db: None, reasons: dict[str, Reason]) -> Desk:
    make_technician(first_name="Maya", last_name="Berg")
    return framed_desk()


@pytest.fixture
def proposal(desk: Desk) -> Proposal:
    playbook = Playbook.objects.create(
        source=desk.source, name="Roll back", owner=desk.owner, reply="x"
    )
    return make_proposal(
        desk, model=make_model(desk), words_for=["VPN"], playbook=playbook, reply="Hello Ann."
    )


def told() -> dict[str, Any]:
    """A ticket as somebody writes it at the helpdesk."""
    return {
        "subject": "VPN drops",
        "body": "Every hour.",
        "requester": {"address": "ann@example.org", "name": "Ann Lind"},
        "opened_at": timezone.now().isoformat(),
    }


@pytest.fixture
def helpdesk(desk: Desk, live_server: LiveServer) -> Iterator[Helpdesk]:
    """On 127.0.0.1, which is another site than localhost, where the panel comes from."""
    target = f"http://localhost:{live_server.url.rpartition(':')[2]}"
    served = Helpdesk(
        demo_desk.Desk(),
        port=0,
        token="t",
        automation_secret="whsec_c2VjcmV0LXRoYXQtaXMtbG9uZy1lbm91Z2g=",
        frame=Frame(target, "norvik", "maya", INBOUND_SECRET),
    )
    desk.source.embed_origins = [served.url]
    desk.source.save()
    with serving(served):
        yield served


@pytest.fixture
def complaints() -> list[str]:
    return []


@pytest.fixture
def page(playwright: Playwright, tmp_path: Path, complaints: list[str]) -> Iterator[Page]:
    """In a browser of its own, since what it blocks is a setting of its profile."""
    (tmp_path / "Default").mkdir()
    (tmp_path / "Default" / "Preferences").write_text(json.dumps(BLOCKING))
    context = playwright.chromium.launch_persistent_context(
        str(tmp_path),
        executable_path=next(filter(None, map(shutil.which, PROGRAMS)), None),
        args=[*FLAGS],
        locale="en-GB",
        viewport={"width": 1280, "height": 900},
    )
    shown = context.pages[0]
    shown.on("pageerror", lambda error: complaints.append(str(error)))
    shown.on(
        "console",
        lambda said: (
            complaints.append(said.text)
            if said.type == "error" and not said.text.startswith(MEANT)
            else None
        ),
    )
    yield shown
    context.close()
    assert complaints == []


def beside(page: Page, helpdesk: Helpdesk, proposal: Proposal) -> FrameLocator:
    """Open the ticket at the helpdesk; answers what is in the frame beside it."""
    number = helpdesk.desk.open(told())
    Ticket.objects.filter(pk=proposal.ticket_id).update(external_id=number)
    page.goto(f"{helpdesk.url}/t/{number}")
    return page.frame_locator("iframe")


def test_deciding_by_mouse_in_another_sites_frame_without_any_cookie(
    page: Page, helpdesk: Helpdesk, proposal: Proposal
) -> None:
    panel = beside(page, helpdesk, proposal)
    expect(panel.locator("#proposal")).to_contain_text("Network › VPN")
    probe = page.frames[1].evaluate(
        "() => { try { document.cookie = 'a=1'; } catch {} return document.cookie; }"
    )

    panel.get_by_role("button", name="Accept").click()

    expect(panel.locator(".note.good")).to_contain_text("Accepted by Maya Berg")
    page.keyboard.press("u")
    expect(panel.get_by_role("button", name="Accept")).to_be_visible()
    expect(panel.locator("#toast")).to_contain_text("waits again")
    assert probe == ""
    assert page.context.cookies() == []
    decision = Decision.objects.get()
    assert (decision.reviewer.username, decision.withdrawal.by.username) == ("maya", "maya")


def test_deciding_by_keys_within_the_frame(
    page: Page, helpdesk: Helpdesk, proposal: Proposal, desk: Desk
) -> None:
    panel = beside(page, helpdesk, proposal)
    panel.locator("#ticket-title").click()

    page.keyboard.press("o")
    expect(panel.get_by_role("combobox", name="Category")).to_be_focused()
    page.keyboard.type("pas")
    page.keyboard.press("Enter")
    page.keyboard.press("1")
    page.keyboard.press("Enter")

    expect(panel.locator(".note.good")).to_contain_text("Overridden by Maya Berg")
    main = Decision.objects.get().values.get(field=desk.category)
    assert main.final == desk["access.password"]


def test_a_choice_below_a_torn_parent_takes_one_digit_in_the_frame(
    page: Page, helpdesk: Helpdesk, desk: Desk
) -> None:
    Reason.objects.filter(key="wrong", applies_to="override").update(key="more-precise")
    panel = beside(page, helpdesk, make_torn(desk))
    panel.locator("#ticket-title").click()

    page.keyboard.press("1")

    expect(panel.locator(".note.good")).to_contain_text("Overridden by Maya Berg")


def test_a_refused_form_comes_back_into_the_frame(
    page: Page, helpdesk: Helpdesk, proposal: Proposal
) -> None:
    panel = beside(page, helpdesk, proposal)
    panel.get_by_role("link", name="Escalate").click()

    panel.locator("#escalate button[type=submit]").click()

    expect(panel.locator("#escalate .error")).to_have_text("Choose a reason.")
    assert not Decision.objects.exists()


def test_what_the_helpdesk_did_is_followed_in_the_frame(
    page: Page, helpdesk: Helpdesk, proposal: Proposal
) -> None:
    panel = beside(page, helpdesk, proposal)
    panel.get_by_role("button", name="Accept").click()
    expect(panel.locator("#effects")).to_contain_text("waiting to be sent")

    Effect.objects.update(state=Effect.State.APPLIED)

    expect(panel.locator("#effects .state").first).to_have_text("done")


def test_a_site_that_is_not_listed_shows_nothing(
    page: Page, helpdesk: Helpdesk, proposal: Proposal, desk: Desk, complaints: list[str]
) -> None:
    desk.source.embed_origins = ["https://desk.example.org"]
    desk.source.save()

    panel = beside(page, helpdesk, proposal)

    expect(panel.locator("#proposal")).to_have_count(0)
    assert [text for text in complaints if "frame-ancestors" in text] == complaints != []
    complaints.clear()
    assert not Decision.objects.exists()


def test_everything_in_the_frame_works_without_scripts(
    browser: Browser, helpdesk: Helpdesk, proposal: Proposal
) -> None:
    context = browser.new_context(java_script_enabled=False, locale="en-GB")
    page = context.new_page()
    panel = beside(page, helpdesk, proposal)
    expect(panel.locator("#escalate")).to_be_hidden()

    panel.get_by_role("link", name="Escalate").click()
    panel.get_by_label("Wrong (escalate)").check()
    panel.locator("#escalate button[type=submit]").click()

    expect(panel.locator(".note.good")).to_contain_text("Escalated by Maya Berg")
    context.close()


@pytest.mark.parametrize("width", [300, 400])
def test_a_narrow_frame_has_room_and_axe_finds_nothing(
    open_window: Opener, desk: Desk, proposal: Proposal, width: int
) -> None:
    window = open_window(None, (width, 700))
    found = {}
    other = make_proposal(desk, main=None, team=None)
    addresses = {
        "open": link_to(proposal),
        "choose": link_to(other),
        "unknown ticket": link("norvik", "not-here-yet"),
        "refused": link_to(proposal, user="nobody"),
    }
    for name, address in addresses.items():
        window.page.goto(f"{window.server}{address}")
        found[name] = troubles(window.page)

    assert {name: wrong for name, wrong in found.items() if wrong} == {}
