"""Trainings that somebody asked for: put on record, carried out by a job, shown, cancelled."""

import logging
import time
from collections.abc import Sequence
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from triage import ledger
from triage.jobs import leases
from triage.jobs.doorbell import ring_after_commit
from triage.jobs.keeping import ending, kept
from triage.jobs.lanes import Lane
from triage.learning import training
from triage.learning.training import Progress, TrainingRefused
from triage.models import Field, Job, LedgerEntry, ModelVersion, TrainingRun

logger = logging.getLogger(__name__)

EVERY_SECONDS = 1.0


class BrokenOff(Exception):
    """This process was told to end; the run is to start over elsewhere, and this was no attempt."""


class _Over(Exception):
    """Nobody waits for this run any more: it was cancelled, or another worker was quicker."""


def ask(field: Field, *, by: User, seed: int = 0, leave_out_small: bool = False) -> TrainingRun:
    """Ask the trainer for a candidate; TrainingRefused while one is being made for the field."""
    with transaction.atomic():
        run = _put(field, by=by, seed=seed, leave_out_small=leave_out_small)
        leases.put(Job.Kind.TRAIN, [run.pk])
        ring_after_commit(Lane.LEARNING)
        _note(run, by, "training asked for")
    return run


def in_foreground(
    field: Field,
    *,
    by: User,
    seed: int = 0,
    leave_out_small: bool = False,
    progress: Progress | None = None,
) -> ModelVersion:
    """Train in this process, on the same record; raises what stopped it, which ends the run.

    If the process is killed, a trainer takes the run over. Not to be called in a transaction whose
    jobs others should see.
    """
    with transaction.atomic():
        run = _put(field, by=by, seed=seed, leave_out_small=leave_out_small)
        job = leases.take(Job.Kind.TRAIN, run.pk)
        _note(run, by, "training asked for")
    try:
        with kept([job]):
            carry_out(run.pk, jobs=[job], also_tell=progress)
    except BaseException as error:
        # Ctrl-C too: whoever watches it has seen it fail, and nobody is to try it behind them.
        _end(run, [job], error=f"It was broken off: {type(error).__name__}.")
        raise
    run.refresh_from_db()
    if run.model_version is None:
        raise TrainingRefused(run.error or "It was cancelled.")
    return run.model_version


def carry_out(run_pk: int, *, jobs: Sequence[Job] = (), also_tell: Progress | None = None) -> None:
    """Train for a run and end it: with a version, or with the sentence that refused it.

    Safe to repeat: a run that is over is left as it is. The jobs that asked for it end in the same
    transaction. Raises BrokenOff when the process is told to end, and any error but a refusal.
    """
    run = TrainingRun.objects.select_related("field__source", "asked_by").filter(pk=run_pk).first()
    if run is None:
        leases.finish(jobs)
        return
    try:
        tell = _begin(run, also_tell)
        learnt = training.learn(
            run.field, seed=run.seed, leave_out_small=run.leave_out_small, progress=tell
        )
        with transaction.atomic():
            # Also locks the row, so that nobody cancels what is being stored.
            _update(run, step="storing")
            version = training.store(learnt, owner=run.asked_by)
            _end(run, jobs, version=version)
    except TrainingRefused as refused:
        _end(run, jobs, error=str(refused))
    except _Over:
        _end(run, jobs)


def cancel(run: TrainingRun, *, by: User) -> bool:
    """Stop a run: at once if nobody works on it, else at its next step. False if it was over."""
    with transaction.atomic():
        run = TrainingRun.objects.select_for_update().get(pk=run.pk)
        if run.finished_at is not None or run.cancelled_at is not None:
            return False
        run.cancelled_at, run.cancelled_by = timezone.now(), by
        run.save(update_fields=["cancelled_at", "cancelled_by"])
        job = Job.objects.select_for_update().filter(kind=Job.Kind.TRAIN, subject=run.pk).first()
        if job is None or job.lease_until is None or job.lease_until < timezone.now():
            TrainingRun.objects.filter(pk=run.pk).update(finished_at=timezone.now(), step="")
            Job.objects.filter(kind=Job.Kind.TRAIN, subject=run.pk).delete()
        _note(run, by, "training cancelled")
    return True


def _put(field: Field, *, by: User, seed: int, leave_out_small: bool) -> TrainingRun:
    """The constraint is the lock: of two who ask together, the first is served."""
    try:
        with transaction.atomic():
            return TrainingRun.objects.create(
                field=field, asked_by=by, seed=seed, leave_out_small=leave_out_small
            )
    except IntegrityError as error:
        raise TrainingRefused(
            f"Field {field.key} is being trained already; wait for it or cancel it."
        ) from error


def _begin(run: TrainingRun, also_tell: Progress | None) -> Progress:
    """Note that it begins, from the start; what is called with each step it takes."""
    _update(run, started_at=timezone.now(), progress=0.0, step="starting")
    last = time.monotonic() - EVERY_SECONDS

    def tell(share: float, what: str) -> None:
        nonlocal last
        if also_tell is not None:
            also_tell(share, what)
        if ending.is_set():
            raise BrokenOff
        if time.monotonic() - last >= EVERY_SECONDS:
            last = time.monotonic()
            _update(run, progress=min(max(share, 0.0), 1.0), step=what[:200])

    return tell


def _update(run: TrainingRun, **values: Any) -> None:
    """Raises _Over where somebody has cancelled or finished it meanwhile."""
    own = TrainingRun.objects.filter(pk=run.pk, finished_at__isnull=True, cancelled_at__isnull=True)
    if not own.update(**values):
        raise _Over


def _end(
    run: TrainingRun,
    jobs: Sequence[Job],
    *,
    version: ModelVersion | None = None,
    error: str = "",
) -> None:
    """Nothing is changed where it has ended already, but its jobs go."""
    with transaction.atomic():
        open_run = TrainingRun.objects.filter(pk=run.pk, finished_at__isnull=True)
        if version is not None:
            open_run.update(progress=1.0)
        is_news = open_run.update(
            finished_at=timezone.now(), step="", error=error[:1000], model_version=version
        )
        leases.finish(jobs)
        if is_news and error:
            _note(run, None, "training refused")
    logger.info("training %s ended: %s", run.pk, version or error or "cancelled")


def _note(run: TrainingRun, by: User | None, event: str) -> None:
    ledger.append(
        kind=LedgerEntry.Kind.MODEL,
        subject=f"training:{run.pk}",
        payload={
            "event": event,
            "field": run.field_id,
            "seed": run.seed,
            "leave_out_small": run.leave_out_small,
        },
        actor=ledger.SERVICE if by is None else ledger.actor_of(by),
    )
