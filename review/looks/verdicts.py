"""What blind answers to one field come to: values in, values out."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    AGREED = "agreed"
    DISPUTED = "disputed"
    ADJUDICATED = "adjudicated"
    UNCLEAR = "unclear"


@dataclass(frozen=True)
class Come:
    """`choice` is the truth, where the verdict leaves one."""

    verdict: Verdict
    choice: int | None = None


def come_to(said: Sequence[int | None]) -> Come:
    """Of two or three answers to one field, in their order; None: could not tell.

    "Could not tell" differs from every choice, and two of it mean that there is no truth. Raises
    ValueError for fewer or more answers.
    """
    if not 2 <= len(said) <= 3:
        raise ValueError(f"Two or three answers come to something; got {len(said)}.")
    first, second = said[:2]
    if first == second:
        return Come(Verdict.UNCLEAR) if first is None else Come(Verdict.AGREED, first)
    if len(said) == 2:
        return Come(Verdict.DISPUTED)
    third = said[2]
    if third is not None and third in (first, second):
        return Come(Verdict.ADJUDICATED, third)
    return Come(Verdict.UNCLEAR)


class Result(StrEnum):
    """What came of one person's own answer to one field."""

    AGREED = "agreed"
    WAITS = "waits"
    YOURS = "yours"
    OTHERWISE = "otherwise"
    UNCLEAR = "unclear"


def result_of(said: Sequence[int | None], own: int | None) -> Result:
    """Of two or three answers to one field, seen from whoever gave `own` among them."""
    come = come_to(said)
    if come.verdict == Verdict.DISPUTED:
        return Result.WAITS
    if come.verdict == Verdict.UNCLEAR:
        return Result.UNCLEAR
    if own != come.choice:
        return Result.OTHERWISE
    return Result.AGREED if come.verdict == Verdict.AGREED else Result.YOURS
