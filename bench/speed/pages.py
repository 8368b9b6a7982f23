"""How long the queue and a ticket take with a million tickets, against ten thousand.

Two databases on one server, asked in turn by one process, so that a busy machine slows both.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import median

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from psycopg import sql

from bench.speed import filled
from bench.speed.rows import Pair, Row, percentile
from bench.speed.setting import BenchFailed, Setting
from bench.world import new_desk
from review.models import Reason
from review.roles import TECHNICIAN, ensure_groups, give_role
from triage.models import Field, ModelVersion, Waiting

QUEUE, TICKET = "queue_page_million_vs_10k", "ticket_page_million_vs_10k"
NAMES = (QUEUE, TICKET)
COMPARED = {
    QUEUE: "median milliseconds of the queue page with a million tickets, 50,000 of them waiting, "
    "against ten thousand with 500",
    TICKET: "median milliseconds of the page of a waiting ticket, with the queue beside it, among "
    "as many",
}
SMALL, LARGE = "pages_small", "pages_large"
WARM = 3
AT_A_TIME = 10
# PostgreSQL finds the last element of an array of texts by passing all others.
SENTENCES, LONGEST = 400, 120


def rows(setting: Setting, names: Sequence[str]) -> list[Row]:
    setting.stack.up("postgres", "valkey")
    with _databases(setting) as client:
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


@contextmanager
def _databases(setting: Setting) -> Iterator[Client]:
    """Both of them filled, and a technician who is signed in to either; dropped afterwards."""
    few, many = setting.sizes.pages_few, setting.sizes.pages
    _statement("CREATE DATABASE {}", SMALL)
    try:
        with _inside(SMALL):
            call_command("migrate", interactive=False, verbosity=0)
            ground = _ground(setting)
            client = Client(SERVER_NAME=settings.ALLOWED_HOSTS[0])
            client.force_login(ground.reviewer)
            filled.fill(ground, 1, few)
        _statement("CREATE DATABASE {} TEMPLATE {}", LARGE, SMALL)
        with _inside(LARGE):
            began = time.perf_counter()
            filled.fill(ground, few + 1, many)
            setting.tell(f"{many:,} tickets, after {time.perf_counter() - began:.0f} s")
        yield client
    finally:
        for name in (LARGE, SMALL):
            _statement("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


@contextmanager
def _inside(name: str) -> Iterator[None]:
    """Django's connection leads to another database of the same server."""
    was = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = was


def _statement(text: str, *names: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(text).format(*map(sql.Identifier, names)))


def _ground(setting: Setting) -> filled.Ground:
    desk = new_desk()
    call_command("prepare", verbosity=0)
    ensure_groups()
    reviewer = User.objects.create_user("maya")
    give_role(reviewer, TECHNICIAN)
    model = ModelVersion.objects.create(
        field=Field.objects.get(source=desk.source, is_main=True),
        number=1,
        owner=desk.source.owner,
        state=ModelVersion.State.CHAMPION,
        artefact="none.skops",
        sha256="0" * 64,
        label_count=0,
    )
    sentences = sorted({row.body[:LONGEST] for row in setting.corpus.fresh})[:SENTENCES]
    reason = Reason.objects.filter(applies_to=Reason.AppliesTo.OVERRIDE).earliest("pk")
    return filled.Ground(desk, reviewer, model, reason, sentences)


def _paths(setting: Setting, name: str) -> dict[str, list[str]]:
    """The same queue each time; tickets from all over it."""
    asked = max(setting.sizes.pages_asked, WARM + 1)
    with _inside(name):
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
                with _inside(name):
                    # A connection that is new has everything to find out.
                    for path in asked[page][:WARM]:
                        _get(client, path)
                    took[name][page] += [
                        _get(client, path) for path in asked[page][start : start + AT_A_TIME]
                    ]
    return took


def _get(client: Client, path: str) -> float:
    began = time.perf_counter()
    response = client.get(path)
    passed = 1000 * (time.perf_counter() - began)
    if response.status_code != 200:
        raise BenchFailed(f"{path} answered {response.status_code}.")
    return passed


def _queries(client: Client, name: str, paths: dict[str, list[str]]) -> dict[str, int]:
    counts = {}
    with _inside(name):
        for page, asked in paths.items():
            _get(client, asked[0])
            with CaptureQueriesContext(connection) as captured:
                _get(client, asked[0])
            counts[page] = len(captured)
    return counts
