"""More tickets in a minute than anybody planned for."""

import time

from bench.checks import Check, Result
from bench.invariant import not_stored, tally, until_quiet
from bench.load import Sender
from bench.stack import Stack
from bench.stream import Stream
from bench.world import trained_desk

DRAIN_SECONDS = 600.0


def burst(stack: Stack, *, tickets: int, seconds: float) -> Result:
    """As fast as eight senders can; none may be turned away, and all are triaged in the end."""
    desk = trained_desk()
    began = time.monotonic()
    with Stream(Sender(stack.url, desk), threads=8, pause=0.0, most=tickets) as stream:
        stream.wait()
    took = time.monotonic() - began
    until_quiet(DRAIN_SECONDS)
    drained = time.monotonic() - began
    counted = tally(desk, stream.prefix)
    lost = not_stored(desk, stream.acknowledged())
    figure = (
        f"{len(stream.sent):,} delivered in {took:.0f} s, answered {stream.words()}; drained "
        f"{drained:.0f} s after the first; {counted.proposed:,} proposed once, {counted.dead} dead "
        f"letters, {len(lost)} lost"
    )
    all_done = counted.tickets == counted.proposed == counted.proposals == tickets
    return Result(all_done and not lost and took <= seconds and drained <= DRAIN_SECONDS, figure)


CHECKS = [
    Check(
        "burst",
        burst,
        full={"tickets": 10_000, "seconds": 60.0},
        small={"tickets": 100, "seconds": 60.0},
    )
]
