"""What became of a ticket, from its events alone."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review.metrics.stories import Happening, Story, story
from triage.models import TicketEvent

OPENED = datetime(2026, 3, 2, 9, tzinfo=UTC)
WEEK = timedelta(days=7)


def at(minute: float) -> datetime:
    return OPENED + timedelta(minutes=minute)


def tell(*told: tuple[Any, ...], **over: Any) -> Story:
    """`told` are (minute, kind) and, where there is one, choice and score."""
    return story(
        OPENED, [Happening(kind, at(minute), *more) for minute, kind, *more in told], **over
    )


def minutes(found: Story) -> tuple[float, ...]:
    seconds = (
        found.seconds_queued,
        found.seconds_worked,
        found.seconds_paused,
        found.seconds_awaiting,
        found.seconds_settled,
    )
    return tuple(each / 60 for each in seconds)


def test_every_minute_lies_in_one_phase() -> None:
    found = tell(
        (10, "started"),
        (15, "awaiting"),
        (45, "started"),
        (50, "paused"),
        (70, "started"),
        (75, "resolved"),
        (100, "reopened"),
        (105, "started"),
        (120, "resolved"),
        (500, "closed"),
        (510, "rated", None, 4),
    )

    assert minutes(found) == (15, 30, 20, 30, 25)
    assert found.seconds_open == 95 * 60
    assert found.seconds_after_first_resolution == 20 * 60
    assert found.touch_ratio == 30 / 65
    assert (found.resolved_at, found.last_resolved_at) == (at(75), at(120))
    assert (found.ended_at, found.is_settled, found.reopened) == (at(120), True, 1)
    assert found.seconds_to_resolve == 75 * 60


def test_a_ticket_without_events_has_a_story_without_time() -> None:
    found = tell()

    assert (found.ended_at, found.is_settled, minutes(found)) == (OPENED, False, (0,) * 5)
    assert (found.resolved_at, found.seconds_to_resolve, found.touch_ratio) == (None, None, None)
    assert not found.matured(at(10_000_000), WEEK)


def test_an_open_ticket_lasts_until_the_moment_asked_for_and_forgets_what_came_later() -> None:
    told = ((10, "started"), (30, "resolved"), (40, "reopened"))

    assert minutes(tell(*told, until=at(20))) == (10, 10, 0, 0, 0)
    assert minutes(tell(*told, until=at(35))) == (10, 20, 0, 0, 0)
    assert minutes(tell(*told, until=at(60))) == (30, 20, 0, 0, 10)
    assert minutes(tell(*told)) == (10, 20, 0, 0, 10)
    assert tell(*told, until=at(-5)).ended_at == OPENED


def test_without_events_of_work_there_is_no_touch_ratio() -> None:
    found = tell((30, "resolved"))

    assert (minutes(found), found.touch_ratio) == ((30, 0, 0, 0, 0), None)


def test_a_closing_without_a_resolution_is_one() -> None:
    assert tell((30, "closed"), (40, "resolved")).last_resolved_at == at(30)


def test_a_settled_ticket_stays_so_until_it_is_reopened() -> None:
    found = tell((10, "started"), (20, "resolved"), (25, "awaiting"), (30, "started"))

    assert (minutes(found), found.ended_at, found.reopened) == ((10, 10, 0, 0, 0), at(20), 0)


def test_a_reopening_of_what_was_never_resolved_counts_all_the_same() -> None:
    found = tell((10, "started"), (20, "reopened"), (30, "resolved"))

    assert (found.reopened, found.first_reopened_at, minutes(found)[:2]) == (1, None, (20, 10))


def test_what_happened_before_the_opening_counts_as_of_then() -> None:
    assert minutes(tell((-30, "started"), (10, "resolved"))) == (0, 10, 0, 0, 0)


def test_at_one_moment_the_order_given_decides() -> None:
    assert tell((10, "resolved"), (10, "reopened")).is_settled is False
    assert tell((10, "reopened"), (10, "resolved")).is_settled is True


@pytest.mark.parametrize(
    ("first", "choices", "moves", "returned"),
    [
        (None, [], 0, False),
        ("a", ["b"], 1, False),
        ("a", ["b", "a"], 2, True),
        (None, ["a", "b", "a"], 3, True),
        (None, ["b", "a"], 2, False),
        ("a", ["a"], 0, False),
        ("a", ["b", "b"], 1, False),
        ("a", [None], 1, False),
        ("a", [None, "a"], 2, True),
        ("a", ["b", None, None], 3, False),
    ],
)
def test_moves_and_returns(
    first: str | None, choices: list[str | None], moves: int, returned: bool
) -> None:
    told = [(minute, "reassigned", choice) for minute, choice in enumerate(choices)]

    found = tell(*told, first_team=first)

    assert (found.reassigned, found.returned, found.recategorised) == (moves, returned, 0)


def test_a_category_is_counted_apart_from_the_team() -> None:
    found = tell((1, "recategorised", "b"), (2, "recategorised", "b"), first_category="a")

    assert (found.recategorised, found.reassigned, found.returned) == (1, 0, False)


def test_contact_again_is_judged_from_the_first_resolution_on() -> None:
    week = 7 * 24 * 60
    resolved = (10, "resolved")

    assert tell(resolved, (10 + week, "reopened")).reopened_within(WEEK)
    assert not tell(resolved, (11 + week, "reopened")).reopened_within(WEEK)
    assert tell(resolved, (11, "commented")).recontacted_within(WEEK)
    assert not tell(resolved, (11, "commented")).reopened_within(WEEK)
    assert not tell((9, "commented"), resolved, (10, "commented")).recontacted_within(WEEK)
    assert tell(resolved).matured(at(10 + week), WEEK)
    assert not tell(resolved).matured(at(9 + week), WEEK)


def test_the_last_rating_and_the_last_escalation_are_kept() -> None:
    found = tell((1, "escalated"), (2, "rated", None, 1), (3, "rated", None, 3), (4, "rated"))

    assert (found.rating, found.was_rated_bad) == (3, False)
    assert tell((2, "rated", None, 2)).was_rated_bad
    assert found.escalated_after(at(0))
    assert not found.escalated_after(at(1))


happenings = st.lists(
    st.builds(
        Happening,
        kind=st.sampled_from([*TicketEvent.Kind.values, "something else"]),
        at=st.integers(-60, 10_000).map(lambda seconds: OPENED + timedelta(seconds=seconds)),
        choice=st.sampled_from([None, "a", "b", "c"]),
        score=st.sampled_from([None, 1, 5]),
    ),
    max_size=25,
)


@given(happenings, st.none() | st.integers(-60, 20_000))
def test_times_are_never_negative_and_add_up_to_the_time_that_passed(
    told: list[Happening], limit: int | None
) -> None:
    until = None if limit is None else OPENED + timedelta(seconds=limit)

    found = story(OPENED, told, until=until)

    parts = [each * 60 for each in minutes(found)]
    assert min(parts) >= 0
    assert sum(parts) == pytest.approx((found.ended_at - OPENED).total_seconds())
    assert 0 <= found.seconds_after_first_resolution <= found.seconds_open
    assert found.touch_ratio is None or 0 <= found.touch_ratio <= 1
    assert found.ended_at >= max((m for m in (found.last_resolved_at,) if m), default=OPENED)
    assert not found.returned or found.reassigned


@given(happenings, st.randoms(use_true_random=False))
def test_where_moments_differ_the_order_of_telling_changes_nothing(
    told: list[Happening], chance: random.Random
) -> None:
    told = list({happening.at: happening for happening in told}.values())
    shuffled = list(told)
    chance.shuffle(shuffled)

    assert story(OPENED, shuffled) == story(OPENED, told)


@given(happenings)
def test_reopenings_and_closings_agree_with_the_ticket(told: list[Happening]) -> None:
    settled = False
    for happening in sorted(told, key=lambda one: one.at):
        if happening.kind in ("resolved", "closed"):
            settled = True
        elif happening.kind == "reopened":
            settled = False

    found = story(OPENED, told)

    assert found.is_settled is settled
    assert found.reopened == [one.kind for one in told].count("reopened")
