"""Reports as CSV: one line a figure, each with all that it needs to be believed."""

import csv
from collections.abc import Callable, Iterator

from review.metrics.figures import Bucket, Figure, Row
from review.metrics.report import Report
from triage.spreadsheets import Cell, safe

LABELS = 3
HEADER = (
    "metric",
    "definition_version",
    "from",
    "to",
    "time_zone",
    "source",
    "split_by",
    *(f"label_{number}" for number in range(1, LABELS + 1)),
    "figure",
    "unit",
    "value",
    "k",
    "n",
    "low",
    "high",
    "confidence",
    "least_n",
    "least_people",
    "caveat",
    "not_ratified_because",
    "tickets",
)

CONFIDENCE = 0.95


class Echo:
    """A file that hands back each line instead of keeping it."""

    def write(self, line: str) -> str:
        return line


def lines(report: Report, link: Callable[[Bucket], str]) -> Iterator[str]:
    """The table as CSV lines, header first. `link` makes the address of a bucket's tickets."""
    writer = csv.writer(Echo())
    yield writer.writerow(HEADER)
    for row in (*report.totals, *report.rows):
        for column in report.columns:
            cells = _cells(report, row, column.key, row.figures[column.key], link)
            yield writer.writerow([safe(cell) for cell in cells])


def _cells(
    report: Report, row: Row, column: str, figure: Figure, link: Callable[[Bucket], str]
) -> list[Cell]:
    scope = report.scope
    unused = [""] * (LABELS - len(row.labels))
    return [
        report.definition.key,
        report.definition.version,
        scope.first.isoformat(),
        scope.last.isoformat(),
        scope.time_zone,
        scope.source_slug,
        scope.group.value,
        *row.labels,
        *unused,
        column,
        figure.kind.value,
        figure.value,
        figure.k,
        None if figure.is_withheld else figure.n,
        figure.interval.low if figure.interval else None,
        figure.interval.high if figure.interval else None,
        CONFIDENCE if figure.interval else None,
        figure.min_n or None,
        figure.min_people or None,
        str(report.definition.caveat),
        report.definition.unratified,
        link(figure.bucket) if figure.bucket else None,
    ]
