"""Tickets that kill or fail whoever triages them: few runs each, and nobody else is held up.

The database itself makes them so, by a trigger on the proposals of this check's tickets alone:
a `kill` ticket holds its transaction open until the process that triages it has been killed with
SIGKILL; a `fail` ticket raises an error. Runs are counted by sequences, which no rollback undoes.
"""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from bench.checks import Check, Result
from bench.invariant import until_quiet
from bench.load import Sender, in_threads, ticket
from bench.parts import Part
from bench.stack import Stack
from bench.world import Desk, trained_desk
from triage.jobs import leases
from triage.jobs.doorbell import ring_after_commit
from triage.models import Job, Proposal, Ticket, TicketVersion

MOST_RUNS = 5
PATIENCE_SECONDS = 900.0
DRAIN_SECONDS = 120.0
POLL_SECONDS = 0.02
NAME = "lone@bench"
TRIGGER = """
    CREATE OR REPLACE FUNCTION bench_poison() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE name text;
    BEGIN
        SELECT external_id INTO name FROM triage_ticket WHERE id = NEW.ticket_id;
        IF name LIKE 'poison-%' THEN
            PERFORM nextval('bench_runs_' || replace(name, '-', '_'));
            IF name LIKE 'poison-kill-%' THEN PERFORM pg_sleep(3600); END IF;
            RAISE EXCEPTION 'this ticket is poison';
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER bench_poison BEFORE INSERT ON triage_proposal
        FOR EACH ROW EXECUTE FUNCTION bench_poison();
"""
DEADLY = """
    SELECT pid, application_name FROM pg_stat_activity WHERE wait_event = 'PgSleep'
"""


def poison(stack: Stack, *, kill: int, fail: int, others: int, hurry: bool) -> Result:
    """`kill` and `fail` poison tickets among `others`.

    With `hurry` the pauses between the attempts of a poison ticket are cut short in its job, and
    the sweeper comes only to bury what is exhausted.
    """
    desk = trained_desk()
    names = [f"poison-kill-{n}" for n in range(kill)] + [f"poison-fail-{n}" for n in range(fail)]
    tag = f"healthy-{time.time_ns():x}-"
    # One child only, so that it is known who triages what.
    stack.worker.kill_group()
    with _lone_worker(stack) as worker, _trigger(names):
        _deliver(Sender(stack.url, desk), names, [f"{tag}{n}" for n in range(others)])
        kills = _until_settled(stack, worker, desk, names, hurry=hurry)
        runs = _runs(names)
    dead = _dead(desk, names)
    healthy = Proposal.objects.filter(ticket__external_id__startswith=tag).count()
    # With the poison gone, a dead letter that is redelivered is triaged like any other ticket.
    again = leases.redeliver(dead)
    until_quiet(DRAIN_SECONDS)
    cured = Proposal.objects.filter(ticket__in=_tickets(desk, names)).count()
    attempts = max((job.attempts for job in dead), default=0)
    figure = (
        f"{len(names)} poison tickets in {max(runs)} runs at most ({attempts} attempts), "
        f"{kills} kills, {len(dead)} dead letters; {healthy} of {others} others proposed; "
        f"{cured} of {again} proposed once redelivered without poison"
    )
    passed = len(dead) == again == cured == len(names) and healthy == others
    return Result(passed and min(runs) >= 1 and max(max(runs), attempts) <= MOST_RUNS, figure)


@contextlib.contextmanager
def _lone_worker(stack: Stack) -> Iterator[Part]:
    command = [sys.executable, "-m", "celery", "-A", "config", "worker"]
    command += ["--loglevel", "INFO", "--concurrency", "1", "-n", NAME]
    part = stack.add("lone", command, lambda part: part.says(f"{NAME} ready."))
    part.start()
    part.wait_ready()
    try:
        yield part
    finally:
        part.kill_group()


@contextlib.contextmanager
def _trigger(names: Sequence[str]) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(TRIGGER)
        for name in names:
            cursor.execute(f"CREATE SEQUENCE {_sequence(name)}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER bench_poison ON triage_proposal")
            cursor.execute("DROP FUNCTION bench_poison")
            for name in names:
                cursor.execute(f"DROP SEQUENCE {_sequence(name)}")


