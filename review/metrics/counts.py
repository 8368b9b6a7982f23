"""Counts of what became of proposals. Each is one aggregate query; no row is ever loaded."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Min, Q, QuerySet, Window
from django.utils.translation import gettext_lazy as _

from review.metrics import cohorts
from review.metrics.aggregates import PercentileGrid, SecondsBetween, SumOver
from review.metrics.groups import COLUMNS, Columns, Named, name_groups
from review.metrics.window import Scope
from triage.models import Proposal

TOP_STEP_INS = 20
VERDICT = "decision__verdict"


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
    """Quantiles of seconds at estimators.GRID, for `count` decisions of one verdict."""

    group: Named | None
    verdict: str
    count: int
    grid: list[float]


def outcomes(scope: Scope) -> list[GroupCounts]:
    """By group the number of proposals with each Outcome, superseded ones beside the rest."""
    return _by_group(cohorts.proposals(scope), scope, {"n": Count("pk")}, split="outcome")


def answers(scope: Scope) -> list[GroupCounts]:
    """By group, of those that had something to accept: how many were accepted, how many not."""
    return _by_group(cohorts.answered(scope), scope, {"n": Count("pk")}, split="outcome")


def escalations(scope: Scope) -> list[GroupCounts]:
    """By group: `n` proposals by a model, `hit` of them escalated later."""
    return _by_group(cohorts.by_model(scope), scope, _hits())


def reopenings(scope: Scope) -> list[GroupCounts]:
    """By group, for auto, accepted and overridden: `auto` matured, `auto_hit` of them reopened."""
    return _by_group(cohorts.matured(scope), scope, _hits(), split="outcome")


def override_reasons(scope: Scope) -> list[ReasonCount]:
    """Fields of the same key count as one, whatever the source."""
    rows = (
        cohorts.overridden_values(scope)
        .values("field__key", "reason_id", "reason__label")
        .annotate(count=Count("pk"), name=Min("field__name"))
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
        cohorts.decided_values(scope)
        .values(*{*STEP_IN_FIELD.all, *STEP_IN_FROM.all, *STEP_IN_TO.all})
        .annotate(count=Count("pk"), changed=Count("pk", filter=~is_kept))
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
    """By group and verdict. Of every group together: decision_times_overall."""
    columns = COLUMNS[scope.group]
    rows = list(cohorts.decided(scope).values(VERDICT, *columns.all).annotate(**_grid()).order_by())
    return [
        Times(group, row[VERDICT], row["count"], row["grid"])
        for group, row in zip(name_groups(rows, columns), rows, strict=True)
    ]


def decision_times_overall(scope: Scope) -> list[Times]:
    """By verdict. A query of its own: the quantiles of groups don't add up to these."""
    rows = cohorts.decided(scope).values(VERDICT).annotate(**_grid()).order_by()
    return [Times(None, row[VERDICT], row["count"], row["grid"]) for row in rows]


def _grid() -> dict[str, Any]:
    seconds = SecondsBetween(F("created_at"), F("decision__decided_at"))
    return {"count": Count("pk"), "grid": PercentileGrid(seconds)}


def _hits() -> dict[str, Count]:
    return {"n": Count("pk"), "hit": Count("pk", filter=Q(hit=True))}


def _by_group(
    rows: QuerySet[Proposal], scope: Scope, counts: Mapping[str, Count], *, split: str = ""
) -> list[GroupCounts]:
    """With `split`, a column, `n` is named after its value, and any other `hit` value_hit."""
    columns = COLUMNS[scope.group]
    # Prefixed, because an aggregate may not bear the name of an alias that it counts, as `hit`.
    found = list(
        rows.values(*columns.all, *([split] if split else []))
        .annotate(**{f"count_{name}": count for name, count in counts.items()})
        .order_by()
    )
    groups: dict[Named, dict[str, int]] = {}
    for group, row in zip(name_groups(found, columns), found, strict=True):
        counted = groups.setdefault(group, {})
        for name in counts:
            counted[_name(row[split], name) if split else name] = row[f"count_{name}"]
    return [GroupCounts(group, counted) for group, counted in groups.items()]


def _name(value: str, name: str) -> str:
    return value if name == "n" else f"{value}_{name}"
