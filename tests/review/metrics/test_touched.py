"""What is counted of what was touched, and how long somebody waits for it."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from review.metrics import day_counts, rollups, told, touched
from review.metrics.window import Scope
from review.models import StoryPath, TicketStory
from tests.review.metrics.helpers import (
    LONG_AGO,
    Desk,
    accept,
    make_desk,
    make_event,
    make_proposal,
    make_ticket,
)
from tests.review.metrics.test_rollups import counted, recounted
from triage.models import Field, Ticket, Touched

pytestmark = pytest.mark.django_db
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def desk() -> Desk:
    return make_desk()


@pytest.fixture
def retold(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The tickets whose stories are told anew, as they are."""
    seen: list[int] = []
    tell = told._retell

    def telling(tickets: list[int], *rest: Any) -> set[date]:
        seen.extend(tickets)
        return tell(tickets, *rest)

    monkeypatch.setattr(told, "_retell", telling)
    return seen


def opened(desk: Desk, at: datetime) -> Ticket:
    return make_ticket(desk, opened_at=at)


def test_of_a_day_only_the_stories_near_what_happened_are_told_anew(
    desk: Desk, retold: list[int]
) -> None:
    early, near, late = (opened(desk, LONG_AGO + n * HOUR) for n in (0, 1, 2))
    rollups.catch_up()
    retold.clear()

    make_event(near, "resolved", LONG_AGO + 5 * HOUR)
    rollups.catch_up()

    assert retold == [near.pk]
    assert TicketStory.objects.filter(resolved_at__isnull=False).get().ticket == near
    assert counted() == recounted()
    assert {early.pk, late.pk} <= set(retold)


def test_a_proposal_hours_after_its_ticket_was_opened_tells_that_ticket_anew(desk: Desk) -> None:
    ticket = opened(desk, LONG_AGO)
    proposal = make_proposal(desk, ticket=ticket, at=LONG_AGO + 3 * HOUR)
    rollups.catch_up()

    # Notes the quarter hour of the proposal alone.
    accept(proposal)
    rollups.catch_up()

    assert TicketStory.objects.get(ticket=ticket).path == StoryPath.ACCEPTED
    assert counted() == recounted()


def test_another_main_field_tells_every_ticket_of_every_day_anew(
    desk: Desk, retold: list[int]
) -> None:
    tickets = {opened(desk, LONG_AGO - n * 5 * HOUR).pk for n in range(9)}
    rollups.catch_up()
    retold.clear()

    Field.objects.filter(pk=desk.category.pk).update(is_main=False)
    rollups.catch_up()

    assert set(retold) == tickets


def test_a_large_day_is_left_to_the_beat_and_small_ones_are_counted(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(touched, "LARGE_DAY", 2)
    for _ in range(3):
        opened(desk, LONG_AGO)
    quiet = opened(desk, LONG_AGO - DAY)

    assert not rollups.catch_up(within_seconds=60)
    assert TicketStory.objects.get().ticket == quiet
    assert Touched.objects.exists()
    assert rollups.catch_up()
    assert TicketStory.objects.count() == 4


def test_days_of_many_proposals_for_older_tickets_are_large_too(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(touched, "LARGE_DAY", 1)
    for n in (1, 2):
        ticket = opened(desk, LONG_AGO - n * DAY)
        make_proposal(desk, ticket=ticket, at=LONG_AGO)

    assert not rollups.catch_up(within_seconds=60)
    assert not counted()["ProposalCount"]


def test_whoever_has_a_deadline_waits_for_one_day_more_at_the_most(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(9):
        opened(desk, LONG_AGO - n * DAY)
    clock, days = [0.0], list[tuple[date, date]]()
    count = day_counts.replace

    def counting(scopes: Sequence[Scope]) -> None:
        clock[0] += 0.7
        days.extend((scope.first, scope.last) for scope in scopes)
        count(scopes)

    monkeypatch.setattr(rollups, "monotonic", lambda: clock[0])
    monkeypatch.setattr(day_counts, "replace", counting)

    assert not rollups.catch_up(within_seconds=2.0)
    assert clock[0] < 2.0 + 0.7
    newest = LONG_AGO.date()
    assert days == [(newest - n * DAY, newest - n * DAY) for n in range(3)]


def test_days_of_opening_wait_for_their_turn_where_there_is_a_deadline(desk: Desk) -> None:
    tickets = [opened(desk, LONG_AGO - n * DAY) for n in range(1, 6)]
    rollups.catch_up()
    for ticket in tickets:
        make_proposal(desk, ticket=ticket, at=LONG_AGO)

    assert not rollups.catch_up(within_seconds=0)
    assert Touched.objects.count() >= len(tickets)
    while not rollups.catch_up(within_seconds=0):
        pass

    assert counted() == recounted()


def test_nothing_is_lost_that_is_noted_while_others_are_counted(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = opened(desk, LONG_AGO)
    refresh = told.refresh

    def interrupted(*given: Any) -> set[date]:
        found = refresh(*given)
        if not ticket.events.exists():
            make_event(ticket, "resolved", LONG_AGO + HOUR)
        return found

    monkeypatch.setattr(told, "refresh", interrupted)

    assert rollups.catch_up()
    assert counted() == recounted()
