"""What moves a ticket forward in the queue, and by how much."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.policy.worth import NOVEL_FROM, Worth, target_minutes

OPENED = datetime(2026, 3, 2, 13, 20, tzinfo=UTC)
SHARE = st.floats(0, 1)


def test_an_ordinary_ticket_stands_at_its_target() -> None:
    worth = Worth(target_minutes=60, uncertainty=0.0, novelty=0.5)

    assert worth.look_by(OPENED) == worth.due(OPENED) == OPENED + timedelta(minutes=60)


def test_one_that_the_model_is_unsure_of_comes_sooner_by_up_to_a_quarter() -> None:
    assert Worth(60, 1.0, 0.0).sooner_unsure == timedelta(minutes=15)
    assert Worth(60, 0.4, 0.0).look_by(OPENED) == OPENED + timedelta(minutes=54)


@pytest.mark.parametrize(("novelty", "minutes"), [(0.0, 0), (0.79, 0), (0.9, 7.5), (1.0, 15)])
def test_only_the_strangest_fifth_comes_sooner_for_being_strange(
    novelty: float, minutes: float
) -> None:
    sooner = Worth(60, 0.0, novelty).sooner_novel

    assert sooner.total_seconds() == pytest.approx(minutes * 60)


@pytest.mark.parametrize(
    ("rank", "named", "minutes"),
    [(0, None, 480), (1, None, 240), (2, None, 60), (3, None, 15), (9, None, 15)]
    + [(None, None, 240), (0, 30, 30), (3, 0, 0)],
)
def test_a_target_is_the_owners_else_the_ranks(
    rank: int | None, named: int | None, minutes: int
) -> None:
    assert target_minutes(rank, named) == minutes


@given(target=st.integers(0, 100_000), uncertainty=SHARE, novelty=SHARE)
def test_the_place_is_the_sum_that_people_are_shown(
    target: int, uncertainty: float, novelty: float
) -> None:
    worth = Worth(target, uncertainty, novelty)

    place = worth.look_by(OPENED)

    assert place == worth.due(OPENED) - worth.sooner_unsure - worth.sooner_novel
    assert OPENED <= place <= worth.due(OPENED)
    assert novelty > NOVEL_FROM or worth.sooner_novel == timedelta()
