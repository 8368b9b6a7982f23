"""What became of tickets, added up from counts of days. Each is one aggregate query."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet, Sum

from review.metrics.aggregates import DaysLater
from review.metrics.counts import GroupCounts, Times, binned, by_group, counted
from review.metrics.estimators import Moments
from review.metrics.groups import STORY_COLUMNS, Columns, Named, rows_by
from review.metrics.window import Scope
from review.models import NoveltyCount, ResolveCount, ReturnCount, StoryCount

# What a figure counts of the tickets, as a column of counts and as a condition on stories.
HITS = {
    "returned": Q(returned=True),
    "reassigned": Q(reassigned__gt=0),
    "recategorised": Q(recategorised__gt=0),
}
# Part and whole of a share of seconds, and the column that says of how many tickets.
REWORK = ("rework", "whole", "resolved")
TOUCH = ("worked", "handled", "watched")


@dataclass(frozen=True)
class GroupMoments:
    group: Named
    moments: Moments


class Returned(NamedTuple):
    """Resolved tickets of one group and path; how many of them came back, and were rated."""

    group: Named
    path: str
    is_self_closed: bool
    n: int
    reopened: int
    contacted: int
    rated: int
    bad: int
    failed: int


def stories(scope: Scope, columns: Columns | None = None) -> list[GroupCounts]:
    """By group: `n` tickets opened, and how many of them each of HITS happened to."""
    sums = {name: Sum(name) for name in ("n", *HITS)}
    return by_group(
        counted(StoryCount, scope, columns),
        scope,
        sums,
        columns=columns or STORY_COLUMNS[scope.group],
    )


def moments(
    scope: Scope, of: tuple[str, str, str], columns: Columns | None = None
) -> list[GroupMoments]:
    """By group, of REWORK or TOUCH."""
    part, whole, n = of
    columns = columns or STORY_COLUMNS[scope.group]
    names = (n, part, whole, f"{part}_squares", f"{whole}_squares", f"{part}_products")
    rows: QuerySet[Any] = counted(StoryCount, scope, columns)
    found = rows_by(rows, scope, columns, {f"sum_{name}": Sum(name) for name in names})
    return [GroupMoments(group, Moments(*numbers)) for group, *numbers in found]


def returns(scope: Scope, days: int, columns: Columns | None = None) -> list[GroupCounts]:
    """By group and StoryPath (`auto`, `auto_reopened`, ...): resolved tickets, `days` ago or more.

    `reopened` and `contacted` of them within those days; `rated` and `bad` whenever they were.
    """
    groups: dict[Named, Counter[str]] = {}
    for one in _returned(scope, days, columns):
        own = groups.setdefault(one.group, Counter())
        own[one.path] += one.n
        for name in ("reopened", "contacted", "rated", "bad"):
            own[f"{one.path}_{name}"] += getattr(one, name)
    return [GroupCounts(group, own) for group, own in groups.items()]


def self_closed(scope: Scope, days: int, columns: Columns | None = None) -> list[GroupCounts]:
    """By group: `n` tickets that a playbook closed, `days` ago or more, and what became of them."""
    groups: dict[Named, Counter[str]] = {}
    for one in _returned(scope, days, columns):
        if one.is_self_closed:
            own = groups.setdefault(one.group, Counter())
            own.update(n=one.n, back=one.contacted, bad=one.bad, failed=one.failed)
    return [GroupCounts(group, own) for group, own in groups.items()]


def resolve_times(scope: Scope, columns: Columns | None = None) -> list[Times]:
    """By group and StoryPath, which is told as the verdict."""
    columns = columns or STORY_COLUMNS[scope.group]
    return binned(ResolveCount, scope, "path", columns)


def novelties(scope: Scope, below: int, columns: Columns | None = None) -> list[GroupCounts]:
    """By group: `n` proposals, `hit` with an in-scope score below so many percent."""
    sums = {"n": Sum("n"), "hit": _sum(Q(scope_percent__lt=below))}
    return by_group(counted(NoveltyCount, scope, columns), scope, sums, columns=columns)


def matured_before(scope: Scope, days: int) -> datetime:
    """The midnight before which a ticket was resolved that has had all its days."""
    return replace(scope, outcome_days=days).matured_before


def _returned(scope: Scope, days: int, columns: Columns | None) -> list[Returned]:
    """Several reports of one page ask for the same rows."""
    return scope.once(_read_returned, days, columns or STORY_COLUMNS[scope.group])


def _read_returned(scope: Scope, days: int, columns: Columns) -> list[Returned]:
    came_back, bad = Q(contacted_after__lte=days), Q(rated=ReturnCount.Rated.BAD)
    sums = {
        "count": Sum("n"),
        "reopened": _sum(Q(reopened_after__lte=days)),
        "contacted": _sum(came_back),
        "count_rated": _sum(~Q(rated=ReturnCount.Rated.NEVER)),
        "bad": _sum(bad),
        "failed": _sum(came_back | bad),
    }
    rows = _matured(scope, days, columns)
    return list(map(Returned._make, rows_by(rows, scope, columns, sums, "path", "is_self_closed")))


def _matured(scope: Scope, days: int, columns: Columns | None) -> QuerySet[Any]:
    rows: QuerySet[Any] = counted(ReturnCount, scope, columns, within=days).alias(
        resolved_on=DaysLater("day", "resolved_after")
    )
    return rows.filter(resolved_on__lt=matured_before(scope, days).date())


def _sum(condition: Q) -> Sum:
    return Sum("n", filter=condition, default=0)
