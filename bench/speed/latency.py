"""Delivery sent to proposal stored, against a Celery task that does nothing.

Open loop: arrivals have their own times (Poisson, the same on both sides), and what has to wait
to be sent has waited on us. Both ends are read off one clock: ours ends with the commit of the
proposal as PostgreSQL noted it, the peer's with its result as the worker noted it.
"""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from django.db import connection

from bench.peers import single
from bench.speed import backlog, drain, intake
from bench.speed.client import Order
from bench.speed.rows import Pair, Row, percentile
from bench.speed.setting import BenchFailed, Setting

OFFERED_SHARE = 0.5
UNLOADED_A_SECOND = 5.0
PATIENCE_SECONDS = 120.0
POLL_SECONDS = 0.05
SEED = 20
TASKS_TO_WARM = 8
COMPARED = {
    "latency_p99_vs_noop": "delivery sent to proposal stored, 99th percentile, against a no-op "
    "Celery task's round trip at the same offered rate",
    "latency_p50_vs_noop": "the same, the median",
    "latency_unloaded_p99_vs_noop": f"the same at {UNLOADED_A_SECOND:g} a second, 99th percentile",
    "latency_unloaded_p50_vs_noop": f"the same at {UNLOADED_A_SECOND:g} a second, the median",
}
NAMES = tuple(COMPARED)
# A value's row commits with its proposal and is not written again; the proposal's may be.
MOMENTS = """
    SELECT ticket.external_id, delivery.received_at, version.created_at, proposal.created_at,
        (SELECT min(pg_xact_commit_timestamp(value.xmin)) FROM triage_proposedvalue value
         WHERE value.proposal_id = proposal.id)
    FROM triage_proposal proposal
    JOIN triage_ticketversion version ON version.id = proposal.ticket_version_id
    JOIN triage_delivery delivery ON delivery.id = version.delivery_id
    JOIN triage_ticket ticket ON ticket.id = version.ticket_id
    WHERE proposal.id > %s
"""


def rows(setting: Setting, names: Sequence[str]) -> list[Row]:
    _note_commits(setting)
    setting.stack.up()
    backlog.warm(setting)
    offered, why = _offered(setting)
    peer = drain.started_peer(setting)
    found: dict[str, list[Pair]] = {name: [] for name in NAMES}
    busy_notes, calm_notes = [why], []
    try:
        _noops(setting, _arrivals(UNLOADED_A_SECOND, TASKS_TO_WARM, seed=0))
        for number in range(1, setting.rounds + 1):
            setting.tell(f"latency, round {number} of {setting.rounds}: {why}")
            count = max(TASKS_TO_WARM, round(offered * setting.sizes.latency_seconds))
            busy = _arrivals(offered, count, seed=number)
            busy_notes += _round(setting, found, busy, loaded=True)
            calm = _arrivals(UNLOADED_A_SECOND, setting.sizes.unloaded, seed=number)
            calm_notes += _round(setting, found, calm, loaded=False)
    finally:
        peer.stop()
    backlog.clear()
    return [
        Row(
            name,
            COMPARED[name],
            "ms",
            found[name],
            notes=calm_notes if "unloaded" in name else busy_notes,
        )
        for name in names
    ]


def _offered(setting: Setting) -> tuple[float, str]:
    """Arrivals a second, and in words where that comes from.

    Half of what comes out when it also has to come in: door and workers share the processors, so
    half of the rate at which the workers alone drain a backlog could not even be taken in.
    """
    backlog.renew(setting)
    count = setting.sizes.intake
    requests = intake.written(setting, count)
    last = backlog.last_proposal()
    began = time.perf_counter()
    intake.sent(setting, _order(setting, requests, count, []))
    through = count / (backlog.wait_for_proposals(setting, last, count) - began)
    backlog.wait_for_quiet(setting)
    offered = OFFERED_SHARE * through
    return offered, (
        f"offered {offered:.0f} a second: {OFFERED_SHARE:.0%} of the {through:.0f} that are "
        f"taken in and proposed at the same time"
    )


def _order(setting: Setting, requests: Path, count: int, due: list[float]) -> Order:
    web, port = setting.stack.web, intake.web_port(setting)
    return Order(port, web.pid, intake.CONNECTIONS, str(requests), 0, count, due)


