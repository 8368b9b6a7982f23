"""How far rates of groups may lie from the rate of all by chance alone."""

from scipy.special import bdtr

from review.metrics.estimators.intervals import Interval, check_confidence
from review.metrics.estimators.quantiles import binomial_quantile


def funnel_limits(rate: float, n: int, *, confidence: float) -> Interval | None:
    """Between them lies the share of n cases, with this probability, if their true rate is `rate`.

    Binomial limits, interpolated between whole counts so that they make smooth lines: Spiegelhalter
    (2005), Statist. Med. 24, 1185-1202, appendix A.1. None without a case.
    Raises ValueError unless rate lies between 0 and 1.
    """
    check_confidence(confidence)
    if not 0 <= rate <= 1:
        raise ValueError(f"rate must lie between 0 and 1; it is {rate}.")
    if n < 1:
        return None
    if rate in (0, 1):
        return Interval(rate, rate)
    tail = (1 - confidence) / 2
    return Interval(_limit(rate, n, tail), _limit(rate, n, 1 - tail))


def _limit(rate: float, n: int, share: float) -> float:
    """The count below which `share` of all draws lie, as a fraction of n."""
    low = binomial_quantile(share, n, rate)
    upto = float(bdtr(low, n, rate))
    below = float(bdtr(low - 1, n, rate)) if low else 0.0
    over = (upto - share) / (upto - below) if upto > below else 0.0
    return min(1.0, max(0.0, (low - over) / n))
