"""What the demo's people agreed on before automation began: a baseline and three targets."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from review.metrics.kpis import agreeing
from review.metrics.kpis.measures import CAME_BACK, REASSIGNED, TIME_TO_RESOLVE
from review.models import KpiTarget
from triage import ledger
from triage.models import LedgerEntry, Source

AT_MOST = KpiTarget.Direction.AT_MOST
TARGETS = (
    (REASSIGNED, AT_MOST, 0.25, "Half of today's hand-overs are routing by hand."),
    (CAME_BACK, AT_MOST, 0.08, "Faster answers must not be worse ones."),
    (TIME_TO_RESOLVE, AT_MOST, 6 * 3600, "Within the working day."),
)


def agree(source: Source, owner: User, *, at: datetime) -> None:
    """The baseline as the service takes it, and targets that were set at `at`.

    The source's past has to be counted; agreeing.Refused where there is too little of it.
    """
    agreeing.take_baseline(source, by=owner)
    with transaction.atomic():
        rows = KpiTarget.objects.bulk_create(
            KpiTarget(
                source=source,
                metric=measure.key,
                column=measure.column,
                direction=direction,
                value=value,
                why=why,
                set_by=owner,
                set_at=at,
            )
            for measure, direction, value, why in TARGETS
        )
        ledger.append_all(
            [
                ledger.Entry(
                    kind=LedgerEntry.Kind.POLICY,
                    subject=f"kpi_target:{row.pk}",
                    payload={
                        "demo": "past",
                        "event": "target",
                        "source": source.pk,
                        "metric": row.metric,
                        "direction": row.direction,
                        "value": row.value,
                        "reason": row.why,
                    },
                    actor=ledger.actor_of(owner),
                )
                for row in rows
            ]
        )
