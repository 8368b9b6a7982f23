"""Made-up tickets, checks and reviewers, drawn from a truth that is known."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.special import ndtr

Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]
Minutes = Callable[[np.random.Generator, int], tuple[Floats, Floats]]

# Scores are Beta(5, 2), with a mean of 5/7; the less sure the AI is, the more often it is wrong.
ERROR = 0.02 + 0.35 * 2 / 7


def checked(generator: np.random.Generator, n: int) -> tuple[Flags, Floats]:
    """Wrong or not, and weight, of tickets that were checked the more the less sure the AI was."""
    score = generator.beta(5, 2, n)
    wrong = generator.random(n) < 0.02 + 0.35 * (1 - score)
    propensity = np.maximum(0.02, 1 - score)
    drawn = generator.random(n) < propensity
    return wrong[drawn], 1 / propensity[drawn]


def drawn_by_score(generator: np.random.Generator, n: int) -> tuple[Flags, Floats]:
    """Whether the AI was sure, as of 6 in 10 tickets, and weight; about half of n are drawn."""
    is_sure = generator.random(n) >= 0.4
    propensity = np.where(is_sure, 0.3, 0.75)
    drawn = generator.random(n) < propensity
    return is_sure[drawn], 1 / propensity[drawn]


# 3 in 10 tickets are reopened, and then Beta(2, 3) of their minutes, 2/5 on average, come after.
REWORK = 0.3 * 2 / 5


def rework(generator: np.random.Generator, n: int) -> tuple[Floats, Floats]:
    minutes = generator.lognormal(3, 1, n)
    after = np.where(generator.random(n) < 0.3, generator.beta(2, 3, n), 0)
    return minutes * after, minutes


# Means of the two lognormals are exp(3 + .8**2 / 2) and exp(4 + 1.3**2 / 2).
TOUCH = float(1 / (1 + np.exp(1 + (1.3**2 - 0.8**2) / 2)))
# Handling / waiting is lognormal with the median exp(3 - 4).
MEDIAN_TOUCH = float(1 / (1 + np.e))


def waiting(generator: np.random.Generator, n: int) -> tuple[Floats, Floats]:
    handling = generator.lognormal(3, 0.8, n)
    return handling, handling + generator.lognormal(4, 1.3, n)


REPEATED = 0.25


def repeated(generator: np.random.Generator, n: int) -> tuple[Flags, NDArray[np.intp]]:
    """Hit or not of 1 to 6 rows a ticket, where each ticket has its own rate: Beta(1, 3)."""
    tickets = np.repeat(np.arange(n), generator.integers(1, 7, n))
    return generator.random(len(tickets)) < generator.beta(1, 3, n)[tickets], tickets


PAIRED = 0.1


def two_of_a_kind(generator: np.random.Generator, n: int) -> tuple[Floats, Floats]:
    """Two values of each ticket: the second is a tenth below the first, and varies a little."""
    first = generator.gamma(2, 0.5, n)
    return first, first - PAIRED + generator.normal(0, 0.2, n)


NET_BENEFIT = 0.4 - 0.1


def overrides(generator: np.random.Generator, n: int) -> tuple[Flags, Flags]:
    """4 in 10 mended, 1 in 10 spoilt, the rest wrong before and after."""
    kind = generator.random(n)
    return (kind >= 0.4) & (kind < 0.5), kind < 0.4


SENSITIVITY, CRITERION = 1.5, 0.3


def reviewed(generator: np.random.Generator, n: int) -> tuple[Flags, Flags]:
    """A reviewer who overrides where the evidence against a proposal exceeds a threshold.

    The evidence is normal, its mean SENSITIVITY higher for the quarter that is wrong; c is the
    threshold's distance from the middle of both means.
    """
    ai_right = generator.random(n) >= 0.25
    evidence = generator.normal(np.where(ai_right, 0, SENSITIVITY))
    return ai_right, evidence > CRITERION + SENSITIVITY / 2


TAKES_RIGHT, KEEPS_RIGHT = 0.35, 0.7


def advised(
    generator: np.random.Generator, n: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """First answer, advice, final answer and truth, of 5 labels; the truth is 0."""
    first = np.where(generator.random(n) < 0.6, 0, generator.integers(1, 5, n))
    advice = np.where(generator.random(n) < 0.7, 0, generator.integers(1, 5, n))
    takes = generator.random(n) < np.where(advice == 0, TAKES_RIGHT, 1 - KEEPS_RIGHT)
    return first, advice, np.where(takes, advice, first), np.zeros(n, dtype=np.intp)


# Each reviewer knows the label with 0.8, so both with 0.64, and guesses by its share otherwise.
# Then p_o = 0.64 + 0.36 p_e, whatever the shares are.
KAPPA = 0.64


def two_reviewers(
    generator: np.random.Generator, n: int, choices: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Each choice is half as frequent again as the next."""
    shares = 1.5 ** -np.arange(choices)
    shares /= shares.sum()
    truth, *guesses = (generator.choice(choices, size=n, p=shares) for _ in range(3))
    first, second = (
        np.where(generator.random(n) < 0.8, truth, guess).astype(np.intp) for guess in guesses
    )
    return first, second


def predicted(generator: np.random.Generator, n: int, too_sure: float) -> tuple[Floats, Flags]:
    """Confidence even over 0.4 to 1, right less often than that by `too_sure`."""
    sure = generator.uniform(0.4, 1, n)
    return sure, generator.random(n) < sure - too_sure


def _square(sure: float) -> float:
    right = sure - 0.08
    return right * (1 - sure) ** 2 + (1 - right) * sure**2


BRIER = float(quad(_square, 0.4, 1)[0]) / 0.6
OVER_RELIANCE = float(ndtr(CRITERION - SENSITIVITY / 2))
UNDER_RELIANCE = float(ndtr(-CRITERION - SENSITIVITY / 2))
