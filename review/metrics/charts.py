"""Data for the page's charts, as plain lists that metrics.js hands to Chart.js."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from review.metrics.cohorts import COUNTED, Outcome
from review.metrics.estimators import funnel_limits
from review.metrics.figures import Figure, Row
from review.metrics.meaning import Text
from review.metrics.outliers import FAR, USUAL, Placed, Watched, placed
from review.metrics.report import Report
from review.metrics.trends import Line, Trend
from review.metrics.wording import NO_BREAK

Chart = dict[str, Any]
MOST_BARS = 12
STEPS = 40
LIMITS_HEIGHT, TREND_HEIGHT = 250, 150
# Pixels; the page keeps this room free, so that nothing moves when a chart is drawn.
ROW_HEIGHT, AXIS_HEIGHT, LEGEND_HEIGHT = 32, 84, 34
THIRD_HEIGHT = 20
# Names of colours in metrics.css, by outcome.
TONES = {
    "auto": "auto",
    "accepted": "good",
    "overridden": "accent",
    "escalated": "bad",
    "sent_back": "warn",
    "untouched": "idle",
}


class OnLine(NamedTuple):
    """A figure at a place of an axis, what the axis says there, and what the point is called."""

    at: float
    label: str
    title: str
    figure: Figure


def shares(report: Report) -> dict[str, Any] | None:
    """Outcomes of each group as shares that add up to 1; None without a group."""
    rows = report.rows[:MOST_BARS]
    series = [
        {
            "name": str(outcome.label),
            "tone": TONES[outcome],
            "values": [row.figures[outcome].n / row.figures["n"].n for row in rows],
            "counts": [row.figures[outcome].n for row in rows],
        }
        for outcome in COUNTED
    ]
    return _chart("shares", "share", [row.labels[0] for row in rows], series) if rows else None


def parts(report: Report, columns: Mapping[str, tuple[Text, str]]) -> dict[str, Any] | None:
    """Counts of each group as shares of its `n`; `columns` as in `intervals`."""
    rows = [row for row in report.rows if row.figures["n"].n][:MOST_BARS]
    series = [
        {
            "name": str(name),
            "tone": tone,
            "values": [row.figures[key].n / row.figures["n"].n for row in rows],
            "counts": [row.figures[key].n for row in rows],
        }
        for key, (name, tone) in columns.items()
    ]
    return _chart("shares", "share", [row.labels[0] for row in rows], series) if rows else None


def intervals(
    report: Report, columns: Mapping[str, tuple[Text, str]], *, is_worst_low: bool = False
) -> dict[str, Any] | None:
    """Figures as points in their intervals, the worst group first; None where there is none.

    `columns` has the key of a column, and the name and tone of its points.
    """
    rows = [row for row in report.rows if _has_value(row, columns)][:MOST_BARS]
    first = next(iter(columns))
    rows.sort(key=lambda row: _order(row.figures[first], is_worst_low))
    if len(rows) != 1:
        rows = [row for row in report.totals if _has_value(row, columns)] + rows
    if not rows:
        return None
    series = [
        {"name": str(name), "tone": tone, "points": [_point(row.figures[key]) for row in rows]}
        for key, (name, tone) in columns.items()
    ]
    return _chart(
        "intervals", report.definition.unit.value, [": ".join(row.labels) for row in rows], series
    )


def times(report: Report, verdicts: Mapping[str, str] | None = None) -> dict[str, Any] | None:
    """Median times side by side, group by group; `verdicts` has the second label, and its tone.

    Without them: of accepted and overridden proposals.
    """
    if verdicts is None:
        verdicts = {str(v.label): TONES[v] for v in (Outcome.ACCEPTED, Outcome.OVERRIDDEN)}
    by_group: dict[str, dict[str, Figure]] = {}
    for row in (*report.totals, *report.rows):
        group, verdict = row.labels
        if verdict in verdicts and row.figures["median"].value is not None:
            by_group.setdefault(group, {})[verdict] = row.figures["median"]
    shown = dict(list(by_group.items())[:MOST_BARS])
    series = [
        {
            "name": verdict,
            "tone": tone,
            "points": [_point(figures.get(verdict)) for figures in shown.values()],
        }
        for verdict, tone in verdicts.items()
    ]
    return _chart("intervals", report.definition.unit.value, list(shown), series) if shown else None


def limits(report: Report, watched: Watched, name: Text) -> dict[str, Any] | None:
    """Groups by how many cases they have, and how far chance alone takes such groups from all.

    Those beyond the outer limits are named. Where there are too few groups to compare they are
    drawn as `intervals`.
    """
    found = placed(report, watched.column)
    if not found:
        columns = {watched.column: (name, "accent")}
        return intervals(report, columns, is_worst_low=watched.is_worst_low)
    total = report.totals[0].figures[watched.column]
    return {
        "kind": "limits",
        "unit": report.definition.unit.value,
        "labels": [one.row.labels[0] for one in found],
        "axis": _("cases"),
        "total": total.value,
        "series": [
            {"name": str(name), "tone": "accent", "points": [_place(o, watched) for o in found]}
        ],
        "bands": _bands(found[0].total, [one.figure.n for one in found]),
        "height": LIMITS_HEIGHT,
        "said": [_said(total), *_beyond(found)],
    }


def _place(one: Placed, watched: Watched) -> dict[str, Any]:
    tone = "bad" if one.is_bad(watched) else "good" if one.is_high or one.is_low else "soft"
    point = _point(one.figure) or {}
    return {**point, "label": one.row.labels[0], "tone": tone, "is_far": one.is_far}


def _bands(total: float, sizes: Sequence[int]) -> list[dict[str, float]]:
    """Limits from a little below the smallest group to a little above the largest."""
    least, most = max(1.0, min(sizes) / 1.3), max(sizes) * 1.3
    steps = {round(least * (most / least) ** (step / STEPS)) for step in range(STEPS + 1)}
    found = []
    for n in sorted(steps):
        usual = funnel_limits(total, n, confidence=USUAL)
        far = funnel_limits(total, n, confidence=FAR)
        if usual and far:
            edges = {"low": usual.low, "high": usual.high, "far_low": far.low, "far_high": far.high}
            found.append({"n": n, **edges})
    return found


def _said(total: Figure) -> str:
    return _(
        "Of groups that differ from all together (%(rate)s) by chance alone, the bands hold "
        "%(usual)s and %(far)s."
    ) % {"rate": total.text, "usual": _percent(USUAL), "far": _percent(FAR)}


def _percent(share: float) -> str:
    return f"{number_format(100 * share, 1 if share == FAR else 0)}{NO_BREAK}%"


def _beyond(found: Sequence[Placed]) -> list[str]:
    """In words, the groups that chance does not explain, the largest first."""
    far = sorted((one for one in found if one.is_far), key=lambda one: -one.figure.n)
    named = {
        is_high: ", ".join(
            f"{one.row.labels[0]} {one.figure.text}" for one in far if one.is_high == is_high
        )
        for is_high in (True, False)
    }
    said = {
        True: _("Higher than chance explains: %(groups)s."),
        False: _("Lower than chance explains: %(groups)s."),
    }
    return [said[side] % {"groups": groups} for side, groups in named.items() if groups]


def trend(found: Trend) -> dict[str, Any] | None:
    """Lines from week to week with their intervals; None below two weeks that have a figure.

    Where another version of the definition came into force there is a mark.
    """
    weeks = found.weeks
    series = [_series(line, weeks, with_version=found.has_versions) for line in found.lines]
    told = [[one is not None for one in line["points"]] for line in series]
    if sum(any(week) for week in zip(*told, strict=True)) < 2:
        return None
    return {
        "kind": "trend",
        "unit": found.lines[0].definition.unit.value,
        "labels": [date_format(week, "j M") for week in weeks],
        "at": [(week - weeks[0]).days for week in weeks],
        "series": series,
        "marks": [
            {"at": (day - weeks[0]).days, "text": _("version %(version)s") % {"version": version}}
            for day, version in found.changes
            if day >= weeks[0]
        ],
        # On a narrow screen each name has a line of the legend to itself.
        "height": TREND_HEIGHT + LEGEND_HEIGHT * (len(series) - 1),
    }


def curve(points: Sequence[OnLine], name: str, tone: str, axis: str = "") -> Chart:
    """A figure along a line of numbers, from the smallest on; `axis` says what they are."""
    points = sorted(points, key=lambda point: point.at)
    series = {
        "name": name,
        "tone": tone,
        "is_past": False,
        "points": [_point(point.figure) for point in points],
    }
    return {
        "kind": "trend",
        "unit": "share",
        "labels": [point.label for point in points],
        "at": [point.at for point in points],
        "series": [series],
        "marks": [],
        "titles": [point.title for point in points],
        "axis": axis,
        "height": TREND_HEIGHT + LEGEND_HEIGHT,
    }


def line_name(line: Line, *, with_version: bool) -> str:
    if not with_version:
        return str(line.name)
    number = line.definition.version
    return _("%(name)s, version %(version)s") % {"name": line.name, "version": number}


def _series(line: Line, weeks: Sequence[date], *, with_version: bool) -> dict[str, Any]:
    by_week = {point.scope.first: _point(point.figure) for point in line.points}
    return {
        "name": line_name(line, with_version=with_version),
        "tone": line.tone,
        "is_past": not line.is_in_force,
        "points": [by_week.get(week) for week in weeks],
    }


def before_and_now(
    unit: str,
    labels: Sequence[str],
    before: Sequence[Figure | None],
    now: Sequence[Figure | None],
) -> dict[str, Any] | None:
    """Both sides of each label as points in their intervals; None where there is no point."""
    sides = ((_("before"), "idle", before), (_("now"), "accent", now))
    series: list[dict[str, Any]] = [
        {"name": str(name), "tone": tone, "points": [_point(figure) for figure in figures]}
        for name, tone, figures in sides
    ]
    if not any(point for one in series for point in one["points"]):
        return None
    return _chart("intervals", unit, labels, series)


def _chart(
    kind: str, unit: str, labels: Sequence[str], series: list[dict[str, Any]]
) -> dict[str, Any]:
    row = ROW_HEIGHT + THIRD_HEIGHT * (len(series) > 2)
    height = len(labels) * row + AXIS_HEIGHT + (LEGEND_HEIGHT if len(series) > 1 else 0)
    return {"kind": kind, "unit": unit, "labels": labels, "series": series, "height": height}


def _has_value(row: Row, columns: Mapping[str, tuple[Text, str]]) -> bool:
    return any(row.figures[key].value is not None for key in columns)


def _order(figure: Figure, is_worst_low: bool) -> tuple[bool, float]:
    """The worst first, and what has no value last."""
    value = figure.value or 0.0
    return figure.value is None, value if is_worst_low else -value


def _point(figure: Figure | None) -> dict[str, Any] | None:
    if figure is None or figure.value is None:
        return None
    interval = figure.interval
    return {
        "value": figure.value,
        "low": interval.low if interval else None,
        "high": interval.high if interval else None,
        "text": f"{figure.text} ({figure.interval_text})" if interval else figure.text,
        "n": figure.n,
    }
