"""Work that has piled up: stored as the service stores it, made due at one moment, and drained."""

import hashlib
import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from bench import load
from bench.speed import procs
from bench.speed.setting import BenchFailed, Setting
from triage.jobs.doorbell import ring_after_commit
from triage.models import Delivery, Job, Proposal, Ticket, TicketVersion

CHUNK = 2_000
POLL_SECONDS = 0.02
# Counts every job that is left.
QUIET_POLL_SECONDS = 0.2
TELL_SECONDS = 10.0
STUCK_SECONDS = 60.0
# Not reached while a backlog is being stored.
NOT_YET = timedelta(days=1)

Fill = Callable[[Setting, int], None]


@dataclass(frozen=True)
class Drained:
    """Seconds from when all was due to the last proposal, and until no job was left: what is
    worked out after a proposal counts there. Processor seconds by part, up to each of the two.
    """

    count: int
    seconds: float
    seconds_to_quiet: float
    cpu: dict[str, float]
    cpu_to_quiet: dict[str, float]

    @property
    def rate(self) -> float:
        return self.count / self.seconds

    @property
    def rate_to_quiet(self) -> float:
        return self.count / self.seconds_to_quiet

    def told(self) -> str:
        return (
            f"ours: {self.count:,} proposed in {self.seconds:.1f} s ({self._each(self.cpu)}), "
            f"nothing left to do after {self.seconds_to_quiet:.1f} s "
            f"({self._each(self.cpu_to_quiet)}); processor ms a ticket in brackets"
        )

    def _each(self, cpu: Mapping[str, float]) -> str:
        return ", ".join(f"{name} {1000 * used / self.count:.2f}" for name, used in cpu.items())


def messages(setting: Setting, count: int) -> Iterator[tuple[str, bytes]]:
    """Webhook ids and bodies of deliveries about new tickets."""
    first = setting.take(count)
    for number in range(first, first + count):
        written = setting.corpus.at(number)
        payload = load.ticket(number, id=f"B-{number}", subject=written.subject, body=written.body)
        yield f"bench_{number}", json.dumps(payload).encode()


def put_deliveries(setting: Setting, count: int) -> None:
    """Acknowledged deliveries that nobody has read yet, with their jobs."""
    rows = _stored_deliveries(setting, count, outcome="")
    _put_jobs(Job.Kind.RECEIVE, [row.pk for row in rows])


def put_tickets(setting: Setting, count: int) -> None:
    """Tickets that were read and wait for their proposal, with their jobs."""
    _put_jobs(Job.Kind.PROPOSE, put_versions(setting, count))


def put_versions(setting: Setting, count: int) -> list[int]:
    """Tickets that were read, without jobs; answers the primary keys of their versions."""
    found: list[int] = []
    rows = _stored_deliveries(setting, count, outcome=Delivery.Outcome.APPLIED)
    for start in range(0, count, CHUNK):
        chunk = rows[start : start + CHUNK]
        tickets = Ticket.objects.bulk_create([_ticket(setting, row) for row in chunk])
        versions = TicketVersion.objects.bulk_create(
            [
                TicketVersion(
                    ticket=ticket,
                    version=ticket.version,
                    subject=ticket.subject,
                    body=ticket.body,
                    delivery=row,
                )
                for ticket, row in zip(tickets, chunk, strict=True)
            ]
        )
        found += [version.pk for version in versions]
    return found


def _stored_deliveries(setting: Setting, count: int, *, outcome: str) -> list[Delivery]:
    rows = [
        Delivery(
            source=setting.desk.source,
            webhook_id=name,
            body=body,
            body_sha256=hashlib.sha256(body).hexdigest(),
            outcome=outcome,
        )
        for name, body in messages(setting, count)
    ]
    return Delivery.objects.bulk_create(rows, batch_size=CHUNK)


def _ticket(setting: Setting, row: Delivery) -> Ticket:
    data = json.loads(bytes(row.body))["data"]
    return Ticket(
        source=setting.desk.source,
        external_id=data["id"],
        version=data["version"],
        subject=data["subject"],
        body=data["body"],
        requester=data["requester"]["address"],
        requester_name=data["requester"]["name"],
        opened_at=datetime.fromisoformat(data["opened_at"]),
    )


def _put_jobs(kind: str, subjects: list[int]) -> None:
    due = timezone.now() + NOT_YET
    Job.objects.bulk_create(
        [Job(kind=kind, subject=subject, next_attempt_at=due) for subject in subjects],
        batch_size=CHUNK,
    )


# --- Draining -------------------------------------------------------------------------------


def drained(setting: Setting, fill: Fill, count: int) -> Drained:
    """Store a backlog and make it due in one statement; then ring, and wait for the last proposal.

    The workers are to be warm, and nothing else due. The bench's own share of the processor goes
    into storing beforehand and a look at one number every 20 ms.
    """
    fill(setting, count)
    analyse()
    last = last_proposal()
    before = cpu_by_part(setting)
    make_due()
    began = time.perf_counter()
    ring_for(count)
    seconds = wait_for_proposals(setting, last, count) - began
    proposed = _since(before, cpu_by_part(setting))
    quiet = wait_for_quiet(setting) - began
    return Drained(count, seconds, quiet, proposed, _since(before, cpu_by_part(setting)))


