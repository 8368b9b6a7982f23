"""People before figures: what says how people work is shown of groups of people only.

The one place that decides it, for pages, tables and the API alike: registry.report_of passes every
report through here.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from django.db.models import QuerySet

from review.metrics.counts import counted
from review.metrics.figures import Row, withheld
from review.metrics.groups import COUNTED_COLUMNS, NONE, WEEK
from review.metrics.report import Report
from review.metrics.window import Scope
from review.models import PersonDay

People = frozenset[int]


def people(scope: Scope) -> Mapping[str, People]:
    """Who decided something in each group, by the group's key."""
    column = COUNTED_COLUMNS[scope.group].key
    rows = counted(PersonDay, scope)
    found = defaultdict(set)
    for key, person in rows.values_list(column, "person_id").distinct():
        found[NONE if key is None else str(key)].add(person)
    return {key: frozenset(some) for key, some in found.items()}


def passed(report: Report) -> Report:
    """The report with nothing of groups of fewer people than its definition asks for.

    Where hidden groups could be had by taking those shown from the total, the smallest that is
    shown is hidden too. Rows that are split by something else than groups of people, as reasons
    are, are told or hidden together.
    """
    definition = report.definition
    if not definition.is_about_people:
        return report
    least = definition.min_people
    known = report.scope.once(people)
    everybody = frozenset[int]().union(*known.values()) if known else frozenset[int]()
    if len(everybody) < least:
        return _told(
            report, hidden={row.key for row in (*report.rows, *report.totals)}, least=least
        )
    if not report.is_by_group:
        return replace(report, is_gated=True)
    hidden = _hidden([row.key for row in report.rows], known, least)
    return _told(report, hidden=hidden, least=least)


def weeks(scope: Scope, mondays: Collection[date], least: int) -> set[date]:
    """Those of the weeks that may be told of what is about people, by the same rules."""
    rows: QuerySet[Any] = counted(PersonDay, scope, WEEK)
    found = defaultdict(set)
    for week, person in rows.values_list("week", "person_id").distinct().order_by():
        found[week.isoformat()].add(person)
    known = {week: frozenset(some) for week, some in found.items()}
    hidden = _hidden([monday.isoformat() for monday in mondays], known, least)
    return {monday for monday in mondays if monday.isoformat() not in hidden}


def allows(report: Report, group: str) -> bool:
    """Whether the tickets behind a group's figures may be listed, of a report that has passed."""
    by_group = group and report.is_by_group
    found = [row for row in report.rows if row.key == group] if by_group else report.totals
    return bool(found) and not any(
        figure.is_withheld for row in found for figure in row.figures.values()
    )


def _hidden(keys: Sequence[str], known: Mapping[str, People], least: int) -> set[str]:
    """Keys of too few people, and of so many more that nothing is had by subtraction."""
    hidden = {key for key in keys if len(known.get(key, ())) < least}
    while hidden and len(_together(known, hidden)) < least:
        rest = [key for key in keys if key not in hidden]
        if not rest:
            break
        hidden.add(min(rest, key=lambda key: (len(known.get(key, ())), key)))
    return hidden


def _together(known: Mapping[str, People], keys: set[str]) -> People:
    return frozenset[int]().union(*(known.get(key, frozenset()) for key in keys))


def _told(report: Report, *, hidden: set[str], least: int) -> Report:
    def told(row: Row) -> Row:
        if row.key not in hidden:
            return row
        figures = {name: withheld(figure, least) for name, figure in row.figures.items()}
        return replace(row, figures=figures)

    return replace(
        report,
        rows=tuple(told(row) for row in report.rows),
        totals=tuple(told(row) for row in report.totals),
        is_gated=True,
    )
