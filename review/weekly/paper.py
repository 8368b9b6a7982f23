"""A4 pages with headings, paragraphs, tables and a chart of intervals, drawn as vectors."""

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import NamedTuple

from django.utils.translation import gettext as _
from fpdf import FPDF, FontFace
from fpdf.enums import TableCellFillMode, XPos, YPos

INK, SOFT, LINE = (29, 36, 48), (93, 102, 117), (230, 227, 221)
PAPER = (251, 250, 248)
TONES = {
    "accent": (36, 72, 200),
    "idle": (140, 134, 122),
    "good": (28, 122, 74),
    "bad": (179, 38, 30),
}
FONT = "DejaVu"
MARGIN, BOTTOM = 18.0, 18.0
LABEL_WIDTH, ROW_HEIGHT = 58.0, 9.0
TICKS = 4
# Of an axis: shares, then seconds as clocks count them.
STEPS = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 15, 60, 300, 900, 1800, 3600, 7200, 10_800, 21_600,
         43_200, 86_400, 172_800, 432_000)  # fmt: skip


@dataclass(frozen=True)
class Point:
    value: float
    low: float
    high: float
    tone: str


class Cell(NamedTuple):
    text: str
    href: str = ""


class Paper(FPDF):
    """Letters of DejaVu, which comes with matplotlib: a report must hold any language's words."""

    def __init__(self, title: str, made_at: datetime, language: str) -> None:
        super().__init__(format="A4")
        self.foot = title
        self.set_title(title)
        self.set_creator("Countersign")
        self.set_lang(language)
        self.set_creation_date(made_at)
        self.set_margins(MARGIN, MARGIN, MARGIN)
        self.set_auto_page_break(auto=True, margin=BOTTOM)
        for style, name in (("", "DejaVuSans"), ("B", "DejaVuSans-Bold")):
            self.add_font(FONT, style, _fonts() / f"{name}.ttf")
        self.add_page()

    def footer(self) -> None:
        self.set_y(-12)
        self._write(8, SOFT)
        text = _("%(title)s · page %(page)s") % {"title": self.foot, "page": self.page_no()}
        self.cell(0, 6, text, align="C")

    def heading(self, text: str, *, size: float = 13, space: float = 5) -> None:
        # A heading does not stand alone at the foot of a page.
        if self.will_page_break(space + 30):
            self.add_page()
        self.ln(space)
        self._write(size, INK, "B")
        self.multi_cell(0, size * 0.5, text, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(1)

    def said(self, text: str, *, href: str = "", size: float = 9, tone: str = "") -> None:
        self._write(size, TONES.get(tone, TONES["accent"] if href else SOFT))
        self.multi_cell(0, size * 0.52, text, link=href, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(0.6)

    def grid(
        self, header: Sequence[str], rows: Sequence[Sequence[Cell]], widths: Sequence[int]
    ) -> None:
        """Its first column is left-aligned words, the others figures."""
        self._write(8, INK)
        align = ("LEFT", *("RIGHT" for _name in header[1:]))
        head = FontFace(emphasis="BOLD", color=SOFT, fill_color=PAPER)
        self.set_draw_color(*LINE)
        # A table fills its cells with what a chart drew with last.
        self.set_fill_color(255)
        with self.table(
            col_widths=tuple(widths),
            text_align=align,
            headings_style=head,
            cell_fill_mode=TableCellFillMode.NONE,
            borders_layout="HORIZONTAL_LINES",
            line_height=4.4,
            padding=(1.1, 1.2),
        ) as table:
            for line in ([Cell(text) for text in header], *rows):
                row = table.row()
                for cell in line:
                    row.cell(cell.text, link=cell.href or None)
        self.ln(2)

    def chart(
        self,
        rows: Sequence[tuple[str, Sequence[Point]]],
        say: Callable[[float], str],
        legend: Sequence[tuple[str, str]],
    ) -> None:
        """Points in their intervals; `say` words the axis, `legend` names the tones."""
        height = ROW_HEIGHT * len(rows) + 16
        if self.will_page_break(height):
            self.add_page()
        top = self.get_y() + 2
        left, right = MARGIN + LABEL_WIDTH, self.w - MARGIN - 6
        most = _reach(max((point.high for _label, points in rows for point in points), default=0))
        self._axis(top, top + ROW_HEIGHT * len(rows), left, right, most, say)
        for number, (label, points) in enumerate(rows):
            middle = top + ROW_HEIGHT * (number + 0.5)
            self._write(8, INK)
            self.set_xy(MARGIN, middle - 2.2)
            self.cell(LABEL_WIDTH - 3, 4.4, self._fitted(label, LABEL_WIDTH - 4), align="R")
            for place, point in enumerate(points):
                y = middle + (place - (len(points) - 1) / 2) * 2.8
                self._point(point, y, left, (right - left) / most)
        self._legend(top + ROW_HEIGHT * len(rows) + 6, left, legend)
        self.set_y(top + height)

    def _axis(
        self, top: float, foot: float, left: float, right: float, most: float,
        say: Callable[[float], str],
    ) -> None:  # fmt: skip
        self.set_draw_color(*LINE)
        self.set_line_width(0.2)
        for tick in range(TICKS + 1):
            x = left + (right - left) * tick / TICKS
            self.line(x, top, x, foot)
            self._write(7, SOFT)
            self.set_xy(x - 12, foot + 0.6)
            self.cell(24, 4, say(most * tick / TICKS), align="C")

    def _point(self, point: Point, y: float, left: float, scale: float) -> None:
        tone = TONES[point.tone]
        self.set_fill_color(*(round(255 - (255 - part) * 0.35) for part in tone))
        width = max(0.8, (point.high - point.low) * scale)
        self.rect(
            left + point.low * scale,
            y - 0.8,
            width,
            1.6,
            style="F",
            round_corners=True,
            corner_radius=0.6,
        )
        self.set_fill_color(*tone)
        self.ellipse(left + point.value * scale - 1.1, y - 1.1, 2.2, 2.2, style="F")

    def _legend(self, y: float, left: float, legend: Sequence[tuple[str, str]]) -> None:
        x = left
        for name, tone in legend:
            self.set_fill_color(*TONES[tone])
            self.ellipse(x, y + 0.9, 2.2, 2.2, style="F")
            self._write(8, INK)
            self.set_xy(x + 3, y)
            width = self.get_string_width(name) + 4
            self.cell(width, 4, name)
            x += width + 8

    def _fitted(self, text: str, width: float) -> str:
        if self.get_string_width(text) <= width:
            return text
        while text and self.get_string_width(f"{text}…") > width:
            text = text[:-1]
        return f"{text.rstrip()}…"

    def _write(self, size: float, colour: tuple[int, int, int], style: str = "") -> None:
        self.set_font(FONT, style, size)
        self.set_text_color(*colour)


def _reach(most: float) -> float:
    """Where an axis ends that holds `most`, so that its ticks are round."""
    step = next((step for step in STEPS if step * TICKS >= most), most / TICKS)
    return step * TICKS


@cache
def _fonts() -> Path:
    """Found without importing matplotlib, which takes a while and is not needed otherwise."""
    found = importlib.util.find_spec("matplotlib")
    if found is None or not found.submodule_search_locations:
        raise RuntimeError("matplotlib, which brings the letters of the report, is not installed.")
    return Path(found.submodule_search_locations[0]) / "mpl-data" / "fonts" / "ttf"
