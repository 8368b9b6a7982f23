"""Rows of figures as HTML: a report can have a thousand cells, and templates are slow in that.

Everything that comes from outside is escaped here, once, as it is put in.
"""

from collections.abc import Iterable
from html import escape

from django import template
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from review.metrics.page import Cell, Line

register = template.Library()


@register.simple_tag
def figure_rows(lines: Iterable[Line], tone: str = "") -> SafeString:
    """A line each; `tone` is the class of the rows, as `total`."""
    start = f'<tr class="{escape(tone)}">' if tone else "<tr>"
    return mark_safe("".join(f"{start}{_labels(one)}{_cells(one.cells)}</tr>" for one in lines))


@register.simple_tag
def week_rows(lines: Iterable[tuple[str, Iterable[Cell | None]]]) -> SafeString:
    """A row for each week, with a cell for each line of the trend; None: nothing that week."""
    rows = (f'<tr><th scope="row">{escape(week)}</th>{_cells(cells)}</tr>' for week, cells in lines)
    return mark_safe("".join(rows))


def _labels(line: Line) -> str:
    first, *others = (escape(str(label)) for label in line.labels)
    return f'<th scope="row">{first}</th>' + "".join(f"<td>{label}</td>" for label in others)


def _cells(cells: Iterable[Cell | None]) -> str:
    return "".join(f'<td class="number">{_cell(cell)}</td>' for cell in cells)


def _cell(cell: Cell | None) -> str:
    if cell is None or cell.is_too_few:
        return f'<span class="few">{escape(cell.text if cell else _("none"))}</span>'
    said = escape(cell.text)
    if cell.href:
        said = f'<a href="{escape(cell.href)}">{said}</a>'
    beside = " · ".join(part for part in (cell.interval, cell.detail) if part)
    return f"{said} <small>{escape(beside)}</small>" if beside else said
