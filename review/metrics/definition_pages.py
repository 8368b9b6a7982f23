"""What the pages about definitions show: all versions, and one with its discussion and vote."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import overload

from django.contrib.auth.models import User
from django.core.paginator import Page, Paginator
from django.db.models import Q, QuerySet
from django.utils import timezone

from review.metrics import co_creation, versions, votes
from review.metrics.definitions import DEFINITIONS, Definition
from review.metrics.versions import Difference, Window
from review.models import Ballot, DefinitionComment, MetricDefinition
from review.models.definitions import ACTIVE, LEAST_VOTES, VOTE_OPEN
from review.url_filter import UrlFilter

PAGE_SIZE = 25
OTHERS_SHOWN = 50
Status = MetricDefinition.Status
BEFORE_FORCE = Q(activated_at__isnull=True, retired_at__isnull=True)
WHERE: Mapping[str, Q] = {
    Status.PROPOSED: BEFORE_FORCE & Q(opened_at__isnull=True),
    Status.DISCUSSED: VOTE_OPEN,
    Status.VOTED: BEFORE_FORCE & Q(closed_at__isnull=False),
    Status.ACTIVE: ACTIVE,
    Status.RETIRED: Q(retired_at__isnull=False),
}


@dataclass(frozen=True)
class DefinitionFilter(UrlFilter):
    q: str = ""
    status: str = ""


@dataclass(frozen=True)
class Entry:
    """A version in the list; `row` is missing for the service's own."""

    definition: Definition
    status: Status
    row: MetricDefinition | None = None


@dataclass(frozen=True)
class VoteState:
    """`cast` is None while there are too few to be named. `own` is one's ballot of an open vote."""

    voters: int
    needed: int
    cast: int | None
    own: Ballot | None
    may_vote: bool
    reasons: list[tuple[str, int]]


@dataclass(frozen=True)
class Said:
    comment: DefinitionComment
    is_deletable: bool


@dataclass(frozen=True)
class VersionPage:
    """`standing` is what is in force now, maybe this version itself."""

    definition: Definition
    status: Status
    row: MetricDefinition | None
    standing: Definition
    differences: list[Difference]
    windows: list[Window]
    others: list[Entry]
    vote: VoteState | None
    comments: Page[DefinitionComment] | None
    said: list[Said]

    @property
    def is_in_force(self) -> bool:
        return self.definition.version == self.standing.version


class Entries(Sequence[Entry]):
    """What teams made, newest first, and then what the service came with; read a page at a time."""

    def __init__(self, rows: QuerySet[MetricDefinition], own: list[Entry]) -> None:
        self.rows, self.own, self.made = rows, own, rows.count()

    def __len__(self) -> int:
        return self.made + len(self.own)

    @overload
    def __getitem__(self, wanted: int) -> Entry: ...
    @overload
    def __getitem__(self, wanted: slice) -> Sequence[Entry]: ...
    def __getitem__(self, wanted: int | slice) -> Entry | Sequence[Entry]:
        if isinstance(wanted, int):
            return self[wanted : wanted + 1][0]
        start, stop, _step = wanted.indices(len(self))
        found = [entry_of(row) for row in self.rows[start : min(stop, self.made)]]
        return found + self.own[max(0, start - self.made) : max(0, stop - self.made)]


def definitions_page(chosen: DefinitionFilter, number: int) -> Page[Entry]:
    """A page past the end is answered with the last one."""
    rows = made_by_teams().select_related("proposer")
    keys = [key for key, one in DEFINITIONS.items() if _names(one, chosen.q)]
    if chosen.q:
        rows = rows.filter(Q(key__in=keys) | Q(purpose__icontains=chosen.q))
    if chosen.status in WHERE:
        rows = rows.filter(WHERE[chosen.status])
    standing = versions.in_force(timezone.now())
    own = [Entry(DEFINITIONS[key], own_status(DEFINITIONS[key], standing[key])) for key in keys]
    is_all = chosen.status not in WHERE
    shown = [entry for entry in own if is_all or entry.status == chosen.status]
    return Paginator(Entries(rows, shown), PAGE_SIZE).get_page(number)


def made_by_teams() -> QuerySet[MetricDefinition]:
    """Without those of metrics that the service has no longer."""
    return MetricDefinition.objects.filter(key__in=DEFINITIONS)


def find(key: str, version: int) -> tuple[Definition, MetricDefinition | None]:
    """A version of a metric; KeyError where there is none. No row: it is the service's own."""
    if version == DEFINITIONS[key].version:
        return DEFINITIONS[key], None
    rows = MetricDefinition.objects.select_related("proposer", "activated_by")
    row = rows.filter(key=key, version=version).first()
    if row is None:
        raise KeyError(f"{key} has no version {version}.")
    return versions.as_definition(row), row


def version_page(key: str, version: int, *, viewer: User, number: int) -> VersionPage:
    """KeyError where there is no such version. `number` is the page of the comments."""
    definition, row = find(key, version)
    now = timezone.now()
    windows = versions.history(key)
    standing = versions.in_force_of(key, now)
    comments = said = None
    if row is not None:
        rows = row.comments.select_related("author")
        comments = Paginator(rows, PAGE_SIZE).get_page(number)
        said = [Said(one, co_creation.is_deletable(one, row, viewer, now)) for one in comments]
    return VersionPage(
        definition=definition,
        status=row.status if row else own_status(definition, standing),
        row=row,
        standing=standing,
        differences=versions.differences(standing, definition),
        windows=windows,
        others=_others(key, version, standing),
        vote=_vote(row, viewer) if row and row.opened_at else None,
        comments=comments,
        said=said or [],
    )


def entry_of(row: MetricDefinition) -> Entry:
    return Entry(versions.as_definition(row), row.status, row)


def own_status(definition: Definition, standing: Definition) -> Status:
    """Of a version that came with the service."""
    return Status.ACTIVE if definition.version == standing.version else Status.RETIRED


def _others(key: str, version: int, standing: Definition) -> list[Entry]:
    rows = MetricDefinition.objects.filter(key=key).exclude(version=version)[:OTHERS_SHOWN]
    found = [entry_of(row) for row in rows]
    if version != DEFINITIONS[key].version:
        found.append(Entry(DEFINITIONS[key], own_status(DEFINITIONS[key], standing)))
    return found


def _vote(row: MetricDefinition, viewer: User) -> VoteState:
    names = {str(reason): str(label) for reason, label in Ballot.Reason.choices}
    if row.closed_at is not None:
        counted = row.reasons_counted.items() if row.shows_counts else ()
        return VoteState(
            voters=0,
            needed=row.votes_needed or 0,
            cast=row.votes_cast if row.shows_counts else None,
            own=None,
            may_vote=False,
            reasons=sorted(
                ((names.get(reason, reason), n) for reason, n in counted), key=lambda one: -one[1]
            ),
        )
    voters = set(votes.electorate().values_list("pk", flat=True))
    ballots = row.ballots.filter(person__in=voters).count()
    return VoteState(
        voters=len(voters),
        needed=votes.votes_needed(len(voters)),
        cast=ballots if ballots >= LEAST_VOTES else None,
        own=row.ballots.filter(person=viewer).first(),
        may_vote=viewer.pk in voters,
        reasons=[],
    )


def _names(definition: Definition, q: str) -> bool:
    return q.lower() in f"{definition.key} {definition.name} {definition.purpose}".lower()
