"""Counts of what became of proposals. Each is one aggregate query; no row is ever loaded.

Left out everywhere: shadow proposals, which nobody could see. Left out unless asked for:
superseded proposals, where a newer version of the ticket came before a decision.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import (
    BooleanField,
    Case,
    CharField,
    Count,
    Exists,
    ExpressionWrapper,
    F,
    FilteredRelation,
    Min,
    OuterRef,
    Q,
    QuerySet,
    TextChoices,
    Value,
    When,
    Window,
)
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from review.metrics.aggregates import PercentileGrid, SecondsBetween, SumOver
from review.metrics.groups import COLUMNS, Columns, Named, name_groups
from review.metrics.window import Scope
from review.models import DecidedValue
from triage.models import Proposal, ProposedValue, TicketEvent

TOP_STEP_INS = 20


class Outcome(TextChoices):
    """What became of a proposal; each has exactly one."""

    AUTO = "auto", _("applied without a person")
    ACCEPTED = "accepted", _("accepted")
    OVERRIDDEN = "overridden", _("overridden")
    ESCALATED = "escalated", _("escalated")
    SENT_BACK = "sent_back", _("sent back")
    UNTOUCHED = "untouched", _("untouched")
    SUPERSEDED = "superseded", _("superseded")


COUNTED = tuple(outcome for outcome in Outcome if outcome != Outcome.SUPERSEDED)
# Whose value stood in the end: the service's, or a person's.
SETTLED_BY = {
    "ai": (Outcome.AUTO, Outcome.ACCEPTED),
    "human": (Outcome.OVERRIDDEN,),
}
SETTLED = tuple(outcome for outcomes in SETTLED_BY.values() for outcome in outcomes)


def shown(scope: Scope, prefix: str = "") -> Q:
    """Proposals of the window that somebody could see; `prefix` leads from the row to them."""
    condition = Q(
        (f"{prefix}created_at__gte", scope.start), (f"{prefix}created_at__lt", scope.end)
    ) & ~Q((f"{prefix}route", Proposal.Route.SHADOW))
    if scope.source:
        condition &= Q((f"{prefix}ticket__source", scope.source))
    return condition


def proposals(scope: Scope) -> QuerySet[Proposal]:
    """Proposals shown in the window, with aliases `main` (main value) and `outcome`.

    A person's decision goes before everything else; an auto-applied proposal stays so when a
    newer version of the ticket arrives.
    """
    # An empty list would empty the whole query, not only the join.
    main_fields = scope.main_fields or (0,)
    return Proposal.objects.filter(shown(scope)).alias(
        main=FilteredRelation("values", condition=Q(values__field__in=main_fields)),
        outcome=Case(
            When(decision__isnull=False, then=F("decision__verdict")),
            When(route=Proposal.Route.AUTO, then=Value(Outcome.AUTO)),
            When(
                ticket_version__version__lt=F("ticket__version"), then=Value(Outcome.SUPERSEDED)
            ),
            default=Value(Outcome.UNTOUCHED),
            output_field=CharField(),
        ),
    )


def standing(scope: Scope) -> QuerySet[Proposal]:
    return proposals(scope).filter(~Q(outcome=Outcome.SUPERSEDED))


def by_model(scope: Scope) -> QuerySet[Proposal]:
    """Standing proposals whose main value came from a model, with the alias `hit`: escalated."""
    later = TicketEvent.objects.filter(
        ticket=OuterRef("ticket"),
        kind=TicketEvent.Kind.ESCALATED,
        happened_at__gt=OuterRef("created_at"),
    )
    escalated = Q(outcome=Outcome.ESCALATED) | Q(Exists(later))
    return (
        standing(scope)
        .filter(Q(main__basis=ProposedValue.Basis.MODEL))
        .alias(hit=ExpressionWrapper(escalated, output_field=BooleanField()))
    )


def matured(scope: Scope) -> QuerySet[Proposal]:
    """Settled proposals whose outcome window has passed, with the alias `hit`: reopened in it."""
    window = timedelta(days=scope.outcome_days)
    reopened = TicketEvent.objects.filter(
        ticket=OuterRef("ticket"),
        kind=TicketEvent.Kind.REOPENED,
        happened_at__gt=OuterRef("settled_at"),
        happened_at__lte=OuterRef("settled_at") + window,
    )
    return (
        proposals(scope)
        .alias(settled_at=Coalesce("decision__decided_at", "created_at"))
        .filter(Q(outcome__in=SETTLED, settled_at__lte=scope.now - window))
        .alias(hit=Exists(reopened))
    )


def decided(scope: Scope) -> QuerySet[Proposal]:
    return proposals(scope).filter(decision__isnull=False)


def decided_values(scope: Scope) -> QuerySet[DecidedValue]:
    return DecidedValue.objects.filter(shown(scope, "decision__proposal__")).order_by()


def overridden_values(scope: Scope) -> QuerySet[DecidedValue]:
    """Proposed values that a person replaced or took away, each with its reason."""
    return (
        decided_values(scope)
        .filter(proposed__isnull=False, reason__isnull=False)
        .exclude(proposed=F("final"))
    )


@dataclass(frozen=True)
class GroupCounts:
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
    counts = {str(o): Count("pk", filter=Q(outcome=o)) for o in Outcome}
    return list(_by_group(proposals(scope), scope, counts))


def escalations(scope: Scope) -> list[GroupCounts]:
    """By group: `n` proposals by a model, `hit` of them escalated later."""
    return list(
        _by_group(by_model(scope), scope, {"n": Count("pk"), "hit": Count("pk", filter=Q(hit=True))})
    )


def reopenings(scope: Scope) -> list[GroupCounts]:
    """By group, for auto, accepted and overridden: `auto` matured, `auto_hit` of them reopened."""
    counts = {str(o): Count("pk", filter=Q(outcome=o)) for o in SETTLED}
    counts |= {f"{o}_hit": Count("pk", filter=Q(outcome=o, hit=True)) for o in SETTLED}
    return list(_by_group(matured(scope), scope, counts))


def override_reasons(scope: Scope) -> list[ReasonCount]:
    """Fields of the same key count as one, whatever the source."""
    rows = (
        overridden_values(scope)
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
    Columns(
        f"{side}_id",
        (f"{side}__parent__name", f"{side}__name"),
        "field__source__name",
        nameless=nameless,
    )
    for side, nameless in (("proposed", _("left open")), ("final", _("taken away")))
)


def step_ins(scope: Scope) -> list[StepIn]:
    """The most frequent changes of a value, left-open ones that a person filled included."""
    is_kept = Q(proposed=F("final")) | Q(proposed__isnull=True, final__isnull=True)
    rows = (
        decided_values(scope)
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
    rows = list(_timed(scope).values("outcome", *columns.all).annotate(**_grid()).order_by())
    return [
        Times(group, row["outcome"], row["count"], row["grid"])
        for group, row in zip(name_groups(rows, columns), rows, strict=True)
    ]


def decision_times_overall(scope: Scope) -> list[Times]:
    """By verdict. A query of its own: the quantiles of groups don't add up to these."""
    rows = _timed(scope).values("outcome").annotate(**_grid()).order_by()
    return [Times(None, row["outcome"], row["count"], row["grid"]) for row in rows]


def _timed(scope: Scope) -> QuerySet[Proposal]:
    return decided(scope).annotate(outcome=F("decision__verdict"))


def _grid() -> dict[str, Any]:
    seconds = SecondsBetween(F("created_at"), F("decision__decided_at"))
    return {"count": Count("pk"), "grid": PercentileGrid(seconds)}


def _by_group(
    rows: QuerySet[Proposal], scope: Scope, counts: Mapping[str, Count]
) -> Iterator[GroupCounts]:
    columns = COLUMNS[scope.group]
    # Prefixed, because an aggregate may not bear the name of an alias it counts, as `hit`.
    found = list(
        rows.values(*columns.all)
        .annotate(**{f"count_{name}": count for name, count in counts.items()})
        .order_by()
    )
    for group, row in zip(name_groups(found, columns), found, strict=True):
        yield GroupCounts(group, {name: row[f"count_{name}"] for name in counts})
