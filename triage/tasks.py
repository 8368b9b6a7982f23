"""The Celery edge: claim a batch of jobs, call the step, finish or give back."""

import logging
from collections.abc import Callable, Sequence

from celery import shared_task
from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.utils import timezone

from triage import steps
from triage.effects import writeback
from triage.jobs import leases
from triage.jobs.doorbell import WORK_TASK
from triage.models import Delivery, Job, Proposal, RuleNotice

logger = logging.getLogger(__name__)

ROUNDS_PER_BELL = 50
# One may take several deadlines of a helpdesk, longer than a lease.
WITHOUT_BATCHES = (Job.Kind.EFFECT,)


@shared_task(name=WORK_TASK)
def work() -> None:
    """Work until nothing is due; a bell that rings for nothing costs one query."""
    for _ in range(ROUNDS_PER_BELL):
        if not work_once():
            return


def work_once() -> int:
    """Claim and do one batch; answers how many jobs were claimed."""
    jobs = leases.claim(list(HANDLERS), settings.JOB_BATCH_SIZE, alone=WITHOUT_BATCHES)
    if jobs:
        _attempt(jobs)
    return len(jobs)


def _attempt(jobs: Sequence[Job]) -> None:
    """Do a batch; if it fails, do each alone, so that one bad job fails alone."""
    try:
        HANDLERS[jobs[0].kind](jobs)
    except Exception as error:
        if len(jobs) > 1:
            for job in jobs:
                _attempt([job])
            return
        logger.warning("job %s failed, attempt %s: %r", jobs[0], jobs[0].attempts, error)
        leases.fail(jobs[0], f"{type(error).__name__}: {error}")


@transaction.atomic
def _receive(jobs: Sequence[Job]) -> None:
    rows = Delivery.objects.filter(pk__in=_subjects(jobs)).select_related("source")
    for delivery in rows.order_by("pk"):
        steps.receive(delivery)
    leases.finish(jobs)


def _propose(jobs: Sequence[Job]) -> None:
    steps.propose(_subjects(jobs), jobs=jobs)


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


def _subjects(jobs: Sequence[Job]) -> list[int]:
    return [job.subject for job in jobs]


HANDLERS: dict[str, Callable[[Sequence[Job]], None]] = {
    Job.Kind.RECEIVE: _receive,
    Job.Kind.PROPOSE: _propose,
    Job.Kind.EFFECT: _send_effects,
    Job.Kind.NOTICE: _notify,
}
