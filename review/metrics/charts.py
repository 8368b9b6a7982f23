"""Data for the page's charts, as plain lists that metrics.js hands to Chart.js."""

from collections.abc import Mapping, Sequence
from typing import Any

from review.metrics.cohorts import COUNTED, Outcome
from review.metrics.figures import Figure, Row
from review.metrics.meaning import Text
from review.metrics.report import Report

MOST_BARS = 12
# Pixels; the page keeps this room free, so that nothing moves when a chart is drawn.
ROW_HEIGHT, AXIS_HEIGHT, LEGEND_HEIGHT = 32, 58, 34
# Names of colours in metrics.css, by outcome.
TONES = {
    "auto": "auto",
    "accepted": "good",
    "overridden": "accent",
    "escalated": "bad",
    "sent_back": "warn",
    "untouched": "idle",
}


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


def times(report: Report) -> dict[str, Any] | None:
    """Median times of accepted and overridden proposals side by side, group by group."""
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


def _chart(
    kind: str, unit: str, labels: Sequence[str], series: list[dict[str, Any]]
) -> dict[str, Any]:
    height = len(labels) * ROW_HEIGHT + AXIS_HEIGHT + (LEGEND_HEIGHT if len(series) > 1 else 0)
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
