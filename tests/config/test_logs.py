"""No log says what people wrote, not even where the database quotes it in an error."""

import logging
import sys
from typing import Any

import pytest
from django.conf import settings
from django.db import Error, IntegrityError, connection, transaction

from config.logs import Line, said
from tests.conftest import new_ticket
from triage.models import Source, Ticket

pytestmark = pytest.mark.django_db

SECRET = "zqsecretzq"
LINE = Line("%(levelname)s %(message)s")


@pytest.fixture
def broken(source: Source) -> IntegrityError:
    """An error whose detail quotes the whole row, on several lines."""
    new_ticket(source, subject=SECRET, body=f"first\n{SECRET}")
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        Ticket.objects.update(reopened_count=-1)
    assert SECRET in str(caught.value)
    return caught.value


def line(message: str, *args: object, error: BaseException | None = None) -> str:
    info = (type(error), error, error.__traceback__) if error else None
    return LINE.format(logging.LogRecord("x", logging.ERROR, "", 1, message, args, info))


@pytest.mark.parametrize("message", ["job failed: %s", "job failed: %r"])
def test_an_error_among_the_arguments_is_cut_short(message: str, broken: IntegrityError) -> None:
    shown = line(message, broken)

    assert SECRET not in shown
    assert "SQLSTATE 23514" in shown
    assert "violates check constraint" in shown


def test_text_made_of_an_error_before_is_cut_short(broken: IntegrityError) -> None:
    for shown in (line("it said: %s", str(broken)), line(f"it said: {broken!r}")):
        assert SECRET not in shown
        assert "violates check constraint" in shown


def test_a_traceback_keeps_its_frames_and_loses_the_details(broken: IntegrityError) -> None:
    try:
        raise RuntimeError("the step failed") from broken
    except RuntimeError as error:
        shown = line("broke", error=error)

    assert SECRET not in shown
    assert "psycopg.errors.CheckViolation: SQLSTATE 23514, new row for relation" in shown
    assert "RuntimeError: the step failed" in shown
    assert "test_logs.py" in shown


def test_data_that_the_database_cannot_read_is_not_quoted() -> None:
    with pytest.raises(Error) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT %s::int", [SECRET])

    assert SECRET in str(caught.value)
    assert said(caught.value) == "SQLSTATE 22P02"


def test_other_errors_and_lines_stay_as_they_are() -> None:
    try:
        raise ValueError("line one\nline two")
    except ValueError:
        shown = LINE.format(
            logging.LogRecord("x", 20, "", 1, "%(a)s done", ({"a": 5},), sys.exc_info())
        )

    assert shown.startswith("INFO 5 done\nTraceback")
    assert shown.endswith("ValueError: line one\nline two")


def test_the_service_logs_through_it_and_never_logs_statements() -> None:
    formatters: Any = settings.LOGGING["formatters"]
    assert formatters["line"]["()"] == "config.logs.Line"
    assert logging.getLogger("django.db.backends").getEffectiveLevel() >= logging.INFO


def test_the_database_server_logs_no_statement_that_failed() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW listen_addresses")
        if cursor.fetchone() != ("",):
            pytest.skip("This is not the built-in server.")
        for name, value in (
            ("log_min_error_statement", "panic"),
            ("log_error_verbosity", "terse"),
        ):
            cursor.execute("SELECT current_setting(%s)", [name])
            assert cursor.fetchone() == (value,)
