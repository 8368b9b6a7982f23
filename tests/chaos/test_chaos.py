"""The small sizes of `make chaos`: one run of all checks, on services of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.chaos import table
from tests.conftest import PROJECT

PATIENCE_SECONDS = 900.0
# Short, so that what a killed worker held is soon taken over: the tests wait for it many times.
LEASE_SECONDS = "3"
PLANNED = ("DATABASE_URL", "REDIS_URL", "SITE_URL", "SECRET_KEY", "JOB_LEASE_SECONDS")

pytestmark = pytest.mark.xdist_group("chaos")


def own_environment() -> dict[str, str]:
    """This process's, without what says where its services are and how they are set."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in PLANNED and not name.startswith(("COUNTERSIGN_", "PYTEST_", "BENCH_"))
    }
    return kept | {"JOB_LEASE_SECONDS": LEASE_SECONDS}


@pytest.fixture(scope="session")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What each check showed, by its name."""
    told: Path = tmp_path_factory.mktemp("chaos") / "rows.json"
    command = [sys.executable, "-m", "bench.chaos", "--small", "--json", str(told)]
    ended = subprocess.run(
        command, cwd=PROJECT, env=own_environment(), capture_output=True, timeout=PATIENCE_SECONDS
    )
    assert told.exists(), f"It ended with {ended.returncode}: {ended.stderr.decode()[-3000:]}"
    return {row["name"]: row for row in json.loads(told.read_text())}


@pytest.mark.parametrize("name", table.names())
def test_nothing_is_lost_or_doubled_when(name: str, rows: dict[str, dict[str, Any]]) -> None:
    row = rows[name]

    assert row["passed"], f"{name} ({row['size']}): {row['figure']}"
