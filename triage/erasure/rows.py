"""Blanking what rows hold of tickets: the rows stay, so that everything still counts."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from triage.erasure.scope import Found
from triage.models import (
    Choice,
    Delivery,
    Effect,
    Job,
    LabelDoubt,
    Prediction,
    Proposal,
    RuleNotice,
    Ticket,
    TicketVersion,
    Waiting,
)

UNSENT = "Erased before it was sent."
UNSURE = "Erased while it was being sent: whether it reached the helpdesk is not known."
UNREAD = "Erased before it was read."
TEXTS = (Effect.Kind.NOTE, Effect.Kind.REPLY)
UNFINISHED = (Effect.State.PENDING, Effect.State.SENDING)


@dataclass
class Counts:
    """How many rows of which kind hold something to erase, or held it."""

    tickets: int = 0
    versions: int = 0
    deliveries: int = 0
    proposals: int = 0
    predictions: int = 0
    effects: int = 0
    unsent: int = 0
    jobs: int = 0
    doubts: int = 0
    more: dict[str, int] = field(default_factory=dict)

    def add(self, other: "Counts") -> None:
        for name, number in vars(other).items():
            if isinstance(number, int):
                setattr(self, name, getattr(self, name) + number)
        for name, number in other.more.items():
            self.more[name] = self.more.get(name, 0) + number

    def named(self) -> dict[str, int]:
        """In words for people."""
        return {
            "tickets": self.tickets,
            "ticket versions": self.versions,
            "stored deliveries": self.deliveries,
            "playbook replies": self.proposals,
            "predictions with words": self.predictions,
            "notes and replies written back": self.effects,
            "write-backs not sent yet, which are given up": self.unsent,
            "jobs": self.jobs,
            "doubts about labels": self.doubts,
            **self.more,
        }


def count(found: Found) -> Counts:
    """What `blank` would change."""
    rows = _Rows(found)
    return Counts(
        tickets=rows.tickets.filter(erased_at__isnull=True).count(),
        versions=rows.versions.exclude(subject="", body="").count(),
        deliveries=rows.deliveries.filter(erased_at__isnull=True).count(),
        proposals=rows.proposals.exclude(reply="").count(),
        predictions=rows.predictions.count(),
        effects=rows.texts.count(),
        unsent=rows.effects.filter(state__in=UNFINISHED).count(),
        jobs=rows.jobs.count(),
        doubts=rows.doubts.count(),
    )


def blank(found: Found) -> Counts:
    """Take every word out of the rows; part of the caller's transaction, and safe to repeat.

    Values that the source's catalogue knows stay: they are what figures are made of. Nothing
    that was not written back yet goes out any more, and nobody is asked to decide.
    """
    counts, rows, now = count(found), _Rows(found), timezone.now()
    _keep_known_values(found.tickets)
    # One that is being done ends by itself; until then it says that somebody has the text.
    rows.jobs.exclude(lease_until__gt=now).delete()
    Waiting.objects.filter(ticket__in=found.tickets).delete()
    # Nobody can judge a label whose text is gone.
    rows.doubts.delete()
    rows.texts.update(payload={"text": ""})
    # What a helpdesk answered may repeat what was sent.
    rows.effects.exclude(detail__in=["", UNSENT, UNSURE]).update(detail="")
    # What stood in a field before may be anything that a helpdesk holds.
    rows.effects.filter(before__isnull=False).update(before=None)
    rows.effects.filter(undoes__isnull=False, kind=Effect.Kind.VALUES).update(
        payload={"values": {}}
    )
    _stop(rows.effects, now)
    rows.proposals.update(reply="")
    rows.predictions.update(words_for=[], words_against=[])
    rows.versions.update(subject="", body="")
    unread = rows.deliveries.filter(outcome="")
    unread.update(outcome=Delivery.Outcome.REFUSED)
    emptied = rows.deliveries.filter(erased_at__isnull=True)
    emptied.update(body=b"", explanation="", erased_at=now)
    rows.tickets.update(
        subject="",
        body="",
        requester="",
        requester_name="",
        url="",
        resolution="",
        erased_at=Coalesce("erased_at", now),
    )
    _rename_in_log(found.tickets)
    return counts


class _Rows:
    """The rows of each table that are about what was found."""

    def __init__(self, found: Found) -> None:
        own = found.tickets
        self.tickets = Ticket.objects.filter(pk__in=own)
        self.versions = TicketVersion.objects.filter(ticket__in=own)
        self.deliveries = Delivery.objects.filter(pk__in=found.deliveries)
        self.proposals = Proposal.objects.filter(ticket__in=own)
        cited = ~Q(words_for=[]) | ~Q(words_against=[])
        self.predictions = Prediction.objects.filter(cited, ticket_version__ticket__in=own)
        self.effects = Effect.objects.filter(ticket__in=own)
        self.texts = self.effects.filter(kind__in=TEXTS).exclude(payload={"text": ""})
        self.doubts = LabelDoubt.objects.filter(label__ticket__in=own)
        self.jobs = _jobs(found)


def _jobs(found: Found) -> QuerySet[Job]:
    own = found.tickets
    versions = TicketVersion.objects.filter(ticket__in=own).values("pk")
    proposals = Proposal.objects.filter(ticket__in=own).values("pk")
    notices = RuleNotice.objects.filter(ticket__in=own).values("pk")
    return Job.objects.filter(
        Q(kind=Job.Kind.RECEIVE, subject__in=found.deliveries)
        | Q(kind__in=[Job.Kind.PROPOSE, Job.Kind.SHADOW], subject__in=versions)
        | Q(kind__in=[Job.Kind.EFFECT, Job.Kind.EVIDENCE], subject__in=proposals)
        | Q(kind=Job.Kind.NOTICE, subject__in=notices)
    )


def _stop(effects: QuerySet[Effect], now: datetime) -> None:
    for state, said in ((Effect.State.PENDING, UNSENT), (Effect.State.SENDING, UNSURE)):
        left = effects.filter(state=state)
        left.update(state=Effect.State.SKIPPED, detail=said, finished_at=now)


def _keep_known_values(tickets: Collection[int]) -> None:
    """Without values that no catalogue lists: a helpdesk may write anything into its fields."""
    known = set(
        Choice.objects.filter(field__source__tickets__in=tickets)
        .values_list("field__source_id", "field__key", "key")
        .distinct()
    )
    changed = []
    for ticket in Ticket.objects.filter(pk__in=tickets).only("source_id", "values"):
        kept = _kept(ticket.source_id, ticket.values, known)
        if kept != ticket.values:
            ticket.values = kept
            changed.append(ticket)
    Ticket.objects.bulk_update(changed, ["values"], batch_size=500)
    reworded = []
    versions = TicketVersion.objects.filter(ticket__in=tickets).select_related("ticket")
    for version in versions.only("values", "ticket__source_id"):
        kept = _kept(version.ticket.source_id, version.values, known)
        if kept != version.values:
            version.values = kept
            reworded.append(version)
    TicketVersion.objects.bulk_update(reworded, ["values"], batch_size=500)


def _kept(
    source: int, values: Mapping[str, Any], known: Collection[tuple[int, str, str]]
) -> dict[str, Any]:
    return {
        key: value
        for key, value in values.items()
        if isinstance(value, str) and (source, key, value) in known
    }


def _rename_in_log(tickets: Collection[int]) -> None:
    """The desk's history of changes names a ticket by what it was called at the time."""
    page = ContentType.objects.get_for_model(Ticket)
    named = LogEntry.objects.filter(content_type=page, object_id__in=[str(pk) for pk in tickets])
    named.update(object_repr="(erased)")
