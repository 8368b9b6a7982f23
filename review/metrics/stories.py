"""What became of one ticket, read from its events: values in, values out."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from triage.models import TicketEvent

Kind = TicketEvent.Kind
BAD_RATING = 2
ZERO = timedelta()


class Phase(StrEnum):
    """What a ticket does between two moments; every moment of it lies in exactly one."""

    QUEUED = "queued"
    WORKED = "worked"
    PAUSED = "paused"
    AWAITING = "awaiting"
    SETTLED = "settled"


ENTERS = {
    Kind.STARTED: Phase.WORKED,
    Kind.PAUSED: Phase.PAUSED,
    Kind.AWAITING: Phase.AWAITING,
}


class Happening(NamedTuple):
    """One event. `choice` is the new team or category, by any key that tells choices apart."""

    kind: str
    at: datetime
    choice: Hashable | None = None
    score: int | None = None


@dataclass(frozen=True)
class Story:
    """What became of a ticket, up to `ended_at`. All times are in seconds, never negative.

    The times of the five phases add up to the time from `opened_at` to `ended_at`: `queued` (nobody
    has taken it up), `worked`, `paused` (waits within the helpdesk), `awaiting` (the requester),
    and `settled` (from a resolution to the reopening that followed it; the time after the last
    resolution is no part of the story). `seconds_after_first_resolution` are those of the first
    four phases that lie after it: rework.

    `resolved_at` is the first resolution, `last_resolved_at` the last, also where the ticket was
    opened again since; both are None where there was none. `returned` is whether a team got it
    that had had it before. `first_reopened_at` and `first_commented_at` lie after the first
    resolution. `rating` is the last, 1 (bad) to 5 (good).
    """

    opened_at: datetime
    ended_at: datetime
    is_settled: bool
    reassigned: int
    returned: bool
    recategorised: int
    reopened: int
    last_escalated_at: datetime | None
    resolved_at: datetime | None
    last_resolved_at: datetime | None
    first_reopened_at: datetime | None
    first_commented_at: datetime | None
    seconds_queued: float
    seconds_worked: float
    seconds_paused: float
    seconds_awaiting: float
    seconds_settled: float
    seconds_after_first_resolution: float
    rating: int | None
    has_states: bool

    @property
    def seconds_open(self) -> float:
        """All but what it was settled for in between: what rework is a share of."""
        return (
            self.seconds_queued + self.seconds_worked + self.seconds_paused + self.seconds_awaiting
        )

    @property
    def seconds_to_resolve(self) -> float | None:
        """To the first resolution."""
        return None if self.resolved_at is None else _seconds(self.resolved_at - self.opened_at)

    @property
    def touch_ratio(self) -> float | None:
        """Work as a fraction of work and waiting, 0 to 1, without waiting for the requester.

        None where nobody told when work began or waited, and where there was neither.
        """
        whole = self.seconds_queued + self.seconds_worked + self.seconds_paused
        return self.seconds_worked / whole if self.has_states and whole else None

    @property
    def was_rated_bad(self) -> bool:
        return self.rating is not None and self.rating <= BAD_RATING

    def matured(self, now: datetime, window: timedelta) -> bool:
        """Whether `window` has passed since the first resolution; False without one."""
        return self.resolved_at is not None and self.resolved_at + window <= now

    def reopened_within(self, window: timedelta) -> bool:
        """After the first resolution, the last moment of the window included."""
        return self._within(self.first_reopened_at, window)

    def recontacted_within(self, window: timedelta) -> bool:
        """Reopened or commented on after the first resolution, the last moment included."""
        return self.reopened_within(window) or self._within(self.first_commented_at, window)

    def escalated_after(self, moment: datetime) -> bool:
        return self.last_escalated_at is not None and self.last_escalated_at > moment

    def _within(self, moment: datetime | None, window: timedelta) -> bool:
        if moment is None or self.resolved_at is None:
            return False
        return moment - self.resolved_at <= window


def story(
    opened_at: datetime,
    happenings: Iterable[Happening],
    *,
    first_team: Hashable | None = None,
    first_category: Hashable | None = None,
    until: datetime | None = None,
) -> Story:
    """Tell what became of a ticket.

    Parameters
    ----------
    opened_at : datetime
        Aware, like all moments here. What happened before it counts as of then.
    happenings : iterable of Happening
        In any order; of those at one moment the order given decides: of rows that is the order of
        their primary keys. Kinds that are not known are passed over.
    first_team, first_category : hashable or None
        Those of the ticket's first version, by the keys that happenings use. Where they are not
        known, the first that a happening names is the first that is known: that move counts, but
        a return to the team before it cannot be seen.
    until : datetime or None
        The story as of that moment: later happenings are left out, and a ticket that is open
        lasts until then. Without it, until the last happening.

    Notes
    -----
    A ticket begins in the queue and goes back there when it is reopened, until `started`,
    `paused` or `awaiting` comes. Without any of them all its time is in the queue, `has_states`
    is False and there is no touch ratio.

    `closed` without `resolved` before it is a resolution; after one it changes nothing. A settled
    ticket stays so until `reopened`: other states that come meanwhile are passed over, as they are
    when a ticket's closing is settled. Each `reopened` counts, also where no resolution was told.

    A move counts unless it names the team (or category) that the ticket has. One that names none
    counts, and leaves unknown who has the ticket: the next that is named counts as well, and is a
    return where that team had it before. A comment counts as contact only at a later moment than
    the first resolution, because the closing words come with it.
    """
    telling = _Telling(opened_at, first_team, first_category)
    for happening in sorted(happenings, key=lambda one: one.at):
        if until is None or happening.at <= until:
            telling.take(happening)
    return telling.told(until)


class _Holder:
    """Who has the ticket, or what it is filed under: how often that changed, and back."""

    def __init__(self, first: Hashable | None) -> None:
        self.now = first
        self.met = set() if first is None else {first}
        self.changes = 0
        self.returned = False

    def move(self, choice: Hashable | None) -> None:
        if choice is not None and choice == self.now:
            return
        self.changes += 1
        self.now = choice
        if choice is not None:
            self.returned |= choice in self.met
            self.met.add(choice)


class _Telling:
    def __init__(
        self, opened_at: datetime, team: Hashable | None, category: Hashable | None
    ) -> None:
        self.opened_at = self.at = opened_at
        self.phase = Phase.QUEUED
        self.spent = dict.fromkeys(Phase, ZERO)
        self.rework = ZERO
        self.team, self.category = _Holder(team), _Holder(category)
        self.reopened = 0
        self.has_states = False
        self.rating: int | None = None
        self.escalated_at: datetime | None = None
        self.resolved_at: datetime | None = None
        self.last_resolved_at: datetime | None = None
        self.first_reopened_at: datetime | None = None
        self.first_commented_at: datetime | None = None

    def take(self, happening: Happening) -> None:
        at = max(happening.at, self.opened_at)
        self._pass(at)
        match happening.kind:
            case Kind.REASSIGNED:
                self.team.move(happening.choice)
            case Kind.RECATEGORISED:
                self.category.move(happening.choice)
            case Kind.ESCALATED:
                self.escalated_at = at
            case Kind.RATED:
                self.rating = self.rating if happening.score is None else happening.score
            case Kind.COMMENTED:
                if self.resolved_at is not None and at > self.resolved_at:
                    self.first_commented_at = self.first_commented_at or at
            case Kind.RESOLVED | Kind.CLOSED:
                self._resolve(at)
            case Kind.REOPENED:
                self._reopen(at)
            case Kind.STARTED | Kind.PAUSED | Kind.AWAITING:
                self._enter(Kind(happening.kind))

    def _pass(self, at: datetime) -> None:
        passed = at - self.at
        self.spent[self.phase] += passed
        if self.resolved_at is not None and self.phase != Phase.SETTLED:
            self.rework += passed
        self.at = at

    def _enter(self, kind: Kind) -> None:
        self.has_states = True
        if self.phase != Phase.SETTLED:
            self.phase = ENTERS[kind]

    def _resolve(self, at: datetime) -> None:
        if self.phase != Phase.SETTLED:
            self.phase = Phase.SETTLED
            self.resolved_at = self.resolved_at or at
            self.last_resolved_at = at

    def _reopen(self, at: datetime) -> None:
        self.phase = Phase.QUEUED
        self.reopened += 1
        if self.resolved_at is not None:
            self.first_reopened_at = self.first_reopened_at or at

    def told(self, until: datetime | None) -> Story:
        is_settled = self.phase == Phase.SETTLED
        if is_settled and self.last_resolved_at is not None:
            # What came after it, a rating say, does not make the story longer.
            self.spent[Phase.SETTLED] -= self.at - self.last_resolved_at
            self.at = self.last_resolved_at
        elif until is not None:
            self._pass(max(until, self.at))
        return Story(
            opened_at=self.opened_at,
            ended_at=self.at,
            is_settled=is_settled,
            reassigned=self.team.changes,
            returned=self.team.returned,
            recategorised=self.category.changes,
            reopened=self.reopened,
            last_escalated_at=self.escalated_at,
            resolved_at=self.resolved_at,
            last_resolved_at=self.last_resolved_at,
            first_reopened_at=self.first_reopened_at,
            first_commented_at=self.first_commented_at,
            seconds_queued=_seconds(self.spent[Phase.QUEUED]),
            seconds_worked=_seconds(self.spent[Phase.WORKED]),
            seconds_paused=_seconds(self.spent[Phase.PAUSED]),
            seconds_awaiting=_seconds(self.spent[Phase.AWAITING]),
            seconds_settled=_seconds(self.spent[Phase.SETTLED]),
            seconds_after_first_resolution=_seconds(self.rework),
            rating=self.rating,
            has_states=self.has_states,
        )


def _seconds(span: timedelta) -> float:
    return span.total_seconds()
