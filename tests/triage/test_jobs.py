"""Leased jobs: claimed once, given back, buried, brought back to life."""

import time
from collections.abc import Callable
from datetime import timedelta
from threading import Barrier, Event
from typing import Any

import pytest
from celery import current_app
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from triage.jobs import leases, sweeper
from triage.jobs.doorbell import ENOUGH_UNHEARD, Doorbell
from triage.jobs.keeping import kept
from triage.jobs.lanes import Lane
from triage.models import Job

pytestmark = pytest.mark.django_db

KINDS = [Job.Kind.RECEIVE, Job.Kind.PROPOSE]


def put(count: int, kind: str = Job.Kind.PROPOSE) -> None:
    leases.put(kind, range(1, count + 1))


def expire_leases() -> None:
    Job.objects.update(lease_until=timezone.now() - timedelta(seconds=1))


def make_due() -> None:
    Job.objects.update(next_attempt_at=timezone.now() - timedelta(seconds=1))


def test_a_claimed_job_is_nobody_elses_until_its_lease_ends() -> None:
    put(3)

    first = leases.claim(KINDS, 10)
    second = leases.claim(KINDS, 10)
    expire_leases()
    third = leases.claim(KINDS, 1)

    assert (len(first), len(second), len(third)) == (3, 0, 1)
    assert third[0].attempts == 2


def test_a_claim_takes_one_kind_and_no_more_than_asked() -> None:
    put(4)
    put(4, Job.Kind.RECEIVE)

    jobs = leases.claim(KINDS, 3)

    assert len(jobs) == 3
    assert len({job.kind for job in jobs}) == 1


def test_jobs_that_failed_come_back_in_small_company_and_then_alone() -> None:
    put(30)
    companies: dict[int, set[int]] = {}
    # 30 together, then thrice 10, then each alone; equally old, so in no order among themselves.
    for _ in range(1 + 3 + 30):
        jobs = leases.claim(KINDS, 30)
        (attempt,) = {job.attempts for job in jobs}
        companies.setdefault(attempt, set()).add(len(jobs))
        if attempt == 3:
            leases.finish(jobs)
        expire_leases()

    assert companies == {1: {30}, 2: {10}, 3: {1}}
    assert not Job.objects.exists()


def test_what_was_begun_is_ended_before_something_new_is_begun() -> None:
    put(2, Job.Kind.RECEIVE)
    put(2, Job.Kind.PROPOSE)
    put(2, Job.Kind.EVIDENCE)
    order = [Job.Kind.PROPOSE, Job.Kind.RECEIVE, Job.Kind.EVIDENCE]

    kinds = []
    while jobs := leases.claim(order, 10):
        kinds.append(jobs[0].kind)
        leases.finish(jobs)

    assert kinds == order


def test_a_job_that_could_not_be_begun_has_its_attempt_back() -> None:
    put(1)
    (job,) = leases.claim(KINDS, 1)

    leases.put_back(job, 5)

    left = Job.objects.get()
    assert (left.attempts, left.lease_until, left.token) == (0, None, None)
    assert 3 < (left.next_attempt_at - timezone.now()).total_seconds() < 7


@pytest.mark.django_db(transaction=True)
def test_work_that_takes_longer_than_a_lease_keeps_its_jobs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(settings, "JOB_LEASE_SECONDS", 0.6)
    put(2)
    jobs = leases.claim(KINDS, 2)

    with kept(jobs):
        time.sleep(1.5)
        meanwhile = leases.claim(KINDS, 2)
    time.sleep(0.8)
    afterwards = leases.claim(KINDS, 2)

    assert meanwhile == []
    assert len(afterwards) == 2
    assert leases.finish(jobs) == 0


def test_finishing_removes_only_what_is_still_ours() -> None:
    put(2)
    jobs = leases.claim(KINDS, 2)
    leases.put(Job.Kind.PROPOSE, [jobs[0].subject])

    assert leases.finish(jobs) == 1
    left = Job.objects.get()
    assert (left.subject, left.attempts, left.lease_until) == (jobs[0].subject, 0, None)


def test_five_failures_make_a_dead_letter_that_can_be_redelivered() -> None:
    put(1)
    for attempt in range(1, settings.JOB_MAX_ATTEMPTS + 1):
        make_due()
        (job,) = leases.claim(KINDS, 1)
        assert job.attempts == attempt
        leases.fail(job, "ValueError: no such luck")

    dead = Job.objects.get()
    assert dead.dead_at is not None
    assert dead.last_error == "ValueError: no such luck"
    make_due()
    assert leases.claim(KINDS, 1) == []
    assert leases.oldest_age_seconds() == 0

    assert leases.redeliver([dead]) == 1
    assert leases.claim(KINDS, 1)[0].attempts == 1


