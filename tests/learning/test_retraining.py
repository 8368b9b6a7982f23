"""When training again pays, as numbers."""

import pytest

from triage.learning.retraining import Checked, Point, expected_gain, is_enough, reasons

NOW = Point(1000, 0.10)
# Each doubling makes the error 0.8 of what it was.
CURVE = [Point(250, 0.15625), Point(500, 0.125), NOW]


def told(
    new: int = 100,
    past: list[Point] | None = None,
    checked: Checked | None = None,
    unknown: int = 0,
    drifted: tuple[str, ...] = (),
) -> list[str]:
    return reasons(
        new=new, past=past or [NOW], now=NOW, checked=checked, unknown=unknown, drifted=drifted
    )


def test_labels_are_enough_from_fifty_or_a_twentieth_on() -> None:
    assert [is_enough(new, 400) for new in (49, 50)] == [False, True]
    assert [is_enough(new, 4000) for new in (199, 200)] == [False, True]


def test_the_gain_goes_on_along_the_curve_of_past_trainings() -> None:
    assert expected_gain(CURVE, NOW, 1000) == pytest.approx(0.02)
    assert expected_gain(CURVE, NOW, 0) == pytest.approx(0)


@pytest.mark.parametrize(
    "past",
    [
        [NOW],
        CURVE[:2],
        [Point(1000, 0.1), Point(1010, 0.1), Point(1020, 0.1)],
        [Point(0, 0.1), Point(500, 0.0), NOW],
    ],
)
def test_no_curve_is_drawn_through_too_little(past: list[Point]) -> None:
    assert expected_gain(past, NOW, 1000) is None


def test_an_error_that_rose_with_labels_promises_nothing() -> None:
    rising = [Point(250, 0.05), Point(500, 0.07), NOW]

    assert expected_gain(rising, NOW, 1000) == 0


def test_nothing_speaks_for_training_while_all_is_as_it_was() -> None:
    assert told(checked=Checked(200, 0.11, 0.08), unknown=2) == []


def test_each_reason_names_its_figures() -> None:
    assert told(drifted=("inputs", "out of scope")) == ["It has drifted: inputs, out of scope."]
    assert told(unknown=12) == ["12 of the new labels name choices that it does not know."]
    assert told(checked=Checked(200, 0.2, 0.15)) == [
        "20.0% of 200 blind checks since then contradict it; on held-out tickets 10.0% were wrong."
    ]
    [said] = told(new=1000, past=CURVE)
    assert said.startswith("By the learning curve of 3 trainings, 1000 labels more would make 2.0")
