"""Numbers with their uncertainty: numbers in, numbers out.

Rates and shares are fractions. Every interval is two-sided at `confidence` (a fraction), and None
where the data cannot carry one. Nothing here asks the database, the clock or the settings, and
what is drawn at random comes from a seed, so that a page shows the same interval twice.
"""

from review.metrics.estimators.advice import (
    AdviceCounts,
    advice_counts,
    complementarity,
    harmful_switch_fraction,
    rair,
    rsr,
    switch_fraction,
)
from review.metrics.estimators.agreement import (
    cohen_kappa,
    cohen_kappa_of_counts,
)
from review.metrics.estimators.analytic import (
    abc_interval,
)
from review.metrics.estimators.bootstrap import (
    Estimate,
    Repeated,
    bootstrap_difference,
    bootstrap_ratio,
    bootstrap_statistic,
)
from review.metrics.estimators.calibration import (
    ReliabilityPoint,
    brier,
    calibration_error,
    reliability,
)
from review.metrics.estimators.detection import (
    Detection,
    detection,
    sensitivity_and_criterion,
)
from review.metrics.estimators.funnel import (
    funnel_limits,
)
from review.metrics.estimators.intervals import (
    Difference,
    Interval,
)
from review.metrics.estimators.linearised import (
    Moments,
    ratio_from_moments,
)
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
from review.metrics.estimators.reliance import (
    RelianceTable,
    net_benefit_by_reason,
    over_reliance,
    override_net_benefit,
    reliance_table,
    under_reliance,
)
from review.metrics.estimators.risk_coverage import (
    RiskPoint,
    risk_coverage,
)
from review.metrics.estimators.sample_size import (
    checks_needed,
    more_checks,
)
from review.metrics.estimators.shares import (
    median_touch_ratio,
    share_of_sums,
    touch_ratio,
)
from review.metrics.estimators.weighted import (
    WeightedRate,
    WeightedSums,
    weighted_difference,
    weighted_rate,
    weighted_rate_from_sums,
    weighted_sums,
)

__all__ = [
    "Repeated",
    "AdviceCounts",
    "Detection",
    "Difference",
    "Estimate",
    "EventRate",
    "GRID",
    "GRID_STEPS",
    "Interval",
    "Moments",
    "Quantile",
    "Ranks",
    "Rate",
    "ReliabilityPoint",
    "RelianceTable",
    "RiskPoint",
    "WeightedRate",
    "WeightedSums",
    "abc_interval",
    "advice_counts",
    "bootstrap_difference",
    "bootstrap_ratio",
    "bootstrap_statistic",
    "brier",
    "calibration_error",
    "checks_needed",
    "clopper_pearson",
    "cohen_kappa",
    "cohen_kappa_of_counts",
    "complementarity",
    "detection",
    "funnel_limits",
    "harmful_switch_fraction",
    "jeffreys",
    "median_touch_ratio",
    "more_checks",
    "nearest_rank",
    "net_benefit_by_reason",
    "newcombe",
    "over_reliance",
    "override_net_benefit",
    "poisson_rate",
    "quantile",
    "quantile_from_grid",
    "quantile_ranks",
    "rair",
    "rate",
    "ratio_from_moments",
    "reliability",
    "reliance_table",
    "risk_coverage",
    "rsr",
    "sensitivity_and_criterion",
    "share_of_sums",
    "switch_fraction",
    "touch_ratio",
    "under_reliance",
    "weighted_difference",
    "weighted_rate",
    "weighted_rate_from_sums",
    "weighted_sums",
    "wilson",
]
