"""Data for the page's charts, as plain lists that metrics.js hands to Chart.js."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from review.metrics.cohorts import COUNTED
from review.metrics.figures import Figure, Row
from review.metrics.report import Report

MOST_BARS = 12
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
    report: Report, columns: Mapping[str, tuple[str, str]], *, totals: bool = True
) -> dict[str, Any] | None:
    """Figures as points in their intervals; None where no row has one.

    `columns` has the key of a column, and the name and tone of its points.
    """
    rows = [row for row in report.rows if _has_value(row, columns)][:MOST_BARS]
    if not rows:
        return None
    if totals and len(rows) > 1:
        rows = [row for row in report.totals if _has_value(row, columns)] + rows
    series = [
        {"name": name, "tone": tone, "points": [_point(row.figures[key]) for row in rows]}
        for key, (name, tone) in columns.items()
    ]
    labels = [_(" → ").join(row.labels) for row in rows]
    return _chart("intervals", report.definition.unit.value, labels, series)


def _chart(
    kind: str, unit: str, labels: Sequence[str], series: list[dict[str, Any]]
) -> dict[str, Any]:
    return {"kind": kind, "unit": unit, "labels": labels, "series": series}


def _has_value(row: Row, columns: Mapping[str, tuple[str, str]]) -> bool:
    return any(row.figures[key].value is not None for key in columns)


def _point(figure: Figure) -> dict[str, Any] | None:
    if figure.value is None:
        return None
    interval = figure.interval
    return {
        "value": figure.value,
        "low": interval.low if interval else None,
        "high": interval.high if interval else None,
        "text": f"{figure.text} ({figure.interval_text})" if interval else figure.text,
        "n": figure.n,
    }