def _since(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    return {name: after[name] - before[name] for name in after}


def make_due() -> None:
    """All that was put; nobody knows before the first ring."""
    Job.objects.update(next_attempt_at=timezone.now())


def ring_for(count: int) -> None:
    """As often as there are batches, of the many rings there would be."""
    for _ in range(max(4, -(-count // settings.JOB_BATCH_SIZE))):
        _ring()


def wait_for_proposals(setting: Setting, last: int, count: int) -> float:
    """The moment of `time.perf_counter` at which there were `count` after primary key `last`."""
    told = moved = time.perf_counter()
    newest = last
    while True:
        now = time.perf_counter()
        # Keys are given out in order but with gaps: enough keys first, then the rows counted.
        key = last_proposal()
        if key - last >= count and _proposals_after(last) >= count:
            return now
        if key != newest:
            newest, moved = key, now
        if now - moved > STUCK_SECONDS:
            done = _proposals_after(last)
            raise BenchFailed(_stuck(setting, f"Only {done:,} of {count:,} tickets were proposed"))
        if now - told > TELL_SECONDS:
            told = now
            setting.tell(f"{_proposals_after(last):,} of {count:,} proposed")
        time.sleep(POLL_SECONDS)


def wait_for_quiet(setting: Setting) -> float:
    """The moment of `time.perf_counter` at which no job was left. BenchFailed for a dead letter."""
    moved, fewest = time.perf_counter(), None
    while True:
        now, left = time.perf_counter(), Job.objects.count()
        if not left:
            return now
        if fewest is None or left < fewest:
            moved, fewest = now, left
        if now - moved > STUCK_SECONDS or Job.objects.filter(dead_at__isnull=False).exists():
            raise BenchFailed(_stuck(setting, "No proposal was missing, but jobs are left over"))
        time.sleep(QUIET_POLL_SECONDS)


def last_proposal() -> int:
    """The primary key that was given out last, to a row that may not be committed yet."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(pg_sequence_last_value('triage_proposal_id_seq'), 0)")
        return int(cursor.fetchone()[0])


def _proposals_after(last: int) -> int:
    return Proposal.objects.filter(pk__gt=last).count()


def _stuck(setting: Setting, what: str) -> str:
    errors = Job.objects.exclude(last_error="").values_list("last_error", flat=True)[:1]
    return (
        f"{what}; nothing moved for {STUCK_SECONDS:.0f} s, or a job is dead. Jobs left: "
        f"{Job.objects.count():,}. {next(iter(errors), '')} {setting.stack.worker.last_words()}"
    )


def warm(setting: Setting) -> None:
    """Let each child of the worker triage tickets alone, so that all have loaded the model."""
    setting.stack.up("worker")
    children = setting.stack.worker.children()
    for child in children:
        if child in setting.warmed:
            continue
        others = [pid for pid in children if pid != child]
        for pid in others:
            os.kill(pid, signal.SIGSTOP)
        try:
            feed(setting, setting.sizes.warm)
        finally:
            for pid in others:
                os.kill(pid, signal.SIGCONT)
        setting.warmed.add(child)


def feed(setting: Setting, count: int) -> None:
    """Ring until all is done: some of the rings may go to a child that stands still."""
    put_deliveries(setting, count)
    make_due()
    deadline = time.monotonic() + STUCK_SECONDS
    while Job.objects.exists():
        if time.monotonic() > deadline:
            raise BenchFailed(_stuck(setting, "The worker did not do a small backlog"))
        _ring()
        time.sleep(10 * POLL_SECONDS)


def _ring() -> None:
    with transaction.atomic():
        ring_after_commit()


def cpu_by_part(setting: Setting) -> dict[str, float]:
    """Processor seconds so far of each part of the service that runs."""
    parts = setting.stack.parts.items()
    return {name: procs.cpu_seconds(part.tree()) for name, part in parts if part.is_alive()}


# --- The same state for every round ---------------------------------------------------------


def analyse() -> None:
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def renew(setting: Setting) -> None:
    """Back to the tables that every round begins with; the worker is to be up.

    Not empty ones. A session of PostgreSQL plans its foreign-key checks once for a table, and
    over a few rows plans to read them all: what would then be measured is a table read whole for
    each row that is stored. Real tables are like that for a minute, until they are analysed.
    """
    clear()
    feed(setting, setting.sizes.standing)
    analyse()


def clear() -> None:
    """Everything that came by deliveries goes; solved tickets and the champion stay."""
    with connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE triage_job, triage_delivery, triage_ticketversion, triage_prediction, "
            "triage_proposal CASCADE"
        )
        cursor.execute("DELETE FROM triage_ticket WHERE closed_at IS NULL")
    analyse()
