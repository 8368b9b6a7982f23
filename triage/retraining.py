"""Proposing to an owner that a field be trained again, once there is reason to."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from triage import ledger
from triage.blind_checks import blind_checks
from triage.learning import retraining
from triage.learning.comparison import share
from triage.learning.retraining import Checked, Point
from triage.models import (
    DriftFinding,
    Field,
    Label,
    LedgerEntry,
    ModelVersion,
    RetrainingProposal,
)


class AlreadyClosed(Exception):
    """Somebody, or a training, was first; the message says who."""


@transaction.atomic
def consider(champion: ModelVersion) -> RetrainingProposal | None:
    """The open proposal of the champion's field: the one there is, a new one, or None.

    One that a newer version has answered is closed. Labels count from the newest training, or from
    when an owner last said no.
    """
    field = Field.objects.select_for_update().get(pk=champion.field_id)
    newest = ModelVersion.objects.filter(field=field).latest("number")
    standing = RetrainingProposal.objects.filter(field=field, closed_at__isnull=True).first()
    if standing is not None and newest.created_at <= standing.created_at:
        return standing
    if standing is not None:
        standing.closed_at, standing.closed_because = timezone.now(), f"{newest} was trained."
        standing.save(update_fields=["closed_at", "closed_because"])
    since = _since(field, newest)
    new = _new(field, since).values("ticket").distinct().count()
    if not retraining.is_enough(new, champion.label_count):
        return None
    found = _reasons(champion, new, since)
    if not found:
        return None
    return RetrainingProposal.objects.create(
        field=field, model_version=champion, new_labels=new, reasons=found
    )


@transaction.atomic
def dismiss(proposal: RetrainingProposal, *, by: User, reason: str) -> None:
    """Close a proposal that its owner does not want; on the record. AlreadyClosed if it is."""
    locked = RetrainingProposal.objects.select_for_update().get(pk=proposal.pk)
    if locked.closed_at is not None:
        raise AlreadyClosed(f"It was closed before: {locked.closed_because}")
    locked.closed_at, locked.closed_by, locked.closed_because = timezone.now(), by, reason.strip()
    locked.save(update_fields=["closed_at", "closed_by", "closed_because"])
    ledger.append(
        kind=LedgerEntry.Kind.MODEL,
        subject=f"field:{locked.field_id}",
        payload={
            "event": "retraining dismissed",
            "proposal": locked.pk,
            "new_labels": locked.new_labels,
            "reason": locked.closed_because,
        },
        actor=ledger.actor_of(by),
    )


def _since(field: Field, newest: ModelVersion) -> datetime:
    last = (
        RetrainingProposal.objects.filter(field=field, closed_by__isnull=False)
        .order_by("-created_at")
        .first()
    )
    dismissed = last.closed_at if last is not None else None
    return max(newest.created_at, dismissed) if dismissed else newest.created_at


def _new(field: Field, since: datetime) -> QuerySet[Label]:
    return Label.objects.filter(field=field, created_at__gt=since)


def _reasons(champion: ModelVersion, new: int, since: datetime) -> list[str]:
    drifted = DriftFinding.objects.filter(model_version=champion, until__isnull=True)
    unknown = _new(champion.field, since).filter(choice__retired_at__isnull=True)
    versions = ModelVersion.objects.filter(field=champion.field_id).order_by("number")
    return retraining.reasons(
        new=new,
        past=[point for version in versions if (point := _point(version)) is not None],
        now=_point(champion),
        checked=_checked(champion, since),
        unknown=unknown.exclude(choice__key__in=champion.choices).count(),
        drifted=[finding.get_kind_display() for finding in drifted.order_by("kind")],
    )


def _point(version: ModelVersion) -> Point | None:
    accuracy = version.evidence.get("accuracy") if isinstance(version.evidence, dict) else None
    return Point(version.label_count, 1 - accuracy) if isinstance(accuracy, float | int) else None


def _checked(champion: ModelVersion, since: datetime) -> Checked | None:
    """How often blind checks since then contradict the champion."""
    checks = blind_checks(champion, after=since, upto=timezone.now())
    found = share([not check.is_right for check in checks], [check.weight for check in checks])
    if found is None or not found.is_said:
        return None
    return Checked(found.n, found.value, found.low)
