"""Which helpdesks do not answer, and what waits for them: from jobs and effects alone."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from triage.models import Effect, Job, Proposal, Source

# What a failed attempt left as its error where the helpdesk, or an automation, kept silent.
SILENT = ("HelpdeskUnavailable", "HelpdeskSilent")
UNFINISHED = (Effect.State.PENDING, Effect.State.SENDING)
# Dead letters that are older are an owner's to look after, and no news to anybody else.
GIVEN_UP_WITHIN = timedelta(hours=12)
MOST_JOBS = 1000


@dataclass(frozen=True)
class Silence:
    """A source that has not answered since a moment, and how many tickets wait to be written to.

    `given_up` of them will not be tried again unless an owner sends them anew.
    """

    source: int
    name: str
    since: datetime
    waiting: int
    given_up: int


def silences() -> list[Silence]:
    """One query as long as all answer. A source is silent until the last failed job is done."""
    failed = _failed_by_source()
    if not failed:
        return []
    found = []
    for source in Source.objects.filter(pk__in=failed).order_by("name"):
        jobs = failed[source.pk]
        given_up = sum(job.dead_at is not None for job in jobs)
        found.append(
            Silence(
                source=source.pk,
                name=source.name,
                since=min(job.created_at for job in jobs),
                waiting=max(_waiting(source) - given_up, 0),
                given_up=given_up,
            )
        )
    return found


def silent_since() -> dict[int, datetime]:
    """Source to the moment since which it has not answered; two queries at the most."""
    return {
        source: min(job.created_at for job in jobs) for source, jobs in _failed_by_source().items()
    }


def _failed_by_source() -> dict[int, list[Job]]:
    """One query as long as nothing failed."""
    failed = _failed()
    if not failed:
        return {}
    proposals = Proposal.objects.filter(pk__in=[job.subject for job in failed])
    sources = dict(proposals.values_list("pk", "ticket__source"))
    found: dict[int, list[Job]] = {}
    for job in failed:
        if job.subject in sources:
            found.setdefault(sources[job.subject], []).append(job)
    return found


def _failed() -> list[Job]:
    recent = timezone.now() - GIVEN_UP_WITHIN
    errors = Q()
    for name in SILENT:
        errors |= Q(last_error__startswith=name)
    return list(
        Job.objects.filter(errors, kind=Job.Kind.EFFECT)
        .filter(Q(dead_at__isnull=True) | Q(dead_at__gt=recent))
        .only("subject", "created_at", "dead_at")[:MOST_JOBS]
    )


def _waiting(source: Source) -> int:
    """Tickets of the source with a change that has not reached it, MOST_JOBS at the most."""
    rows = Effect.objects.filter(ticket__source=source, state__in=UNFINISHED)
    return rows.order_by().values("proposal").distinct()[:MOST_JOBS].count()
