"""The programme of a source: what people are told, who has read it, and who rests today."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from review import recalled
from review.models import DrillAcknowledgement, DrillProgramme
from triage import ledger
from triage.models import LedgerEntry, Source

RUNS = "review.run_drillprogramme"
SUBJECT = "drills"
FIELDS = ("is_on", "disclosure", "every", "a_week", "wrong_percent")
# A text may name people; that it changed is on record, and the row has it.
RECORDED = ("is_on", "every", "a_week", "wrong_percent")
KEPT_SECONDS = 20.0
RECALLED = "drill programmes"


@dataclass(frozen=True)
class Running:
    """A programme that is on, as pages remember it for some seconds."""

    programme: int
    source: str
    disclosed_at: datetime


class NothingToRead(Exception):
    """There are no drills in that source, or what was read is not what is in force."""


@transaction.atomic
def put(source: Source, by: User, values: Mapping[str, Any]) -> DrillProgramme:
    """Set the programme of a source, by the names in FIELDS; what stays the same is no change.

    Values come from a form that has checked them. Anything but the switch is told to people anew.
    """
    Source.objects.select_for_update().get(pk=source.pk)
    row = DrillProgramme.objects.filter(source=source).first() or DrillProgramme(source=source)
    is_new = row.pk is None
    changed = [name for name in FIELDS if is_new or getattr(row, name) != values[name]]
    if not changed:
        return row
    for name in changed:
        setattr(row, name, values[name])
    stamp(row, by, changed)
    row.save()
    ledger.append(
        kind=LedgerEntry.Kind.POLICY,
        subject=f"{SUBJECT}:{row.pk}",
        payload={
            "event": "added" if is_new else "changed",
            "fields": [] if is_new else changed,
            **{name: getattr(row, name) for name in RECORDED},
        },
        actor=ledger.actor_of(by),
    )
    return row


def stamp(row: DrillProgramme, by: User, changed: list[str]) -> None:
    """Note who changed a row that is about to be saved, and since when its words hold."""
    row.changed_by = by
    if row.pk is None or set(changed) - {"is_on"}:
        row.disclosed_at = timezone.now()
    transaction.on_commit(lambda: recalled.forget(RECALLED))


def acknowledge(person: User, source: int, disclosed_at: datetime) -> None:
    """Keep that somebody has read it; safe to repeat.

    `disclosed_at` is that of the words they saw. Raises NothingToRead where others are in force.
    """
    programme = DrillProgramme.objects.filter(source=source, disclosed_at=disclosed_at).first()
    if programme is None:
        raise NothingToRead(_("What is said about drills has changed: read it once more."))
    now = timezone.now()
    DrillAcknowledgement.objects.update_or_create(
        programme=programme, person=person, defaults={"at": now}
    )


def rest(person: User) -> None:
    """No further drill today, in any source. Nobody else is told."""
    acknowledged(person).update(resting_on=timezone.localdate())


def acknowledged(person: User) -> QuerySet[DrillAcknowledgement]:
    """Of what is in force, whether it is switched on or not."""
    return DrillAcknowledgement.objects.filter(
        person=person, at__gte=F("programme__disclosed_at")
    ).select_related("programme")


def taking_part(person: User, source: int) -> DrillAcknowledgement | None:
    """None where the person gets no drill today: none are given, unread, or rested from."""
    return (
        acknowledged(person)
        .filter(programme__source=source, programme__is_on=True)
        .exclude(resting_on=timezone.localdate())
        .first()
    )


def running() -> list[Running]:
    """Programmes that are on; remembered for some seconds."""
    return recalled.recalled(RECALLED, KEPT_SECONDS, _running)


def to_read(person: User) -> list[Running]:
    """Those that are on and that this person has not acknowledged; no query where none is on."""
    on = running()
    if not on:
        return []
    read = set(acknowledged(person).values_list("programme", flat=True))
    return [one for one in on if one.programme not in read]


def _running() -> list[Running]:
    rows = DrillProgramme.objects.filter(is_on=True).select_related("source")
    return [Running(row.pk, row.source.name, row.disclosed_at) for row in rows]
