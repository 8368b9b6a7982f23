"""Counters of rows: exact, never falling, and never at the cost of all rows."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.utils import timezone
from prometheus_client.core import CounterMetricFamily, Metric

from review import erasure
from review.telemetry import COUNTERS as OF_PEOPLE
from tests.review.helpers import make_desk, make_proposal
from tests.review.scraping import rows_read
from tests.threads import in_threads as in_threads
from triage.erasure import Whose
from triage.models import Delivery, Source, Tally, TallyMark
from triage.telemetry import tallies
from triage.telemetry.traffic import COUNTERS

pytestmark = pytest.mark.django_db

DELIVERIES = COUNTERS[0]
TABLE = "triage_delivery"
FILL = """
    INSERT INTO triage_delivery
        (source_id, webhook_id, body, body_sha256, received_at, outcome, explanation)
    SELECT %(source)s, 'past-' || n, '', '', %(until)s - n * interval '1 second', 'applied', ''
    FROM generate_series(1, %(rows)s) AS n
"""


def receive(source: Source, number: int = 1, **ago: float) -> None:
    for _ in range(number):
        row = Delivery.objects.create(
            source=source, webhook_id=f"msg-{Delivery.objects.count()}", body=b"{}"
        )
        Delivery.objects.filter(pk=row.pk).update(received_at=timezone.now() - timedelta(**ago))


def values(metrics: Sequence[Metric]) -> dict[str, float]:
    """By the counter's name and the value of its label."""
    return {
        "/".join([metric.name.removeprefix("countersign_"), *sample.labels.values()]): sample.value
        for metric in metrics
        if isinstance(metric, CounterMetricFamily)
        for sample in metric.samples
    }


def counted() -> dict[str, float]:
    counters = [*COUNTERS, *OF_PEOPLE]
    tallies.keep(counters)
    return values(list(tallies.families(counters)))


def test_rows_are_counted_once_wherever_the_mark_stands(make_source: Callable[..., Source]) -> None:
    desk, other = make_source(slug="desk"), make_source(slug="other")
    receive(desk, 3, days=2)
    receive(other, 2, hours=1)
    receive(desk, 4)

    first, second = counted(), counted()
    with time_machine.travel(timezone.now() + timedelta(minutes=30), tick=False):
        third = counted()
        receive(other)
        fourth = counted()

    assert first == second == third
    assert (first["deliveries/desk"], first["deliveries/other"]) == (7, 2)
    assert (fourth["deliveries/desk"], fourth["deliveries/other"]) == (7, 3)
    assert sum(Tally.objects.filter(mark="deliveries").values_list("total", flat=True)) == 9


def test_a_row_that_is_committed_late_is_counted(make_source: Callable[..., Source]) -> None:
    desk = make_source(slug="desk")
    receive(desk, 2, hours=1)
    before = counted()["deliveries/desk"]
    receive(desk, 1, minutes=9)

    assert (before, counted()["deliveries/desk"]) == (2, 3)


def test_the_name_of_a_source_may_change(make_source: Callable[..., Source]) -> None:
    desk = make_source(slug="desk")
    receive(desk, 2, hours=1)
    counted()
    Source.objects.update(slug="help")

    assert counted()["deliveries/help"] == 2


def test_a_long_past_is_counted_over_several_scrapes_and_absent_until_then(
    make_source: Callable[..., Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tallies, "STEP", 10)
    monkeypatch.setattr(tallies, "MOST", 10)
    desk = make_source(slug="desk")
    for hours in range(35, 0, -1):
        receive(desk, hours=hours)

    seen = [counted().get("deliveries/desk") for _ in range(4)]

    assert seen == [None, None, 35, 35]


def test_erasing_what_a_requester_wrote_takes_nothing_from_a_counter(db: None) -> None:
    desk = make_desk("desk")
    proposal = make_proposal(desk)
    receive(desk.source, 2)
    Delivery.objects.filter(webhook_id="msg-0").update(
        body=json.dumps({"requester": proposal.ticket.requester}).encode()
    )
    before = counted()

    erasure.erase(Whose(None, requester=proposal.ticket.requester), by=None)

    proposal.ticket.refresh_from_db()
    assert proposal.ticket.erased_at is not None
    assert counted() == before
    assert (before["deliveries/desk"], before["proposals/review"]) == (2, 1)


# --- Cost -----------------------------------------------------------------------------------
def filled(source: Source, rows: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(FILL, {"source": source.pk, "until": timezone.now(), "rows": rows})
        cursor.execute("ANALYZE triage_delivery")


def test_a_scrape_reads_the_last_minutes_and_not_the_table(
    make_source: Callable[..., Source],
) -> None:
    filled(make_source(slug="desk"), 60_000)
    counted()
    name = DELIVERIES.name

    read = rows_read(TABLE, DELIVERIES.sql(tallies.READ), [name] * 4 + [tallies.MOST + 1])
    # As a quarter of an hour later.
    due = TallyMark.objects.get(pk=name).upto + timedelta(minutes=5)
    settling = {"name": name, "due": due, "step": tallies.STEP - 1}
    settled = rows_read(TABLE, DELIVERIES.sql(tallies.KEEP), settling)

    assert counted()["deliveries/desk"] == 60_000
    # One a second: ten minutes since the mark, and five that went into it, each row once for
    # where the step ends and once for the count.
    assert 595 <= read <= 605
    assert settled <= 610


# --- Several at once ------------------------------------------------------------------------
Threads = Callable[[Sequence[Callable[[], None]]], None]


@pytest.mark.django_db(transaction=True)
def test_two_scrapes_at_once_agree(make_source: Callable[..., Source], in_threads: Threads) -> None:
    receive(make_source(slug="desk"), 20, hours=1)
    seen: list[dict[str, float]] = []

    for _ in range(5):
        TallyMark.objects.all().delete()
        in_threads([lambda: seen.append(counted())] * 4)

    assert {found["deliveries/desk"] for found in seen} == {20}
    assert len(seen) == 20


@pytest.mark.django_db(transaction=True)
def test_no_counter_ever_falls_while_rows_come_and_marks_move(
    make_source: Callable[..., Source], in_threads: Threads, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The lag stays far above what a transaction takes here.
    monkeypatch.setattr(tallies, "LAG", timedelta(seconds=0.5))
    monkeypatch.setattr(tallies, "EVERY", timedelta(0))
    desk = make_source(slug="desk")
    seen: list[list[float]] = [[], []]

    def come() -> None:
        for number in range(150):
            Delivery.objects.create(source=desk, webhook_id=f"now-{number}", body=b"{}")

    def scrape(into: list[float]) -> Callable[[], None]:
        def work() -> None:
            until = datetime.now(tz=timezone.get_default_timezone()) + timedelta(seconds=2)
            while datetime.now(tz=timezone.get_default_timezone()) < until:
                into.append(counted()["deliveries/desk"])

        return work

    in_threads([come, scrape(seen[0]), scrape(seen[1])])

    assert all(one == sorted(one) for one in seen)
    assert counted()["deliveries/desk"] == 150
    assert Tally.objects.get(mark="deliveries").total > 0
