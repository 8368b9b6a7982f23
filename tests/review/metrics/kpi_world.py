"""Tickets with a past for tests of baselines: what happened to each is told by its events."""

from datetime import UTC, datetime, timedelta

from django.contrib.auth.models import User

from review.metrics.kpis import agreeing
from review.metrics.kpis.board import Board, boards
from tests.review.metrics.helpers import (
    NOW,
    Desk,
    make_proposal,
    make_scope,
    make_ticket,
    numbers,
)
from triage.models import Choice, Ticket, TicketEvent, TicketVersion

Kind = TicketEvent.Kind
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# Before automation and after, as seen from helpers.NOW (31 March 2026).
PAST = datetime(2026, 1, 5, 9, tzinfo=UTC)
SINCE = datetime(2026, 3, 5, 9, tzinfo=UTC)
BEGAN = datetime(2026, 3, 2, 10, tzinfo=UTC)


def tell(ticket: Ticket, kind: str, after: timedelta, choice: Choice | None = None) -> None:
    TicketEvent.objects.create(
        ticket=ticket,
        key=str(next(numbers)),
        kind=kind,
        happened_at=ticket.opened_at + after,
        choice=choice,
    )


def past_ticket(
    desk: Desk,
    *,
    opened_at: datetime = PAST,
    hours: float = 4,
    teams: tuple[str, ...] = (),
    category: str = "",
    reopened_after: timedelta | None = None,
) -> Ticket:
    """Opened with team net and category vpn, resolved after `hours`, maybe reopened since then for
    an hour; handed on to `teams` before.
    """
    ticket = make_ticket(desk, opened_at=opened_at)
    values = {"team": "net", "category": "vpn"}
    TicketVersion.objects.create(ticket=ticket, version=1, subject="x", values=values)
    for number, team in enumerate(teams):
        tell(ticket, Kind.REASSIGNED, timedelta(minutes=number + 1), desk.choices[team])
    if category:
        tell(ticket, Kind.RECATEGORISED, timedelta(minutes=10), desk.choices[category])
    resolved = timedelta(hours=hours)
    tell(ticket, Kind.RESOLVED, resolved)
    if reopened_after is not None:
        tell(ticket, Kind.REOPENED, resolved + reopened_after)
        tell(ticket, Kind.RESOLVED, resolved + reopened_after + HOUR)
    return ticket


def make_past(desk: Desk, *, opened_at: datetime = PAST) -> None:
    """40 tickets: 12 handed on, 4 of them back; 6 recategorised; 8 reopened, 5 of them in time.

    20 are resolved after 4 hours, 20 after 8.
    """
    for number in range(40):
        past_ticket(
            desk,
            opened_at=opened_at + number * HOUR,
            hours=4 if number % 2 else 8,
            teams=("id", "net") if number < 4 else ("id",) if number < 12 else (),
            category="wifi" if number < 6 else "",
            reopened_after=DAY if number < 5 else 8 * DAY if number < 8 else None,
        )


def compared(desk: Desk, lead: User) -> Board:
    """Before: as make_past; since then 40 tickets, 2 of them handed on, all within 2 hours."""
    make_past(desk)
    make_proposal(desk, at=BEGAN)
    agreeing.take_baseline(desk.source, by=lead)
    for number in range(40):
        teams = ("id",) if number < 2 else ()
        past_ticket(desk, opened_at=SINCE + number * HOUR, hours=2, teams=teams)
    # Not resolved, and not old enough.
    make_ticket(desk, opened_at=SINCE)
    past_ticket(desk, opened_at=NOW - DAY, teams=("id",))
    (board,) = boards(make_scope())
    return board
