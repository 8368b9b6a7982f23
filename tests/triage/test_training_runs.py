"""Trainings that somebody asked for: carried out once, taken over, refused, cancelled."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings as live_settings
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from tests.triage.taught import taught
from triage import ledger, tasks
from triage.admin import training_state
from triage.jobs import keeping, leases, sweeper
from triage.jobs.lanes import ALL_KINDS, KINDS, PROMPT_KINDS, Lane
from triage.learning import runs
from triage.learning.training import TrainingRefused
from triage.models import Choice, Field, Job, LedgerEntry, ModelVersion, Source, TrainingRun

__all__ = ["taught"]

pytestmark = pytest.mark.django_db

Work = Callable[[], int]
PATIENCE_SECONDS = 90.0


def state(run: TrainingRun) -> str:
    (shown,) = training_state.shown([TrainingRun.objects.get(pk=run.pk)])
    return shown.state


def sentence(run: TrainingRun) -> str:
    (shown,) = training_state.shown([TrainingRun.objects.get(pk=run.pk)])
    return shown.sentence


def make_due() -> None:
    Job.objects.update(next_attempt_at=timezone.now() - timedelta(seconds=1))


def test_a_training_that_was_asked_for_leaves_a_candidate_and_is_on_record(
    taught: Field, ai_owner: User, work: Work
) -> None:
    run = runs.ask(taught, by=ai_owner, seed=3)
    assert state(run) == training_state.WAITING

    work()

    run.refresh_from_db()
    version = run.model_version
    assert version is not None
    assert (version.state, version.owner, version.evidence["seed"]) == ("candidate", ai_owner, 3)
    assert (run.progress, run.error, state(run)) == (1.0, "", training_state.MADE)
    assert run.started_at is not None
    assert run.finished_at is not None
    assert run.started_at < run.finished_at
    assert not Job.objects.exists()
    entry = LedgerEntry.objects.get(subject=f"training:{run.pk}")
    assert entry.actor == f"user:{ai_owner.pk}"
    assert entry.payload["event"] == "training asked for"
    assert ledger.verify() is None


def test_a_field_has_one_unfinished_run_and_others_may_be_trained_meanwhile(
    taught: Field, catalogue: dict[str, Choice], ai_owner: User
) -> None:
    runs.ask(taught, by=ai_owner)

    with pytest.raises(TrainingRefused, match="category is being trained already"):
        runs.ask(taught, by=ai_owner)
    runs.ask(catalogue["urgent"].field, by=ai_owner)

    assert TrainingRun.objects.count() == Job.objects.filter(kind="train").count() == 2


def test_a_refusal_is_an_end_with_its_sentence_and_no_retry(
    taught: Field, ai_owner: User, work: Work, settings: Settings
) -> None:
    settings.TRAINING_LABEL_FLOOR = 24
    run = runs.ask(taught, by=ai_owner)

    work()

    assert state(run) == training_state.REFUSED
    assert "at least 24 labels. Too few: network (23)" in sentence(run)
    assert not Job.objects.exists()
    assert not ModelVersion.objects.exists()
    entry = LedgerEntry.objects.latest("sequence")
    assert (entry.payload["event"], entry.actor) == ("training refused", ledger.SERVICE)
    runs.ask(taught, by=ai_owner, leave_out_small=True)


def test_another_error_is_tried_again_and_is_a_dead_letter_in_the_end_that_can_be_redelivered(
    taught: Field, ai_owner: User, work: Work, settings: Settings, tmp_path: Path
) -> None:
    folder, settings.COUNTERSIGN_MODEL_DIR = settings.COUNTERSIGN_MODEL_DIR, tmp_path / "file"
    settings.COUNTERSIGN_MODEL_DIR.write_text("no folder")
    settings.JOB_MAX_ATTEMPTS = 2
    run = runs.ask(taught, by=ai_owner)

    work()
    assert state(run) == training_state.AGAIN
    assert "FileExistsError" in sentence(run)
    make_due()
    work()
    assert state(run) == training_state.DEAD
    with pytest.raises(TrainingRefused):
        runs.ask(taught, by=ai_owner)

    settings.COUNTERSIGN_MODEL_DIR = folder
    assert leases.redeliver(Job.objects.all()) == 1
    work()
    assert state(run) == training_state.MADE


def test_what_a_killed_trainer_had_begun_is_taken_over_and_starts_over(
    taught: Field, ai_owner: User, work: Work
) -> None:
    run = runs.ask(taught, by=ai_owner)
    (lost,) = leases.claim([Job.Kind.TRAIN], 1)
    begun = timezone.now() - timedelta(minutes=5)
    TrainingRun.objects.filter(pk=run.pk).update(progress=0.7, step="fitting", started_at=begun)
    assert (work(), state(run)) == (0, training_state.UNDER_WAY)

    Job.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert state(run) == training_state.AGAIN
    assert work() == 1

    run.refresh_from_db()
    assert state(run) == training_state.MADE
    assert run.started_at is not None
    assert run.started_at > begun
    assert leases.finish([lost]) == 0


def test_of_two_trainers_with_the_same_run_the_quicker_one_stores(
    taught: Field, ai_owner: User
) -> None:
    """One was frozen for longer than its lease, and wakes up."""
    run = runs.ask(taught, by=ai_owner)

    def overtaken(share: float, what: str) -> None:
        if share > 0.5 and not ModelVersion.objects.exists():
            runs.carry_out(run.pk)

    runs.carry_out(run.pk, also_tell=overtaken)

    run.refresh_from_db()
    assert ModelVersion.objects.get() == run.model_version
    runs.carry_out(run.pk)
    assert ModelVersion.objects.count() == 1


def test_a_run_that_has_not_begun_is_cancelled_at_once(
    taught: Field, ai_owner: User, auditor: User, work: Work
) -> None:
    run = runs.ask(taught, by=ai_owner)

    assert runs.cancel(run, by=auditor)

    assert work() == 0
    assert state(run) == training_state.CANCELLED
    assert not runs.cancel(run, by=ai_owner)
    events = LedgerEntry.objects.filter(subject=f"training:{run.pk}").order_by("sequence")
    assert [(e.payload["event"], e.actor) for e in events] == [
        ("training asked for", f"user:{ai_owner.pk}"),
        ("training cancelled", f"user:{auditor.pk}"),
    ]
    runs.ask(taught, by=ai_owner)


def test_a_run_that_is_under_way_stops_at_its_next_step_when_it_is_cancelled(
    taught: Field, ai_owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "EVERY_SECONDS", 0.0)
    run = runs.ask(taught, by=ai_owner)
    jobs = leases.claim([Job.Kind.TRAIN], 1)
    shares = []

    def cancel_soon(share: float, what: str) -> None:
        shares.append(share)
        if len(shares) == 4:
            assert runs.cancel(run, by=ai_owner)
            assert state(run) == training_state.STOPPING

    runs.carry_out(run.pk, jobs=jobs, also_tell=cancel_soon)

    assert len(shares) == 4
    assert state(run) == training_state.CANCELLED
    assert not Job.objects.exists()
    assert not ModelVersion.objects.exists()


def test_a_run_that_is_cancelled_as_a_dead_letter_is_over_and_its_letter_gone(
    taught: Field, ai_owner: User
) -> None:
    run = runs.ask(taught, by=ai_owner)
    Job.objects.update(dead_at=timezone.now(), attempts=5)

    assert runs.cancel(run, by=ai_owner)

    assert state(run) == training_state.CANCELLED
    assert not Job.objects.exists()


def test_a_process_that_is_told_to_end_gives_its_training_back_and_that_was_no_attempt(
    taught: Field, ai_owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = runs.ask(taught, by=ai_owner)
    keeping.ending.set()
    try:
        assert tasks.work_once() == 1
    finally:
        keeping.ending.clear()

    job = Job.objects.get()
    assert (job.attempts, job.lease_until, state(run)) == (0, None, training_state.AGAIN)


def test_tickets_that_are_erased_meanwhile_refuse_the_run(
    taught: Field, ai_owner: User, source: Source
) -> None:
    run = runs.ask(taught, by=ai_owner)

    def erase_once(share: float, what: str) -> None:
        ticket = source.tickets.latest("pk")
        if share > 0.5 and ticket.erased_at is None:
            source.tickets.filter(pk=ticket.pk).update(
                subject="", body="", requester="", erased_at=timezone.now()
            )

    runs.carry_out(run.pk, also_tell=erase_once)

    assert state(run) == training_state.REFUSED
    assert "erased while it was trained" in sentence(run)


# --- In the foreground ----------------------------------------------------------------------
def test_what_is_trained_in_the_foreground_is_on_the_same_record(
    taught: Field, ai_owner: User
) -> None:
    shares = []

    def tell(share: float, what: str) -> None:
        shares.append(share)
        assert Job.objects.get().lease_until is not None

    version = runs.in_foreground(taught, by=ai_owner, progress=tell)

    assert TrainingRun.objects.get().model_version == version
    assert shares == sorted(shares)
    assert not Job.objects.exists()


def test_what_fails_in_the_foreground_is_not_tried_again_behind_the_back(
    taught: Field, ai_owner: User
) -> None:
    def interrupt(share: float, what: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        runs.in_foreground(taught, by=ai_owner, progress=interrupt)

    run = TrainingRun.objects.get()
    assert (state(run), run.error) == (
        training_state.REFUSED,
        "It was broken off: KeyboardInterrupt.",
    )
    assert not Job.objects.exists()


# --- A lane of its own ----------------------------------------------------------------------
def test_a_training_is_in_nobody_elses_way(taught: Field, ai_owner: User) -> None:
    runs.ask(taught, by=ai_owner)
    Job.objects.update(created_at=timezone.now() - timedelta(hours=1))

    assert tasks.work_once(KINDS[Lane.TRIAGE]) == 0
    assert tasks.work_once(KINDS[Lane.EFFECTS]) == 0
    assert leases.oldest_age_seconds(PROMPT_KINDS) == 0
    assert set(ALL_KINDS) == set(Job.Kind.values)


def test_a_lease_on_a_training_is_renewed_for_as_long_as_the_broker_lets_it_run() -> None:
    assert keeping.LONGEST_OF[Job.Kind.TRAIN] > (tasks.train.time_limit or 0)
    assert (tasks.train.soft_time_limit or 0) < (tasks.train.time_limit or 0)
    assert not tasks.train.acks_late


def test_the_sweeper_trains_only_if_no_trainer_comes_and_none_is_at_work(
    taught: Field, catalogue: dict[str, Choice], ai_owner: User
) -> None:
    runs.ask(taught, by=ai_owner)
    runs.ask(catalogue["urgent"].field, by=ai_owner)
    kinds = KINDS[Lane.LEARNING]
    assert not sweeper.is_abandoned(kinds, after_seconds=30)

    Job.objects.update(next_attempt_at=timezone.now() - timedelta(seconds=31))
    assert sweeper.is_abandoned(kinds, after_seconds=30)
    (job,) = leases.claim(kinds, 1)
    # A trainer is busy with the first; the second waits for it, however long that takes.
    assert not sweeper.is_abandoned(kinds, after_seconds=30)

    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=31))
    assert sweeper.is_abandoned(kinds, after_seconds=30)


def process(*command: str) -> subprocess.Popen[bytes]:
    """A part of the service on this test's database and models."""
    url = urlsplit(live_settings.DATABASE_URL)
    environment = os.environ | {
        "DATABASE_URL": url._replace(path=f"/{connection.settings_dict['NAME']}").geturl(),
        "COUNTERSIGN_MODEL_DIR": str(live_settings.COUNTERSIGN_MODEL_DIR),
        "COUNTERSIGN_LEDGER_DIR": str(live_settings.COUNTERSIGN_MODEL_DIR / "ledger"),
        "TRAINING_LABEL_FLOOR": str(live_settings.TRAINING_LABEL_FLOOR),
        "JOB_LEASE_SECONDS": "3",
    }
    return subprocess.Popen([sys.executable, *command], cwd=live_settings.BASE_DIR, env=environment)


