"""What the page of before and after shows: figures in words, links and charts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from review.metrics import charts
from review.metrics.figures import Figure, Kind
from review.metrics.kpis import listing
from review.metrics.kpis.board import Board, Line, difference_range, difference_text
from review.metrics.kpis.export import days_of


@dataclass(frozen=True)
class Shown:
    """A figure in words; `detail` is k of n, or n alone."""

    text: str
    interval: str
    k: int | None
    n: int
    href: str
    is_too_few: bool


@dataclass(frozen=True)
class ShownLine:
    line: Line
    before: Shown | None
    now: Shown
    difference: Shown | None


@dataclass(frozen=True)
class ShownBoard:
    board: Board
    lines: list[ShownLine]
    charts: list[tuple[str, dict[str, Any]]]


def shown(boards: Sequence[Board]) -> list[ShownBoard]:
    return [
        ShownBoard(board, [_line(board, line) for line in board.lines], _charts(board))
        for board in boards
    ]


def _line(board: Board, line: Line) -> ShownLine:
    source, measure = board.source, line.measure
    before = None
    if line.before and line.baseline:
        before = _figure(line.before, listing.link(source, measure, days_of(line.baseline)))
    now_link = listing.link(source, measure, line.days) if line.days else ""
    difference = None
    if line.difference:
        found = line.difference
        difference = Shown(
            difference_text(found), difference_range(found), None, found.n, "", found.value is None
        )
    return ShownLine(line, before, _figure(line.now, now_link), difference)


def _figure(figure: Figure, href: str) -> Shown:
    listed = figure.n if figure.k is None else figure.k
    return Shown(
        text=figure.text,
        interval=figure.interval_text,
        k=figure.k,
        n=figure.n,
        href=href if listed else "",
        is_too_few=figure.value is None,
    )


def _charts(board: Board) -> list[tuple[str, dict[str, Any]]]:
    """Shares and times have axes of their own; of a chart without a point there is none."""
    found = []
    for name, kind in (("shares", Kind.RATE), ("times", Kind.SECONDS)):
        lines = [line for line in board.lines if line.measure.kind == kind]
        labels = [str(line.measure.definition.name) for line in lines]
        unit = str(lines[0].measure.definition.unit.value)
        chart = charts.before_and_now(
            unit, labels, [line.before for line in lines], [line.now for line in lines]
        )
        if chart:
            found.append((f"kpi-{board.source.pk}-{name}", chart))
    return found
