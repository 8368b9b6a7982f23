"""One ticket after the other: nobody gets another's, nothing is decided twice, nothing is lost."""

import re
from collections.abc import Callable
from datetime import timedelta
from itertools import cycle, islice
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, Route, expect

from review import leases
from review.models import Decision, Lease, Reason, Skip
from review.views import queue
from tests.browser.conftest import Opener, Window
from tests.review.helpers import Desk, make_desk, make_proposal, make_reasons, make_technician
from tests.review.helpers import make_ticket as new_ticket
from triage.models import Playbook, Proposal

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
# What the page counts as read, and a little.
READ_MS = 340


@pytest.fixture
def desk(transactional_db: None) -> Desk:
    return make_desk()


@pytest.fixture
def reasons(transactional_db: None) -> dict[str, Reason]:
    return make_reasons()


@pytest.fixture
def line(desk: Desk, reasons: dict[str, Reason]) -> Callable[[int], list[Proposal]]:
    """`line(n)`: so many that wait, in the order of the list."""

    def make(count: int) -> list[Proposal]:
        now = timezone.now()
        return [
            make_proposal(
                desk,
                new_ticket(
                    desk,
                    subject=f"case {place}",
                    opened_at=now - timedelta(minutes=count - place),
                ),
            )
            for place in range(count)
        ]

    return make


