"""The whole demo with real processes: started, used, ended."""

import html
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import requests

from triage.demo.corpus import stories

PROJECT = Path(__file__).resolve().parents[3]
OWN = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "SITE_URL", "DJANGO_SETTINGS_MODULE")
PATIENCE_SECONDS = 240.0
ARRIVED = """
    SELECT t.subject FROM triage_proposal p JOIN triage_ticket t ON t.id = p.ticket_id
    WHERE t.received_at > now() - interval '5 minutes' AND t.closed_at IS NULL
"""


def environment(data: Path, *, demo: bool = True) -> dict[str, str]:
    """As in a fresh shell: nothing of the services that the tests run on."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in OWN and not name.startswith(("COUNTERSIGN_", "PYTEST"))
    }
    return kept | {"COUNTERSIGN_DATA": str(data)} | ({"COUNTERSIGN_DEMO": "1"} if demo else {})


def command(*words: str) -> list[str]:
    return [sys.executable, str(PROJECT / "manage.py"), "demo", *words]


def wait_for_text(log: Path, words: str, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        text = log.read_text()
        if words in text:
            return text
        assert process.poll() is None, text
        time.sleep(0.1)
    raise AssertionError(f"{words!r} did not come: {log.read_text()}")


def running_on(data: Path) -> list[str]:
    """Command lines of the processes whose environment names the data directory, or whose words."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            if str(data) in words or str(data).encode() in (process / "environ").read_bytes():
                found.append(words)
        except OSError:
            continue
    return [words for words in found if words]


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "demo"
    for words in running_on(tmp_path / "demo"):
        pytest.fail(f"left running: {words}")


@pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc to find what is left running")
def test_the_demo_starts_proposes_for_what_arrives_and_ends_with_ctrl_c(
    data: Path, tmp_path: Path
) -> None:
    log = tmp_path / "output"
    with log.open("wb") as out:
        process = subprocess.Popen(
            command("--port", "18600", "--helpdesk-port", "18700", "--every", "1"),
            env=environment(data),
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        text = wait_for_text(log, "Ctrl-C stops everything.", process)
        (url,) = re.findall(r"is ready after \d+ s: +(\S+)/\n", text)
        for login in ("maya", "olivia", "theo", "audrey", "demo-countersign"):
            assert login in text
        subjects = arrived(data)
        assert subjects & {story.subject for story in stories()}
        shown = html.unescape(page_for("maya", url))
        assert any(subject in shown for subject in subjects)
    finally:
        process.send_signal(signal.SIGINT)
        code = process.wait(60)

    assert code == 0, log.read_text()
    assert "nothing is left running" in log.read_text()
    assert running_on(data) == []


def arrived(data: Path) -> set[str]:
    """Subjects of open tickets that came in after the start and have a proposal."""
    url = json.loads((data / "services.json").read_text())["urls"]["postgres"]
    deadline = time.monotonic() + 30
    with psycopg.connect(url, autocommit=True) as connection:
        while time.monotonic() < deadline:
            rows = connection.execute(ARRIVED).fetchall()
            if len(rows) >= 25:
                return {subject for (subject,) in rows}
            time.sleep(0.2)
    raise AssertionError("No proposals came for tickets that arrived after the start.")


def page_for(login: str, url: str) -> str:
    """The first page after signing in as a person would."""
    with requests.Session() as session:
        form = session.get(f"{url}/accounts/login/", timeout=20)
        form.raise_for_status()
        (token,) = set(re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', form.text))
        session.post(
            form.url,
            data={
                "login": login,
                "password": "demo-countersign",
                "csrfmiddlewaretoken": token,
            },
            headers={"Referer": form.url},
            timeout=20,
        ).raise_for_status()
        answer = session.get(f"{url}/", timeout=20)
        assert "accounts/login" not in answer.url
        return answer.text


def test_it_refuses_outside_demo_mode(data: Path, tmp_path: Path) -> None:
    # A database that is named needs no service to be started: the refusal comes first.
    asked = environment(data, demo=False) | {
        name: os.environ[name]
        for name in os.environ
        if name in OWN or name.startswith("COUNTERSIGN_") and name != "COUNTERSIGN_DATA"
    }

    ended = subprocess.run(command(), env=asked, capture_output=True, timeout=60, check=False)

    assert ended.returncode == 1
    assert b"COUNTERSIGN_DEMO=1" in ended.stderr
