"""Chromium as a person's window, and what in it would show that a text became script."""

import contextlib
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from playwright.sync_api import Browser, BrowserContext, Dialog, Error, Page, sync_playwright

from bench.chaos.payloads import PRODUCT

FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Handlers that start by themselves have started by then.
SETTLE_MS = 60
CLICK_MS = 5_000
CONTROL_MS = 200
CONTROLS_A_PAGE = 12

TELL_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  violated(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""
# Anything that a payload could have put there: what runs, what would run if it were clicked, and
# what changes where the page's own links lead.
FIND_INJECTED = r"""
() => {
  const calls = (text) => /\b(?:ran|alert)\(\d/.test(text);
  const runs = /^(?:on|x-|@|:|v-|hx-|data-hx-|style$|srcdoc$)/i;
  const leads = /^(?:href|src|action|formaction|data|xlink:href|content)$/i;
  const found = [];
  for (const element of document.querySelectorAll("*")) {
    const name = element.localName;
    for (const { name: key, value } of element.attributes) {
      const target = value.replace(/[\x00-\x20]/g, "").toLowerCase();
      if (runs.test(key) && calls(value)) found.push(`${name} ${key}=${value}`);
      const isScript = /(?:^|url=)(?:javascript|vbscript|data:text|data:image\/svg)/.test(target);
      if (leads.test(key) && isScript) found.push(`${name} ${key}=${value}`);
    }
    if (name === "base" || (name === "script" && element.type !== "application/json"
        && calls(element.textContent))) found.push(element.outerHTML.slice(0, 200));
  }
  return found;
}
"""
RUN_IN_FRAMES = """
async ([documents, settle]) => {
  const seen = (window.seen = new Set());
  const tell = "<script>var ran = (number) => { parent.seen.add(number); }, alert = ran;</script>";
  await Promise.all(documents.map((text) => new Promise((done) => {
    const frame = document.createElement("iframe");
    frame.onload = done;
    frame.srcdoc = tell + text;
    document.body.append(frame);
  })));
  await new Promise((done) => setTimeout(done, settle));
  return [...seen];
}
"""
# How a page looks that escapes nothing: as content, in attributes, and inside a script's string.
UNPROTECTED = (
    "<div>{}</div>", '<p title="{}">x</p>', "<p title='{}'>x</p>", "<p title={}>x</p>",
    "<script>var text = '{}';</script>", '<script>var text = "{}";</script>',
    "<script>/* {} */ var text = `{}`;</script>",
)  # fmt: skip


@dataclass
class Sightings:
    """What was seen while pages were looked at."""

    pages: int = 0
    shown: int = 0
    ran: list[str] = field(default_factory=list)
    injected: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not (self.ran or self.injected or self.violations or self.broken)

    def first(self) -> str:
        found = [*self.ran, *self.injected, *self.violations, *self.broken]
        return f"; see {found[0][:200]}" if found else ""


@dataclass(frozen=True)
class Visit:
    """An address to open, a text that must be on the page ("" for none), and a box to click."""

    address: str
    shows: str = ""
    statuses: Sequence[int] = (200,)
    clicks: str = ""


def look(server: str, cookie: tuple[str, str], visits: Sequence[Visit]) -> Sightings:
    """Open each address as the person whose session it is.

    To be called in a thread of its own: the driver runs a loop there, beside which Django
    refuses to ask the database.
    """
    seen = Sightings()
    with chromium() as browser:
        context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
        name, value = cookie
        context.add_cookies([{"name": name, "value": value, "url": server}])
        context.expose_binding("ran", lambda source, what: seen.ran.append(f"ran({what})"))
        context.expose_binding("violated", lambda source, what: seen.violations.append(what))
        context.add_init_script(TELL_VIOLATIONS)
        page = _page(context, seen)
        for visit in visits:
            _visit(page, server, visit, seen)
        context.close()
    return seen


def live(payloads: Sequence[str]) -> int:
    """How many of the payloads run in a page that escapes nothing; a thread as for `look`."""
    ran: set[int] = set()
    with chromium() as browser:
        for start in range(0, len(payloads), CONTROLS_A_PAGE):
            some = payloads[start : start + CONTROLS_A_PAGE]
            documents = [shape.replace("{}", text) for text in some for shape in UNPROTECTED]
            page = browser.new_page()
            ran.update(page.evaluate(RUN_IN_FRAMES, [documents, CONTROL_MS]))
            page.close()
    return len(ran)


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """A Chromium of the system where there is one, else the driver's own."""
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


def _page(context: BrowserContext, seen: Sightings) -> Page:
    page = context.new_page()

    def heard(dialog: Dialog) -> None:
        seen.ran.append(f"{dialog.type}({dialog.message})")
        dialog.dismiss()

    page.on("dialog", heard)
    page.on("popup", lambda popup: seen.ran.append(f"opened {popup.url}"))
    page.on("pageerror", lambda error: seen.broken.append(f"{page.url}: {error}"))
    return page


def _visit(page: Page, server: str, visit: Visit, seen: Sightings) -> None:
    seen.pages += 1
    try:
        answer = page.goto(f"{server}{visit.address}", wait_until="load")
        if visit.clicks:
            _click(page, visit.clicks)
        page.wait_for_timeout(SETTLE_MS)
        where = f"{visit.address} at {page.url}"
        if answer is None or answer.status not in visit.statuses:
            seen.broken.append(f"{where}: {answer.status if answer else 'no answer'}")
        if not page.url.startswith(f"{server}/"):
            seen.ran.append(f"went from {where}")
        seen.injected += [f"{where}: {found}" for found in page.evaluate(FIND_INJECTED)]
        content = page.content()
        if PRODUCT in content:
            seen.ran.append(f"{where}: a template was run")
        if visit.shows:
            is_shown = page.evaluate(
                "(text) => document.documentElement.textContent.includes(text)"
                " || [...document.querySelectorAll('input, textarea')]"
                ".some((box) => box.value.includes(text))",
                visit.shows,
            )
            seen.shown += bool(is_shown)
            if not is_shown:
                seen.broken.append(f"{where}: does not show {visit.shows!r}")
    except Error as error:
        seen.broken.append(f"{visit.address}: {str(error)[:200]}")


def _click(page: Page, selector: str) -> None:
    """Open the first of the boxes that scripts of the page fill, where there is one."""
    box = page.locator(selector)
    if box.count() and box.first.is_visible():
        box.first.click(timeout=CLICK_MS)