def _deliver(sender: Sender, names: Sequence[str], others: Sequence[str]) -> None:
    """Poison spread evenly among the others."""
    order = list(others)
    for place, name in enumerate(names):
        order.insert(place * (len(others) // len(names) + 1), name)
    posts = [
        lambda n=n, name=name: sender.deliver(ticket(n, id=name)) for n, name in enumerate(order)
    ]
    in_threads(posts, 2)


def _until_settled(
    stack: Stack, worker: Part, desk: Desk, names: Sequence[str], *, hurry: bool
) -> int:
    """Kill whoever triages a `kill` ticket until no job is left alive; answers the kills."""
    kills = 0
    if hurry:
        stack.sweeper.signal(signal.SIGSTOP)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while _to_do().exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"Not settled after {PATIENCE_SECONDS:.0f} s.")
        killed = _kill_whoever_sleeps(stack, worker)
        kills += killed
        if hurry and _cut_short(desk, names, was_killed=killed > 0):
            ring_after_commit()
        if hurry and not _to_do().filter(attempts__lt=MOST_RUNS).exists():
            stack.sweeper.signal(signal.SIGCONT)
        time.sleep(POLL_SECONDS)
    return kills


def _to_do() -> QuerySet[Job]:
    return Job.objects.filter(dead_at__isnull=True)


def _kill_whoever_sleeps(stack: Stack, worker: Part) -> int:
    with connection.cursor() as cursor:
        cursor.execute(DEADLY)
        found = cursor.fetchall()
        for backend, part_name in found:
            if part_name == worker.name:
                for pid in worker.children():
                    os.kill(pid, signal.SIGKILL)
            elif part_name == stack.sweeper.name:
                stack.sweeper.kill()
                stack.sweeper.start()
            else:
                raise RuntimeError(f"{part_name!r} triaged a ticket; only workers should.")
            # The server would notice only after its statement that its client is gone.
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [backend])
    return len(found)


def _cut_short(desk: Desk, names: Sequence[str], *, was_killed: bool) -> int:
    """Let what waits after a failure be tried now, and end the leases of who was killed.

    Answers how many jobs that changed. The jobs of one claim share the end of their lease.
    """
    now = timezone.now()
    jobs = _to_do().filter(kind=Job.Kind.PROPOSE)
    own = jobs.filter(subject__in=_versions(desk, names))
    waiting = own.filter(lease_until__isnull=True, next_attempt_at__gt=now)
    changed = waiting.update(next_attempt_at=now)
    if was_killed:
        ends = list(own.filter(lease_until__isnull=False).values_list("lease_until", flat=True))
        changed += jobs.filter(lease_until__in=ends).update(lease_until=now)
    return changed


def _runs(names: Sequence[str]) -> list[int]:
    """How often each came as far as having its proposal stored."""
    found = []
    with connection.cursor() as cursor:
        for name in names:
            cursor.execute(
                f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {_sequence(name)}"
            )
            found.append(int(cursor.fetchone()[0]))
    return found


def _sequence(name: str) -> str:
    return f"bench_runs_{name.replace('-', '_')}"


def _tickets(desk: Desk, names: Sequence[str]) -> QuerySet[Ticket]:
    return Ticket.objects.filter(source=desk.source, external_id__in=names)


def _versions(desk: Desk, names: Sequence[str]) -> QuerySet[TicketVersion, int]:
    versions = TicketVersion.objects.filter(ticket__in=_tickets(desk, names))
    return versions.values_list("pk", flat=True)


def _dead(desk: Desk, names: Sequence[str]) -> list[Job]:
    dead = Job.objects.filter(kind=Job.Kind.PROPOSE, dead_at__isnull=False)
    return list(dead.filter(subject__in=_versions(desk, names)))


CHECKS = [
    Check(
        "poison tickets",
        poison,
        full={"kill": 5, "fail": 5, "others": 490, "hurry": False},
        small={"kill": 1, "fail": 1, "others": 18, "hurry": True},
    )
]
