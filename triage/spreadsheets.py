"""Texts in tables that people open with a spreadsheet."""

import re

Cell = str | int | float | None

# A spreadsheet takes a cell that begins so for a formula, or drops the blank and then does. It
# may also see a new cell where we wrote none: many take a semicolon or a tab for the separator,
# and then do not know our quotation marks, so that a line break ends the line for them.
_LIVE = re.compile(
    r"^(?=[ \t\r\n])"
    r"|(?:^|(?<=[;|\t\r\n]))(?=(?:[^\S\t\r\n]|[\"\u200b\ufeff])*[=+\-@\uff1d\uff0b\uff0d\uff20])"
)


def safe(cell: Cell) -> Cell:
    """Texts that a spreadsheet would run get an apostrophe before them; numbers stay numbers."""
    return _LIVE.sub("'", cell) if isinstance(cell, str) else cell
