"""The nightly look at each champion: has what it answers moved away from what it first answered?

A version's reference is its own first live predictions, at least LEAST_REFERENCE of them and a
whole week of days, because Mondays differ from Sundays. In shadow it gathers them too.
"""

import logging
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from triage import drift_figures
from triage.drift_figures import predicted
from triage.learning.artefacts import ArtefactRefused
from triage.models import DriftReference, DriftReport, ModelVersion, Prediction

logger = logging.getLogger(__name__)

LEAST_REFERENCE = 500
REFERENCE_DAYS = 7
# A day with fewer predictions is looked at together with those before it, back to this many.
LEAST = 200
LOOK_BACK = timedelta(days=28)
# What a service that was away makes up for.
CATCH_UP_DAYS = 7


def champions() -> list[ModelVersion]:
    rows = ModelVersion.objects.filter(state=ModelVersion.State.CHAMPION)
    return list(rows.select_related("field__source__owner", "owner").order_by("pk"))


def due(version: ModelVersion, today: date) -> list[date]:
    """Days that are over and have no report yet, oldest first; at most CATCH_UP_DAYS of them."""
    first = timezone.localdate(version.promoted_at or version.created_at)
    last = DriftReport.objects.filter(model_version=version).order_by("-day").first()
    start = max(first, today - timedelta(days=CATCH_UP_DAYS))
    if last is not None:
        start = max(start, last.day + timedelta(days=1))
    return [start + timedelta(days=n) for n in range((today - start).days)]


@transaction.atomic
def report(version: ModelVersion, day: date) -> DriftReport:
    """Look at one day and store what was found; done again, it replaces what was found before.

    Without figures where there is not enough to compare yet. ArtefactRefused if the version's file
    does not load.
    """
    end = _midnight(day + timedelta(days=1))
    worth, calibration = drift_figures.calibration(version, end)
    figures = {} if calibration is None else {"calibration": calibration}
    reference = _reference(version, end)
    looked_at = 0
    if reference is not None and reference.until < end:
        rows = _newest(version, max(reference.until, end - LOOK_BACK), day)
        found = drift_figures.sample(version, rows)
        looked_at = found.n
        if looked_at >= LEAST:
            figures |= drift_figures.compared(reference.figures, found)
    made, _ = DriftReport.objects.update_or_create(
        model_version=version,
        day=day,
        defaults={"predictions": looked_at, "checks": worth, "figures": figures},
    )
    logger.info("drift of model %s on %s: %s predictions", version.pk, day, looked_at)
    return made


def report_all(version: ModelVersion, days: Sequence[date]) -> list[DriftReport]:
    """Reports on the days in order; fewer where the version's file does not load."""
    try:
        return [report(version, day) for day in days]
    except ArtefactRefused as error:
        logger.error("drift of model %s is not known: %s", version.pk, error)
        return []


def _reference(version: ModelVersion, end: datetime) -> DriftReference | None:
    """The version's reference; made as soon as there is enough for one."""
    found = DriftReference.objects.filter(model_version=version).first()
    if found is not None:
        return found
    own = Prediction.objects.filter(model_version=version).order_by("created_at")
    moments = own.values_list("created_at", flat=True)
    first, enough = moments.first(), moments[LEAST_REFERENCE - 1 : LEAST_REFERENCE].first()
    if first is None or enough is None:
        return None
    until = max(
        _midnight(timezone.localdate(first) + timedelta(days=REFERENCE_DAYS)),
        _midnight(timezone.localdate(enough) + timedelta(days=1)),
    )
    if until > end:
        return None
    kept = drift_figures.sample(
        version, predicted(version, first - timedelta(microseconds=1), until)
    )
    made, _ = DriftReference.objects.get_or_create(
        model_version=version,
        defaults={
            "predictions": kept.n,
            "until": until,
            "figures": drift_figures.reference_of(kept),
        },
    )
    return made


def _newest(version: ModelVersion, start: datetime, day: date) -> QuerySet[Prediction]:
    """The day's predictions; where they are few, those before them too, back to LEAST in all."""
    end = _midnight(day + timedelta(days=1))
    of_day = predicted(version, max(start, _midnight(day)), end)
    if of_day.count() >= LEAST:
        return of_day
    newest = predicted(version, start, end).order_by("-created_at")
    return Prediction.objects.filter(pk__in=list(newest.values_list("pk", flat=True)[:LEAST]))


def _midnight(day: date) -> datetime:
    """When a day begins in the service's time zone."""
    return timezone.make_aware(datetime.combine(day, time()))