@pytest.fixture
def short_leases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two seconds, renewed three times in that."""
    monkeypatch.setattr(leases, "LEASE_SECONDS", 2)
    for module in (leases, queue):
        monkeypatch.setattr(module, "BEAT_SECONDS", 0.6)


def opened(window: Window, proposal: Proposal) -> Page:
    window.open(f"/tickets/{proposal.ticket_id}/")
    return window.page


def shown(page: Page) -> int:
    """The ticket that is there to be decided."""
    return int(page.locator("#proposal[data-held]").get_attribute("data-ticket") or 0)


def read(page: Page) -> None:
    """Until the keys are alive and the next ticket is, as a rule, at hand."""
    page.wait_for_selector("#frame:not([aria-busy=true])")
    page.wait_for_timeout(READ_MS)


def has_neighbour(page: Page, key: str) -> bool:
    """Whether J or K have somewhere to go."""
    current = "li.row:has([aria-current])"
    place = f"{current} + li.row" if key == "j" else f"li.row:has(+ {current})"
    return page.locator(place).count() > 0


def answers(page: Page, do: Callable[[Route], Any]) -> None:
    page.route(re.compile(r"/proposals/\d+/\w+"), do)


# --- At once --------------------------------------------------------------------------------
def test_the_next_ticket_is_there_before_the_answer(
    open_window: Opener, line: Callable[[int], list[Proposal]]
) -> None:
    proposals = line(3)
    page = opened(open_window(make_technician()), proposals[0])
    held: list[Route] = []
    answers(page, lambda route: held.append(route))

    page.keyboard.press("a")

    expect(page.locator("h1")).to_have_text("case 1")
    expect(page.locator("h1")).to_be_focused()
    assert page.title().startswith(f"#{proposals[1].ticket.external_id} case 1")
    expect(page.locator("[data-row]")).to_have_count(2)
    expect(page.locator(".total")).to_have_text("2 waiting")
    # Dead until the answer has come.
    page.wait_for_timeout(READ_MS)
    page.keyboard.press("a")
    page.keyboard.press("j")
    expect(page.locator("h1")).to_have_text("case 1")
    assert len(held) == 1
    assert not Decision.objects.exists()
    held[0].continue_()
    expect(page.locator("#toast")).to_contain_text(f"Accepted #{proposals[0].ticket.external_id}")
    expect(page.locator("#waiting-count")).to_contain_text("2")
    expect(page).to_have_url(re.compile(f"/tickets/{proposals[1].ticket_id}/$"))
    assert Decision.objects.get().proposal == proposals[0]


def test_a_pressed_twice_decides_once(
    open_window: Opener, line: Callable[[int], list[Proposal]]
) -> None:
    proposals = line(3)
    page = opened(open_window(make_technician()), proposals[0])

    for _ in range(4):
        page.keyboard.press("a")
    expect(page.locator("#toast p")).to_have_count(1)
    page.wait_for_timeout(600)

    assert [decision.proposal for decision in Decision.objects.all()] == [proposals[0]]
    expect(page.locator("h1")).to_have_text("case 1")


def test_a_double_click_decides_once(
    open_window: Opener, line: Callable[[int], list[Proposal]]
) -> None:
    page = opened(open_window(make_technician()), line(3)[0])

    page.get_by_role("button", name="Accept").dblclick()

    expect(page.locator("#toast p")).to_have_count(1)
    page.wait_for_timeout(600)
    assert Decision.objects.count() == 1


def test_without_a_ticket_at_hand_the_answer_brings_the_next(
    open_window: Opener, line: Callable[[int], list[Proposal]]
) -> None:
    proposals = line(4)
    window = open_window(make_technician())
    window.page.route("**/ahead/**", lambda route: route.abort())
    page = opened(window, proposals[0])

    for place in (1, 2):
        page.keyboard.press("a")
        expect(page.locator("h1")).to_have_text(f"case {place}")
        read(page)

    assert Decision.objects.count() == 2
    expect(page).to_have_url(re.compile(f"/tickets/{proposals[2].ticket_id}/$"))


def test_going_back_leads_to_the_ticket_that_was_decided(
    open_window: Opener, line: Callable[[int], list[Proposal]]
) -> None:
    page = opened(open_window(make_technician()), line(3)[0])
    page.keyboard.press("a")
    expect(page.locator("#toast p")).to_have_count(1)

    page.go_back()

    expect(page.locator("h1")).to_have_text("case 0")
    expect(page.locator(".note.good")).to_contain_text("Accepted by maya")


# --- What fails -----------------------------------------------------------------------------
@pytest.mark.parametrize("failure", ["network", "500"])
def test_a_decision_that_fails_brings_the_ticket_back_with_what_was_typed(
    open_window: Opener, line: Callable[[int], list[Proposal]], failure: str
) -> None:
    proposals = line(3)
    page = opened(open_window(make_technician()), proposals[0])
    answers(
        page,
        lambda route: (
            route.abort() if failure == "network" else route.fulfill(status=int(failure), body="x")
        ),
    )

    page.keyboard.press("e")
    page.keyboard.press("2")
    page.keyboard.type("Jo knows this machine")
    page.locator("#escalate button[type=submit]").click()

    expect(page.locator("#toast")).to_contain_text("Nothing was saved")
    expect(page.locator("h1")).to_have_text("case 0")
    expect(page.locator("#escalate textarea")).to_have_value("Jo knows this machine")
    expect(page).to_have_url(re.compile(f"/tickets/{proposals[0].ticket_id}/$"))
    assert page.title().startswith(f"#{proposals[0].ticket.external_id} ")
    page.unroute_all()
    page.wait_for_timeout(1_100)
    page.locator("#escalate button[type=submit]").click()
    expect(page.locator("#toast")).to_contain_text("Escalated")
    assert Decision.objects.get().text == "Jo knows this machine"


def test_a_refused_decision_comes_back_with_what_is_wrong(
    open_window: Opener, line: Callable[[int], list[Proposal]]
) -> None:
    proposals = line(3)
    page = opened(open_window(make_technician()), proposals[0])

    page.keyboard.press("s")
    page.locator("#skip button[type=submit]").click()

    expect(page.locator("#skip .error")).to_have_text("Choose a reason.")
    expect(page.locator("h1")).to_have_text("case 0")
    expect(page.locator("#skip [type=radio]").first).to_be_focused()
    assert not Skip.objects.exists()


def test_a_conflict_takes_the_place_of_what_was_shown_too_early(
    open_window: Opener, line: Callable[[int], list[Proposal]]
) -> None:
    proposals = line(3)
    page = opened(open_window(make_technician()), proposals[0])
    tom = make_technician("tom", first_name="Tom")
    Lease.objects.filter(ticket=proposals[0].ticket).update(holder=tom)

    page.keyboard.press("a")

    expect(page.locator("h1")).to_contain_text("Tom is looking at")
    read(page)
    page.get_by_role("link", name="Next ticket").click()
    expect(page.locator("h1")).to_have_text("case 1")
    assert not Decision.objects.exists()


def test_a_ticket_fetched_too_early_gives_way_to_one_that_is_free(
    open_window: Opener, line: Callable[[int], list[Proposal]]
) -> None:
    proposals = line(3)
    page = opened(open_window(make_technician()), proposals[0])
    tom = make_technician("tom")
    Lease.objects.filter(ticket=proposals[1].ticket).update(holder=tom)

    page.keyboard.press("a")

    expect(page.locator("h1")).to_have_text("case 2")
    expect(page).to_have_url(re.compile(f"/tickets/{proposals[2].ticket_id}/$"))
    assert shown(page) == proposals[2].ticket_id


def test_a_session_that_ended_leads_over_the_login_back_to_the_ticket(
    open_window: Opener, line: Callable[[int], list[Proposal]]
) -> None:
    proposals = line(2)
    window = open_window(make_technician())
    page = opened(window, proposals[0])
    page.context.clear_cookies(name="sessionid")

    page.keyboard.press("a")

    expect(page.get_by_text("Sign in and you are back at the ticket")).to_be_visible()
    page.get_by_label("Login").fill("maya")
    page.get_by_label("Password").fill("a-long-enough-password")
    page.get_by_role("button", name="Sign in").first.click()
    expect(page.locator("h1")).to_have_text("case 0")
    expect(page.get_by_text("nothing was saved. Decide again")).to_be_visible()
    assert not Decision.objects.exists()


# --- Leases ---------------------------------------------------------------------------------
def test_two_at_one_queue_never_look_at_the_same_ticket(
    open_window: Opener, line: Callable[[int], list[Proposal]]
) -> None:
    line(20)
    windows = [open_window(make_technician(name)) for name in ("maya", "tom")]
    seen: dict[int, list[int]] = {0: [], 1: []}
    for window in windows:
        window.open("/")
        window.page.wait_for_selector("#proposal[data-held]")

    for turn in range(20):
        which = turn % 2
        page = windows[which].page
        mine, theirs = shown(page), shown(windows[1 - which].page)
        seen[which].append(mine)
        assert mine != theirs
        read(page)
        page.keyboard.press("a")
        expect(page.locator(f"#proposal[data-ticket='{mine}']")).to_have_count(0)
        read(page)
        if page.locator("#proposal[data-held]").count() == 0:
            break

    decided = Decision.objects.values_list("reviewer__username", "proposal__ticket_id")
    assert len(decided) >= 18
    assert set(seen[0]) & set(seen[1]) == set()
    assert {pk for name, pk in decided if name == "maya"} <= set(seen[0])
    assert {pk for name, pk in decided if name == "tom"} <= set(seen[1])


def test_a_closed_window_frees_its_tickets_at_once(
    open_window: Opener, line: Callable[[int], list[Proposal]]
) -> None:
    page = opened(open_window(make_technician()), line(3)[0])
    read(page)
    assert Lease.objects.count() == 2

    page.goto("about:blank")
    for _ in range(50):
        page.wait_for_timeout(100 if Lease.objects.exists() else 0)

    assert not Lease.objects.exists()


def test_a_window_that_stopped_renewing_frees_its_ticket_and_the_other_gets_the_forms_back(
    open_window: Opener, line: Callable[[int], list[Proposal]], short_leases: None
) -> None:
    proposals = line(3)
    maya, tom = open_window(make_technician()), open_window(make_technician("tom"))
    mine = opened(maya, proposals[0])
    theirs = opened(tom, proposals[0])
    expect(theirs.locator("#lease")).to_contain_text("maya is looking at this")
    expect(theirs.locator(".acts")).to_have_count(0)
    mine.wait_for_timeout(2_500)
    assert Lease.objects.get(ticket=proposals[0].ticket).until > timezone.now()

    maya.page.context.set_offline(True)

    expect(theirs.locator(".acts")).to_be_visible(timeout=9_000)
    read(theirs)
    theirs.keyboard.press("a")
    expect(theirs.locator("#toast p")).to_have_count(1)
    assert Decision.objects.get().reviewer.username == "tom"


def test_the_same_ticket_in_a_second_window_is_the_second_windows(
    open_window: Opener, line: Callable[[int], list[Proposal]], short_leases: None
) -> None:
    proposals = line(3)
    user = make_technician()
    first = opened(open_window(user), proposals[0])
    second = opened(open_window(user), proposals[0])

    expect(first.locator("#lease")).to_contain_text("in another window", timeout=8_000)
    expect(first.locator(".acts")).to_be_hidden()
    expect(second.locator(".acts")).to_be_visible()
    first.get_by_role("link", name="Work on it here").click()
    expect(first.locator(".acts")).to_be_visible()


def test_a_ticket_that_was_dealt_with_elsewhere_says_so_by_itself(
    open_window: Opener, line: Callable[[int], list[Proposal]], short_leases: None
) -> None:
    proposals = line(2)
    page = opened(open_window(make_technician()), proposals[0])

    proposals[0].waiting.delete()

    expect(page.locator("#lease")).to_contain_text("out of date", timeout=8_000)
    expect(page.locator(".acts")).to_be_hidden()


# --- An hour's work -------------------------------------------------------------------------
def test_fifty_proposals_are_decided_without_a_mouse(
    open_window: Opener, line: Callable[[int], list[Proposal]], desk: Desk
) -> None:
    proposals = line(50)
    playbook = Playbook.objects.create(
        source=desk.source, name="Reset", owner=desk.owner, reply="x"
    )
    Proposal.objects.filter(pk=proposals[10].pk).update(playbook=playbook, reply="x")
    page = opened(open_window(make_technician()), proposals[0])

    for way in islice(cycle("aaoaeasabajk"), 400):
        if Decision.objects.count() + Skip.objects.count() >= 50:
            break
        before = shown(page)
        moves = way not in "jk" or has_neighbour(page, way)
        page.keyboard.press(way)
        if way == "o":
            page.keyboard.type("pas")
            page.keyboard.press("Enter")
        if way in "oesb":
            page.keyboard.press("1")
            page.keyboard.press("Enter")
        if moves:
            expect(page.locator(f"#proposal[data-ticket='{before}']")).to_have_count(0)
        read(page)

    verdicts = list(Decision.objects.values_list("verdict", flat=True))
    assert len(verdicts) + Skip.objects.count() == 50
    assert set(verdicts) == {"accepted", "overridden", "escalated", "sent_back"}
    assert Skip.objects.count() > 3
    expect(page.locator("#skipped")).to_contain_text("skipped by you")
