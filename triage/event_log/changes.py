"""From successive snapshots of one incident to what happened to it. Values in, values out."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from triage.event_log.rows import Snapshot, State
from triage.models import TicketEvent

Kind = TicketEvent.Kind
SOLVED = (State.RESOLVED, State.CLOSED)
# What a change of each field is called; the first becomes a new source's main field.
MOVES: Mapping[str, Kind] = {"category": Kind.RECATEGORISED, "team": Kind.REASSIGNED}
# Back in the queue is one more way of waiting where nobody works.
ENTERED: Mapping[str, Kind] = {
    State.NEW: Kind.PAUSED,
    State.STARTED: Kind.STARTED,
    State.PAUSED: Kind.PAUSED,
    State.AWAITING: Kind.AWAITING,
}


class Happening(NamedTuple):
    """One event. `value` is what `field` was changed to; empty where the log does not show it."""

    kind: Kind
    at: datetime
    field: str = ""
    value: str = ""


@dataclass(frozen=True)
class Incident:
    """What the log tells of one incident: values at first and at last by field, and between."""

    id: str
    subject: str
    opened_at: datetime
    first: Mapping[str, str]
    last: Mapping[str, str]
    happenings: tuple[Happening, ...]

    def keyed(self) -> Iterable[tuple[str, Happening]]:
        """Happenings under keys that stay the same when a longer log is imported later."""
        met: Counter[tuple[Kind, datetime]] = Counter()
        for happening in self.happenings:
            met[happening.kind, happening.at] += 1
            number = met[happening.kind, happening.at]
            yield f"log-{happening.kind}-{happening.at:%Y%m%dT%H%M%S.%f}-{number}", happening


def incident(snapshots: Sequence[Snapshot]) -> Incident:
    """Of snapshots of one incident, at least one, in order.

    The first value of a field is no change. An unknown one leaves what was known. What the
    snapshots do not show but the helpdesk's own counts do, happened at the first snapshot that
    counts it; of a move that was only counted nobody knows where it led.
    """
    snapshots = _steadied(snapshots)
    first = snapshots[0]
    opened = next((s.opened for s in snapshots if s.opened is not None), first.at)
    walk = _Walk()
    for snapshot in snapshots:
        walk.step(snapshot)
    return Incident(
        id=first.id,
        subject=next((s.subject for s in reversed(snapshots) if s.subject), first.id),
        opened_at=_moment(opened),
        first=walk.first,
        last=walk.last,
        # A resolution may lie before the snapshot that tells of it.
        happenings=tuple(sorted(walk.happenings, key=lambda happening: happening.at)),
    )


def _steadied(snapshots: Sequence[Snapshot]) -> Sequence[Snapshot]:
    """None later than one that follows it: where the file's order decides, clocks were wrong."""
    steadied: list[Snapshot] = []
    for snapshot in reversed(snapshots):
        at = min(snapshot.at, steadied[-1].at) if steadied else snapshot.at
        steadied.append(snapshot._replace(at=at))
    return steadied[::-1]


@dataclass
class _Walk:
    first: dict[str, str] = field(default_factory=dict)
    last: dict[str, str] = field(default_factory=dict)
    happenings: list[Happening] = field(default_factory=list)
    state: str = State.NEW
    reassigned: int = 0
    reopened: int = 0
    before: float | None = None

    def step(self, snapshot: Snapshot) -> None:
        self._move(snapshot)
        missed = max(0, snapshot.reopened - self.reopened)
        state = snapshot.state or self.state
        if state in SOLVED:
            self._solve(snapshot, state, missed)
        else:
            self._open(snapshot, state, missed)
        self.before = snapshot.at

    def _move(self, snapshot: Snapshot) -> None:
        for name, kind in MOVES.items():
            value = getattr(snapshot, name)
            known = self.last.get(name)
            if value and known and value != known:
                self._add(kind, snapshot.at, name, value)
                self.reassigned += kind == Kind.REASSIGNED
            if value:
                self.first.setdefault(name, value)
                self.last[name] = value
        for _ in range(snapshot.reassigned - self.reassigned):
            self._add(Kind.REASSIGNED, snapshot.at)
            self.reassigned += 1

    def _solve(self, snapshot: Snapshot, state: str, missed: int) -> None:
        for _ in range(missed):
            self._reopen(snapshot.at)
        was_solved = self.state in SOLVED
        if not was_solved:
            # Of several resolutions between two snapshots it is not known which one this was.
            resolved = None if missed else self._between(snapshot.resolved, snapshot.at)
            if state == State.RESOLVED or resolved is not None:
                self._add(Kind.RESOLVED, snapshot.at if resolved is None else resolved)
        if state == State.CLOSED and self.state != State.CLOSED:
            closed = self._between(snapshot.closed, snapshot.at)
            self._add(Kind.CLOSED, snapshot.at if closed is None else closed)
        self.state = state

    def _open(self, snapshot: Snapshot, state: str, missed: int) -> None:
        for _ in range(max(missed, self.state in SOLVED)):
            self._reopen(snapshot.at)
        if state != self.state:
            self._add(ENTERED[state], snapshot.at)
        self.state = state

    def _reopen(self, at: float) -> None:
        self._add(Kind.REOPENED, at)
        self.reopened += 1
        self.state = State.NEW

    def _between(self, moment: float | None, at: float) -> float | None:
        """The moment where it lies between the last snapshot and this one.

        Many logs repeat in every line when the incident was resolved at last.
        """
        if moment is None or moment > at:
            return None
        return None if self.before is not None and moment <= self.before else moment

    def _add(self, kind: Kind, at: float, name: str = "", value: str = "") -> None:
        self.happenings.append(Happening(kind, _moment(at), name, value))


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
