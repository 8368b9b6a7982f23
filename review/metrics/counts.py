"""Counts of what became of proposals, added up from counts of days. Each is one aggregate query.

What is counted by group can be counted by other columns of the counts instead: by groups.WEEK.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Min, Q, QuerySet, Sum, Window
from django.utils.translation import gettext_lazy as _

from review.metrics import span_counts
from review.metrics.aggregates import DaysLater, MondayOf, SumOver
from review.metrics.bins import Bins, added
from review.metrics.cohorts import Outcome
from review.metrics.groups import (
    COUNTED_COLUMNS,
    WEEK,
    Columns,
    Named,
    name_groups,
    names_of,
    rows_by,
)
from review.metrics.nested import gathered
from review.metrics.window import Scope
from review.models import ChangeCount, OutcomeCount, ProposalCount, Spanned, TimeCount

TOP_STEP_INS = 20


@dataclass(frozen=True)
class GroupCounts:
    """What was counted, by name, in one group."""

    group: Named
    counts: Mapping[str, int]


@dataclass(frozen=True)
class ReasonCount:
    field: Named
    reason: Named
    count: int


@dataclass(frozen=True)
class StepIn:
    """`count` of the `of` decisions on `proposed` (None: left open) ended at `final`."""

    field: Named
    proposed: Named
    final: Named
    count: int
    of: int


@dataclass(frozen=True)
class Times:
    """How long the decisions of one verdict took, in bins."""

    group: Named | None
    verdict: str
    bins: Bins

    @property
    def count(self) -> int:
        return self.bins.n


def outcomes(scope: Scope, columns: Columns | None = None) -> list[GroupCounts]:
    """By group the number of proposals with each Outcome, superseded ones beside the rest."""
    rows = counted(ProposalCount, scope, columns)
    return by_group(rows, scope, {"n": Sum("n")}, split="outcome", columns=columns)


def answers(scope: Scope, columns: Columns | None = None) -> list[GroupCounts]:
    """By group, of those that had something to accept: how many were accepted, how many not."""
    rows = counted(ProposalCount, scope, columns).filter(
        is_offered=True, outcome__in=[Outcome.ACCEPTED, Outcome.OVERRIDDEN]
    )
    return by_group(rows, scope, {"n": Sum("n")}, split="outcome", columns=columns)


def escalations(scope: Scope, columns: Columns | None = None) -> list[GroupCounts]:
    """By group: `n` proposals by a model, `hit` of them escalated later."""
    rows = counted(ProposalCount, scope, columns).filter(
        ~Q(outcome=Outcome.SUPERSEDED), is_by_model=True
    )
    return by_group(rows, scope, {"n": Sum("n"), "hit": Sum("escalated")}, columns=columns)


def automatic(scope: Scope) -> list[GroupCounts]:
    """By group: `n` standing proposals by a model, `hit` of them applied without a person."""
    rows = counted(ProposalCount, scope).filter(~Q(outcome=Outcome.SUPERSEDED), is_by_model=True)
    is_auto = Q(outcome=Outcome.AUTO)
    return by_group(rows, scope, {"n": Sum("n"), "hit": Sum("n", filter=is_auto, default=0)})


def reopenings(scope: Scope, columns: Columns | None = None) -> list[GroupCounts]:
    """By group, for auto, accepted and overridden: `auto` matured, `auto_hit` of them reopened."""
    in_time = Q(reopened_after__lte=scope.outcome_days)
    rows = (
        counted(OutcomeCount, scope, columns, within=scope.outcome_days)
        .alias(settled_on=DaysLater("day", "settled_after"))
        .filter(settled_on__lt=scope.matured_before.date())
    )
    hits = {"n": Sum("n"), "hit": Sum("n", filter=in_time, default=0)}
    return by_group(rows, scope, hits, split="outcome", columns=columns)


def override_reasons(scope: Scope) -> list[ReasonCount]:
    """Fields of the same key count as one, whatever the source."""
    rows = (
        counted(ChangeCount, scope)
        .filter(proposed__isnull=False, reason__isnull=False)
        .exclude(proposed=F("final"))
        .values("field__key", "reason_id", "reason__label")
        .annotate(count=Sum("n"), name=Min("field__name"))
        .order_by("field__key", "-count", "reason__label")
    )
    return [
        ReasonCount(
            field=Named(row["field__key"], row["name"]),
            reason=Named(str(row["reason_id"]), row["reason__label"]),
            count=row["count"],
        )
        for row in rows
    ]


STEP_IN_FIELD = Columns("field_id", ("field__name",), "field__source__name")
STEP_IN_FROM, STEP_IN_TO = (
    Columns(f"{side}_id", (f"{side}__parent__name", f"{side}__name"), nameless=nameless)
    for side, nameless in (("proposed", _("left open")), ("final", _("taken away")))
)


def step_ins(scope: Scope) -> list[StepIn]:
    """The most frequent changes of a value, left-open ones that a person filled included."""
    is_kept = Q(proposed=F("final")) | Q(proposed__isnull=True, final__isnull=True)
    rows = (
        counted(ChangeCount, scope)
        .values(*{*STEP_IN_FIELD.all, *STEP_IN_FROM.all, *STEP_IN_TO.all})
        .annotate(count=Sum("n"), changed=Sum("n", filter=~is_kept, default=0))
        # In a call of its own: with the others, Django would group by it.
        .annotate(of=Window(SumOver(F("count")), [F("field_id"), F("proposed_id")]))
        .order_by("-changed", "field_id", "proposed_id", "final_id")
    )
    # Kept values are in the query for the share's sake; they have changed nothing and sort last.
    top = [row for row in rows[:TOP_STEP_INS] if row["changed"]]
    return [
        StepIn(field, proposed, final, row["changed"], int(row["of"]))
        for row, field, proposed, final in zip(
            top,
            name_groups(top, STEP_IN_FIELD),
            name_groups(top, STEP_IN_FROM),
            name_groups(top, STEP_IN_TO),
            strict=True,
        )
    ]


def decision_times(scope: Scope) -> list[Times]:
    """By group and verdict; altogether() has those of all groups."""
    return binned(TimeCount, scope, "verdict")


def binned(
    days: type[Spanned], scope: Scope, split: str, columns: Columns | None = None
) -> list[Times]:
    """Bins of counts by group and `split`, which is told as the verdict."""
    columns = columns or COUNTED_COLUMNS[scope.group]
    rows = (
        counted(days, scope, columns)
        .values(columns.key, split, "bin")
        .annotate(count=Sum("n"), total=Sum("seconds"))
        .order_by()
    )
    told = ("array_agg(bin)", "array_agg(count)", "array_agg(total)")
    found = gathered(rows, (columns.key, split), told)
    names = names_of({row[0] for row in found}, days, scope, columns)
    return [Times(names[key], verdict, Bins(*bins)) for key, verdict, *bins in found]


def altogether(times: Sequence[Times]) -> list[Times]:
    """Those of all groups by verdict."""
    verdicts = dict.fromkeys(one.verdict for one in times)
    return [
        Times(None, verdict, added(one.bins for one in times if one.verdict == verdict))
        for verdict in verdicts
    ]


def counted(
    model: type[Spanned],
    scope: Scope,
    columns: Columns | None = None,
    *,
    within: int | None = None,
) -> QuerySet[Any]:
    """Rows in which each day of a scope is counted once; by week for groups.WEEK.

    `within`: they are asked for what happened in so many days; see span_counts.rows.
    """
    by_week = columns is WEEK
    chosen = span_counts.rows(model, scope, by_week=by_week, within=within)
    rows: QuerySet[Any] = model.spans.filter(chosen)
    return rows.annotate(week=MondayOf("day")) if by_week else rows


def by_group(
    rows: QuerySet[Any],
    scope: Scope,
    counts: Mapping[str, Sum],
    *,
    split: str = "",
    columns: Columns | None = None,
) -> list[GroupCounts]:
    """With `split`, a column, `n` is named after its value, and any other `hit` value_hit."""
    columns = columns or COUNTED_COLUMNS[scope.group]
    # Prefixed, because an aggregate may not bear the name of a column that it adds up.
    sums = {f"count_{name}": count for name, count in counts.items()}
    found = rows_by(rows, scope, columns, sums, *([split] if split else []))
    groups: dict[Named, dict[str, int]] = {}
    for group, *values in found:
        own = groups.setdefault(group, {})
        value = values.pop(0) if split else ""
        own.update(
            zip((_name(value, name) if split else name for name in counts), values, strict=True)
        )
    return [GroupCounts(group, own) for group, own in groups.items()]


def _name(value: str, name: str) -> str:
    return value if name == "n" else f"{value}_{name}"
