"""How many more checks a figure needs before its interval is narrow enough to act on."""

import math

from review.metrics.estimators.intervals import z_value


def checks_needed(rate: float, width: float, *, confidence: float = 0.95) -> int:
    """Fewest uniform checks with which Wilson's interval around `rate` is at most `width` wide.

    Parameters
    ----------
    rate : float in [0, 1]
        What the rate is thought to be; 0.5 needs the most, so take it where nothing is known.
    width : float between 0 and 1, as a fraction: 0.1 for ten points

    Wilson's width set equal to `width` is a quadratic equation in n with one positive root.
    """
    if not 0 <= rate <= 1:
        raise ValueError(f"rate must lie between 0 and 1; it is {rate}.")
    if not 0 < width < 1:
        raise ValueError(f"width must lie between 0 and 1; it is {width}.")
    z = z_value(confidence)
    half = z**2 * (2 * rate * (1 - rate) - width**2)
    root = math.hypot(half, z**2 * width * math.sqrt(1 - width**2))
    # The small number keeps rounding from asking for one check more.
    return math.ceil((half + root) / width**2 - 1e-9)


def more_checks(
    rate: float, n: int, width: float, *, n_eff: float | None = None, confidence: float = 0.95
) -> int:
    """Checks to come until the interval is at most `width` wide, if the rate stays as it is.

    Parameters
    ----------
    n : int
        Checks so far.
    n_eff : float
        What they are worth (WeightedRate.n_eff); later ones are taken to be worth as much each.
    """
    if n < 0:
        raise ValueError(f"n must not be negative; it is {n}.")
    worth = n if n_eff is None else n_eff
    if not 0 <= worth <= n * (1 + 1e-9) or (n > 0) != (worth > 0):
        raise ValueError(f"n_eff must lie above 0 and up to n={n}; it is {n_eff}.")
    per_check = worth / n if n else 1.0
    return max(0, math.ceil(checks_needed(rate, width, confidence=confidence) / per_check) - n)
