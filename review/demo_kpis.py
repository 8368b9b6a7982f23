"""What the demo's people agreed on before automation began: a baseline and three targets."""

from datetime import datetime

from django.contrib.auth.models import User

from review.metrics.kpis import agreeing
from review.metrics.kpis.measures import CAME_BACK, REASSIGNED, TIME_TO_RESOLVE
from review.models import KpiTarget
from triage.models import Source

TARGETS = (
    (REASSIGNED, 0.25, "Half of today's hand-overs are routing by hand."),
    (CAME_BACK, 0.08, "Faster answers must not be worse ones."),
    (TIME_TO_RESOLVE, 6 * 3600, "Within the working day."),
)


def agree(source: Source, owner: User, *, at: datetime) -> None:
    """The baseline, and targets that were agreed on at `at`.

    The source's past has to be counted; agreeing.Refused where there is too little of it.
    """
    agreeing.take_baseline(source, by=owner)
    for measure, value, why in TARGETS:
        agreeing.set_target(
            source,
            measure,
            direction=KpiTarget.Direction.AT_MOST,
            value=value,
            why=why,
            by=owner,
            at=at,
        )
