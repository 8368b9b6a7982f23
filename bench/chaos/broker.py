"""The broker dies, freezes, restarts or is not there at all: it only ever rings the bell."""

import signal
import time
from collections.abc import Callable

from bench.checks import Check, Result
from bench.invariant import not_stored, tally, until_quiet
from bench.load import Sender
from bench.stack import Stack
from bench.stream import Stream
from bench.world import Desk, trained_desk

DRAIN_SECONDS = 300.0
HEARD_SECONDS = 60.0
PAUSE_SECONDS = 0.5


def kill_and_wipe(stack: Stack, *, times: int, down_seconds: float) -> Result:
    """SIGKILL, and back after a while with nothing of what it held."""

    def happen() -> None:
        stack.valkey.kill_group()
        time.sleep(down_seconds)
        stack.valkey.start()
        time.sleep(PAUSE_SECONDS)

    return _delivering_while(stack, happen, times, f"{times} kills")


def freeze(stack: Stack, *, times: int, seconds: float) -> Result:
    """SIGSTOP: it takes connections and never answers."""

    def happen() -> None:
        stack.valkey.signal(signal.SIGSTOP)
        time.sleep(seconds)
        stack.valkey.signal(signal.SIGCONT)
        time.sleep(PAUSE_SECONDS)

    return _delivering_while(stack, happen, times, f"{times} freezes of {seconds:.0f} s")


def restart(stack: Stack, *, times: int) -> Result:
    def happen() -> None:
        stack.valkey.stop()
        stack.valkey.start()
        time.sleep(PAUSE_SECONDS)

    return _delivering_while(stack, happen, times, f"{times} restarts")


def absent(stack: Stack, *, deliveries: int) -> Result:
    """Stopped before the first delivery and started after the last proposal."""
    desk = trained_desk()
    stack.valkey.stop()
    began = time.monotonic()
    with Stream(Sender(stack.url, desk), most=deliveries, pause=0.0) as stream:
        stream.wait()
    until_quiet(DRAIN_SECONDS)
    seconds = time.monotonic() - began
    was_away = not stack.valkey.is_alive()
    result = _judged(desk, stream, "no broker")
    figure = f"{result.figure}; all by the sweeper within {seconds:.0f} s"
    return Result(result.passed and was_away and len(stream.sent) == deliveries, figure)


def heard_again(stack: Stack, *, within: float) -> Result:
    """The worker alone, without the sweeper, takes up work after the broker came back."""
    desk = trained_desk()
    stack.valkey.kill_group()
    # Long enough for web and worker to notice that it is gone.
    with Stream(Sender(stack.url, desk), threads=1, most=3, pause=PAUSE_SECONDS) as before:
        before.wait()
    stack.valkey.start()
    until_quiet(DRAIN_SECONDS)
    stack.sweeper.signal(signal.SIGSTOP)
    began = time.monotonic()
    try:
        with Stream(Sender(stack.url, desk), threads=1, pause=PAUSE_SECONDS) as stream:
            while not tally(desk, stream.prefix).proposed:
                if time.monotonic() - began > HEARD_SECONDS:
                    break
                time.sleep(0.05)
        seconds = time.monotonic() - began
    finally:
        stack.sweeper.signal(signal.SIGCONT)
    until_quiet(DRAIN_SECONDS)
    return Result(seconds <= within, f"the worker triaged again {seconds:.1f} s after the broker")


def _delivering_while(stack: Stack, happen: Callable[[], None], times: int, what: str) -> Result:
    desk = trained_desk()
    with Stream(Sender(stack.url, desk), pause=0.05) as stream:
        for _ in range(times):
            happen()
    until_quiet(DRAIN_SECONDS)
    return _judged(desk, stream, what)


def _judged(desk: Desk, stream: Stream, what: str) -> Result:
    """Each delivery is 202 at its first try, and each ticket is proposed once."""
    counted = tally(desk, stream.prefix)
    lost = not_stored(desk, stream.acknowledged())
    all_taken = all(sent.status == 202 for sent in stream.sent)
    all_done = counted.tickets == counted.proposed == counted.proposals == len(stream.sent)
    figure = (
        f"{what}; {len(stream.sent):,} deliveries answered {stream.words()}, the slowest after "
        f"{stream.longest_seconds():.1f} s; {counted.proposed:,} proposed, {len(lost)} lost"
    )
    return Result(bool(stream.sent) and all_taken and all_done and not lost, figure)


CHECKS = [
    Check(
        "broker killed and wiped",
        kill_and_wipe,
        full={"times": 10, "down_seconds": 5.0},
        small={"times": 1, "down_seconds": 0.5},
    ),
    Check(
        "broker frozen",
        freeze,
        full={"times": 5, "seconds": 60.0},
        small={"times": 1, "seconds": 2.5},
    ),
    Check("broker restarted", restart, full={"times": 50}, small={"times": 2}),
    Check("broker heard again", heard_again, full={"within": 30.0}, small={"within": 30.0}),
    Check("no broker at all", absent, full={"deliveries": 1000}, small={"deliveries": 30}),
]
