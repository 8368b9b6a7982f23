"""What a first view brings over the wire, and how calmly it comes: bytes, shifts, long tasks."""

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from playwright._impl._api_structures import SetCookieParam
from playwright.sync_api import Browser, Page, Request

from review.roles import TECHNICIAN
from tests.browser.eyes import WIDE
from tests.conftest import PROJECT, new_user
from tests.review.fullest import make_fullest
from tests.review.helpers import Desk, make_desk, make_proposal
from triage.demo.processes import Child, answers, free_port, stop, wait_for
from triage.models import Choice, Ticket

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
MOST_BYTES = 150_000
LONG_TASK_MS = 50
LOADS = 3
WATCH = """
    window.shifts = [];
    const place = ({node, previousRect: was, currentRect: is}) =>
      `${node?.outerHTML?.slice(0, 80)} from ${was.x},${was.y} to ${is.x},${is.y}`;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries())
        if (!entry.hadRecentInput) shifts.push([entry.value, ...entry.sources.map(place)]);
    }).observe({type: "layout-shift", buffered: true});
"""


@pytest.fixture
def desk(transactional_db: None) -> Desk:
    """As large as a company's: a page of waiting tickets, a hundred categories."""
    desk = make_desk()
    for number in range(100):
        Choice.objects.create(
            field=desk.category,
            key=f"network.{number}",
            name=f"Network of building {number}",
            parent=desk["network"],
        )
    for _ in range(30):
        make_proposal(desk)
    return desk


@pytest.fixture
def full(desk: Desk) -> Ticket:
    return make_fullest(desk)


@pytest.fixture
def maya(desk: Desk) -> User:
    return new_user("maya", TECHNICIAN)


@pytest.fixture
def served(transactional_db: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Production's server on the rows of this test: the one of the tests compresses nothing."""
    port = free_port(18_080)
    parts = urlsplit(os.environ["DATABASE_URL"])
    database = urlunsplit(parts._replace(path="/" + quote(connection.settings_dict["NAME"])))
    url = f"http://127.0.0.1:{port}"
    web = Child(
        "web",
        [
            "env", f"DATABASE_URL={database}", f"SITE_URL={url}", f"PYTHONPATH={PROJECT}",
            sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1",
            "--port", str(port), "--workers", "1", "--no-ws", "config.wsgi:application",
        ],
        tmp_path_factory.mktemp("web") / "web.log",
        lambda _: answers(f"{url}/ready/"),
    )  # fmt: skip
    web.start()
    try:
        wait_for([web], told=lambda child, seconds: None)
        yield url
    finally:
        stop([web])


@dataclass
class Load:
    """One view with nothing kept from before."""

    total: int = 0
    requests: list[Request] = field(default_factory=list)
    by_path: dict[str, int] = field(default_factory=dict)
    shifts: list[Any] = field(default_factory=list)
    tasks: list[float] = field(default_factory=list)


def load(browser: Browser, server: str, user: User, path: str) -> Load:
    context = browser.new_context(viewport={"width": WIDE[0], "height": WIDE[1]})
    client = Client()
    client.force_login(user, "review.accounts.People")
    name = settings.SESSION_COOKIE_NAME
    cookie: SetCookieParam = {"name": name, "value": client.cookies[name].value, "url": server}
    context.add_cookies([cookie])
    page = context.new_page()
    page.add_init_script(WATCH)
    found = Load()
    _count(page, found)
    page.on("request", lambda request: found.requests.append(request))
    browser.start_tracing(page=page, categories=["toplevel"])
    page.goto(f"{server}{path}")
    page.wait_for_load_state("networkidle")
    found.tasks = tasks(browser.stop_tracing())
    found.shifts = page.evaluate("shifts")
    context.close()
    return found


def tasks(trace: bytes) -> list[float]:
    """Milliseconds of each task in the page, longest first; waiting for the processor left out."""
    events = json.loads(trace)["traceEvents"]
    pages = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    found = [
        event["tdur"] / 1000
        for event in events
        if "tdur" in event and (event["pid"], event["tid"]) in pages
    ]
    return sorted(found, reverse=True)


def _count(page: Page, found: Load) -> None:
    urls: dict[str, str] = {}
    wire = page.context.new_cdp_session(page)
    wire.send("Network.enable")

    def finished(event: dict[str, Any]) -> None:
        found.total += event["encodedDataLength"]
        path = urlsplit(urls.get(event["requestId"], "")).path
        found.by_path[path] = found.by_path.get(path, 0) + event["encodedDataLength"]

    wire.on(
        "Network.requestWillBeSent", lambda e: urls.update({e["requestId"]: e["request"]["url"]})
    )
    wire.on("Network.loadingFinished", finished)


def test_a_first_view_is_small_calm_and_ours_alone(
    browser: Browser, served: str, full: Ticket, maya: User
) -> None:
    for path in ("/", f"/tickets/{full.pk}/", "/history/", "/metrics/"):
        found = load(browser, served, maya, path)

        assert found.total < MOST_BYTES, found.by_path
        assert found.shifts == [], path
        for request in found.requests:
            assert request.url.startswith((f"{served}/", "data:")), request.url


def test_nothing_holds_the_browser_up_while_it_loads(
    browser: Browser, served: str, full: Ticket, maya: User
) -> None:
    for path in ("/", f"/tickets/{full.pk}/", "/history/"):
        # A processor shared with others is slow at times; a task that is long always is.
        longest = [load(browser, served, maya, path).tasks[0] for _ in range(LOADS)]

        assert min(longest) <= LONG_TASK_MS, (path, longest)
