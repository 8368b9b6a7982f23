"""The small sizes of `make chaos`: one run of all checks, on services of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

from bench.chaos import table
from tests.conftest import PROJECT

PATIENCE_SECONDS = 900.0
# Short, so that what a killed worker held is soon taken over: the tests wait for it many times.
LEASE_SECONDS = "3"
PLANNED = ("DATABASE_URL", "REDIS_URL", "SITE_URL", "SECRET_KEY", "JOB_LEASE_SECONDS")


def own_environment() -> dict[str, str]:
    """This process's, without what says where its services are and how they are set."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in PLANNED and not name.startswith(("COUNTERSIGN_", "PYTEST_", "BENCH_"))
    }
    return kept | {"JOB_LEASE_SECONDS": LEASE_SECONDS}


def test_nothing_is_lost_or_doubled_whatever_breaks(tmp_path: Path) -> None:
    """One test, because one run shows all: a test for each check would have each worker run all."""
    told = tmp_path / "rows.json"
    command = [sys.executable, "-m", "bench.chaos", "--small", "--json", str(told)]
    ended = subprocess.run(
        command, cwd=PROJECT, env=own_environment(), capture_output=True, timeout=PATIENCE_SECONDS
    )

    assert told.exists(), f"It ended with {ended.returncode}: {ended.stderr.decode()[-3000:]}"
    rows = json.loads(told.read_text())
    failed = [
        f"{row['name']} ({row['size']}): {row['figure']}" for row in rows if not row["passed"]
    ]
    assert failed == []
    assert [row["name"] for row in rows] == list(table.names())
