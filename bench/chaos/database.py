"""The database stops at once or freezes: deliveries are turned away, never taken and then lost."""

import signal
import time
from collections.abc import Callable

from django.db import connections

from bench.checks import Check, Result
from bench.invariant import not_stored, tally, until_quiet
from bench.load import Sender
from bench.stack import Stack
from bench.stream import Stream
from bench.world import trained_desk

DRAIN_SECONDS = 300.0
# Longer than the service waits for its database, as helpdesks do.
CLIENT_SECONDS = 15.0


def stop_at_once(stack: Stack, *, times: int, down_seconds: float, up_seconds: float) -> Result:
    """PostgreSQL's immediate stop, SIGQUIT: no client is told, the log is replayed afterwards."""

    def happen() -> None:
        stack.postgres.kill(signal.SIGQUIT)
        time.sleep(down_seconds)
        stack.up("postgres")
        time.sleep(up_seconds)

    return _delivering_while(stack, happen, times, f"{times} immediate stops")


def freeze(stack: Stack, *, times: int, seconds: float) -> Result:
    """SIGSTOP for the server and all its processes; senders lose patience meanwhile."""

    def happen() -> None:
        stack.postgres.signal(signal.SIGSTOP)
        time.sleep(seconds)
        stack.postgres.signal(signal.SIGCONT)
        time.sleep(1.0)

    return _delivering_while(stack, happen, times, f"{times} freezes of {seconds:.0f} s")


def _delivering_while(stack: Stack, happen: Callable[[], None], times: int, what: str) -> Result:
    """What was not taken is delivered again afterwards, as helpdesks do."""
    desk = trained_desk()
    sender = Sender(stack.url, desk, timeout=CLIENT_SECONDS)
    with Stream(sender, threads=4, pause=0.1) as stream:
        time.sleep(0.5)
        for _ in range(times):
            happen()
    connections.close_all()
    # Before the repetitions: those could bring what had been lost.
    lost = not_stored(desk, stream.acknowledged())
    left = [sent for sent in stream.sent if not sent.is_taken]
    untaken = stream.repeat(left)
    until_quiet(DRAIN_SECONDS)
    counted = tally(desk, stream.prefix)
    turned = [sent for sent in left if sent.status == 503 and sent.retry_after.isdecimal()]
    wrong = [sent for sent in left if sent not in turned and not sent.timed_out]
    figure = (
        f"{what}; {len(stream.sent):,} deliveries answered {stream.words()}; {len(turned)} with "
        f"Retry-After, {len(wrong)} wrongly; {len(lost)} acknowledged and lost; after repeating "
        f"{len(left)}, {len(untaken)} are not taken and {counted.proposed:,} are proposed"
    )
    all_done = counted.tickets == counted.proposed == counted.proposals == len(stream.sent)
    # A pass in which nobody noticed the trouble would show nothing.
    noticed = bool(left)
    return Result(noticed and all_done and not (lost or wrong or untaken), figure)


CHECKS = [
    Check(
        "database stopped at once",
        stop_at_once,
        full={"times": 10, "down_seconds": 2.0, "up_seconds": 3.0},
        small={"times": 1, "down_seconds": 0.5, "up_seconds": 1.0},
    ),
    Check(
        "database frozen",
        freeze,
        full={"times": 3, "seconds": 30.0},
        # Longer than the door waits for an answer and then for a new connection.
        small={"times": 1, "seconds": 17.0},
    ),
]
