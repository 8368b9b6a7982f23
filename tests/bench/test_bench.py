"""That `make bench` works, with small sizes; the figures themselves belong to a quiet machine."""

import json
import math
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bench.speed.rows import Pair, Row, Target, percentile

PROJECT = Path(__file__).resolve().parents[2]
INTAKE_AND_DRAIN = (
    "intake_vs_bare_django",
    "intake_vs_pgbench",
    "drain_from_deliveries_vs_predict_proba",
    "drain_until_quiet_vs_predict_proba",
)
SIMILAR = ("similar_vs_50_ms", "similar_million_vs_10k", "similar_recall_vs_newest")
PAGES = ("queue_page_million_vs_10k", "ticket_page_million_vs_10k")


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    """As somebody runs it who has set nothing."""
    given = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "COUNTERSIGN_", "BENCH_", "DJANGO_")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(given)}
    return subprocess.run(
        [sys.executable, "-m", "bench", *arguments],
        cwd=PROJECT,
        env=clean,
        capture_output=True,
        text=True,
        timeout=600,
    )


@dataclass(frozen=True)
class Measured:
    told: str
    rows: dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    """One run for all, because its services take long to start."""
    results = tmp_path_factory.mktemp("bench") / "results.json"
    names = (*INTAKE_AND_DRAIN, *SIMILAR, *PAGES)
    done = bench("--quick", "--rounds", "1", "--json", str(results), "--only", *names)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = {row["name"]: row for row in json.loads(results.read_text())}
    assert sorted(rows) == sorted(names)
    return Measured(done.stdout, rows)


def test_the_bench_compares_intake_and_drain_and_writes_what_it_found(measured: Measured) -> None:
    for name in INTAKE_AND_DRAIN:
        row = measured.rows[name]
        assert all(math.isfinite(row[key]) and row[key] > 0 for key in ("ratio", "ours", "against"))
        assert row["ratio"] == pytest.approx(row["ours"] / row["against"])
        assert row["unit"] == "a second"
        assert row["machine"]["fsync"] == "on"
        assert f"{name}: {row['compared']}" in measured.told
    # Four of the eight clients at each of the two processes, on our side.
    notes = measured.rows["intake_vs_bare_django"]["notes"]
    assert "connections by process [4, 4]" in notes[0]


def test_the_bench_finds_similar_tickets_and_counts_which_are_found(measured: Measured) -> None:
    recall = measured.rows["similar_recall_vs_newest"]

    assert all(measured.rows[name]["ours"] > 0 for name in SIMILAR)
    assert 0.5 < recall["ours"] <= 1
    assert "of 10 with a twin, it is shown for 10" in recall["notes"][0]


def test_the_bench_asks_for_pages_in_a_small_and_a_large_database(measured: Measured) -> None:
    for name in PAGES:
        row = measured.rows[name]
        assert row["ours"] > 0
        queries, with_few = map(int, re.findall(r"\d+", row["notes"][1]))
        assert queries == with_few <= 12
        assert row["notes"][2] == "1,000 tickets against 200"


def test_an_unknown_comparison_is_refused_with_the_names_there_are() -> None:
    done = bench("--only", "speed_of_light")

    assert done.returncode == 2
    assert "speed_of_light" in done.stderr
    assert "latency_p99_vs_noop" in done.stderr
    assert "memory_growth_100k" in done.stderr


def test_a_row_sums_up_its_rounds_by_the_median_of_their_ratios() -> None:
    pairs = [Pair(10, 100), Pair(90, 100), Pair(30, 300)]

    row = Row("a_vs_b", "this against that", "a second", pairs, Target(0.2))

    found = row.figures()
    assert found["ratio"] == pytest.approx(0.1)
    assert (found["ours"], found["against"]) == (30, 100)
    assert (found["lowest"], found["highest"]) == pytest.approx((0.1, 0.9))
    assert found["met"] is False
    assert "target >= 0.2: MISSED; 0.1 to 0.9 over 3 rounds" in row.lines()[1]


def test_a_target_can_be_a_ceiling() -> None:
    assert Target(1.5, at_most=True).is_met(1.4)
    assert not Target(1.5, at_most=True).is_met(1.6)


@pytest.mark.parametrize(
    ("share", "expected"), [(0.5, 50), (0.99, 99), (0.991, 100), (1.0, 100), (0.0, 1)]
)
def test_a_percentile_is_a_value_that_was_measured(share: float, expected: int) -> None:
    assert percentile(list(range(100, 0, -1)), share) == expected
