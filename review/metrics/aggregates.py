"""SQL that the ORM has no word for."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db.models import Aggregate, BigIntegerField, FloatField, Func

from review.metrics.estimators import GRID


class SecondsBetween(Func):
    """Seconds from the first moment to the second, as a float."""

    template = "EXTRACT(EPOCH FROM (%(expressions)s))::double precision"
    arg_joiner = " - "
    arity = 2
    output_field = FloatField()

    def __init__(self, first: Any, second: Any) -> None:
        super().__init__(second, first)


class PercentileGrid(Aggregate):
    """The values of nearest rank at estimators.GRID: one sort, GRID_STEPS numbers."""

    template = (
        f"percentile_disc(ARRAY[{','.join(map(repr, GRID))}]::double precision[])"
        " WITHIN GROUP (ORDER BY %(expressions)s)"
    )
    output_field = ArrayField(FloatField())


class SumOver(Func):
    """SUM for a window over an aggregate, which django.db.models.Sum refuses."""

    function = "SUM"
    window_compatible = True
    # Sums of bigint are numeric in PostgreSQL, and would arrive as Decimal.
    template = "%(function)s(%(expressions)s)"
    output_field = BigIntegerField()
