"""Rungs of autonomy: what one holds for one ticket, and which step of the ladder is allowed."""

import hashlib
import hmac
from dataclasses import dataclass

LEVELS = ("off", "shadow", "suggest", "prefill", "auto")  # least autonomy first
OFF, SHADOW, SUGGEST, PREFILL, AUTO = LEVELS


@dataclass(frozen=True)
class Acting:
    """The level that really holds for one value of one ticket.

    `proposes` says whether the value is stored in the proposal at that level (at `shadow` it is
    stored and shown to nobody); otherwise the field is left open for a person.
    """

    level: str
    proposes: bool


def acting_level(
    *,
    level: str,
    cap: str,
    probability: float,
    threshold: float,
    certified_from: float | None,
    canary_percent: float,
    draw: float,
    stopped: bool,
    held: bool,
) -> Acting:
    """What a rung allows for one ticket; every doubt falls towards a person.

    A probability below the threshold, or nan, leaves the field open. `stopped` (an emergency stop
    covers the choice) and `held` (a rule wants a person) allow no more than `suggest`: nothing
    is written to the helpdesk before somebody decided, not even a marked suggestion.
    `auto` acts only if its live certificate covers the probability and the draw falls into the
    canary share; otherwise the ticket is suggested, as the certificate speaks of nothing less.

    Parameters
    ----------
    level, cap : one of LEVELS
        What the rung holds and what its owner allows at most.
    probability, threshold : float in [0, 1]
    certified_from : float in [0, 1] or None
        Lowest probability that the live certificate covers; None without one.
    canary_percent : float in [0, 100]
    draw : float in [0, 1)
        `canary_draw` of the ticket.

    Raises
    ------
    ValueError
        If level or cap is none of LEVELS.
    """
    rung = LEVELS[min(_height(level), _height(cap))]
    if rung == OFF:
        return Acting(OFF, proposes=False)
    if rung == SHADOW:
        return Acting(SHADOW, proposes=probability >= threshold)
    if not probability >= threshold:
        return Acting(SUGGEST, proposes=False)
    if rung == SUGGEST or stopped or held:
        return Acting(SUGGEST, proposes=True)
    if rung == PREFILL:
        return Acting(PREFILL, proposes=True)
    certified = certified_from is not None and probability >= certified_from
    acts = certified and draw < canary_percent / 100
    return Acting(AUTO if acts else SUGGEST, proposes=True)


def canary_draw(ticket_key: str, salt: str) -> float:
    """A number in [0, 1) that stays with the ticket and is uniform over tickets.

    As it is compared with a growing share, a ticket that was in at 5 % is in at 25 % too.
    """
    digest = hmac.digest(salt.encode(), ticket_key.encode(), hashlib.sha256)
    return (int.from_bytes(digest[:8]) >> 11) / 2**53


def refusal(*, current: str, wanted: str, cap: str, certified: bool) -> str | None:
    """Why a rung may not move from `current` to `wanted`, in a sentence; None if it may.

    Up goes one rung at a time, down any number; `auto` needs a live certificate (`certified`);
    nothing stands above the cap. Staying is no move, so only the cap can refuse it.

    Raises
    ------
    ValueError
        If a level is none of LEVELS.
    """
    has, goes = _height(current), _height(wanted)
    if goes > _height(cap):
        return f"“{wanted}” is above “{cap}”, the highest level that the owner allows here."
    if goes > has + 1:
        return (
            f"The ladder is climbed one rung at a time: after “{current}” comes "
            f"“{LEVELS[has + 1]}”; got “{wanted}”."
        )
    if wanted == AUTO and goes > has and not certified:
        return f"“{AUTO}” needs a live certificate; this rung has none."
    return None


def _height(level: str) -> int:
    if level not in LEVELS:
        raise ValueError(f"A level is one of {', '.join(LEVELS)}; got {level!r}.")
    return LEVELS.index(level)
