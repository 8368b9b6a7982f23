"""Counts of checks and of what two people said, added up from counts of days."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as begun_with
from typing import Any

from django.db.models import Count, F, QuerySet, Sum
from django.db.models.functions import TruncDate

from review.metrics import truth_cohorts
from review.metrics.aggregates import PlainSum
from review.metrics.counts import GroupCounts, counted
from review.metrics.groups import (
    COLUMNS,
    COUNTED_COLUMNS,
    Columns,
    Named,
    names_of,
    rows_by,
)
from review.metrics.nested import gathered
from review.metrics.truth_cohorts import State
from review.metrics.window import Scope
from review.models import AgreementCount, DrawnCount

Rows = Iterable[Mapping[str, Any]]
FIELD = Columns("field_id", ("field__name",), "field__source__name")
# What stands for "could not tell" among the keys of choices.
UNSURE = 0


@dataclass
class Agreement:
    """Double checks of one field, in a group or altogether."""

    field: Named
    group: Named | None
    pairs: Counter[tuple[int, int]] = begun_with(default_factory=Counter)
    verdicts: Counter[str] = begun_with(default_factory=Counter)

    def add(self, first: int | None, second: int | None, verdict: str, n: int) -> None:
        self.pairs[first or UNSURE, second or UNSURE] += n
        self.verdicts[verdict] += n


def check_states(scope: Scope) -> list[GroupCounts]:
    """By group the number of drawn checks with each State.

    Those that nobody has opened are counted as they wait: they hang on no row that a day has.
    """
    columns = COUNTED_COLUMNS[scope.group]
    drawn = rows_by(counted(DrawnCount, scope), scope, columns, {"count": PlainSum("n")}, "state")
    rows: QuerySet[Any] = truth_cohorts.unopened(scope)
    # The key of a group is the same in counts as in what was counted.
    unopened = rows.values_list(COLUMNS[scope.group].key).annotate(count=Count("pk")).order_by()
    waiting = dict[Any, int](unopened)
    groups = names_of(waiting.keys(), DrawnCount, scope, columns)
    names: dict[str, str] = {}
    counts: dict[str, Counter[str]] = {}
    nobody = ((groups[key], State.NOBODY, n) for key, n in waiting.items())
    for (key, name), state, n in (*drawn, *nobody):
        names.setdefault(key, name)
        counts.setdefault(key, Counter())[state] += n
    return [GroupCounts(Named(key, names[key]), counts[key]) for key in names]


def agreements(scope: Scope) -> tuple[list[Agreement], list[Agreement]]:
    """Of each field altogether, and of each field in each group."""
    columns = COUNTED_COLUMNS[scope.group]
    said = ("first_id", "second_id", "verdict")
    rows = (
        counted(AgreementCount, scope)
        .values(columns.key, FIELD.key, *said)
        .annotate(count=Sum("n"))
        .order_by()
    )
    told = [f"array_agg({name})" for name in (*said, "count")]
    found = gathered(rows, (columns.key, FIELD.key), told)
    groups = names_of({row[0] for row in found}, AgreementCount, scope, columns)
    fields = names_of({row[1] for row in found}, AgreementCount, scope, FIELD)
    whole = {pk: Agreement(named, None) for pk, named in fields.items()}
    parts = []
    for key, pk, *lists in found:
        part = Agreement(fields[pk], groups[key])
        for one in zip(*lists, strict=True):
            part.add(*one)
        whole[pk].pairs.update(part.pairs)
        whole[pk].verdicts.update(part.verdicts)
        parts.append(part)
    return list(whole.values()), parts


def count_checks(scope: Scope) -> Rows:
    """What DrawnCount keeps of the days of a scope."""
    day = TruncDate("created_at", tzinfo=scope.now.tzinfo)
    version = F("main__prediction__model_version_id")
    rows: QuerySet[Any] = truth_cohorts.opened(scope)
    found: Rows = (
        rows.values("state", day=day, choice_id=F("main__choice_id"), version_id=version)
        .annotate(n=Count("pk"))
        .order_by()
    )
    return found


def count_agreements(scope: Scope) -> Rows:
    """What AgreementCount keeps of the days of a scope."""
    day = TruncDate("answer__check_of__proposal__created_at", tzinfo=scope.now.tzinfo)
    said: QuerySet[Any] = truth_cohorts.double_checks(scope)
    rows = said.values(
        "field_id",
        "choice_id",
        "second",
        "verdict",
        day=day,
        main_choice=F("main__choice_id"),
        main_version=F("main__prediction__model_version_id"),
    ).annotate(n=Count("pk"))
    for row in rows:
        yield {
            "day": row["day"],
            "choice_id": row["main_choice"],
            "version_id": row["main_version"],
            "field_id": row["field_id"],
            "first_id": row["choice_id"],
            "second_id": row["second"],
            "verdict": row["verdict"],
            "n": row["n"],
        }
