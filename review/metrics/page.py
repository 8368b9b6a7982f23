"""What the page shows: reports as tables whose figures link to their tickets, and charts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from review.metrics import charts, reports, wording
from review.metrics.cohorts import COUNTED, Outcome
from review.metrics.figures import AI, Bucket, Figure, Kind, Row
from review.metrics.findings import Finding, findings
from review.metrics.flow import flow
from review.metrics.report import GROUP_NAMES, Report
from review.metrics.window import Scope

DAYS = (7, 30, 90)
SHOWN_AT_ONCE = 8


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
class Card:
    """A report ready to be shown. `lead` is its answer in one line; no chart: too few cases."""

    report: Report
    totals: list[Line]
    lines: list[Line]
    notes: list[tuple[str, str]]
    csv: str
    lead: list[Cell]
    chart: dict[str, Any] | None

    @property
    def first_lines(self) -> list[Line]:
        return self.lines[:SHOWN_AT_ONCE]

    @property
    def chart_id(self) -> str:
        return f"chart-{self.report.definition.key}"


def link(scope: Scope, bucket: Bucket | None) -> str:
    """Address of the proposals that a figure counts; empty where there is no such list."""
    if bucket is None:
        return ""
    return f"{reverse('review:metrics_tickets')}?{scope.query(**bucket.params())}"


def context(scope: Scope) -> dict[str, Any]:
    found = {key: report(scope) for key, report in reports.REPORTS.items()}
    cards = {key.replace("-", "_"): _card(report) for key, report in found.items()}
    untouched, reopened = found["untouched"], found["reopened"]
    total = untouched.totals[0]
    noted = findings(found["acceptance"], found["escalated-despite-automation"], reopened)
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


def page_of(scope: Scope) -> dict[str, Any]:
    """What the window's form and the days beside it need."""
    kept = {"group": scope.group.value} | ({"source": scope.source_slug} if scope.source else {})
    return {
        "scope": scope,
        "group_name": GROUP_NAMES[scope.group],
        "days": [(days, {**kept, "days": days}, days == scope.days) for days in DAYS],
    }


def _card(report: Report) -> Card:
    scope = report.scope
    key = report.definition.key
    return Card(
        report=report,
        totals=[_line(report, row) for row in report.totals],
        lines=[_line(report, row) for row in report.rows],
        notes=[(note.text, link(scope, note.bucket)) for note in report.notes],
        csv=f"{reverse('review:metrics_csv', args=[key])}?{scope.query()}",
        lead=[_cell(scope, figure) for figure in _lead(report)],
        chart=_chart(report),
    )


def _lead(report: Report) -> list[Figure]:
    names = {
        "untouched": ["share"],
        "acceptance": ["rate"],
        "escalated-despite-automation": ["rate"],
        "reopened": [AI, Outcome.OVERRIDDEN.value, "difference"],
        "time-to-decision": ["median", "ninth"],
    }.get(report.definition.key, [])
    return [report.totals[0].figures[name] for name in names] if report.totals else []


def _chart(report: Report) -> dict[str, Any] | None:
    columns: Mapping[str, Mapping[str, tuple[str, str]]] = {
        "acceptance": {"rate": (_("acceptance"), "good")},
        "override-reasons": {"rate": (_("share of the field's overrides"), "accent")},
        "escalated-despite-automation": {"rate": (_("escalated later"), "bad")},
        "reopened": {
            AI: (_("after the AI's value"), "good"),
            Outcome.OVERRIDDEN.value: (_("after a person's value"), "accent"),
        },
    }
    key = report.definition.key
    if key == "untouched":
        return charts.shares(report)
    if key == "time-to-decision":
        return charts.times(report)
    if key not in columns:
        return None
    return charts.intervals(report, columns[key], is_worst_low=key == "acceptance")


def _line(report: Report, row: Row) -> Line:
    # Where n has a column of its own, a share need not say it again.
    has_n = any(column.key == "n" for column in report.columns)
    figures = [row.figures[column.key] for column in report.columns]
    return Line(row.labels, [_cell(report.scope, each, says_n=not has_n) for each in figures])


def _cell(scope: Scope, figure: Figure, *, says_n: bool = True) -> Cell:
    detail = ""
    if figure.kind == Kind.RATE and figure.value is not None and says_n:
        detail = _("%(k)s of %(n)s") % {
            "k": wording.whole(figure.k or 0),
            "n": wording.whole(figure.n),
        }
    return Cell(
        text=figure.text,
        interval=figure.interval_text,
        detail=detail,
        href=link(scope, figure.bucket) if figure.n else "",
        is_too_few=figure.value is None,
    )


def _noted(scope: Scope, finding: Finding) -> dict[str, str]:
    return {"name": finding.name, "text": finding.text, "href": link(scope, finding.bucket)}


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
