"""One ticket the whole way: webhook, worker, browser, helpdesk, metrics, label, next model.

Nothing stands in for anything: a real web server, a Celery worker in its own process on the real
broker, PostgreSQL, Chromium, and a helpdesk that speaks HTTP.
"""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import requests
from django.core.management import call_command
from django.db import connection
from playwright.sync_api import expect
from pytest_django import Settings

from review.models import Decision, Reason
from review.roles import TECHNICIAN
from tests.browser.conftest import (
    Opener,
    Window,
    _orm_beside_the_browser,
    browser_type_launch_args,
    open_window,
)
from tests.conftest import (
    PROJECT,
    new_catalogue,
    new_secret,
    new_source,
    new_ticket,
    new_user,
    signed,
    ticket_message,
)
from tests.triage.faulty_helpdesk import FaultyHelpdesk
from triage import ledger, steps
from triage.models import Effect, Job, Label, ModelVersion, Proposal, Source, SourceSecret, Ticket

__all__ = ["_orm_beside_the_browser", "browser_type_launch_args", "open_window"]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]

PHRASES = {
    "access": ("password locked", "sign in refused", "account expired", "reset my login"),
    "hardware": ("laptop broken", "screen black", "keyboard keys stuck", "battery swollen"),
    "network": ("vpn drops", "wifi slow", "tunnel closes", "no internet"),
}
ENDINGS = ("since monday", "again today", "for our team", "please help", "urgently")


def wait_for(what: Callable[[], Any], name: str, seconds: float = 45) -> Any:
    end = time.monotonic() + seconds
    while not (found := what()):
        if time.monotonic() > end:
            stuck = list(Job.objects.values("kind", "attempts", "last_error"))
            pytest.fail(f"{name} did not happen within {seconds:.0f} s; jobs: {stuck}")
        time.sleep(0.1)
    return found


@pytest.fixture
def model_dir(settings: Settings, tmp_path: Path) -> Path:
    settings.COUNTERSIGN_MODEL_DIR = tmp_path / "models"
    return tmp_path / "models"


@pytest.fixture
def worker(transactional_db: None, model_dir: Path, tmp_path: Path) -> Iterator[None]:
    """A Celery worker in a process of its own, on this test's database and broker."""
    name = str(connection.settings_dict["NAME"])
    address = os.environ["DATABASE_URL"].rsplit("/", 1)[0]
    environment = {
        **os.environ,
        "DATABASE_URL": f"{address}/{name}",
        "COUNTERSIGN_MODEL_DIR": str(model_dir),
    }
    log = (tmp_path / "worker.log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "config", "worker", "-c", "1", "-l", "INFO"],
        cwd=PROJECT,
        env=environment,
        stdout=log,
        stderr=log,
    )
    yield
    process.terminate()
    process.wait(30)
    log.close()
    assert "Traceback" not in (tmp_path / "worker.log").read_text()


@pytest.fixture
def helpdesk() -> Iterator[tuple[FaultyHelpdesk, str]]:
    desk = FaultyHelpdesk()
    yield desk, desk.start()
    desk.stop()


@pytest.fixture
def source(transactional_db: None, helpdesk: tuple[FaultyHelpdesk, str]) -> Source:
    """A connected helpdesk with 40 solved tickets of each of three categories."""
    source = new_source(slug="desk", api_url=helpdesk[1], allows_private_addresses=True)
    new_secret(source, "token-of-the-helpdesk", purpose=SourceSecret.Purpose.OUTBOUND)
    choices = new_catalogue(source)
    for key, phrases in PHRASES.items():
        for phrase, ending, number in product(phrases, ENDINGS, range(2)):
            ticket = new_ticket(source, subject=phrase, body=f"{phrase} {ending} {number}")
            Ticket.objects.filter(pk=ticket.pk).update(closed_at=ticket.opened_at)
            steps.record_label(ticket, choices[key].field, choices[key], origin="history")
    Reason.objects.create(key="other", label="Other", applies_to="override", digit=1)
    return source


def post(server: str, message: dict[str, Any], webhook_id: str) -> requests.Response:
    body = json.dumps(message).encode()
    headers = {"Content-Type": "application/json", **signed(body, webhook_id=webhook_id)}
    address = f"{server}/api/v1/sources/desk/webhook"
    return requests.post(address, data=body, headers=headers, timeout=10)


def test_one_ticket_walks_from_webhook_to_the_next_model(
    source: Source,
    helpdesk: tuple[FaultyHelpdesk, str],
    worker: None,
    open_window: Opener,
) -> None:
    call_command("train", "--source=desk", "--field=category", verbosity=0)
    remote = helpdesk[0].put("W-1")
    window = open_window(new_user("maya", TECHNICIAN, first_name="Maya"))
    window.open("/metrics/")
    expect(window.page.get_by_text("No proposal in this window")).to_be_visible()

    webhook_becomes_proposal(window)
    technician_accepts(window)
    helpdesk_is_changed_once(remote)
    metric_moves(window)
    decision_teaches_the_next_model()
    next_model_answers(window)

    assert ledger.verify() is None


def webhook_becomes_proposal(window: Window) -> None:
    message = ticket_message(id="W-1", subject="my vpn drops", body="again")
    assert post(window.server, message, "msg-1").status_code == 202

    proposal = wait_for(Proposal.objects.first, "A proposal")
    value = proposal.values.select_related("choice").get(field__key="category")
    assert (value.choice.key, value.basis) == ("network", "model")


def technician_accepts(window: Window) -> None:
    window.open("/")
    expect(window.page.locator("h1")).to_have_text("my vpn drops")
    window.page.keyboard.press("a")

    expect(window.page.locator("#toast")).to_contain_text("Accepted #W-1")
    assert Decision.objects.get().verdict == "accepted"


def helpdesk_is_changed_once(remote: dict[str, Any]) -> None:
    wait_for(lambda: not Effect.objects.exclude(state="applied").exists(), "The write-back")
    wait_for(lambda: not Job.objects.exists(), "The end of all jobs")

    assert remote["values"] == {"category": "network", "team": "infrastructure"}
    assert len(remote["notes"]) == 1
    assert "accepted by Maya" in remote["notes"][0]["body"]


def metric_moves(window: Window) -> None:
    window.open("/metrics/")

    expect(window.page.locator("main")).to_contain_text(re.compile(r"accepted\s+1\b", re.I))


def decision_teaches_the_next_model() -> None:
    label = Label.objects.get(origin="decision", field__key="category")
    assert label.choice.key == "network"

    call_command("train", "--source=desk", "--field=category", "--promote", verbosity=0)

    first, second = ModelVersion.objects.order_by("number")
    assert (first.label_count, second.label_count) == (120, 121)
    assert second.evidence["origins"] == {"history": 120, "decision": 1}


def next_model_answers(window: Window) -> None:
    message = ticket_message(id="W-2", subject="laptop broken", body="help")
    assert post(window.server, message, "msg-2").status_code == 202

    second = Proposal.objects.filter(ticket__external_id="W-2")
    proposal = wait_for(second.first, "The next proposal")
    prediction = proposal.values.get(field__key="category").prediction
    assert prediction.model_version == ModelVersion.objects.get(number=2)
