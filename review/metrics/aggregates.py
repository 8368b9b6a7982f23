"""SQL that the ORM has no word for."""

from typing import Any

from django.db.models import (
    BigIntegerField,
    DateField,
    DateTimeField,
    FloatField,
    Func,
    IntegerField,
    Sum,
)

from review.metrics.bins import BINS_AN_OCTAVE, LAST_BIN

# The in-scope scores that anybody asks about lie below.
MOST_PERCENT = 20


class SecondsBetween(Func):
    """Seconds from the first moment to the second, as a float."""

    template = "EXTRACT(EPOCH FROM (%(expressions)s))::double precision"
    arg_joiner = " - "
    arity = 2
    output_field = FloatField()

    def __init__(self, first: Any, second: Any) -> None:
        super().__init__(second, first)


class DaysBetween(Func):
    """From the first date to the second; Django would make an interval of it."""

    template = "(%(expressions)s)"
    arg_joiner = " - "
    arity = 2
    output_field = IntegerField()

    def __init__(self, first: Any, second: Any) -> None:
        super().__init__(second, first)


class QuarterOf(Func):
    """The quarter hour of a moment, as notes of what was touched have it."""

    template = "date_bin('15 minutes', %(expressions)s, 'epoch'::timestamptz)"
    arity = 1
    output_field = DateTimeField()


class DaysLater(Func):
    """A date and a number of days, as a date."""

    template = "(%(expressions)s)"
    arg_joiner = " + "
    arity = 2
    output_field = DateField()


class MondayOf(Func):
    """The Monday of a date's week. Of ten thousands of dates TRUNC takes a multiple of the time."""

    # That day was a Monday.
    template = "(%(expressions)s - mod(%(expressions)s - '1900-01-01'::date, 7))"
    arity = 1
    output_field = DateField()


class BinOf(Func):
    """bins.bin_of of a number of seconds."""

    # The small number keeps the log of a whole power from falling short of it.
    template = (
        "CASE WHEN %(expressions)s < 1 THEN 0"
        f" ELSE LEAST({LAST_BIN}, 1 + FLOOR({BINS_AN_OCTAVE} * LN(GREATEST(%(expressions)s, 1))"
        " / LN(2.0::double precision) + 1e-9)::int) END"
    )
    arity = 1
    output_field = IntegerField()


class PercentOf(Func):
    """Whole percent of a fraction, rounded down; all from MOST_PERCENT on are that."""

    # The small number keeps 0.29 * 100 from falling short of 29.
    template = f"LEAST({MOST_PERCENT}, FLOOR(%(expressions)s * 100 + 1e-9)::int)"
    arity = 1
    output_field = IntegerField()


class BegunDays(Func):
    """Spans of 24 hours that a number of seconds has begun: 1 up to and with 86400."""

    template = "CEIL(%(expressions)s / 86400)::int"
    arity = 1
    output_field = IntegerField()


class PlainSum(Sum):
    """A sum that is taken as the database driver hands it over, which is an int or a float already.

    Django would call int() or float() on it once more: a page has tens of thousands.
    """

    def get_db_converters(self, connection: Any) -> list[Any]:
        return []


class SumOver(Func):
    """SUM for a window over an aggregate, which django.db.models.Sum refuses."""

    function = "SUM"
    window_compatible = True
    # Sums of bigint are numeric in PostgreSQL, and would arrive as Decimal.
    template = "%(function)s(%(expressions)s)"
    output_field = BigIntegerField()
