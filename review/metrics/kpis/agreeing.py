"""Taking a baseline and setting a target: two steps that are never edited, each on the record."""

from datetime import date, datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Min
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from review.metrics import rollups, touched
from review.metrics.kpis import measuring
from review.metrics.kpis.measures import MEASURES, MIN_N, Measure
from review.metrics.kpis.measuring import Days
from review.models import Baseline, KpiCount, KpiTarget
from triage import ledger
from triage.models import LedgerEntry, Source


class Refused(Exception):
    """A step that cannot be taken as things are; the message is for the person."""


def take_baseline(
    source: Source, *, by: User, first: date | None = None, last: date | None = None
) -> list[Baseline]:
    """Measure a source as it was before its first proposal that anybody could see, once for all.

    Without days: from the first ticket on, to the day before automation began, or to today where
    it has not begun. Refused where a baseline was taken, where there is no history to take it
    from, and for days on or after that on which automation began. The same figures come out
    whoever asks and whenever: tickets whose outcome window has not passed are left out.
    """
    rollups.catch_up(within_seconds=rollups.PAGE_SECONDS)
    with transaction.atomic():
        source = Source.objects.select_for_update(no_key=True).get(pk=source.pk)
        if Baseline.objects.filter(source=source).exists():
            raise Refused(_("The baseline of this source was taken already, and it stays."))
        days = _days(source, first, last)
        # What an import has just brought may wait to be counted; no ticket of later days counts.
        if touched.waits(source.pk, days.first, min(days.last, days.resolved_before)):
            raise Refused(_("Some days are still being counted. Try again in a minute."))
        rows = _measured(source, days, by)
        Baseline.objects.bulk_create(rows)
        _record(
            f"baseline:{source.pk}",
            {
                "event": "baseline",
                "source": source.pk,
                "first_day": days.first.isoformat(),
                "last_day": days.last.isoformat(),
                "n": rows[0].n,
                "values": {row.metric: row.value for row in rows},
            },
            by,
        )
    return rows


@transaction.atomic
def set_target(
    source: Source,
    measure: Measure,
    *,
    direction: str,
    value: float,
    why: str,
    by: User,
    at: datetime | None = None,
) -> KpiTarget:
    """A new target, in force from now on; the one before stays to be read.

    `at` is for one that was agreed on before it is put on record here.

    ValueError for what no measure can be, as a share above 1.
    """
    if not 0 <= value <= (1 if measure.definition.unit == "share" else 10 * 365 * 86_400):
        raise ValueError(f"{value} is no target for {measure.key}.")
    row = KpiTarget.objects.create(
        source=source,
        metric=measure.key,
        column=measure.column,
        direction=direction,
        value=value,
        why=why,
        set_by=by,
        set_at=at or timezone.now(),
    )
    _record(
        f"kpi_target:{row.pk}",
        {
            "event": "target",
            "source": source.pk,
            "metric": measure.key,
            "direction": direction,
            "value": value,
            "reason": why,
        },
        by,
    )
    return row


def _days(source: Source, first: date | None, last: date | None) -> Days:
    today = timezone.localdate(timezone=timezone.get_default_timezone())
    started = measuring.began().get(source.pk)
    latest = started - timedelta(days=1) if started else today
    if last and last > latest:
        raise Refused(
            _("Automation began on %(day)s: choose a last day before it.")
            % {"day": started.isoformat()}
            if started
            else _("Choose a last day that is not in the future.")
        )
    last = last or latest
    earliest = KpiCount.objects.filter(source=source, day__lte=last)
    first = first or earliest.aggregate(day=Min("day"))["day"] or last
    if first > last:
        raise Refused(_("The last day lies before the first."))
    return Days(first, last, today - timedelta(days=settings.OUTCOME_WINDOW_DAYS))


def _measured(source: Source, days: Days, by: User) -> list[Baseline]:
    counts = measuring.counted({source.pk: days})[source.pk]
    if not counts.n:
        raise Refused(
            _(
                "There is no history of these days: no ticket of which it is known what happened "
                "to it. Import it first: manage.py import_events --help"
            )
        )
    if counts.n < MIN_N:
        raise Refused(
            ngettext(
                "Of these days %(n)d resolved ticket is known, too few for a baseline: it takes "
                "%(least)d. Import more first: manage.py import_events --help",
                "Of these days %(n)d resolved tickets are known, too few for a baseline: it takes "
                "%(least)d. Import more first: manage.py import_events --help",
                counts.n,
            )
            % {"n": counts.n, "least": MIN_N}
        )
    found = []
    for measure in MEASURES.values():
        figure = measuring.figure(measure, counts)
        if figure.value is None:
            continue
        low, high = figure.interval or (None, None)
        found.append(
            Baseline(
                source=source,
                metric=measure.key,
                first_day=days.first,
                last_day=days.last,
                resolved_before=days.resolved_before,
                outcome_days=settings.OUTCOME_WINDOW_DAYS,
                k=figure.k,
                n=figure.n,
                value=figure.value,
                low=low,
                high=high,
                definition_version=measure.definition.version,
                taken_by=by,
                taken_at=timezone.now(),
            )
        )
    return found


def _record(subject: str, payload: dict[str, object], by: User) -> None:
    ledger.append(
        kind=LedgerEntry.Kind.POLICY,
        subject=subject,
        payload=payload,
        actor=ledger.actor_of(by),
    )
