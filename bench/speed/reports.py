"""How long the page of metrics takes over a million decisions, against ten thousand.

After each has been measured, what was counted day by day is held against a full count of the rows.
"""

import time
from collections.abc import Sequence
from statistics import median
from typing import Any

from django.db.models import FloatField
from django.test import Client

from bench.speed.rows import Pair, Row, percentile
from bench.speed.setting import BenchFailed, Setting
from bench.speed.two_worlds import LARGE, SMALL, databases, inside, milliseconds
from review.metrics import day_counts, rollups
from review.models import ProposalCount
from triage.models import Proposal

MONTH, ALWAYS = "metrics_month_million_vs_10k", "metrics_all_days_million_vs_10k"
NAMES = (MONTH, ALWAYS)
PATHS = {MONTH: "/metrics/?days=30", ALWAYS: "/metrics/?from=2020-01-01"}
COMPARED = {
    MONTH: "median milliseconds of the page of metrics over 30 days, with a million decisions of "
    "two years against ten thousand",
    ALWAYS: "the same over all of the two years",
}
WARM = 2
AT_A_TIME = 5


def rows(setting: Setting, names: Sequence[str]) -> list[Row]:
    setting.stack.up("postgres", "valkey")
    with databases(setting, every_decided=1) as client:
        for name in (SMALL, LARGE):
            _count(setting, name)
        pairs: dict[str, list[Pair]] = {name: [] for name in names}
        notes: dict[str, str] = {}
        for _ in range(setting.rounds):
            for page in names:
                took = _round(setting, client, PATHS[page])
                pairs[page].append(Pair(median(took[LARGE]), median(took[SMALL])))
                notes[page] = f"95 % within {percentile(took[LARGE], 0.95):.1f} ms with the many"
        same = _hold_against_rows(setting)
    return [
        Row(page, COMPARED[page], "ms", pairs[page], notes=[notes[page], same]) for page in names
    ]


def _count(setting: Setting, name: str) -> None:
    with inside(name):
        began = time.perf_counter()
        rollups.catch_up()
        passed = time.perf_counter() - began
        setting.tell(
            f"{Proposal.objects.count():,} proposals are {ProposalCount.objects.count():,} rows of "
            f"counts, after {passed:.0f} s"
        )


def _round(setting: Setting, client: Client, path: str) -> dict[str, list[float]]:
    took: dict[str, list[float]] = {SMALL: [], LARGE: []}
    for _ in range(max(1, setting.sizes.pages_asked // (4 * AT_A_TIME))):
        for name, found in took.items():
            with inside(name):
                for _ in range(WARM):
                    milliseconds(client, path)
                found += [milliseconds(client, path) for _ in range(AT_A_TIME)]
    return took


def _hold_against_rows(setting: Setting) -> str:
    """BenchFailed if a single count differs from what the rows say."""
    with inside(LARGE):
        before = _counted()
        began = time.perf_counter()
        rollups.recount()
        passed = time.perf_counter() - began
        if _counted() != before:
            raise BenchFailed("The counts of days differ from a full count of the rows.")
    size = sum(map(len, before.values()))
    return f"all {size:,} counts equal a full count, which took {passed:.0f} s"


def _counted() -> dict[str, set[tuple[Any, ...]]]:
    found = {}
    for model in day_counts.KINDS:
        # Sums of seconds come in another order, and so with another last digit.
        names = [
            field.attname
            for field in model._meta.concrete_fields
            if field.name != "id" and not isinstance(field, FloatField)
        ]
        found[model.__name__] = set(model._default_manager.values_list(*names))
    return found
