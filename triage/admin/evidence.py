"""A model version's evidence, whatever it holds, as tables and small charts. Pure."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

MOST_BARS = 40
MEANING = {
    "accuracy": "Share of held-out tickets whose top answer is right.",
    "macro_f1": "F1 averaged over choices, so that rare ones count as much.",
    "brier": "Squared distance of the probabilities to the truth, 0 to 2; lower is better.",
    "log_loss": "Mean negative log probability of the truth; lower is better.",
    "calibration_error": "Mean gap between the stated probability and how often it is right.",
    "top_3": "Share with the truth among the three most probable.",
    "held_out": "Tickets kept away from training to measure it.",
    "tickets": "Tickets measured.",
    "error_at_coverage_50": "Error if only the surer half of all tickets is answered.",
    "error_at_coverage_80": "Error if only the surest 80 % are answered.",
    "coverage_at_error_02": "Largest share answered, surest first, with at most 2 % wrong.",
    "coverage_at_error_05": "Largest share answered, surest first, with at most 5 % wrong.",
    "fit_seconds": "Time to measure and fit, in seconds.",
}
# Columns that name a row, where a table has one of them.
LABELS = frozenset({"", "choice", "label", "stated", "predicted", "threshold", "coverage", "bin"})
# What a part of the page of its own shows.
ELSEWHERE = frozenset({"tiers"})
# What the model card and the data card show, each in its own way.
ON_CARDS = frozenset(
    {"confusions", "data", "label_noise", "libraries", "per_choice", "reliability"}
    | {"risk_coverage", "time_ordered"}
)
BAR = "var(--color-primary-600)"
SECOND = "var(--color-base-400)"


@dataclass(frozen=True)
class Figure:
    name: str
    value: str
    meaning: str = ""


@dataclass(frozen=True)
class Table:
    """Rows of text; `chart` is Chart.js data as JSON, or empty where there is nothing to draw."""

    title: str
    head: list[str]
    rows: list[list[str]]
    chart: str = ""
    chart_type: str = "bar"

    @property
    def options(self) -> str:
        """Chart.js options; the theme's own overlay bars that stand side by side here."""
        drawn = json.loads(self.chart)["datasets"] if self.chart else []
        shares = all(0 <= value <= 1 for one in drawn for value in one["data"])
        return json.dumps(
            {
                "animation": False,
                "maintainAspectRatio": False,
                "plugins": {"legend": {"display": len(drawn) > 1}},
                "scales": {
                    "x": {"grid": {"display": False}},
                    "y": {"beginAtZero": True, "suggestedMax": 0.1 if shares else 1},
                },
            }
        )


@dataclass(frozen=True)
class Page:
    figures: list[Figure] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)


def read(evidence: object, *, without: Collection[str] = ()) -> Page:
    """Numbers and texts become figures; groups of numbers become tables with a chart."""
    if not isinstance(evidence, Mapping):
        return Page()
    evidence = {key: value for key, value in evidence.items() if key not in without}
    # The database keeps no order of keys, so the ones we know come in the order given here.
    known = [key for key in MEANING if key in evidence]
    others = sorted(evidence.keys() - MEANING.keys())
    figures = [
        Figure(said(key), shown(evidence[key]), MEANING.get(key, ""))
        for key in known + others
        if not isinstance(evidence[key], Mapping | list)
    ]
    tables = [coverage(evidence)] if "error_at_coverage_50" in evidence else []
    tables += [
        table
        for key, value in sorted(evidence.items())
        if value and key not in ELSEWHERE and (table := _table(said(key), value)) is not None
    ]
    return Page(figures, tables)


def coverage(evidence: Mapping[str, Any]) -> Table:
    """Error as more tickets are answered, the surest first."""
    points = sorted(
        (int(key.removeprefix("error_at_coverage_")), float(value))
        for key, value in evidence.items()
        if key.startswith("error_at_coverage_") and is_number(value)
    )
    if is_number(evidence.get("accuracy")):
        points.append((100, 1.0 - float(evidence["accuracy"])))
    return Table(
        "Error by share answered",
        ["Answered, surest first", "Wrong"],
        [[f"{share} %", f"{error:.1%}"] for share, error in points],
        chart_of([f"{share} %" for share, _ in points], {"wrong": [e for _, e in points]}),
        "line",
    )


def _table(title: str, value: object) -> Table | None:
    if isinstance(value, Mapping):
        rows = {str(key): item for key, item in value.items()}
        if all(is_number(item) for item in rows.values()):
            labels = sorted(rows, key=lambda key: -rows[key])
            chart = chart_of(labels, {title: [rows[label] for label in labels]})
            return Table(title, ["", title], [[key, shown(rows[key])] for key in labels], chart)
        if rows and all(isinstance(item, Mapping) for item in rows.values()):
            return _grid(title, [{"": key, **item} for key, item in rows.items()])
        return Table(title, ["", ""], [[key, shown(item)] for key, item in rows.items()])
    if isinstance(value, list) and all(isinstance(item, Mapping) for item in value):
        return _grid(title, value)
    if isinstance(value, list):
        return Table(title, [title], [[shown(item)] for item in value])
    return None


def _grid(title: str, rows: list[Mapping[str, Any]]) -> Table:
    """Rows that share columns: the first is the label, those of small numbers are drawn."""
    found = dict.fromkeys(key for row in rows for key in row)
    head = sorted(found, key=lambda key: (key not in LABELS, is_number(rows[0].get(key)), key))
    if not head:
        return Table(title, [], [])
    labels = [shown(row.get(head[0])) for row in rows]
    drawn = {
        said(key): [row.get(key) for row in rows]
        for key in head[1:]
        if all(is_number(row.get(key)) and 0 <= row[key] <= 1 for row in rows)
    }
    is_curve = all(is_number(row.get(head[0])) for row in rows)
    cells = [[shown(row.get(key)) for key in head] for row in rows]
    chart = chart_of(labels, drawn)
    return Table(title, [said(key) for key in head], cells, chart, "line" if is_curve else "bar")


def chart_of(labels: list[str], series: Mapping[str, list[Any]], *, most: int = MOST_BARS) -> str:
    """Chart.js data; the whole is in the table, so a chart of too many bars is cut."""
    if not series or len(labels) < 2:
        return ""
    datasets = [
        {
            "label": name,
            "data": values[:most],
            "backgroundColor": colour,
            "borderColor": colour,
            "displayYAxis": True,
            "barThickness": "flex",
            "maxBarThickness": 28,
        }
        for (name, values), colour in zip(series.items(), (BAR, SECOND, BAR, SECOND), strict=False)
    ]
    return json.dumps({"labels": labels[:most], "datasets": datasets})


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if value.is_integer() and abs(value) > 1 else f"{value:.4g}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def said(key: str) -> str:
    return key.replace("_", " ").capitalize()
