"""The sweeper as a process of its own."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection

from tests.triage.test_ledger import write

PATIENCE_SECONDS = 60.0


@pytest.mark.django_db(transaction=True)
def test_the_sweeper_exports_the_ledgers_head_and_ends_when_told_to(tmp_path: Path) -> None:
    write(2)
    url = urlsplit(settings.DATABASE_URL)
    environment = os.environ | {
        "DATABASE_URL": url._replace(path=f"/{connection.settings_dict['NAME']}").geturl(),
        "COUNTERSIGN_LEDGER_DIR": str(tmp_path),
    }
    sweeper = subprocess.Popen(
        [sys.executable, "manage.py", "sweep"], cwd=settings.BASE_DIR, env=environment
    )
    try:
        lines = lines_of(tmp_path)
    finally:
        sweeper.terminate()
        ended = sweeper.wait(PATIENCE_SECONDS)

    assert [json.loads(line)["sequence"] for line in lines] == [2]
    assert ended == 0


def lines_of(folder: Path) -> list[str]:
    """Those of the first head, as soon as it is there."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        for path in folder.glob("heads-*.jsonl"):
            if (text := path.read_text()).endswith("\n"):
                return text.splitlines()
        time.sleep(0.1)
    return []
