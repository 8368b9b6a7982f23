"""What became of tickets, added up from counts of days. Each is one aggregate query."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

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
    rated = ~Q(rated=ReturnCount.Rated.NEVER)
    sums = {
        "n": Sum("n"),
        "reopened": _sum(Q(reopened_after__lte=days)),
        "contacted": _sum(Q(contacted_after__lte=days)),
        "rated": _sum(rated),
        "bad": _sum(Q(rated=ReturnCount.Rated.BAD)),
    }
    columns = columns or STORY_COLUMNS[scope.group]
    return by_group(_matured(scope, days, columns), scope, sums, split="path", columns=columns)


def self_closed(scope: Scope, days: int, columns: Columns | None = None) -> list[GroupCounts]:
    """By group: `n` tickets that a playbook closed, `days` ago or more, and what became of them."""
    came_back = Q(contacted_after__lte=days)
    bad = Q(rated=ReturnCount.Rated.BAD)
    sums = {
        "n": Sum("n"),
        "back": _sum(came_back),
        "bad": _sum(bad),
        "failed": _sum(came_back | bad),
    }
    rows = _matured(scope, days, columns).filter(is_self_closed=True)
    return by_group(rows, scope, sums, columns=columns or STORY_COLUMNS[scope.group])


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


def _matured(scope: Scope, days: int, columns: Columns | None) -> QuerySet[Any]:
    rows: QuerySet[Any] = counted(ReturnCount, scope, columns).alias(
        resolved_on=DaysLater("day", "resolved_after")
    )
    return rows.filter(resolved_on__lt=matured_before(scope, days).date())


def _sum(condition: Q) -> Sum:
    return Sum("n", filter=condition, default=0)
