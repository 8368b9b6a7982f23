"""Each source before automation and now, beside what was agreed. Reads; agreeing.py writes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from review.metrics import wording
from review.metrics.estimators import Interval
from review.metrics.estimators.intervals import hybrid_difference
from review.metrics.figures import Figure, Kind
from review.metrics.kpis import measuring
from review.metrics.kpis.measures import MEASURES, MIN_N, Measure
from review.metrics.kpis.measuring import Counts, Days
from review.metrics.meaning import Text
from review.metrics.window import Scope
from review.models import Baseline, KpiTarget
from triage.models import Source

MOST_SOURCES = 20


class Verdict(StrEnum):
    MET = "met"
    NOT_MET = "not-met"
    TOO_EARLY = "too-early"
    NO_TARGET = "no-target"


VERDICTS: Mapping[Verdict, Text] = {
    Verdict.MET: gettext_lazy("target met"),
    Verdict.NOT_MET: gettext_lazy("target not met"),
    Verdict.TOO_EARLY: gettext_lazy("too early to tell"),
    Verdict.NO_TARGET: gettext_lazy("no target set"),
}


class Change(StrEnum):
    LOWER = "lower"
    HIGHER = "higher"
    UNCLEAR = "unclear"
    UNKNOWN = "unknown"


CHANGES: Mapping[Change, Text] = {
    Change.LOWER: gettext_lazy("lower than before"),
    Change.HIGHER: gettext_lazy("higher than before"),
    Change.UNCLEAR: gettext_lazy("no clear difference"),
    Change.UNKNOWN: "",
}


@dataclass(frozen=True)
class Line:
    """One measure of a source. `difference` is now minus before.

    `is_late`: the target was set when automation had begun. `is_apart`: the baseline was taken
    with another definition or outcome window, so nothing is compared.
    """

    measure: Measure
    now: Figure
    days: Days | None
    baseline: Baseline | None
    before: Figure | None
    target: KpiTarget | None
    difference: Figure | None
    is_late: bool
    is_apart: bool

    @property
    def verdict(self) -> Verdict:
        return verdict(self.target, self.now.interval)

    @property
    def verdict_text(self) -> Text:
        return VERDICTS[self.verdict]

    @property
    def change(self) -> Change:
        found = self.difference.interval if self.difference else None
        if found is None:
            return Change.UNKNOWN
        if found.low <= 0 <= found.high:
            return Change.UNCLEAR
        return Change.LOWER if found.high < 0 else Change.HIGHER

    @property
    def change_text(self) -> Text:
        return CHANGES[self.change]

    @property
    def target_text(self) -> str:
        if self.target is None:
            return ""
        return (
            f"{self.target.get_direction_display()} {value_text(self.measure, self.target.value)}"
        )


@dataclass(frozen=True)
class Board:
    """`began` is the day of the first proposal that anybody could see; None: not yet."""

    source: Source
    began: date | None
    has_baseline: bool
    lines: list[Line]


def value_text(measure: Measure, value: float) -> str:
    if measure.kind == Kind.SECONDS:
        return wording.duration(value)
    return wording.percent(value)


def difference_text(figure: Figure) -> str:
    """Points, or a duration with its sign."""
    if figure.value is None or figure.kind == Kind.DIFFERENCE:
        return figure.text
    return _signed(figure.value)


def difference_range(figure: Figure) -> str:
    if figure.interval is None or figure.kind == Kind.DIFFERENCE:
        return figure.interval_text
    return _("%(low)s to %(high)s") % {
        "low": _signed(figure.interval.low),
        "high": _signed(figure.interval.high),
    }


def _signed(seconds: float) -> str:
    return f"{wording.MINUS if seconds < 0 else '+'}{wording.duration(abs(seconds))}"


def verdict(target: KpiTarget | None, interval: Interval | None) -> Verdict:
    """Met or not only where the whole interval lies on one side of the target."""
    if target is None:
        return Verdict.NO_TARGET
    if interval is None:
        return Verdict.TOO_EARLY
    if target.direction == KpiTarget.Direction.AT_MOST:
        met, missed = interval.high <= target.value, interval.low > target.value
    else:
        met, missed = interval.low >= target.value, interval.high < target.value
    return Verdict.MET if met else Verdict.NOT_MET if missed else Verdict.TOO_EARLY


def difference(now: Figure, before: Figure) -> Figure:
    """From the interval of each side: for shares of tickets it is Newcombe's (method 10).

    For the other measures the same recovery of variances: Zou and Donner (2008), Statist. Med. 27,
    1693-1702. The two sides are different tickets, hence independent.
    """
    kind = Kind.SECONDS if now.kind == Kind.SECONDS else Kind.DIFFERENCE
    n = min(now.n, before.n)
    if now.value is None or before.value is None or not (now.interval and before.interval):
        value = None if now.value is None or before.value is None else now.value - before.value
        return Figure(kind, value, n, min_n=MIN_N)
    found = hybrid_difference(now.value, now.interval, before.value, before.interval)
    return Figure(kind, found.value, n, interval=found.interval, min_n=MIN_N)


def boards(scope: Scope) -> list[Board]:
    """Of the scope's source, or of the first MOST_SOURCES by name. The same few queries always."""
    sources = (
        [scope.source] if scope.source else list(Source.objects.order_by("name")[:MOST_SOURCES])
    )
    began = measuring.began()
    wanted = {
        source.pk: Days(max(scope.first, began[source.pk]), scope.last, _resolved_before(scope))
        for source in sources
        if source.pk in began
    }
    counts = measuring.counted(wanted)
    targets = in_force(sources)
    baselines = {
        (row.source_id, row.metric): row
        for row in Baseline.objects.filter(source__in=sources).select_related("taken_by")
    }
    found = []
    for source in sources:
        lines = [
            _line(
                measure,
                counts.get(source.pk, Counts()),
                wanted.get(source.pk),
                baselines.get((source.pk, measure.key)),
                targets.get((source.pk, measure.key)),
                began.get(source.pk),
            )
            for measure in MEASURES.values()
        ]
        has_baseline = any(line.baseline for line in lines)
        found.append(Board(source, began.get(source.pk), has_baseline, lines))
    return found


