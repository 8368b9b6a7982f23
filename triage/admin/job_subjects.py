"""What jobs are about: a job knows only a number, and each kind means another table by it."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from django.urls import reverse

from triage.admin.came_of import came_of
from triage.models import (
    Delivery,
    Job,
    Proposal,
    RuleNotice,
    Ticket,
    TicketVersion,
    TrainingRun,
)


@dataclass(frozen=True)
class About:
    """One subject; `page` is empty where the table has no page of its own."""

    name: str
    page: str = ""
    ticket: Ticket | None = None


def subjects(jobs: Iterable[Job]) -> dict[tuple[str, int], About]:
    """By kind and subject; those that are gone are left out. A fixed number of queries."""
    wanted: dict[str, set[int]] = {}
    for job in jobs:
        wanted.setdefault(job.kind, set()).add(job.subject)
    return {
        (kind, pk): about
        for kind, pks in wanted.items()
        if kind in READERS
        for pk, about in READERS[kind](pks).items()
    }


def _deliveries(pks: Collection[int]) -> dict[int, About]:
    rows = list(Delivery.objects.filter(pk__in=pks).defer("body"))
    came = came_of(rows)
    return {
        row.pk: About(f"delivery {row}", _page("delivery", row.pk), came[row.pk].ticket)
        for row in rows
    }


def _versions(pks: Collection[int]) -> dict[int, About]:
    rows = TicketVersion.objects.filter(pk__in=pks).select_related("ticket")
    return {
        row.pk: About(str(row), _page("ticket", row.ticket_id), row.ticket)
        for row in rows.defer("body", "ticket__search", "ticket__body")
    }


def _proposals(pks: Collection[int]) -> dict[int, About]:
    rows = Proposal.objects.filter(pk__in=pks).select_related("ticket")
    return {
        row.pk: About(f"proposal {row.pk}", _page("proposal", row.pk), row.ticket)
        for row in rows.defer("reply", "ticket__search", "ticket__body")
    }


def _notices(pks: Collection[int]) -> dict[int, About]:
    rows = RuleNotice.objects.filter(pk__in=pks).select_related("ticket", "rule_version__rule")
    return {
        row.pk: About(
            f"notice of {row.rule_version.rule}",
            _page("escalationrule", row.rule_version.rule_id),
            row.ticket,
        )
        for row in rows.defer("ticket__search", "ticket__body")
    }


def _trainings(pks: Collection[int]) -> dict[int, About]:
    rows = TrainingRun.objects.filter(pk__in=pks).select_related("field__source")
    return {
        row.pk: About(
            f"training of {row.field.name} · {row.field.source}", _page("trainingrun", row.pk)
        )
        for row in rows
    }


def _page(table: str, pk: int) -> str:
    return reverse(f"admin:triage_{table}_change", args=[pk])


READERS: Mapping[str, Callable[[Collection[int]], dict[int, About]]] = {
    Job.Kind.RECEIVE: _deliveries,
    Job.Kind.PROPOSE: _versions,
    Job.Kind.EVIDENCE: _proposals,
    Job.Kind.SHADOW: _versions,
    Job.Kind.EFFECT: _proposals,
    Job.Kind.NOTICE: _notices,
    Job.Kind.TRAIN: _trainings,
}
