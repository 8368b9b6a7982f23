"""What two or three answers to one field come to, case by case."""

import pytest

from review.looks.verdicts import Come, Result, Verdict, come_to, result_of

A, B, C, UNSURE = 1, 2, 3, None


@pytest.mark.parametrize(
    ("said", "verdict", "choice"),
    [
        ((A, A), Verdict.AGREED, A),
        ((A, B), Verdict.DISPUTED, None),
        ((A, UNSURE), Verdict.DISPUTED, None),
        ((UNSURE, A), Verdict.DISPUTED, None),
        ((UNSURE, UNSURE), Verdict.UNCLEAR, None),
        ((A, B, A), Verdict.ADJUDICATED, A),
        ((A, B, B), Verdict.ADJUDICATED, B),
        ((A, B, C), Verdict.UNCLEAR, None),
        ((A, B, UNSURE), Verdict.UNCLEAR, None),
        ((UNSURE, A, A), Verdict.ADJUDICATED, A),
        ((UNSURE, A, UNSURE), Verdict.UNCLEAR, None),
        ((UNSURE, A, B), Verdict.UNCLEAR, None),
        # A third was asked for another field: what two agreed on stands.
        ((A, A, B), Verdict.AGREED, A),
        ((UNSURE, UNSURE, A), Verdict.UNCLEAR, None),
    ],
)
def test_answers_come_to_a_verdict(
    said: tuple[int | None, ...], verdict: Verdict, choice: int | None
) -> None:
    assert come_to(said) == Come(verdict, choice)


@pytest.mark.parametrize("said", [(), (A,), (A, B, A, B)])
def test_fewer_than_two_or_more_than_three_answers_are_refused(said: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="Two or three"):
        come_to(said)


@pytest.mark.parametrize(
    ("said", "own", "result"),
    [
        ((A, A), A, Result.AGREED),
        ((A, B), B, Result.WAITS),
        ((A, B, B), B, Result.YOURS),
        ((A, B, A), B, Result.OTHERWISE),
        ((A, A, B), B, Result.OTHERWISE),
        ((A, B, C), C, Result.UNCLEAR),
        ((UNSURE, A, A), UNSURE, Result.OTHERWISE),
        ((UNSURE, UNSURE), UNSURE, Result.UNCLEAR),
    ],
)
def test_one_person_is_told_what_came_of_their_own_answer(
    said: tuple[int | None, ...], own: int | None, result: Result
) -> None:
    assert result_of(said, own) == result
