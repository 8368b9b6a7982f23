"""How long the queue and a ticket take with a million tickets, against ten thousand."""

from collections.abc import Sequence
from statistics import median

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bench.speed.rows import Pair, Row, percentile
from bench.speed.setting import Setting
from bench.speed.two_worlds import LARGE, SMALL, databases, inside, milliseconds
from triage.models import Waiting

QUEUE, TICKET = "queue_page_million_vs_10k", "ticket_page_million_vs_10k"
NAMES = (QUEUE, TICKET)
COMPARED = {
    QUEUE: "median milliseconds of the queue page with a million tickets, 50,000 of them waiting, "
    "against ten thousand with 500",
    TICKET: "median milliseconds of the page of a waiting ticket, with the queue beside it, among "
    "as many",
}
WARM = 3
AT_A_TIME = 10


def rows(setting: Setting, names: Sequence[str]) -> list[Row]:
    setting.stack.up("postgres", "valkey")
    with databases(setting) as client:
        paths = {name: _paths(setting, name) for name in (SMALL, LARGE)}
        pairs: dict[str, list[Pair]] = {name: [] for name in NAMES}
        notes: dict[str, str] = {}
        for _ in range(setting.rounds):
            took = _round(client, paths)
            for page in NAMES:
                large, small = took[LARGE][page], took[SMALL][page]
                pairs[page].append(Pair(median(large), median(small)))
                notes[page] = f"95 % within {percentile(large, 0.95):.1f} ms with the many"
        counts = {name: _queries(client, name, paths[name]) for name in (SMALL, LARGE)}
    return [
        Row(
            page,
            COMPARED[page],
            "ms",
            pairs[page],
            notes=[
                notes[page],
                f"{counts[LARGE][page]} queries, {counts[SMALL][page]} with the few",
                f"{setting.sizes.pages:,} tickets against {setting.sizes.pages_few:,}",
            ],
        )
        for page in names
    ]


def _paths(setting: Setting, name: str) -> dict[str, list[str]]:
    """The same queue each time; tickets from all over it."""
    asked = max(setting.sizes.pages_asked, WARM + 1)
    with inside(name):
        waiting = Waiting.objects.order_by("look_by")
        step = max(1, waiting.count() // asked)
        tickets = list(waiting.values_list("ticket_id", flat=True)[::step][:asked])
    return {QUEUE: ["/"] * asked, TICKET: [f"/tickets/{pk}/" for pk in tickets]}


def _round(
    client: Client, paths: dict[str, dict[str, list[str]]]
) -> dict[str, dict[str, list[float]]]:
    """Milliseconds of each request, by database and page; a few in turn, so that both have a share
    of whatever else the machine does.
    """
    took: dict[str, dict[str, list[float]]] = {name: {page: [] for page in NAMES} for name in paths}
    for page in NAMES:
        for start in range(0, len(paths[SMALL][page]), AT_A_TIME):
            for name, asked in paths.items():
                with inside(name):
                    # A connection that is new has everything to find out.
                    for path in asked[page][:WARM]:
                        milliseconds(client, path)
                    took[name][page] += [
                        milliseconds(client, path)
                        for path in asked[page][start : start + AT_A_TIME]
                    ]
    return took


def _queries(client: Client, name: str, paths: dict[str, list[str]]) -> dict[str, int]:
    counts = {}
    with inside(name):
        for page, asked in paths.items():
            milliseconds(client, asked[0])
            with CaptureQueriesContext(connection) as captured:
                milliseconds(client, asked[0])
            counts[page] = len(captured)
    return counts
