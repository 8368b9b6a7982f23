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
# Long, and about what tests of its own look at more closely. `make chaos` runs these as well.
TESTED_ELSEWHERE = {
    "scripts in texts": "tests/browser/test_looks.py",
    "every operation of the API": "tests/triage/api/test_schema.py",
    "slow helpdesk": "tests/triage/test_http.py",
    "model files": "tests/learning/test_artefacts.py",
    "erasure": "tests/triage/test_erasure.py",
}
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
    checks = [name for name in table.names() if name not in TESTED_ELSEWHERE]
    command = [sys.executable, "-m", "bench.chaos", "--small", "--json", str(told), "--only"]
    ended = subprocess.run(
        [*command, *checks],
        cwd=PROJECT,
        env=own_environment(),
        capture_output=True,
        timeout=PATIENCE_SECONDS,
    )

    assert told.exists(), f"It ended with {ended.returncode}: {ended.stderr.decode()[-3000:]}"
    rows = json.loads(told.read_text())
    failed = [
        f"{row['name']} ({row['size']}): {row['figure']}" for row in rows if not row["passed"]
    ]
    assert failed == []
    assert [row["name"] for row in rows] == checks


def test_what_is_left_to_tests_of_its_own_has_some() -> None:
    assert TESTED_ELSEWHERE.keys() < set(table.names())
    assert all((PROJECT / path).exists() for path in TESTED_ELSEWHERE.values())
