"""Which proposals a person answers before the advice is shown: a draw that nobody can foresee.

It hangs on the ticket alone, so it comes out the same whenever it is asked, and whoever writes
tickets cannot choose it without knowing the salt.
"""

import hashlib
import hmac
from dataclasses import dataclass
from math import sqrt

# By what a probability was set. Automatic proposals are drawn for ever, whatever the owner sets.
WAITING, AUTO = "waiting", "auto"
# What answering first costs beside deciding: choosing by typing, and reading twice.
SECONDS_MORE = 20
# A second look is a whole one: whoever gives it has not read the ticket for any other reason.
SECONDS_A_LOOK = 60
WEEKS_A_MONTH = 365.25 / 12 / 7


@dataclass(frozen=True)
class Worth:
    """What a share of answer-first tickets costs and buys.

    checks_a_month, hours_a_week : of the whole team
    within : half the width, 0 to 1, of the 95 % interval around an error rate of 10 % that a
        month's checks leave; None without a check
    """

    checks_a_month: float
    hours_a_week: float
    within: float | None


@dataclass(frozen=True)
class SecondWorth:
    """What a share of second answers costs and buys.

    looks_a_month, hours_a_week : of the whole team, without the third looks at what differs
    within : half the width, 0 to 1, of the 95 % interval around an agreement of 85 % that a
        month's double checks leave; None without one
    """

    looks_a_month: float
    hours_a_week: float
    within: float | None


def draw(ticket_key: str, salt: str) -> float:
    """A number in [0, 1) that stays with the ticket and is uniform over tickets."""
    digest = hmac.digest(salt.encode(), ticket_key.encode(), hashlib.sha256)
    return (int.from_bytes(digest[:8]) >> 11) / 2**53


def probability(share: float, stratum: str, *, least: float) -> float:
    """The probability at which a proposal of the stratum is drawn, 0 to 1.

    `share` is what the owner set. One above zero counts as at least `least`, so that no weight
    1 / probability grows without bound. Zero switches the programme off for what people decide
    anyway; what was applied without a person stays at `least`.
    """
    if share <= 0 and stratum != AUTO:
        return 0.0
    return min(1.0, max(share, least))


def worth(proposals_a_week: float, share: float) -> Worth:
    """At the present number of proposals."""
    checks = proposals_a_week * share
    month = checks * WEEKS_A_MONTH
    within = 1.96 * sqrt(0.1 * 0.9 / month) if month >= 1 else None
    return Worth(month, checks * SECONDS_MORE / 3600, within)


def second_worth(checks_a_week: float, share: float) -> SecondWorth:
    """At the present number of checks."""
    looks = checks_a_week * share
    month = looks * WEEKS_A_MONTH
    within = 1.96 * sqrt(0.85 * 0.15 / month) if month >= 1 else None
    return SecondWorth(month, looks * SECONDS_A_LOOK / 3600, within)
