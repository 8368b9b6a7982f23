"""Decisions are taken back at random while what writes them is killed."""

import threading
import time
from random import Random

from django.db import connection

from bench.chaos.desks import Troubled, connect, decide, open_tickets, serving
from bench.checks import Check, Result
from bench.invariant import until_quiet
from bench.stack import Stack
from review import undo
from review.models import Decision
from triage.models import Effect, Proposal

QUIET_SECONDS = 300.0
SEED = 20_260_504
BEFORE = {"category": "somewhere.else", "room": "2.14"}
# Of the tickets that were taken back, this share is decided once more.
AGAIN = 0.3
MOST_SECONDS_BETWEEN = 0.1


def undone(stack: Stack, *, tickets: int, kills: int) -> Result:
    """The fields are as before the decision, or as decided last; each change came once."""
    stack.up()
    helpdesk = Troubled()
    rng = Random(SEED)
    with serving(helpdesk):
        source = connect(helpdesk)
        full = open_tickets(source, helpdesk.desk, tickets // 2, BEFORE)
        proposals = full + open_tickets(source, helpdesk.desk, tickets - len(full))
        wanted = {proposal.pk: BEFORE if proposal in full else {} for proposal in proposals}
        again: dict[int, str] = {}
        people = threading.Thread(target=_decide_and_take_back, args=(proposals, rng, again))
        people.start()
        _kill(stack, kills, people)
        people.join()
        until_quiet(QUIET_SECONDS)
        there = {p.pk: helpdesk.desk.get(p.ticket.external_id)["values"] for p in proposals}
    for proposal, choice in again.items():
        wanted[proposal] = {**wanted[proposal], "category": choice}
    wrong = [pk for pk in wanted if there[pk] != wanted[pk]]
    own = Effect.objects.filter(proposal__in=wanted)
    open_effects = own.filter(state__in=(Effect.State.PENDING, Effect.State.SENDING)).count()
    doubled = sum(times > 1 for times in helpdesk.desk.carried_out.values())
    taken_back = Decision.objects.filter(proposal__in=wanted, stands_for=None).count()
    put_right = own.filter(undoes__isnull=False, state=Effect.State.APPLIED).count()
    return Result(
        passed=not wrong and not doubled and not open_effects and taken_back == tickets,
        figure=f"{taken_back:,} decisions taken back, {kills} kills; "
        f"{helpdesk.desk.carried_out.total():,} writes, {put_right:,} of them to put right, "
        f"{doubled} doubled; {len(again):,} decided again; {len(wrong)} tickets with other fields "
        f"than they should have, {open_effects} effects unfinished",
    )


def _decide_and_take_back(proposals: list[Proposal], rng: Random, again: dict[int, str]) -> None:
    """In random order, each some moment after it was decided; `again` gets what was decided then.

    In a thread of its own, with a connection of its own.
    """
    owner = proposals[0].ticket.source.owner
    decided: list[Proposal] = []
    coming = rng.sample(proposals, len(proposals))
    while coming or decided:
        if coming and (not decided or rng.random() < 0.5):
            decided.append(coming.pop())
            decide([decided[-1]], owner)
        else:
            proposal = decided.pop(rng.randrange(len(decided)))
            undo.undo(Decision.objects.get(stands_for=proposal), owner)
            if rng.random() < AGAIN:
                again[proposal.pk] = decide([proposal], owner)[0].key
        time.sleep(rng.random() * MOST_SECONDS_BETWEEN)
    connection.close()


def _kill(stack: Stack, kills: int, people: threading.Thread) -> None:
    """SIGKILL of all that writes, with its threads; started again as a supervisor would.

    At once where the people are done already: there is still something to be written.
    """
    for _ in range(kills):
        people.join(1.0)
        stack.writer.kill_group()
        stack.writer.start()
        stack.writer.wait_ready()


CHECKS = [
    Check(
        "decisions taken back under kills",
        undone,
        full={"tickets": 400, "kills": 20},
        small={"tickets": 16, "kills": 2},
    )
]
