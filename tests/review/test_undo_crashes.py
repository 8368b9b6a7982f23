"""Taking back while workers die at any point: the helpdesk ends as it was before the decision."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from review import undo
from tests.conftest import PROJECT
from tests.review.undo_world import accept
from tests.triage.writeback_world import World, make_due, world
from triage.effects import writeback
from triage.effects.plan import BEGUN
from triage.helpdesks import http
from triage.models import Effect, Proposal, Waiting

__all__ = ["world"]

BEFORE = {"category": "access", "room": "2.14"}


class Died(BaseException):
    """The worker was killed: nothing of its code runs any more."""


class Line:
    """The way to the helpdesk; the worker dies before or after a call, told how many go through."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._call = http.call
        self._left, self._dies_after = 0, False
        monkeypatch.setattr(http, "call", self.call)

    def dies(self, calls: int, *, after: bool) -> None:
        self._left, self._dies_after = calls, after

    def call(self, *args: Any, **kwargs: Any) -> Any:
        self._left -= 1
        if self._left == 0 and not self._dies_after:
            raise Died
        answer = self._call(*args, **kwargs)
        if self._left == 0:
            raise Died
        return answer


def attempt() -> None:
    proposal = Proposal.objects.select_related("ticket__source").get()
    try:
        writeback.send(proposal)
    except Died:
        return


deaths = st.lists(st.tuples(st.integers(1, 12), st.booleans()), max_size=3)


@pytest.mark.django_db
def test_wherever_workers_die_the_helpdesk_ends_as_it_was(
    world: World, technician: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = Line(monkeypatch)

    @settings(
        max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
    )
    @given(before=deaths, after=deaths, with_playbook=st.booleans(), again=st.booleans())
    def ends_as_it_was(
        before: list[tuple[int, bool]],
        after: list[tuple[int, bool]],
        with_playbook: bool,
        again: bool,
    ) -> None:
        remote = world.helpdesk.put(world.proposal.ticket.external_id, values=dict(BEFORE))
        world.helpdesk.writes.clear()
        world.helpdesk.calls.clear()
        with transaction.atomic():
            for deadly in (before, after) if again else (before,):
                # A reply goes out once.
                replies = Effect.objects.filter(kind="reply", state__in=BEGUN)
                wants_playbook = with_playbook and not replies.exists()
                decision = accept(world, technician, with_playbook=wants_playbook)
                for calls, dies_after in deadly:
                    line.dies(calls, after=dies_after)
                    attempt()
                undo.undo(decision, technician)
                for calls, dies_after in reversed(deadly):
                    line.dies(calls, after=dies_after)
                    attempt()
            line.dies(0, after=False)
            attempt()

            assert remote["values"] == BEFORE
            assert remote["status"] == "open"
            assert set(world.helpdesk.writes.values()) <= {1}
            assert Waiting.objects.get().proposal == world.proposal
            ended = set(Effect.objects.values_list("state", flat=True))
            assert ended <= {"applied", "dropped"}
            made = {body for _, body in world.helpdesk.calls}
            accepted = sum(b"playbook.accepted" in body for body in made)
            undone = sum(b"playbook.undone" in body for body in made)
            assert undone >= min(accepted, 1)
            transaction.set_rollback(True)

    ends_as_it_was()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("fault", "came_of_it"), [("hang", "dropped"), ("hang after", "applied")])
def test_a_worker_that_is_killed_while_it_writes_leaves_nothing_behind(
    world: World, technician: User, work: Callable[[], int], fault: str, came_of_it: str
) -> None:
    world.remote["values"] = dict(BEFORE)
    decision = accept(world, technician)
    world.helpdesk.faults = [fault]
    worker = start_worker()
    assert world.helpdesk.hangs.wait(60)
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait(10)

    undo.undo(decision, technician)
    until_sent(work)

    assert Effect.objects.get(kind="values", undoes=None).state == came_of_it
    assert world.remote["values"] == BEFORE
    assert set(world.helpdesk.writes.values()) <= {1}


def start_worker() -> subprocess.Popen[bytes]:
    """A process of its own, on this test's database, that does what is due."""
    name = str(connection.settings_dict["NAME"])
    address = os.environ["DATABASE_URL"].rsplit("/", 1)[0]
    code = "from triage import tasks; tasks.work_once(['effect'])"
    return subprocess.Popen(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", code],
        cwd=PROJECT,
        env={**os.environ, "DATABASE_URL": f"{address}/{name}"},
    )


def until_sent(work: Callable[[], int]) -> None:
    """The database frees the lock of a worker that died as soon as it has noticed."""
    for _ in range(50):
        if not Effect.objects.filter(state__in=writeback.UNFINISHED).exists():
            return
        make_due()
        work()
        time.sleep(0.1)
