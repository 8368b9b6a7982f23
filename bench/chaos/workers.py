"""Workers are killed while tickets come: nothing is lost, and work goes on soon."""

import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from django.db import connection

from bench.checks import Check, Result
from bench.invariant import Tally, not_stored, tally, until_quiet
from bench.load import Sender
from bench.parts import cpu_ticks
from bench.stack import Stack
from bench.stream import Stream
from bench.world import trained_desk
from triage.models import Job, Proposal

RECOVERY_SECONDS = 15.0
PATIENCE_SECONDS = 60.0
DRAIN_SECONDS = 600.0
POLL_SECONDS = 0.005
CHILDREN = 2
# What only explains a proposal may wait until all of them are made.
LEADING = (Job.Kind.RECEIVE, Job.Kind.PROPOSE)


@dataclass
class Watch:
    """What was seen of the kills; times are in seconds after each kill.

    `again` until another proposal was made by whoever; `taken_over` until every job that was
    held at the kill was done, or had been begun anew by another worker.
    """

    again: list[float] = field(default_factory=list)
    taken_over: list[float] = field(default_factory=list)
    hits: int = 0


def kill_children(stack: Stack, *, kills: int, tickets: int, least_hits: int) -> Result:
    """SIGKILL one child of the worker at a time, the busier one; the worker starts another."""
    before: dict[int, int] = {}

    def kill() -> None:
        spent = {pid: cpu_ticks(pid) for pid in stack.worker.children()}
        busiest = max(spent, key=lambda pid: spent[pid] - before.get(pid, 0))
        os.kill(busiest, signal.SIGKILL)
        before.update(spent)

    return _killed_while_working(stack, kill, kills=kills, tickets=tickets, least_hits=least_hits)


def kill_groups(stack: Stack, *, kills: int, tickets: int, least_hits: int) -> Result:
    """SIGKILL the worker with its children; it is started again, as a supervisor would."""

    def kill() -> None:
        stack.worker.kill_group()
        stack.worker.start()

    return _killed_while_working(stack, kill, kills=kills, tickets=tickets, least_hits=least_hits)


def _killed_while_working(
    stack: Stack, kill: Callable[[], None], *, kills: int, tickets: int, least_hits: int
) -> Result:
    """The tickets come in as many waves as there are kills, each kill amid its wave's work.

    With fewer than `least_hits` kills that took work with them, the check has shown nothing.
    """
    desk = trained_desk()
    watch, streams = Watch(), []
    watchers = []
    for number in range(kills):
        most = tickets // kills + (number < tickets % kills)
        _until_whole(stack)
        with Stream(Sender(stack.url, desk), threads=2, pause=0.0, most=most) as stream:
            _until_held()
            last, held = _last_proposal(), _held()
            began = time.monotonic()
            kill()
            watcher = threading.Thread(target=_until_taken_over, args=(held, began, watch))
            watcher.start()
            watchers.append(watcher)
            stream.wait()
        watch.again.append(_until_proposed_after(last, began))
        streams.append(stream)
    for watcher in watchers:
        watcher.join()
    until_quiet(DRAIN_SECONDS)
    counts = [tally(desk, stream.prefix) for stream in streams]
    lost = [name for stream in streams for name in not_stored(desk, stream.acknowledged())]
    taken = sum(len(stream.acknowledged()) for stream in streams)
    result = _judged(kills, tickets, taken, counts, lost, watch)
    return Result(result.passed and watch.hits >= least_hits, result.figure)


def _judged(
    kills: int, tickets: int, taken: int, counts: list[Tally], lost: list[str], watch: Watch
) -> Result:
    proposed = sum(count.proposed for count in counts)
    proposals = sum(count.proposals for count in counts)
    dead = sum(count.dead for count in counts)
    again, over = max(watch.again), max(watch.taken_over)
    kept = proposed + dead == taken == tickets and proposals == proposed and not lost
    figure = (
        f"{kills} kills, {watch.hits} of them with work in hand; {taken:,} tickets acknowledged, "
        f"{proposed:,} proposed once, {proposals - proposed} twice, {dead} dead letters, "
        f"{len(lost)} lost; proposals again after {again:.1f} s, "
        f"work taken over after {over:.1f} s at worst"
    )
    return Result(kept and dead == 0 and max(again, over) <= RECOVERY_SECONDS, figure)


def _held() -> dict[int, int]:
    """Attempts of the jobs that lead to a proposal and are held now, by primary key."""
    rows = Job.objects.filter(kind__in=LEADING, lease_until__isnull=False, dead_at__isnull=True)
    return dict(rows.values_list("pk", "attempts"))


def _until_whole(stack: Stack) -> None:
    """Until the worker has started and has replaced those of its children that were killed."""
    stack.worker.wait_ready()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(stack.worker.children()) < CHILDREN:
        if time.monotonic() > deadline:
            raise TimeoutError("The worker did not replace a child that was killed.")
        time.sleep(POLL_SECONDS)


def _until_held() -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not _held():
        if time.monotonic() > deadline:
            raise TimeoutError("No worker took any job while tickets were coming.")
        time.sleep(POLL_SECONDS)


def _last_proposal() -> int:
    last = Proposal.objects.order_by("-pk").values_list("pk", flat=True).first()
    return last or 0


def _until_proposed_after(last: int, began: float) -> float:
    """Seconds from `began` until the first proposal after `last`, by the database's clock too."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not Proposal.objects.filter(pk__gt=last).exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"No proposal was made for {PATIENCE_SECONDS:.0f} s after a kill.")
        time.sleep(POLL_SECONDS)
    return time.monotonic() - began


def _until_taken_over(held: dict[int, int], began: float, watch: Watch) -> None:
    """In a thread of its own, with a connection of its own."""
    deadline = began + PATIENCE_SECONDS
    was_hit = False
    while held and time.monotonic() < deadline:
        now = dict(Job.objects.filter(pk__in=held).values_list("pk", "attempts"))
        was_hit = was_hit or any(now[pk] > held[pk] for pk in now)
        held = {pk: attempts for pk, attempts in held.items() if now.get(pk) == attempts}
        time.sleep(0.05)
    watch.taken_over.append(time.monotonic() - began)
    watch.hits += was_hit
    connection.close()


CHECKS = [
    Check(
        "worker children killed",
        kill_children,
        full={"kills": 100, "tickets": 5000, "least_hits": 20},
        small={"kills": 2, "tickets": 60, "least_hits": 0},
    ),
    Check(
        "worker groups killed",
        kill_groups,
        full={"kills": 50, "tickets": 5000, "least_hits": 20},
        small={"kills": 1, "tickets": 40, "least_hits": 0},
    ),
]
