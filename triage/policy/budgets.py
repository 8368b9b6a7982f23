"""How much of the error budget of a certificate is spent."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Spent:
    """Blind checks, those that found an error, and burn: the error rate as a multiple of alpha."""

    checks: int
    errors: int
    burn: float


def spent(checks: Sequence[tuple[bool, float]], alpha: float) -> Spent | None:
    """1 means: errs exactly as often as is allowed. None without checks: no evidence is no error.

    Checks are (is wrong, the probability at which it was drawn); each counts 1 / probability, so
    that what was drawn more often counts no more. With equal probabilities: (errors / n) / alpha.

    Raises
    ------
    ValueError
        If alpha lies outside (0, 1) or a probability outside (0, 1].
    """
    if not 0 < alpha < 1:
        raise ValueError(f"alpha must lie between 0 and 1; got {alpha}.")
    for _, drawn_at in checks:
        if not 0 < drawn_at <= 1:
            raise ValueError(f"A check was drawn at more than 0 and at most 1; got {drawn_at}.")
    if not checks:
        return None
    weights = [1 / drawn_at for _, drawn_at in checks]
    wrong = sum(w for w, (is_wrong, _) in zip(weights, checks, strict=True) if is_wrong)
    errors = sum(is_wrong for is_wrong, _ in checks)
    return Spent(len(checks), errors, wrong / sum(weights) / alpha)