def with_baseline(scope: Scope) -> list[Board]:
    """Those that can be compared with before; one query where there are none."""
    of = {"source": scope.source} if scope.source else {}
    if not Baseline.objects.filter(**of).exists():
        return []
    return [board for board in boards(scope) if board.has_baseline]


def in_force(sources: list[Source]) -> dict[tuple[int, str], KpiTarget]:
    """The newest target of each measure, by source and measure."""
    rows = (
        KpiTarget.objects.filter(source__in=sources)
        .order_by("source_id", "metric", "-pk")
        .distinct("source_id", "metric")
        .select_related("set_by")
    )
    return {(row.source_id, row.metric): row for row in rows}


def as_figure(measure: Measure, row: Baseline) -> Figure:
    interval = None if row.low is None or row.high is None else Interval(row.low, row.high)
    return Figure(measure.kind, row.value, row.n, row.k, interval, MIN_N)


def _line(
    measure: Measure,
    counts: Counts,
    days: Days | None,
    baseline: Baseline | None,
    target: KpiTarget | None,
    began: date | None,
) -> Line:
    now = measuring.figure(measure, counts)
    before = as_figure(measure, baseline) if baseline else None
    is_apart = baseline is not None and (
        baseline.definition_version != measure.definition.version
        or baseline.outcome_days != settings.OUTCOME_WINDOW_DAYS
    )
    return Line(
        measure=measure,
        now=now,
        days=days,
        baseline=baseline,
        before=before,
        target=target,
        difference=difference(now, before) if before and not is_apart else None,
        is_late=bool(target and began and _day(target) >= began),
        is_apart=is_apart,
    )


def _day(target: KpiTarget) -> date:
    return timezone.localdate(target.set_at, timezone.get_default_timezone())


def _resolved_before(scope: Scope) -> date:
    return scope.now.date() - timedelta(days=settings.OUTCOME_WINDOW_DAYS)
