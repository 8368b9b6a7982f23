"""What the page shows: reports as tables whose figures link to their tickets, and charts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import quote_plus

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from review.metrics import charts, registry, wording
from review.metrics.cohorts import COUNTED
from review.metrics.corners import Corners, corners
from review.metrics.figures import Bucket, Figure, Kind, Row
from review.metrics.findings import Finding, findings
from review.metrics.flow import flow
from review.metrics.kpis.board import with_baseline
from review.metrics.outliers import outliers
from review.metrics.report import GROUP_NAMES, Report
from review.metrics.sections import SECTIONS, Section
from review.metrics.trends import Point, Trend, trend
from review.metrics.window import Scope

DAYS = (7, 30, 90)
# The reports whose totals are the two columns of the table of who was right.
CORNERS = ("under-reliance", "over-reliance")
SHOWN_AT_ONCE = 8
MOST_OUTLIERS = 6


@dataclass(frozen=True)
class Cell:
    text: str
    interval: str
    detail: str
    href: str
    is_too_few: bool


@dataclass(frozen=True)
class Line:
    labels: tuple[str, ...]
    cells: list[Cell]


@dataclass(frozen=True)
class Weeks:
    """A trend ready to be shown: its chart, and a line of cells for each week."""

    names: list[str]
    lines: list[tuple[str, list[Cell | None]]]
    chart: dict[str, Any] | None


@dataclass(frozen=True)
class Card:
    """A report ready to be shown. `lead` is its answer in one line; no chart: too few cases."""

    report: Report
    totals: list[Line]
    lines: list[Line]
    notes: list[tuple[str, str]]
    csv: str
    lead: list[Cell]
    lead_names: list[str]
    chart: dict[str, Any] | None
    weeks: Weeks | None = None

    @property
    def first_lines(self) -> list[Line]:
        return self.lines[:SHOWN_AT_ONCE]

    @property
    def leads(self) -> list[tuple[str, Cell]]:
        return list(zip(self.lead_names, self.lead, strict=True))

    @property
    def chart_id(self) -> str:
        return f"chart-{self.report.definition.key}"

    @property
    def trend_id(self) -> str:
        return f"trend-{self.report.definition.key}"


def link(scope: Scope, bucket: Bucket | None) -> str:
    """Address of the proposals that a figure counts; empty where there is no such list."""
    if bucket is None:
        return ""
    of = "&".join(f"{name}={_quoted(value)}" for name, value in bucket.params().items())
    return f"{scope.once(_lists)}&{of}"


@lru_cache(maxsize=4096)
def _quoted(value: str) -> str:
    """The same few keys and names of states stand in every link of a page."""
    return quote_plus(value)


def _lists(scope: Scope) -> str:
    return f"{reverse('review:metrics_tickets')}?{scope.query()}"


def context(scope: Scope) -> dict[str, Any]:
    found = {key: registry.report_of(key, scope) for key in registry.OF_PROPOSALS}
    cards = {key.replace("-", "_"): _card(report) for key, report in found.items()}
    untouched, reopened = found["untouched"], found["reopened"]
    total = untouched.totals[0]
    noted = findings(
        found["acceptance"], found["escalated-despite-automation"], reopened, with_baseline(scope)
    )
    return {
        **page_of(scope),
        "cards": cards,
        "flow": flow(total, reopened.totals[0]) if untouched.size else None,
        "bars": _bars(scope, total),
        "proposals": untouched.size,
        "decided": found["time-to-decision"].size,
        "hurts": [_noted(scope, finding) for finding in noted if not finding.helps],
        "helps": [_noted(scope, finding) for finding in noted if finding.helps],
    }


def section_context(scope: Scope, section: Section) -> dict[str, Any]:
    """One page of reports, each with its place, and what stands out in them."""
    found = {shown.key: registry.report_of(shown.key, scope) for shown in section.shown}
    cards = [(_card(found[shown.key]), shown) for shown in section.shown]
    is_watched = any(registry.ENTRIES[key].watched for key in found)
    more: dict[str, Any] = {"is_watched": is_watched, "outliers": _outliers(scope, found)}
    if set(CORNERS) <= set(found):
        more["corners"] = _corners(scope, corners(*(found[key] for key in CORNERS)))
    return {**page_of(scope), "section": section, "cards": cards, **more}


def _corners(scope: Scope, found: Corners) -> dict[str, Any]:
    rows = [
        (name, [(corner, link(scope, corner.bucket)) for corner in some])
        for name, some in found.rows
    ]
    return {"n": found.n, "rows": rows, "withheld": found.withheld}


def _outliers(scope: Scope, found: Mapping[str, Report]) -> list[dict[str, str]]:
    """Of all reports together, what costs most first."""
    far = [
        (report.definition, one)
        for key, report in found.items()
        if (watched := registry.ENTRIES[key].watched)
        for one in outliers(report, watched)
    ]
    far.sort(key=lambda pair: -pair[1].weight)
    return [
        {
            "name": one.row.labels[0],
            "text": _("%(metric)s: %(rate)s (%(range)s), all together %(total)s")
            % {
                "metric": definition.name,
                "rate": one.figure.text,
                "range": one.figure.interval_text,
                "total": wording.percent(one.total),
            },
            "href": link(scope, one.figure.bucket),
        }
        for definition, one in far[:MOST_OUTLIERS]
    ]


def page_of(scope: Scope) -> dict[str, Any]:
    """What the window's form and the days beside it need."""
    kept = {"group": scope.group.value} | ({"source": scope.source_slug} if scope.source else {})
    return {
        "scope": scope,
        "sections": SECTIONS.values(),
        "group_name": GROUP_NAMES[scope.group],
        "days": [(days, {**kept, "days": days}, days == scope.days) for days in DAYS],
    }


