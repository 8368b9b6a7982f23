"""How long the pages of reports take over a million decisions, against ten thousand.

After each has been measured, more happens to past tickets, and what was counted day by day since
is held against a full count of the rows.
"""

import time
from collections.abc import Iterator, Sequence
from statistics import median

from django.test import Client

from bench.speed import recounted
from bench.speed.rows import Pair, Row, percentile
from bench.speed.setting import BenchFailed, Setting
from bench.speed.two_worlds import LARGE, SMALL, databases, inside, milliseconds
from review.metrics import rollups
from review.metrics.definitions import ACCEPTANCE
from review.metrics.definitions_checks import AI_ERROR
from review.metrics.sections import SECTIONS
from review.models import ProposalCount
from triage.models import Proposal

WINDOWS = {
    "month": ("days=30", "over 30 days"),
    "all_days": ("from=2020-01-01", "over all of two years"),
}
# What a row's name has of the page, its address, and what it is.
PAGES = {
    "": ("/metrics/", "the page of metrics"),
    **{
        f"{slug}_": (f"/metrics/{slug}/", f"the page “{section.question}”")
        for slug, section in SECTIONS.items()
    },
    "kpis_": ("/metrics/kpis/", "the page of before and now"),
    "csv_": (f"/metrics/{AI_ERROR.key}.csv", "a report on checks as CSV"),
    "json_": (f"/api/v1/metrics/{ACCEPTANCE.key}/", "a report on decisions as JSON"),
}
PATHS = {
    f"metrics_{page}{window}_million_vs_10k": (
        f"{path}?{query}",
        f"median milliseconds of {what} {said}, with a million decisions of two years against ten "
        "thousand",
    )
    for page, (path, what) in PAGES.items()
    for window, (query, said) in WINDOWS.items()
}
WAIT = "metrics_wait_vs_deadline"
NAMES = (*PATHS, WAIT)
WARM = 1
AT_A_TIME = 3
# Of the past tickets that go on while somebody asks for a report.
EVERY_LATER = 500


def rows(setting: Setting, names: Sequence[str]) -> Iterator[Row]:
    """The pages first: to hold a million decisions against their counts takes far longer."""
    setting.stack.up("postgres", "valkey")
    with databases(setting, for_reports=True) as client:
        for name in (SMALL, LARGE):
            _count(setting, name)
        pairs: dict[str, list[Pair]] = {name: [] for name in names if name in PATHS}
        notes: dict[str, str] = {}
        for _ in range(setting.rounds):
            for page in pairs:
                took = _round(setting, client, PATHS[page][0])
                pairs[page].append(Pair(median(took[LARGE]), median(took[SMALL])))
                notes[page] = f"95 % within {percentile(took[LARGE], 0.95):.1f} ms with the many"
        for page, own in pairs.items():
            yield Row(page, PATHS[page][1], "ms", own, notes=[notes[page]])
        if WAIT in names:
            waits = [_wait(setting, client) for _ in range(setting.rounds)]
            compared = (
                "longest seconds of a page while days wait to be counted, against its deadline"
            )
            yield Row(WAIT, compared, "s", waits, notes=[_hold_against_rows(setting)])


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


def _wait(setting: Setting, client: Client) -> Pair:
    """Of pages that are asked for one after the other until all is counted."""
    path = "/metrics/?days=30"
    with inside(LARGE):
        idle = milliseconds(client, path)
        recounted.happen(EVERY_LATER)
        longest = max(milliseconds(client, path) for _ in range(5)) - idle
        rollups.catch_up()
    return Pair(longest / 1000, rollups.PAGE_SECONDS)


def _hold_against_rows(setting: Setting) -> str:
    """BenchFailed if a single count differs from what the rows say."""
    with inside(LARGE):
        recounted.happen(EVERY_LATER + 1)
        rollups.catch_up()
        began = time.perf_counter()
        differ, size = recounted.differences()
        passed = time.perf_counter() - began
    if differ:
        raise BenchFailed(f"{differ:,} of {size:,} counts differ from a full count of the rows.")
    setting.tell(f"a full count took {passed:.0f} s")
    return f"all {size:,} counts and stories equal a full count, which took {passed:.0f} s"