def test_failures_wait_longer_each_time() -> None:
    put(1)
    waits = []
    for _ in range(4):
        make_due()
        (job,) = leases.claim(KINDS, 1)
        leases.fail(job, "x")
        waits.append((Job.objects.get().next_attempt_at - timezone.now()).total_seconds())

    assert waits == sorted(waits)
    assert waits[0] < 3
    assert waits[3] > 60


def test_a_job_whose_worker_dies_every_time_is_buried() -> None:
    put(1)
    for _ in range(settings.JOB_MAX_ATTEMPTS):
        assert len(leases.claim(KINDS, 1)) == 1
        expire_leases()

    assert leases.claim(KINDS, 1) == []
    assert leases.bury_exhausted() == 1
    assert "without an answer" in Job.objects.get().last_error


def test_failing_does_not_give_back_what_another_worker_has_taken_since() -> None:
    put(1)
    (mine,) = leases.claim(KINDS, 1)
    leases.put(Job.Kind.PROPOSE, [mine.subject])
    (theirs,) = leases.claim(KINDS, 1)

    leases.fail(mine, "too late")

    assert Job.objects.get().lease_until == theirs.lease_until
    assert leases.finish([theirs]) == 1


@pytest.mark.django_db(transaction=True)
def test_a_job_that_is_put_anew_while_it_is_buried_stays_alive(
    in_threads: Callable[..., None],
) -> None:
    put(1)
    Job.objects.update(attempts=settings.JOB_MAX_ATTEMPTS)
    expire_leases()
    is_put = Event()

    def put_slowly() -> None:
        with transaction.atomic():
            put(1)
            is_put.set()
            time.sleep(0.5)

    def bury() -> None:
        assert is_put.wait(10)
        assert leases.bury_exhausted() == 0

    in_threads([put_slowly, bury])

    assert Job.objects.get().dead_at is None


@pytest.mark.django_db(transaction=True)
def test_eight_workers_share_jobs_without_overlap(in_threads: Callable[..., None]) -> None:
    put(200)
    start = Barrier(8)
    seen: list[int] = []

    def worker() -> None:
        start.wait()
        while jobs := leases.claim(KINDS, 7):
            with transaction.atomic():
                seen.extend(job.subject for job in jobs)
                leases.finish(jobs)

    in_threads([worker] * 8)
    while jobs := leases.claim(KINDS, 7):
        seen.extend(job.subject for job in jobs)
        leases.finish(jobs)

    assert sorted(seen) == list(range(1, 201))
    assert not Job.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_sweeper_does_what_no_worker_was_told_of(in_threads: Callable[..., None]) -> None:
    put(5)
    overdue = timezone.now() - timedelta(seconds=sweeper.OVERDUE_SECONDS + 1)
    Job.objects.update(next_attempt_at=overdue)
    stop = Event()
    done: list[int] = []

    def work_once() -> int:
        jobs = leases.claim(KINDS, 2)
        done.extend(job.subject for job in jobs)
        leases.finish(jobs)
        if len(done) == 5:
            stop.set()
        return len(jobs)

    def sweep() -> None:
        sweeper.sweep(work_once, stop)

    in_threads([sweep])

    assert sorted(done) == [1, 2, 3, 4, 5]


def test_fresh_jobs_are_left_to_the_workers() -> None:
    put(1)

    assert not sweeper.is_overdue()


def test_a_lease_that_ran_out_is_overdue_at_once() -> None:
    put(1)
    leases.claim(KINDS, 1)
    expire_leases()

    assert sweeper.is_overdue()


def test_a_dead_broker_is_rung_once_and_then_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    bell, calls = Doorbell(Lane.TRIAGE), []

    def refuse(*args: object, **options: object) -> None:
        calls.append(args)
        raise ConnectionRefusedError

    monkeypatch.setattr("triage.jobs.doorbell.current_app.connection_for_write", refuse)

    assert [bell.ring_now(), bell.ring_now(), bell.ring_now()] == [False, False, False]
    assert len(calls) == 1


def test_rings_that_nobody_hears_do_not_pile_up() -> None:
    bells = [Doorbell(Lane.EFFECTS), Doorbell(Lane.EFFECTS)]
    queue = settings.QUEUE_OF_LANE["effects"]

    assert all(bell.ring_now() for _ in range(20) for bell in bells)

    with current_app.connection_for_read() as connection:
        channel: Any = connection.default_channel
        assert channel.queue_purge(queue) == ENOUGH_UNHEARD


def test_ringing_never_waits_for_the_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    bell, rung = Doorbell(Lane.TRIAGE), Event()

    def slowly() -> bool:
        rung.wait(10)
        return True

    monkeypatch.setattr(bell, "ring_now", slowly)

    started = time.monotonic()
    for _ in range(100):
        bell.ring()
    seconds = time.monotonic() - started
    rung.set()

    assert seconds < 1
