"""Rows of definitions while a step is taken: locked, timed, and put on the record."""

from datetime import datetime

from django.contrib.auth.models import User
from django.utils import timezone

from review.models import MetricDefinition
from triage import ledger
from triage.models import LedgerEntry

SHAPES = "review.shape_metricdefinition"
ACTIVATES = "review.activate_metricdefinition"
Status = MetricDefinition.Status


class Refused(Exception):
    """A step that the state of the definition does not allow; the message is for the person."""


def locked(pk: int) -> MetricDefinition:
    """With all versions of its metric, so that of two steps each sees what the other did.

    DoesNotExist for one that is not there.
    """
    rows = MetricDefinition.objects.select_for_update(no_key=True).order_by("pk")
    keys = MetricDefinition.objects.filter(pk=pk).values("key")
    found = {row.pk: row for row in rows.filter(key__in=keys)}
    if pk not in found:
        raise MetricDefinition.DoesNotExist(f"There is no definition {pk}.")
    return found[pk]


def moment(row: MetricDefinition) -> datetime:
    """Not before what has happened to it, whatever another server's clock said then."""
    moments = (row.proposed_at, row.opened_at, row.closed_at, row.activated_at)
    return max(timezone.now(), *(moment for moment in moments if moment is not None))


def record(row: MetricDefinition, event: str, by: User, **more: object) -> None:
    ledger.append(
        kind=LedgerEntry.Kind.POLICY,
        subject=f"definition:{row.pk}",
        payload={"event": event, "key": row.key, "version": row.version, **more},
        actor=ledger.actor_of(by),
    )