def until_over(run: TrainingRun) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while TrainingRun.objects.get(pk=run.pk).finished_at is None:
        assert time.monotonic() < deadline, state(run)
        time.sleep(0.1)


@pytest.mark.django_db(transaction=True)
def test_a_trainer_of_its_own_does_what_is_asked_for_while_it_listens(
    taught: Field, ai_owner: User
) -> None:
    trainer = process(
        "-m", "celery", "-A", "config", "worker", "--without-gossip", "--without-mingle",
        "-Q", live_settings.QUEUE_OF_LANE["learning"], "--concurrency", "1", "-n", "trainer@%h",
    )  # fmt: skip
    try:
        first = runs.ask(taught, by=ai_owner)
        until_over(first)
        second = runs.ask(taught, by=ai_owner, seed=1)
        until_over(second)
    finally:
        trainer.terminate()
        ended = trainer.wait(PATIENCE_SECONDS)

    assert (state(first), state(second), ended) == (training_state.MADE, training_state.MADE, 0)
    assert ModelVersion.objects.count() == 2
    assert not Job.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_sweeper_alone_ends_what_no_trainer_came_for(taught: Field, ai_owner: User) -> None:
    run = runs.ask(taught, by=ai_owner)
    Job.objects.update(next_attempt_at=timezone.now() - timedelta(minutes=1))
    sweeper_process = process("manage.py", "sweep")
    try:
        until_over(run)
    finally:
        sweeper_process.terminate()
        ended = sweeper_process.wait(PATIENCE_SECONDS)

    assert (state(run), ended) == (training_state.MADE, 0)