def _card(report: Report) -> Card:
    scope = report.scope
    key = report.definition.key
    entry = registry.ENTRIES[key]
    lead = entry.lead if report.totals else ()
    names = {column.key: column.name for column in report.columns}
    return Card(
        report=report,
        totals=[_line(report, row) for row in report.totals],
        lines=[_line(report, row) for row in report.rows],
        notes=[(note.text, link(scope, note.bucket)) for note in report.notes],
        csv=f"{reverse('review:metrics_csv', args=[key])}?{scope.query()}",
        lead=[_cell(scope, report.totals[0].figures[name]) for name in lead],
        lead_names=[str(names[name]) for name in lead],
        chart=entry.chart(report) if entry.chart and report.size else None,
        weeks=_weeks(trend(scope, key, entry.trend)) if entry.trend and report.size else None,
    )


def _weeks(found: Trend) -> Weeks | None:
    """None below two weeks: they would only say again what the report says."""
    if len(found.weeks) < 2:
        return None
    by_week = [{point.scope.first: point for point in line.points} for line in found.lines]
    lines = [
        (_week(points), [_cell(p.scope, p.figure) if p else None for p in points])
        for points in ([own.get(week) for own in by_week] for week in found.weeks)
    ]
    names = [charts.line_name(line, with_version=found.has_versions) for line in found.lines]
    return Weeks(names, lines[::-1], charts.trend(found))


def _week(points: Sequence[Point | None]) -> str:
    scope = next(point.scope for point in points if point)
    first, last = date_format(scope.first, "j M"), date_format(scope.last, "j M Y")
    return f"{first} {wording.EN_DASH} {last}"


def _line(report: Report, row: Row) -> Line:
    # Where n has a column of its own, a share need not say it again.
    has_n = any(column.key == "n" for column in report.columns)
    figures = [row.figures[column.key] for column in report.columns]
    return Line(row.labels, [_cell(report.scope, each, says_n=not has_n) for each in figures])


def _cell(scope: Scope, figure: Figure, *, says_n: bool = True) -> Cell:
    detail = ""
    if figure.kind == Kind.RATE and figure.value is not None and says_n:
        said = _("n %(n)s") if figure.k is None else _("%(k)s of %(n)s")
        detail = said % {"k": wording.whole(figure.k or 0), "n": wording.whole(figure.n)}
    return Cell(
        text=figure.text,
        interval=figure.interval_text,
        detail=detail,
        href=link(scope, figure.bucket) if figure.n else "",
        is_too_few=figure.value is None,
    )


def _noted(scope: Scope, finding: Finding) -> dict[str, str]:
    href = finding.href or link(scope, finding.bucket)
    return {"name": finding.name, "text": finding.text, "href": href}


def _bars(scope: Scope, total: Row) -> list[dict[str, Any]]:
    """The flow's outcomes as bars, for screens too narrow for the drawing."""
    n = total.figures["n"].n
    return [
        {
            "key": outcome.value,
            "name": outcome.label,
            "text": total.figures[outcome].text,
            "share": wording.percent(total.figures[outcome].n / n),
            "width": round(100 * total.figures[outcome].n / n, 1),
            "href": link(scope, total.figures[outcome].bucket),
        }
        for outcome in COUNTED
        if n and total.figures[outcome].n
    ]
