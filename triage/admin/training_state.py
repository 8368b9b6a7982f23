"""How a training stands, in the words of the desk: derived from the run and its job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils import timezone

from triage.models import Job, TrainingRun

WAITING, UNDER_WAY, STOPPING = "waiting", "under way", "being stopped"
AGAIN, DEAD = "to be tried again", "dead letter"
MADE, REFUSED, CANCELLED = "made a version", "refused", "cancelled"
COLOURS = {
    WAITING: "default",
    UNDER_WAY: "info",
    STOPPING: "warning",
    AGAIN: "warning",
    DEAD: "danger",
    MADE: "success",
    REFUSED: "danger",
    CANCELLED: "default",
}


@dataclass(frozen=True)
class Shown:
    """One training as its bar shows it. `run` needs field and its source, version and its field."""

    run: TrainingRun
    job: Job | None

    @property
    def state(self) -> str:
        run, job = self.run, self.job
        if run.finished_at is not None:
            if run.model_version_id is not None:
                return MADE
            return CANCELLED if run.cancelled_at is not None and not run.error else REFUSED
        if job is not None and job.dead_at is not None:
            return DEAD
        if run.cancelled_at is not None:
            return STOPPING
        if job is not None and job.lease_until is not None and job.lease_until > timezone.now():
            return UNDER_WAY
        return WAITING if run.started_at is None else AGAIN

    @property
    def percent(self) -> int:
        return round(100 * self.run.progress)

    @property
    def is_over(self) -> bool:
        return self.run.finished_at is not None

    @property
    def sentence(self) -> str:
        """What there is to know beyond the state; empty where that says it all."""
        run, last_error = self.run, self.job.last_error if self.job is not None else ""
        return {
            WAITING: "The trainer takes one after another; it begins by itself.",
            UNDER_WAY: run.step.capitalize(),
            STOPPING: "It ends at its next step.",
            AGAIN: f"It broke off and starts over by itself. {last_error}".strip(),
            DEAD: f"It failed every time it was tried, at last with: {last_error}",
            REFUSED: run.error,
        }.get(self.state, "")

    @property
    def page(self) -> str:
        return reverse("admin:triage_trainingrun_change", args=[self.run.pk])

    @property
    def job_page(self) -> str:
        """Of the dead letter, where it is redelivered; empty for any other state."""
        if self.state != DEAD or self.job is None:
            return ""
        return reverse("admin:triage_job_change", args=[self.job.pk])


def shown(runs: Sequence[TrainingRun]) -> list[Shown]:
    """One query for all of their jobs."""
    pks = [run.pk for run in runs if run.finished_at is None]
    jobs: Mapping[int, Job] = {}
    if pks:
        rows = Job.objects.filter(kind=Job.Kind.TRAIN, subject__in=pks)
        jobs = {job.subject: job for job in rows}
    return [Shown(run, jobs.get(run.pk)) for run in runs]
