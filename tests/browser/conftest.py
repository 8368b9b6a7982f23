"""A real Chromium against a live server, with a person signed in."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request
from pytest_django.live_server_helper import LiveServer

from tests.browser.eyes import WIDE

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
# A ticket that has only just come takes no key yet.
KEYS_ALIVE_MS = 340
LOOK_MS, QUIET_LOOKS, LONGEST_SECONDS = 25, 4, 30
# An answer of 404, 409 or 422, and a ticket given up for the next one, are noted as errors.
MEANT = ("Failed to load resource", "htmx:sendAbort", "htmx:afterRequest")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--pictures", help="folder that tests/browser/pictures.py fills")


@pytest.fixture(scope="session", autouse=True)
def _orm_beside_the_browser() -> Iterator[None]:
    """The browser's driver runs a loop in this thread, which Django takes for async code."""
    patch = pytest.MonkeyPatch()
    patch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    yield
    patch.undo()


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """A Chromium of the system where there is one, else the driver's own."""
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    program = {"executable_path": found} if found else {}
    return {**browser_type_launch_args, **program, "args": [*FLAGS]}


@dataclass
class Window:
    """A page of the product, and what the browser complained about while it was used."""

    page: Page
    server: str
    complaints: list[str] = field(default_factory=list)
    under_way: set[Request] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.page.on("console", self.hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._begun)
        self.page.on("requestfinished", self._ended)
        self.page.on("requestfailed", self._ended)

    def open(self, path: str) -> None:
        """Open a page and wait until it, and what it opens by itself, has come to rest."""
        self.under_way.clear()
        self.page.goto(f"{self.server}{path}")
        self.rest()
        if self.page.locator("#proposal[data-held]").count():
            self.page.wait_for_timeout(KEYS_ALIVE_MS)

    def rest(self) -> None:
        """Until nothing is under way; the driver's own wait for that takes half a second."""
        self.page.wait_for_load_state("load")
        quiet, end = 0, monotonic() + LONGEST_SECONDS
        while quiet < QUIET_LOOKS:
            assert monotonic() < end, [request.url for request in self.under_way]
            self.page.wait_for_timeout(LOOK_MS)
            quiet = 0 if self.under_way else quiet + 1

    def _begun(self, request: Request) -> None:
        self.under_way.add(request)

    def _ended(self, request: Request) -> None:
        self.under_way.discard(request)

    def hear(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(MEANT):
            self.complaints.append(message.text)


Opener = Callable[..., Window]


@pytest.fixture
def open_window(browser: Browser, live_server: LiveServer) -> Iterator[Opener]:
    """`open_window(user=None, size=WIDE, **options)`; what it complains of fails the test."""
    windows: list[tuple[Window, BrowserContext]] = []

    def make(user: User | None = None, size: tuple[int, int] = WIDE, **options: Any) -> Window:
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, locale="en-GB", **options
        )
        if user is not None:
            client = Client()
            client.force_login(user, "django.contrib.auth.backends.ModelBackend")
            name = settings.SESSION_COOKIE_NAME
            value = client.cookies[name].value
            context.add_cookies([{"name": name, "value": value, "url": live_server.url}])
        window = Window(context.new_page(), live_server.url)
        windows.append((window, context))
        return window

    yield make
    complaints = [text for window, _ in windows for text in window.complaints]
    for _, context in windows:
        context.close()
    assert complaints == []
