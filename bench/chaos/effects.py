"""Write-back to helpdesks that lose their answers, keep silent, drip or send far too much."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from bench.chaos.desks import Troubled, bomb, connect, decide, open_tickets, serving
from bench.checks import Check, Result
from bench.invariant import until_quiet
from bench.stack import Stack
from triage.models import Effect, Job, Proposal

QUIET_SECONDS = 240.0
DEADLINE_SECONDS = 20.0
# A busy machine needs that long to notice that a line was cut.
SLACK_SECONDS = 3.0
HEALTHY_SECONDS = 10.0
LARGEST_GROWTH_BYTES = 32 * 1024 * 1024
SAMPLE_SECONDS = 0.1
WRITERS = ("writer", "worker", "sweeper")


def lost_replies(stack: Stack, *, tickets: int) -> Result:
    """Every decision has one write that is carried out and never answered."""
    stack.up()
    helpdesk = Troubled(mode="lose")
    with serving(helpdesk):
        source = connect(helpdesk)
        proposals = open_tickets(source, helpdesk.desk, tickets)
        # Of every second ticket the note, of the others the values.
        for number, proposal in enumerate(proposals):
            helpdesk.loses.add(f"p{proposal.pk}-{('note', 'values')[number % 2]}")
        chosen = decide(proposals, source.owner)
        until_quiet(QUIET_SECONDS)
        there = [helpdesk.desk.get(proposal.ticket.external_id) for proposal in proposals]
    times = Counter(helpdesk.desk.carried_out.values())
    notes = Counter(len(ticket["notes"]) for ticket in there)
    wrong = sum(
        ticket["values"].get("category") != choice.key
        for ticket, choice in zip(there, chosen, strict=True)
    )
    open_effects = _unfinished(proposals)
    return Result(
        passed=len(helpdesk.lost) == tickets
        and times == {1: 2 * tickets}
        and notes == {1: tickets}
        and wrong == open_effects == 0,
        figure=f"{len(helpdesk.lost):,} answers lost; {sum(times.values()):,} writes, "
        f"{sum(n for often, n in times.items() if often > 1):,} doubled; "
        f"{notes[1]:,} tickets with one comment, {tickets - notes[1]:,} without or with more; "
        f"{wrong:,} wrong values, {open_effects:,} effects not applied",
    )


def troubled(stack: Stack, *, modes: Sequence[str], tickets: int) -> Result:
    """Helpdesks in trouble, one for each mode, and a healthy one that is written to meanwhile.

    Then all are well again, and every change arrives once; a redirect is final and stays refused.
    """
    stack.up()
    bomb()
    slow = [Troubled() for _ in modes]
    healthy = Troubled()
    with serving(healthy, *slow):
        fine = open_tickets(connect(healthy), healthy.desk, 2)
        batches = [open_tickets(connect(desk), desk.desk, tickets) for desk in slow]
        # The processes that write have then loaded what they need.
        _arrives(healthy, fine[0])
        for desk, mode in zip(slow, modes, strict=True):
            desk.mode = mode
        with _watched(stack) as growth:
            for batch in batches:
                decide(batch, batch[0].ticket.source.owner)
            _wait(lambda: all(desk.called for desk in slow), HEALTHY_SECONDS)
            meanwhile = _arrives(healthy, fine[1])
            all_held = _wait(lambda: all(desk.held for desk in slow), 2 * DEADLINE_SECONDS)
        longest = max((held for desk in slow for held in desk.held), default=0.0)
        for desk in slow:
            desk.mode = ""
        _try_at_once([proposal for batch in batches for proposal in batch])
        until_quiet(QUIET_SECONDS)
    grown = max(growth.values())
    after = [_came_of(*each) for each in zip(modes, slow, batches, strict=True)]
    writes, wrong = (sum(counts) for counts in zip(*after, strict=True))
    return Result(
        passed=all_held
        and longest <= DEADLINE_SECONDS + SLACK_SECONDS
        and grown < LARGEST_GROWTH_BYTES
        and meanwhile is not None
        and wrong == 0,
        figure=f"longest call {longest:.1f} s (with at most {SLACK_SECONDS:.0f} s of slack), "
        f"{grown / 2**20:.0f} MB more, a healthy helpdesk "
        + (f"served after {meanwhile:.1f} s" if meanwhile is not None else "NOT served")
        + f"; then {writes:,} writes, {wrong:,} effects missing, doubled or not on record",
    )


def _came_of(mode: str, helpdesk: Troubled, proposals: Sequence[Proposal]) -> tuple[int, int]:
    """Writes that the helpdesk carried out, and effects that it or we have otherwise."""
    final = (Effect.State.APPLIED, *([Effect.State.REFUSED] if mode == "redirect" else []))
    wrong = 0
    for effect in Effect.objects.filter(proposal__in=[proposal.pk for proposal in proposals]):
        expected = effect.state == Effect.State.APPLIED
        times = helpdesk.desk.carried_out[effect.key]
        wrong += effect.state not in final or times != expected
    return helpdesk.desk.carried_out.total(), wrong


def _arrives(helpdesk: Troubled, proposal: Proposal) -> float | None:
    """Seconds from a decision to its note in the helpdesk; None if it does not come in time."""
    began = time.monotonic()
    decide([proposal], proposal.ticket.source.owner)
    number = proposal.ticket.external_id
    came = _wait(lambda: bool(helpdesk.desk.get(number)["notes"]), HEALTHY_SECONDS)
    return time.monotonic() - began if came else None


def _wait(until: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not until():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _try_at_once(proposals: Sequence[Proposal]) -> None:
    """The helpdesks are well again: nobody needs to wait for the next attempt's time."""
    waiting = Job.objects.filter(kind=Job.Kind.EFFECT, lease_until__isnull=True)
    subjects = [proposal.pk for proposal in proposals]
    soon = Proposal.objects.latest("pk").created_at
    waiting.filter(subject__in=subjects, dead_at__isnull=True).update(next_attempt_at=soon)


def _unfinished(proposals: Sequence[Proposal]) -> int:
    mine = Effect.objects.filter(proposal__in=[proposal.pk for proposal in proposals])
    return mine.exclude(state=Effect.State.APPLIED).count()


@contextmanager
def _watched(stack: Stack) -> Iterator[dict[str, int]]:
    """By how many bytes each process that writes has grown at most while the block ran."""
    parts = [part for name, part in stack.parts.items() if name in WRITERS]
    before = {part.name: part.rss_bytes() for part in parts}
    growth = dict.fromkeys(before, 0)
    done = threading.Event()

    def look() -> None:
        while not done.wait(SAMPLE_SECONDS):
            for part in parts:
                grown = part.rss_bytes() - before[part.name]
                growth[part.name] = max(growth[part.name], grown)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield growth
    finally:
        done.set()
        thread.join()


CHECKS = [
    Check(
        "applied but the reply lost",
        lost_replies,
        full={"tickets": 500},
        small={"tickets": 6},
    ),
    Check(
        "slow helpdesk",
        troubled,
        full={"modes": ("drip", "silence"), "tickets": 8},
        small={"modes": ("silence",), "tickets": 1},
    ),
    Check(
        "bomb helpdesk",
        troubled,
        full={"modes": ("gzip", "redirect", "stream"), "tickets": 8},
        small={"modes": ("redirect",), "tickets": 1},
    ),
]