def _round(
    setting: Setting, found: dict[str, list[Pair]], due: list[float], *, loaded: bool
) -> list[str]:
    """Measure both sides at these arrivals, add the pairs, and describe them in two lines."""
    stages = _deliveries(setting, due)
    ours, theirs = [stage.total for stage in stages], _noops(setting, due)
    kind = "" if loaded else "unloaded_"
    for share in (50, 99):
        pair = Pair(percentile(ours, share / 100), percentile(theirs, share / 100))
        found[f"latency_{kind}p{share}_vs_noop"].append(pair)
    told = [
        f"{who} p50 {percentile(took, 0.5):.1f}, p99 {percentile(took, 0.99):.1f}, "
        f"longest {max(took):.1f} ms"
        for who, took in (("ours", ours), ("no-op", theirs))
    ]
    parts = ", ".join(
        f"{name} {percentile([getattr(stage, name) for stage in stages], 0.5):.1f}"
        for name in ("delivered", "read", "proposed", "committed")
    )
    return [
        f"{len(due):,} {'at that rate' if loaded else 'unloaded'}: {'; '.join(told)}",
        f"ours by stage, median ms each: {parts}",
    ]


def _arrivals(rate: float, count: int, *, seed: int) -> list[float]:
    """Seconds after the start, a Poisson process of `rate` a second."""
    chance = random.Random(SEED + seed)
    at, found = 0.0, []
    for _ in range(count):
        at += chance.expovariate(rate)
        found.append(at)
    return found


# --- Ours -----------------------------------------------------------------------------------


def _note_commits(setting: Setting) -> None:
    """Have PostgreSQL keep when each transaction committed; it takes a start to begin."""
    setting.stack.up("postgres")
    with connection.cursor() as cursor:
        cursor.execute("SHOW track_commit_timestamp")
        if cursor.fetchone()[0] == "on":
            return
        cursor.execute("ALTER SYSTEM SET track_commit_timestamp = on")
    for part in (setting.stack.sweeper, setting.stack.worker, setting.stack.web):
        part.stop()
    connection.close()
    setting.stack.postgres.stop()
    setting.stack.up("postgres")


@dataclass(frozen=True)
class Stages:
    """Milliseconds from when a delivery was due: until its row was made, and from there until it
    was read into a ticket, until its proposal was made, and until that was committed."""

    delivered: float
    read: float
    proposed: float
    committed: float

    @property
    def total(self) -> float:
        return self.delivered + self.read + self.proposed + self.committed


def _deliveries(setting: Setting, due: list[float]) -> list[Stages]:
    """Each delivery's way, in the order of `due`."""
    backlog.renew(setting)
    first = setting.next_ticket
    requests = intake.written(setting, len(due))
    last = backlog.last_proposal()
    said = intake.sent(setting, _order(setting, requests, len(due), due))
    backlog.wait_for_proposals(setting, last, len(due))
    backlog.wait_for_quiet(setting)
    with connection.cursor() as cursor:
        cursor.execute(MOMENTS, [last])
        rows = {name: [moment.timestamp() for moment in row] for name, *row in cursor.fetchall()}
    moments = [
        [said["began"] + moment, *rows[f"B-{first + number}"]] for number, moment in enumerate(due)
    ]
    return [Stages(*(1000 * (b - a) for a, b in pairwise(row))) for row in moments]


# --- The peer -------------------------------------------------------------------------------


def _noops(setting: Setting, due: list[float]) -> list[float]:
    """Milliseconds of each task from when it was due to its result."""
    began, wall = time.perf_counter(), time.time()
    sent = []
    for moment in due:
        wait = began + moment - time.perf_counter()
        if wait > 0:
            time.sleep(wait)
        sent.append(single.noop.apply_async(queue=single.QUEUE).id)
    return [1000 * (_ended(name) - wall - moment) for name, moment in zip(sent, due, strict=True)]


def _ended(task_id: str) -> float:
    """Epoch seconds at which the worker stored the result."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        told = single.results.get_task_meta(task_id)
        if told["status"] == "SUCCESS":
            moment = datetime.fromisoformat(told["date_done"])
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        time.sleep(POLL_SECONDS)
    raise BenchFailed(f"A no-op task had not ended after {PATIENCE_SECONDS:.0f} s.")
