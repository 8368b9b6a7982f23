"""Before and after as CSV: one line a figure, each with all that it needs to be believed."""

import csv
from collections.abc import Callable, Iterator, Sequence
from datetime import date

from review.metrics.export import CONFIDENCE, Echo
from review.metrics.figures import Figure
from review.metrics.kpis import listing
from review.metrics.kpis.board import Board, Line
from review.metrics.kpis.measuring import Days
from review.models import Baseline
from triage.models import Source
from triage.spreadsheets import Cell, safe

HEADER = (
    "metric", "definition_version", "source", "figure", "from", "to", "time_zone", "unit", "value",
    "k", "n", "low", "high", "confidence", "least_n", "direction", "verdict", "why", "caveat",
    "tickets",
)  # fmt: skip
Address = Callable[[str], str]


def lines(boards: Sequence[Board], time_zone: str, address: Address) -> Iterator[str]:
    """Header first; `address` makes a path into what a mail or a table can hold."""
    writer = csv.writer(Echo())
    yield writer.writerow(HEADER)
    for board in boards:
        for line in board.lines:
            for cells in _rows(board, line, time_zone, address):
                yield writer.writerow([safe(cell) for cell in cells])


def days_of(row: Baseline) -> Days:
    return Days(row.first_day, row.last_day, row.resolved_before)


def _rows(board: Board, line: Line, zone: str, address: Address) -> Iterator[list[Cell]]:
    source, baseline, version = board.source, line.baseline, line.measure.definition.version
    if baseline and line.before:
        days, of = days_of(baseline), baseline.definition_version
        yield _row(line, source, of, "before", days, zone, line.before, address)
    yield _row(line, source, version, "now", line.days, zone, line.now, address)
    if line.difference:
        yield _row(line, source, version, "difference", line.days, zone, line.difference, None)
    if line.target:
        row = _row(line, source, version, "target", None, zone, None, None)
        row[HEADER.index("value")] = line.target.value
        row[HEADER.index("direction")] = line.target.direction
        row[HEADER.index("verdict")] = line.verdict.value
        row[HEADER.index("why")] = line.target.why
        yield row


def _row(
    line: Line,
    source: Source,
    version: int,
    name: str,
    days: Days | None,
    zone: str,
    figure: Figure | None,
    address: Address | None,
) -> list[Cell]:
    interval = figure.interval if figure else None
    return [
        line.measure.key,
        version,
        source.slug,
        name,
        _iso(days.first if days else None),
        _iso(days.last if days else None),
        zone,
        line.measure.definition.unit.value,
        figure.value if figure else None,
        figure.k if figure else None,
        figure.n if figure else None,
        interval.low if interval else None,
        interval.high if interval else None,
        CONFIDENCE if interval else None,
        figure.min_n if figure else None,
        "",
        "",
        "",
        str(line.measure.definition.caveat),
        address(listing.link(source, line.measure, days)) if address and days else "",
    ]


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""
