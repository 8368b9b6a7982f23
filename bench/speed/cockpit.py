"""From a key to the next ticket, in a real browser, against the least that a page can do.

Both sides in one browser on one page: a key is pressed, htmx or the page's own code asks the
server, something is swapped in, and the clock stops when that has been painted (the second frame
after it). Ours is the next ticket with its list and its proposal; the other side swaps in what
/health/ answers.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from statistics import median

from django.contrib.auth.models import User
from django.db import connections
from playwright.sync_api import Page

from bench.chaos.browser import chromium
from bench.chaos.dressed import session_of
from bench.speed import backlog
from bench.speed.rows import Pair, Row, percentile
from bench.speed.setting import BenchFailed, Setting
from review.models import Decision, TeamAgreement
from review.roles import TECHNICIAN, ensure_groups, give_role
from triage.models import Waiting

RATIO, MEDIAN, P95 = "cockpit_vs_bare_swap", "cockpit_vs_150_ms", "cockpit_p95_vs_300_ms"
NAMES = (RATIO, MEDIAN, P95)
COMPARED = {
    RATIO: "median milliseconds from the key A to the next ticket painted, against a key that "
    "swaps in what /health/ answers",
    MEDIAN: "the same median, against 150",
    P95: "the 95th percentile of the same, against 300",
}
MEDIAN_MS, P95_MS = 150.0, 300.0
# Quicker than people who read; the page asks for the ticket after next meanwhile.
PACE_MS = 800
WARM = 4
# There is always a full page of others.
STAYING = 30
MOST_FEEDS = 20
WAIT_MS = 20_000
AT_REST = "#frame:not([aria-busy=true])"

TIMER = """
(place) => {
  window.timed = [];
  const target = document.querySelector(place);
  let began = null;
  document.addEventListener("keydown", (event) => { began = event.timeStamp; }, true);
  new MutationObserver(() => {
    if (began === null) return;
    const since = began;
    began = null;
    const paint = () => window.timed.push(performance.now() - since);
    requestAnimationFrame(() => requestAnimationFrame(paint));
  }).observe(target, { childList: true });
}
"""
# What the other side swaps is a button of the same page, so that the same code handles its key.
BARE = """
() => {
  const button = document.createElement("button");
  const place = document.createElement("span");
  button.dataset.key = "x";
  button.textContent = "x";
  place.id = "bare";
  button.setAttribute("hx-get", "/health/");
  button.setAttribute("hx-target", "#bare");
  document.querySelector(".top").append(button, place);
  window.htmx.process(button);
}
"""


@dataclass
class Times:
    """Milliseconds of each press. `plain`: ours where nothing was fetched beforehand."""

    ours: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    plain: list[float] = field(default_factory=list)


def rows(setting: Setting, names: Sequence[str]) -> list[Row]:
    setting.stack.up()
    ensure_groups()
    # So quick as this, nobody works; the team's own limit is not what is measured.
    TeamAgreement.objects.create(reviews_per_hour=10_000, agreed_by=setting.desk.source.owner)
    user = User.objects.create_user("cockpit")
    give_role(user, TECHNICIAN)
    _fill(setting, (setting.sizes.decided + 2 * WARM) * setting.rounds + STAYING)
    cookie = session_of(user)
    found = [_round(setting, cookie, number) for number in range(1, setting.rounds + 1)]
    plain = [ms for times in found for ms in times.plain]
    notes = [
        *(_told(times) for times in found),
        f"nothing fetched beforehand: median {median(plain):.0f} ms of {len(plain)}",
        f"a key every {PACE_MS} ms after the former ticket was there",
    ]
    pairs = {
        RATIO: [Pair(median(times.ours), median(times.bare)) for times in found],
        MEDIAN: [Pair(median(times.ours), MEDIAN_MS) for times in found],
        P95: [Pair(percentile(times.ours, 0.95), P95_MS) for times in found],
    }
    return [Row(name, COMPARED[name], "ms", pairs[name], notes=notes) for name in names]


def _fill(setting: Setting, wanted: int) -> None:
    """So many that can be accepted; what the model left open has nothing to accept."""
    for _ in range(MOST_FEEDS):
        backlog.feed(setting, wanted)
        Waiting.objects.filter(main_choice=None).delete()
        there = Waiting.objects.count()
        setting.tell(f"cockpit: {there} of {wanted} proposals wait that can be accepted")
        if there >= wanted:
            return
    raise BenchFailed(f"Only {there} of {wanted} proposals can be accepted.")


def _told(times: Times) -> str:
    ours, bare = times.ours, times.bare
    return (
        f"ours median {median(ours):.0f}, p95 {percentile(ours, 0.95):.0f}, most {max(ours):.0f} "
        f"ms of {len(ours)}; bare median {median(bare):.0f}, p95 {percentile(bare, 0.95):.0f} ms"
    )


def _round(setting: Setting, cookie: tuple[str, str], number: int) -> Times:
    setting.tell(f"cockpit, round {number} of {setting.rounds}")
    before = Decision.objects.count()
    connections.close_all()
    # The driver runs a loop, beside which Django refuses to ask the database.
    with ThreadPoolExecutor(1) as thread:
        times = thread.submit(_pressed, setting, cookie).result()
    decided = Decision.objects.count() - before
    if decided != len(times.ours) + len(times.plain) + WARM:
        raise BenchFailed(f"{decided} decisions were stored for {len(times.ours)} keys.")
    return times


def _pressed(setting: Setting, cookie: tuple[str, str]) -> Times:
    times = Times()
    with chromium() as browser:
        context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
        context.add_cookies([{"name": cookie[0], "value": cookie[1], "url": setting.stack.url}])
        page = context.new_page()
        page.goto(setting.stack.url)
        page.wait_for_selector("#proposal[data-held]", timeout=WAIT_MS)
        page.evaluate(BARE)
        page.evaluate(TIMER, "#bare")
        for _ in range(setting.sizes.decided):
            times.bare.append(_press(page, "x"))
        _reload(page, "#frame")
        for turn in range(setting.sizes.decided + WARM):
            took = _press(page, "a")
            if turn >= WARM:
                times.ours.append(took)
        page.route("**/ahead/**", lambda route: route.abort())
        _reload(page, "#frame")
        times.plain = [_press(page, "a") for _ in range(WARM)]
        context.close()
    return times


def _reload(page: Page, timed: str) -> None:
    """What is on its way arrives first: until then the page's address is the former ticket's."""
    page.wait_for_selector(AT_REST, timeout=WAIT_MS)
    page.reload()
    page.wait_for_selector("#proposal[data-held]", timeout=WAIT_MS)
    page.evaluate(TIMER, timed)


def _press(page: Page, key: str) -> float:
    """Press after a pause; milliseconds until what it brings has been painted."""
    page.wait_for_timeout(PACE_MS)
    page.wait_for_selector(AT_REST, timeout=WAIT_MS)
    before = page.evaluate("window.timed.length")
    page.keyboard.press(key)
    page.wait_for_function("(n) => window.timed.length > n", arg=before, timeout=WAIT_MS)
    return float(page.evaluate("window.timed.at(-1)"))
