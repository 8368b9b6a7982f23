"""Numbers with their uncertainty: numbers in, numbers out.

Rates and shares are fractions. Every interval is two-sided at `confidence` (a fraction), and None
where the data cannot carry one. Nothing here asks the database, the clock or the settings, and
what is drawn at random comes from a seed, so that a page shows the same interval twice.
"""

from review.metrics.estimators.intervals import Difference, Interval
from review.metrics.estimators.quantiles import (
    GRID,
    GRID_STEPS,
    Quantile,
    Ranks,
    nearest_rank,
    quantile,
    quantile_from_grid,
    quantile_ranks,
)
from review.metrics.estimators.rates import (
    EventRate,
    Rate,
    clopper_pearson,
    jeffreys,
    newcombe,
    poisson_rate,
    rate,
    wilson,
)

__all__ = [
    "GRID",
    "GRID_STEPS",
    "Difference",
    "EventRate",
    "Interval",
    "Quantile",
    "Ranks",
    "Rate",
    "clopper_pearson",
    "jeffreys",
    "nearest_rank",
    "newcombe",
    "poisson_rate",
    "quantile",
    "quantile_from_grid",
    "quantile_ranks",
    "rate",
    "wilson",
]
