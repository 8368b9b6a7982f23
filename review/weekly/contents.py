"""What a weekly report says, in the language that is active when it is put together.

Every report comes through registry.report_of, as on the pages: nothing about small groups of
people, nothing about one person.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.urls import reverse

from review.metrics import definitions, definitions_checks, page, rollups
from review.metrics.estimators.intervals import hybrid_difference
from review.metrics.figures import Bucket, Figure, Kind
from review.metrics.findings import Finding, findings
from review.metrics.kpis import page as kpi_page
from review.metrics.kpis.board import Board, boards
from review.metrics.registry import ENTRIES, report_of
from review.metrics.window import Scope, ScopeForm, local_now
from review.weekly.weeks import Week
from triage.effects.silence import Silence, silences
from triage.models import Choice, Source
from triage.telemetry import burn

WEEKS_BEFORE = 4
# Tickets have to be resolved and their outcome window over, so one week would hold next to none.
KPI_WEEKS = 12
COUNTING_SECONDS = 20.0
HEADLINES = (
    definitions.UNTOUCHED.key,
    definitions.ACCEPTANCE.key,
    definitions.ESCALATED.key,
    definitions_checks.AI_ERROR.key,
    definitions_checks.AUTO_ERROR.key,
    definitions_checks.OVER_RELIANCE.key,
    definitions_checks.UNDER_RELIANCE.key,
)

# Source, field and choice.
Names = tuple[str, str, str]


@dataclass(frozen=True)
class Headline:
    """One figure of last week beside the four weeks before; `difference` is the first minus that.

    The version is that of the definition; `href` leads to the tickets of last week.
    """

    name: str
    version: int
    now: Figure
    before: Figure
    difference: Figure
    href: str


@dataclass(frozen=True)
class Told:
    name: str
    text: str
    href: str


@dataclass(frozen=True)
class Budget:
    """Of one certificate: the error on checks as a multiple of what is allowed, by window."""

    source: str
    field: str
    choice: str
    burn: dict[str, float]
    checks: dict[str, int]

    @property
    def week(self) -> float | None:
        return self.burn.get("7d")

    @property
    def month(self) -> float | None:
        return self.burn.get("30d")

    @property
    def month_checks(self) -> int:
        return self.checks.get("30d", 0)

    @property
    def is_spent(self) -> bool:
        return any(ratio > 1 for ratio in self.burn.values())


@dataclass(frozen=True)
class Content:
    week: Week
    source: Source | None
    made_at: datetime
    time_zone: str
    before_first: date
    before_last: date
    kpi_first: date
    headlines: Sequence[Headline]
    boards: Sequence[kpi_page.ShownBoard]
    hurts: Sequence[Told]
    helps: Sequence[Told]
    budgets: Sequence[Budget]
    silences: Sequence[Silence]
    is_behind: bool
    metrics_url: str
    kpis_url: str
    settings_url: str


def content(week: Week, source: Source | None) -> Content:
    """Of all sources without one. The same rows say the same, whoever asks."""
    is_behind = not rollups.catch_up(within_seconds=COUNTING_SECONDS)
    now = local_now()
    scope = _scope(week.monday, week.last, source, now)
    before_last = week.monday - timedelta(days=1)
    before = _scope(week.monday - timedelta(weeks=WEEKS_BEFORE), before_last, source, now)
    kpi_first = week.last - timedelta(days=7 * KPI_WEEKS - 1)
    kpis = _scope(kpi_first, week.last, source, now)
    compared = boards(kpis)
    noted = _findings(scope, compared)
    slug = source.slug if source else ""
    return Content(
        week=week,
        source=source,
        made_at=now,
        time_zone=scope.time_zone,
        before_first=before.first,
        before_last=before.last,
        kpi_first=kpi_first,
        headlines=[_headline(key, scope, before) for key in HEADLINES],
        boards=kpi_page.shown(compared),
        hurts=[_told(scope, one) for one in noted if not one.helps],
        helps=[_told(scope, one) for one in noted if one.helps],
        budgets=budgets(slug),
        silences=[one for one in silences() if source is None or one.source == source.pk],
        is_behind=is_behind,
        metrics_url=absolute(f"{reverse('review:metrics')}?{scope.query()}"),
        kpis_url=absolute(f"{reverse('review:metrics_kpis')}?{kpis.query()}"),
        settings_url=absolute(reverse("review:weekly")),
    )


def absolute(path: str) -> str:
    return f"{settings.SITE_URL.rstrip('/')}{path}" if path else ""


def budgets(slug: str = "") -> list[Budget]:
    """Of live certificates that a check came after, the most spent first; slug: of one source."""
    burns, checks, _ends = burn.collect()
    found: dict[Names, tuple[dict[str, float], dict[str, int]]] = {}
    for samples, place in ((burns.samples, 0), (checks.samples, 1)):
        for sample in samples:
            labels = sample.labels
            key = (labels["source"], labels["field"], labels["choice"])
            both = found.setdefault(key, ({}, {}))
            if place:
                both[1][labels["window"]] = int(sample.value)
            else:
                both[0][labels["window"]] = float(sample.value)
    names = _names(found)
    rows = [
        Budget(*names.get(key, key), burn=ratios, checks=numbers)
        for key, (ratios, numbers) in found.items()
        if ratios and slug in ("", key[0])
    ]
    return sorted(rows, key=lambda row: (-max(row.burn.values()), row.source, row.choice))


def _names(keys: Collection[Names]) -> dict[Names, Names]:
    """What people call them, by what programs do."""
    rows = Choice.objects.filter(key__in={key[2] for key in keys}).values_list(
        "field__source__slug", "field__key", "key", "field__source__name", "field__name", "name"
    )
    return {(row[0], row[1], row[2]): (row[3], row[4], row[5]) for row in rows}


def _scope(first: date, last: date, source: Source | None, now: datetime) -> Scope:
    form = ScopeForm({"from": first, "to": last, "source": source.slug if source else ""})
    if not form.is_valid():
        raise ValueError(form.errors.as_text())
    return form.scope(now)


def _headline(key: str, scope: Scope, before: Scope) -> Headline:
    report, earlier = report_of(key, scope), report_of(key, before)
    column = ENTRIES[key].lead[0]
    now, then = (found.totals[0].figures[column] for found in (report, earlier))
    return Headline(
        name=str(report.definition.name),
        version=report.definition.version,
        now=now,
        before=then,
        difference=_difference(now, then),
        href=_link(scope, now.bucket if now.n else None),
    )


def _difference(now: Figure, before: Figure) -> Figure:
    """Without a value where one side has none, or is withheld."""
    if now.value is None or before.value is None or not (now.interval and before.interval):
        return Figure(Kind.DIFFERENCE, None, 0)
    found = hybrid_difference(now.value, now.interval, before.value, before.interval)
    return Figure(Kind.DIFFERENCE, found.value, min(now.n, before.n), interval=found.interval)


def _findings(scope: Scope, compared: Sequence[Board]) -> list[Finding]:
    keys = (definitions.ACCEPTANCE.key, definitions.ESCALATED.key, definitions.REOPENED.key)
    acceptance, escalated, reopened = (report_of(key, scope) for key in keys)
    return findings(acceptance, escalated, reopened, compared)


def _told(scope: Scope, finding: Finding) -> Told:
    href = absolute(finding.href) or _link(scope, finding.bucket)
    return Told(finding.name, finding.text, href)


def _link(scope: Scope, bucket: Bucket | None) -> str:
    return absolute(page.link(scope, bucket))
