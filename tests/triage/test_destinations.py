"""One helpdesk that is slow or silent keeps few workers busy, and no other helpdesk waiting."""

import socket
from collections.abc import Callable, Iterator
from threading import Barrier, Event

import pytest
from django.db import connection
from pytest_django import Settings

from tests.threads import in_threads
from tests.triage.writeback_world import World, make_due, world
from triage import tasks
from triage.effects import destinations, writeback
from triage.effects.destinations import DestinationBusy, place
from triage.helpdesks import http
from triage.helpdesks.base import HelpdeskRefused, HelpdeskSilent
from triage.models import Job, Source

__all__ = ["in_threads", "world"]

# Other processes of the tests have databases of their own on the same server.
OWN_LOCKS = """
    SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
    WHERE locktype = 'advisory' AND datname = current_database()
"""
SLOW, HEALTHY = "http://slow.example.org/api", "http://healthy.example.org/api"


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> destinations.Pauses:
    fresh = destinations.Pauses()
    monkeypatch.setattr(destinations, "pauses", fresh)
    return fresh


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that accepts and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def keep_silent(url: str) -> None:
    with pytest.raises(HelpdeskSilent), place(url):
        raise HelpdeskSilent("nothing came")


@pytest.mark.django_db(transaction=True)
def test_a_destination_has_so_many_places_over_all_sessions(
    in_threads: Callable[..., None], settings: Settings
) -> None:
    settings.EFFECTS_PER_DESTINATION = 3
    inside, outcomes, tried = Barrier(4), [], Event()

    def stay() -> None:
        with place(SLOW):
            inside.wait(10)
            assert tried.wait(10)

    def come_late() -> None:
        inside.wait(10)
        try:
            for url in (HEALTHY, "http://SLOW.example.org:80/other", SLOW):
                try:
                    with place(url):
                        outcomes.append("in")
                except DestinationBusy:
                    outcomes.append("busy")
        finally:
            tried.set()

    in_threads([stay, stay, stay, come_late])

    assert outcomes == ["in", "busy", "busy"]
    with place(SLOW):
        outcomes.append("in")


@pytest.mark.django_db(transaction=True)
def test_a_job_without_a_place_waits_and_has_not_used_an_attempt(
    world: World, in_threads: Callable[..., None], settings: Settings
) -> None:
    settings.EFFECTS_PER_DESTINATION = 1
    world.decide()
    inside, tried = Event(), Event()

    def occupy() -> None:
        with place(world.proposal.ticket.source.api_url):
            inside.set()
            assert tried.wait(10)

    def work() -> None:
        try:
            assert inside.wait(10)
            assert tasks.work_once([Job.Kind.EFFECT]) == 1
        finally:
            tried.set()

    in_threads([occupy, work])

    job = Job.objects.get(kind=Job.Kind.EFFECT)
    assert (job.attempts, job.lease_until, job.dead_at) == (0, None, None)
    assert world.helpdesk.writes == {}
    make_due()
    tasks.work_once([Job.Kind.EFFECT])
    assert set(world.states().values()) == {"applied"}


@pytest.mark.django_db
def test_a_silent_destination_is_left_alone_and_no_other_is(pauses: destinations.Pauses) -> None:
    keep_silent(SLOW)

    with pytest.raises(DestinationBusy) as busy, place(SLOW):
        raise AssertionError("nobody may be let in")
    assert 0 < busy.value.seconds <= destinations.PAUSE_SECONDS + 2
    with place(HEALTHY):
        pass


@pytest.mark.django_db
def test_after_the_pause_one_tries_and_the_others_wait_for_the_outcome(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(destinations, "PAUSE_SECONDS", 0.0)
    keep_silent(SLOW)

    with place(SLOW):
        with pytest.raises(DestinationBusy), place(SLOW):
            raise AssertionError("one is enough")
        with place(HEALTHY):
            pass
    with place(SLOW), place(SLOW):
        pass


@pytest.mark.django_db
def test_an_error_that_came_as_an_answer_is_no_silence() -> None:
    for _ in range(3):
        with pytest.raises(HelpdeskRefused), place(SLOW):
            raise HelpdeskRefused("no")


@pytest.mark.django_db
def test_what_waits_for_a_silent_helpdesk_costs_one_attempt_not_all(
    world: World, silent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "DEADLINE_SECONDS", 0.3)
    Source.objects.update(api_url=silent)
    world.decide()
    for _ in range(8):
        tasks.work_once([Job.Kind.EFFECT])
        make_due()

    job = Job.objects.get(kind=Job.Kind.EFFECT)
    assert (job.attempts, job.dead_at) == (1, None)
    assert "HelpdeskSilent" in job.last_error


@pytest.mark.django_db
def test_many_waiting_jobs_look_less_often_each(world: World, settings: Settings) -> None:
    settings.EFFECTS_PER_DESTINATION = 0
    Job.objects.bulk_create(
        Job(kind=Job.Kind.EFFECT, subject=n, next_attempt_at=world.proposal.created_at)
        for n in range(10_000, 10_500)
    )

    with pytest.raises(DestinationBusy) as busy, place(SLOW):
        raise AssertionError("there is no place")

    assert 5.0 <= busy.value.seconds <= 15.0


@pytest.mark.django_db
def test_a_slow_helpdesk_gets_the_rest_in_another_turn(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writeback, "SECONDS_PER_TURN", -1.0)
    world.decide()

    with pytest.raises(writeback.Unfinished):
        writeback.send(world.proposal)

    assert set(world.states().values()) == {"pending"}


@pytest.mark.django_db
def test_places_are_free_again_however_a_call_ended() -> None:
    for error in (HelpdeskRefused, RuntimeError):
        with pytest.raises(error), place(SLOW):
            raise error("it failed")

    with connection.cursor() as cursor:
        cursor.execute(OWN_LOCKS)
        assert cursor.fetchone() == (0,)
