"""What every eye and every width meets: accessibility, no sideways scrolling, no foreign script."""

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import expect

from review import decisions
from tests.browser.conftest import Opener
from tests.browser.eyes import NARROW, RULES, WIDE, troubles, violations
from tests.review.helpers import (
    Desk,
    make_desk,
    make_model,
    make_proposal,
    make_reasons,
    make_technician,
    make_ticket,
)
from triage.models import Playbook, Proposal, Ticket

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LONG = "Rechnungsprüfungsvorgangsbearbeitungsbildschirmfehlermeldung" * 3
PAYLOADS = (
    "<script>window.hacked = 1</script>",
    "<img src=x onerror='window.hacked = 1'>",
    '"><svg onload=window.hacked=1>',
    "' autofocus onfocus=window.hacked=1 x='",
    "</title><script>window.hacked = 1</script>",
    "</script><script>window.hacked = 1</script>",
    "<a href='javascript:window.hacked=1' id=click>click</a>",
    "{{ constructor.constructor('window.hacked=1')() }}",
    "<details open ontoggle=window.hacked=1>",
    "<iframe srcdoc='<script>parent.hacked=1</script>'></iframe>",
    "<div hx-get='/' hx-trigger='load' hx-on::load='window.hacked=1'>",
    "<style>*{display:none}</style>",
)


@pytest.fixture
def desk(transactional_db: None) -> Desk:
    return make_desk()


@pytest.fixture
def full(desk: Desk) -> Ticket:
    """A ticket that waits and has everything a ticket page can show, among others."""
    reasons = make_reasons()
    bob = make_technician("bob", first_name="Bob", last_name="Stone")
    solved = make_ticket(desk, subject="Seen before", closed_at=timezone.now(), resolution=LONG)
    done = make_proposal(desk, make_ticket(desk, subject=LONG))
    decisions.decide(
        proposal=done,
        reviewer=bob,
        choices={"category": desk["access.password"]},
        reasons={"category": reasons["override.other"]},
        with_playbook=False,
        text=LONG,
    )
    make_proposal(desk, route=Proposal.Route.HOLD, priority="urgent")
    playbook = Playbook.objects.create(
        source=desk.source, name="Roll back", owner=desk.owner, reply="x"
    )
    ticket = make_ticket(
        desk,
        subject=f"VPN {LONG}",
        body=f"The VPN asks for my password.\n\n{LONG}",
        url="https://desk.example.org/7",
        opened_at=timezone.now() - timedelta(hours=2),
    )
    return make_proposal(
        desk,
        ticket,
        model=make_model(desk),
        words_for=["VPN"],
        words_against=["password"],
        similar=[{"ticket": solved.pk, "similarity": 0.8}],
        playbook=playbook,
        reply="Hello Ann,\nplease restart.",
    ).ticket


def paths(ticket: Ticket) -> list[str]:
    return [
        "/",
        f"/tickets/{ticket.pk}/",
        f"/tickets/{ticket.pk}/?do=override",
        f"/tickets/{ticket.pk}/?do=escalate",
        "/?category=access.nothing",
        "/history/",
        "/history/?since=soon",
        "/tickets/0/",
    ]


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_axe_finds_nothing_on_any_page(
    open_window: Opener, full: Ticket, size: tuple[int, int]
) -> None:
    window = open_window(make_technician(), size)
    found = {}
    for path in paths(full):
        window.open(path)
        found[path] = troubles(window.page)

    assert {path: wrong for path, wrong in found.items() if wrong} == {}


def test_axe_finds_nothing_on_the_way_in(open_window: Opener, transactional_db: None) -> None:
    stranger = open_window()
    stranger.open("/accounts/login/")
    assert troubles(stranger.page) == []
    expect(stranger.page.get_by_label("Password")).to_be_visible()
    stranger.page.get_by_label("Login").fill("nobody")
    stranger.page.get_by_label("Password").fill("wrong")
    stranger.page.get_by_role("button", name="Sign in").first.click()
    expect(stranger.page.get_by_role("alert")).to_be_visible()
    assert troubles(stranger.page) == []


def test_axe_finds_nothing_with_menu_keys_and_picker_open(
    open_window: Opener, full: Ticket
) -> None:
    window = open_window(make_technician())
    page = window.page
    window.open(f"/tickets/{full.pk}/")

    page.keyboard.press("o")
    page.keyboard.type("net")
    expect(page.locator(".picker [role=option]")).to_have_count(3)
    assert violations(Axe().run(page, options=RULES)) == []
    page.keyboard.press("Escape")
    page.locator("h1").click()
    page.keyboard.press("?")
    assert violations(Axe().run(page, options=RULES)) == []
    page.keyboard.press("Escape")
    page.locator(".me summary").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    assert violations(Axe().run(page, options=RULES)) == []


@pytest.mark.parametrize("width", [360, 768, 1099, 1100, 3840])
def test_no_page_scrolls_sideways(open_window: Opener, full: Ticket, width: int) -> None:
    window = open_window(make_technician(), (width, 800))

    for path in [*paths(full), "/accounts/2fa/", "/accounts/password/change/"]:
        window.open(path)
        needed = window.page.evaluate("document.documentElement.scrollWidth")
        assert needed <= width, path


def test_fingers_meet_targets_of_44_pixels(open_window: Opener, full: Ticket) -> None:
    window = open_window(make_technician(), NARROW, has_touch=True, is_mobile=True)
    for path in paths(full)[:4]:
        window.open(path)
        small = window.page.evaluate(
            """() => [...document.querySelectorAll("a, button, summary, select, label.reason,"
                + "label.check, input:not([type=hidden], [type=radio], [type=checkbox])")]
              .filter((element) => element.checkVisibility() && !element.matches(".skip"))
              .map((element) => [element.outerHTML.slice(0, 120), element.getBoundingClientRect()])
              .filter(([, box]) => box.height > 0 && box.height < 43.5)
              .map(([html, box]) => `${box.height}: ${html}`)"""
        )
        assert small == [], path


def test_nothing_that_a_ticket_brings_runs(open_window: Opener, desk: Desk) -> None:
    wicked = "\n".join(PAYLOADS)
    make_reasons()
    bob = make_technician("bob", first_name="<img src=x onerror=window.hacked=1>")
    for payload in PAYLOADS:
        ticket = make_ticket(
            desk,
            subject=payload,
            body=wicked,
            requester=payload,
            requester_name=payload,
            resolution=payload,
            url="javascript:window.hacked=1",
            external_id=payload[:64],
        )
        proposal = make_proposal(
            desk,
            ticket,
            words_for=["script", "<img", payload],
            words_against=["onerror"],
            similar=[{"ticket": ticket.pk, "similarity": 0.5}],
            reply=wicked,
        )
    decisions.decide(
        proposal=proposal, reviewer=bob, choices={}, reasons={}, with_playbook=False, text=payload
    )
    window = open_window(make_technician())

    for path in ["/", "/history/", "/?q=%3Cscript%3E&category=%3Csvg+onload%3Dhacked%3D1%3E"]:
        window.open(path)
        assert window.page.evaluate("window.hacked") is None, path
    for ticket in Ticket.objects.all():
        window.open(f"/tickets/{ticket.pk}/")
        assert window.page.evaluate("window.hacked") is None
        assert (
            window.page.locator("#click, .ticket iframe, .ticket script, .ticket img").count() == 0
        )
        assert ticket.subject in window.page.locator("h1").inner_text()
