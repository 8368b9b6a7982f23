"""Log lines without what a database adds to its errors: the values of a row, a ticket's words."""

import logging
import re
from collections.abc import Iterator
from copy import copy
from typing import Any

import psycopg
from django.db import Error

# Text that was made of an error before it came here, as it is or as repr() writes it.
ADDED = re.compile(r"(?:\n|\\n)(?:DETAIL|CONTEXT): .*", re.DOTALL)
# Of these the first line too quotes what was sent: a date that is none, a number too large.
DATA_EXCEPTION = "22"


class Line(logging.Formatter):
    """Takes the details of database errors out of messages and tracebacks."""

    def format(self, record: logging.LogRecord) -> str:
        shown = copy(record)
        shown.args = _without_details(record.args)
        shown.msg = ADDED.sub("", shown.getMessage())
        shown.args = None
        # Another handler may have put the whole traceback there.
        shown.exc_text = None
        return super().format(shown)

    def formatException(self, ei: Any) -> str:
        text = super().formatException(ei)
        for error in _chain(ei[1]):
            if isinstance(error, Error | psycopg.Error):
                text = text.replace(str(error), said(error))
        return text


def said(error: BaseException) -> str:
    """What a database error says without any value of the rows or of the statement."""
    source = error if isinstance(error, psycopg.Error) else error.__cause__
    if not isinstance(source, psycopg.Error) or not source.sqlstate:
        # From this side of the connection, which knows of no rows.
        return ADDED.sub("", str(error))
    first = source.diag.message_primary or ""
    quotes = source.sqlstate.startswith(DATA_EXCEPTION)
    return f"SQLSTATE {source.sqlstate}" + ("" if quotes else f", {first}")


def _without_details(args: Any) -> Any:
    if isinstance(args, tuple):
        return tuple(_Said(arg) if isinstance(arg, Error | psycopg.Error) else arg for arg in args)
    return args


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    left = [error]
    while left:
        one = left.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        left += [one.__cause__, one.__context__]
        if isinstance(one, BaseExceptionGroup):
            left += one.exceptions


class _Said:
    """Stands for a database error, as %s or %r."""

    def __init__(self, error: BaseException) -> None:
        self.name = type(error).__name__
        self.text = said(error)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"{self.name}({self.text!r})"
