"""The draw of answer-first tickets: uniform, stable, unforeseeable, and never below its floor."""

import pytest

from triage.policy import draws


def test_the_draw_stays_with_the_ticket_and_hangs_on_the_salt() -> None:
    assert draws.draw("1:T-7", "salt") == draws.draw("1:T-7", "salt")
    assert draws.draw("1:T-7", "salt") != draws.draw("1:T-7", "other")
    assert draws.draw("1:T-7", "salt") != draws.draw("2:T-7", "salt")


def test_as_many_are_drawn_as_the_share_says() -> None:
    numbers = [draws.draw(f"1:{number}", "salt") for number in range(20_000)]

    assert all(0 <= number < 1 for number in numbers)
    for share in (0.01, 0.05, 0.3):
        # Four standard errors.
        within = 4 * (share * (1 - share) / len(numbers)) ** 0.5
        assert sum(n < share for n in numbers) / len(numbers) == pytest.approx(share, abs=within)


@pytest.mark.parametrize(
    ("share", "stratum", "expected"),
    [
        (0.05, draws.WAITING, 0.05),
        (0.05, draws.AUTO, 0.05),
        (0.001, draws.WAITING, 0.01),
        (0.0, draws.WAITING, 0.0),
        # For ever, whatever the owner sets.
        (0.0, draws.AUTO, 0.01),
        (1.0, draws.WAITING, 1.0),
    ],
)
def test_a_share_above_zero_has_a_floor_and_automatic_work_always_has(
    share: float, stratum: str, expected: float
) -> None:
    assert draws.probability(share, stratum, least=0.01) == expected


def test_the_worth_of_a_share_is_reckoned_at_the_present_number() -> None:
    worth = draws.worth(700, 0.05)

    assert worth.hours_a_week == pytest.approx(35 * 20 / 3600)
    assert worth.checks_a_month == pytest.approx(152.2, abs=0.1)
    # 1.96 * sqrt(.1 * .9 / 152.2)
    assert worth.within == pytest.approx(0.0477, abs=0.0001)
    assert draws.worth(3, 0.05).within is None
