"""The Celery edge: claim a batch of jobs, call the step, finish or give back."""

import logging
import time
from collections.abc import Callable, Sequence

from celery import shared_task
from django.conf import settings
from django.core.mail import send_mail
from django.db import DatabaseError
from django.utils import timezone

from triage import drift, nightly, steps
from triage.effects import writeback
from triage.effects.locks import NotNow
from triage.jobs import leases
from triage.jobs.doorbell import ring_after_commit
from triage.jobs.keeping import kept
from triage.jobs.lanes import ALL_KINDS, KINDS, TASKS, Lane
from triage.learning import runs
from triage.models import Job, Proposal, RuleNotice

logger = logging.getLogger(__name__)

NIGHTLY = "triage.look_after_models"
NIGHT_SECONDS = 6 * 3600
# Longer, and one task would come near its time limit while work remains.
SECONDS_PER_BELL = 30.0
# An effect may take several deadlines of a helpdesk: none may wait behind another in a batch, use
# up its lease there and with it an attempt. Evidence is slow to find, a batch of it holds up
# tickets that come meanwhile, and the beginnings of 250 solved ones for each are in memory. A model
# in shadow may be slow too.
AT_MOST: dict[str, int] = {
    Job.Kind.EFFECT: 1,
    Job.Kind.EVIDENCE: 25,
    Job.Kind.SHADOW: 50,
    Job.Kind.TRAIN: 1,
}
# Time that a job has, after its soft limit, to fail with a word before its process is killed.
LAST_WORDS_SECONDS = 60

# Classes of SQLSTATE: data exception; syntax error or access rule violation.
QUOTING = ("22", "42")


@shared_task(name=TASKS[Lane.TRIAGE])
def work() -> None:
    """Read deliveries and make proposals until nothing is due."""
    _work_until_quiet(Lane.TRIAGE)


@shared_task(name=TASKS[Lane.EFFECTS])
def write_back() -> None:
    """Change helpdesks and mail notices until nothing is due."""
    _work_until_quiet(Lane.EFFECTS)


@shared_task(
    name=TASKS[Lane.LEARNING],
    acks_late=False,
    soft_time_limit=settings.TRAINING_TIME_LIMIT_SECONDS,
    time_limit=settings.TRAINING_TIME_LIMIT_SECONDS + LAST_WORDS_SECONDS,
)
def train() -> None:
    """Train what was asked for, one run after another.

    Acknowledged at once: the broker would send the message again while it is worked on. What a
    killed trainer leaves is found by its lease.
    """
    _work_until_quiet(Lane.LEARNING)


@shared_task(name=NIGHTLY)
def look_after_models() -> None:
    """Once a night: a task of its own for each model in service, so that none is one long one."""
    for version in drift.champions():
        look_after.apply_async((version.pk,), expires=NIGHT_SECONDS)


@shared_task(name="triage.look_after")
def look_after(version_id: int) -> None:
    """Drift, retraining and the owner's mails of one version; run twice, it does them once."""
    for version in drift.champions():
        if version.pk == version_id:
            nightly.look_after(version, timezone.localdate())


def _work_until_quiet(lane: Lane) -> None:
    """A bell that rings for nothing costs a query for each kind of the lane."""
    until = time.monotonic() + SECONDS_PER_BELL
    while jobs := _work(KINDS[lane]):
        full = AT_MOST.get(jobs[0].kind, settings.JOB_BATCH_SIZE)
        if len(jobs) >= min(full, settings.JOB_BATCH_SIZE):
            # There is probably more than this process can do alone.
            ring_after_commit(lane)
        if time.monotonic() > until:
            ring_after_commit(lane)
            return


def work_once(kinds: Sequence[str] = ALL_KINDS) -> int:
    """Claim and do one batch; answers how many jobs were claimed."""
    return len(_work(kinds))


def _work(kinds: Sequence[str]) -> list[Job]:
    jobs = leases.claim(kinds, settings.JOB_BATCH_SIZE, at_most=AT_MOST)
    if jobs:
        with kept(jobs):
            _attempt(jobs)
    return jobs


def _attempt(jobs: Sequence[Job]) -> None:
    """Do a batch; if it fails, do each alone, so that one bad job fails alone."""
    try:
        HANDLERS[jobs[0].kind](jobs)
    except NotNow as later:
        leases.put_back(jobs[0], later.seconds)
    except Exception as error:
        if len(jobs) > 1:
            leases.begin_again(jobs)
            for job in jobs:
                _attempt([job])
            return
        logger.warning("job %s failed, attempt %s: %s", jobs[0], jobs[0].attempts, _named(error))
        leases.fail(jobs[0], _named(error))


def _named(error: Exception) -> str:
    """The error without what a database adds to it: values, pieces of a statement, a ticket's text.

    Of data that cannot be read and of a statement that cannot be run the first line quotes too.
    """
    said = str(error)
    if isinstance(error, DatabaseError):
        state = getattr(error.__cause__, "sqlstate", None) or ""
        said = f"SQLSTATE {state}" if state[:2] in QUOTING else said.partition("\n")[0]
    return f"{type(error).__name__}: {said.partition('DETAIL:')[0].strip()}"


def _receive(jobs: Sequence[Job]) -> None:
    steps.receive(_subjects(jobs), jobs=jobs)


def _propose(jobs: Sequence[Job]) -> None:
    steps.propose(_subjects(jobs), jobs=jobs)


def _explain(jobs: Sequence[Job]) -> None:
    steps.explain(_subjects(jobs), jobs=jobs)


def _ask_shadows(jobs: Sequence[Job]) -> None:
    steps.shadow(_subjects(jobs), jobs=jobs)


def _send_effects(jobs: Sequence[Job]) -> None:
    """Never in one transaction: what is being sent must be on record before it leaves."""
    for job in jobs:
        proposal = Proposal.objects.select_related("ticket__source").get(pk=job.subject)
        writeback.send(proposal)
        leases.finish([job])


def _notify(jobs: Sequence[Job]) -> None:
    """A mail may go out twice if the worker dies between sending it and noting that."""
    rows = RuleNotice.objects.filter(pk__in=_subjects(jobs), sent_at__isnull=True)
    for notice in rows.select_related("ticket", "rule_version__rule"):
        rule = notice.rule_version.rule
        subject = f"[Countersign] {rule.name}: #{notice.ticket.external_id}"
        send_mail(
            # One line: an id or a name with a line break would be refused as a header.
            " ".join(subject.split()),
            f"The rule “{rule.name}” matched ticket #{notice.ticket.external_id}.\n"
            f"{settings.SITE_URL}/tickets/{notice.ticket_id}/\n",
            None,
            [notice.to],
        )
        RuleNotice.objects.filter(pk=notice.pk).update(sent_at=timezone.now())
    leases.finish(jobs)


def _train(jobs: Sequence[Job]) -> None:
    """Never in one transaction: how far it is must be seen meanwhile."""
    for job in jobs:
        try:
            runs.carry_out(job.subject, jobs=[job])
        except runs.BrokenOff:
            leases.put_back(job, 1)


def _subjects(jobs: Sequence[Job]) -> list[int]:
    return [job.subject for job in jobs]


HANDLERS: dict[str, Callable[[Sequence[Job]], None]] = {
    Job.Kind.RECEIVE: _receive,
    Job.Kind.PROPOSE: _propose,
    Job.Kind.EVIDENCE: _explain,
    Job.Kind.SHADOW: _ask_shadows,
    Job.Kind.EFFECT: _send_effects,
    Job.Kind.NOTICE: _notify,
    Job.Kind.TRAIN: _train,
}
