"""A real Chromium against a live server, with a person signed in."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page
from pytest_django.live_server_helper import LiveServer

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
WIDE = (1440, 900)
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

    def open(self, path: str) -> None:
        """Open a page and wait until it, and what it opens by itself, has come to rest."""
        self.page.goto(f"{self.server}{path}")
        self.page.wait_for_load_state("networkidle")

    def rest(self) -> None:
        self.page.wait_for_load_state("networkidle")

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
        window.page.on("console", window.hear)
        window.page.on("pageerror", lambda error: window.complaints.append(str(error)))
        windows.append((window, context))
        return window

    yield make
    complaints = [text for window, _ in windows for text in window.complaints]
    for _, context in windows:
        context.close()
    assert complaints == []
