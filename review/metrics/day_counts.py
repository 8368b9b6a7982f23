"""The counts of a run of days, one aggregate query a kind of count; see review/models/counts.py."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from django.db import models
from django.db.models import (
    BooleanField,
    Count,
    DateTimeField,
    ExpressionWrapper,
    F,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
)
from django.db.models.functions import TruncDate

from review.metrics import cohorts, opening_counts, review_counts, span_counts, truth_counts
from review.metrics.aggregates import BegunDays, BinOf, DaysBetween, PercentOf, SecondsBetween
from review.metrics.kpis.day_counts import kpis
from review.metrics.window import Scope
from review.models import (
    AgreementCount,
    ChangeCount,
    CheckCount,
    DrawnCount,
    KpiCount,
    NoveltyCount,
    OutcomeCount,
    PersonDay,
    ProposalCount,
    ReviewCount,
    ScoredCount,
    Spanned,
    TicketStory,
    TimeCount,
)
from triage.models import Proposal, TicketEvent

Rows = Iterable[Mapping[str, Any]]
BATCH = 2000


def replace(scopes: Sequence[Scope]) -> None:
    """Count the days of scopes of one source anew. Inside a transaction."""
    _replace(scopes, KINDS)


def replace_openings(scopes: Sequence[Scope]) -> None:
    """The same, of what is counted by the day on which tickets were opened."""
    _replace(scopes, opening_counts.KINDS)


def _replace(
    scopes: Sequence[Scope], kinds: Mapping[type[Spanned], Callable[[Scope], Rows]]
) -> None:
    for model, count in kinds.items():
        changed = set[date]()
        for scope in scopes:
            former = model.objects.filter(
                source=scope.source, day__gte=scope.first, day__lte=scope.last
            )
            changed |= set(former.values_list("day", flat=True).distinct())
            former.delete()
            rows = [model(source=scope.source, **row) for row in count(scope)]
            changed |= {row.day for row in rows}
            model.objects.bulk_create(rows, batch_size=BATCH)
        if changed:
            last = scopes[-1]
            assert last.source is not None
            span_counts.replace(model, last.source.pk, changed, last.now.date())


def forget() -> None:
    """Remove all counts."""
    for model in TABLES:
        model._base_manager.all().delete()


def proposals(scope: Scope) -> Rows:
    is_offered = Q(main__choice__isnull=False) | Q(main__isnull=True)
    rows: QuerySet[Any] = cohorts.with_escalations(cohorts.proposals(scope))
    found: Rows = (
        rows.values(
            "route",
            "outcome",
            **_of_proposal(scope),
            is_offered=_is(is_offered),
            is_by_model=_is(cohorts.IS_BY_MODEL),
        )
        .annotate(n=Count("pk"), escalated=Count("pk", filter=Q(hit=True)))
        .order_by()
    )
    return found


def changes(scope: Scope) -> Rows:
    day = TruncDate("decision__stands_for__created_at", tzinfo=scope.now.tzinfo)
    return (
        cohorts.decided_values(scope)
        .values("field_id", "proposed_id", "final_id", "reason_id", day=day)
        .annotate(n=Count("pk"))
        .order_by()
    )


def times(scope: Scope) -> Rows:
    took = SecondsBetween(F("created_at"), F("decision__decided_at"))
    return (
        cohorts.decided(scope)
        .values(**_of_proposal(scope), verdict=F("decision__verdict"), bin=BinOf(took))
        .annotate(n=Count("pk"), seconds=Sum(took))
        .order_by()
    )


def settlements(scope: Scope) -> Rows:
    reopened = (
        TicketEvent.objects.filter(
            ticket=OuterRef("ticket"),
            kind=TicketEvent.Kind.REOPENED,
            happened_at__gt=OuterRef("settled_at"),
        )
        .order_by()
        .values("ticket")
        .annotate(first=Min("happened_at"))
        .values("first")
    )
    zone = scope.now.tzinfo
    day = TruncDate("created_at", tzinfo=zone)
    settled_after = DaysBetween(day, TruncDate("settled_at", tzinfo=zone))
    first = Subquery(reopened, output_field=DateTimeField())
    rows: QuerySet[Any] = cohorts.settled(scope)
    found: Rows = (
        rows.values(
            "outcome",
            **_of_proposal(scope),
            settled_after=settled_after,
            reopened_after=BegunDays(SecondsBetween(F("settled_at"), first)),
        )
        .annotate(n=Count("pk"))
        .order_by()
    )
    return found


def checks(scope: Scope) -> Rows:
    rows: QuerySet[Any] = cohorts.checked(scope)
    names = ("is_twice", "is_right", "kept", "final_right", "first_right", "first_agreed")
    found: Rows = (
        rows.values(
            *names,
            **_of_proposal(scope),
            is_auto=_is(Q(route=Proposal.Route.AUTO)),
            propensity=F("spot_check__propensity"),
            reason_id=F("decided__reason_id"),
        )
        .annotate(n=Count("pk"))
        .order_by()
    )
    return found


def scored(scope: Scope) -> Rows:
    rows: QuerySet[Any] = cohorts.checked(scope).filter(Q(main__probability__isnull=False))
    found: Rows = (
        rows.values(
            "is_right",
            **_of_proposal(scope),
            propensity=F("spot_check__propensity"),
            probability=F("main__probability"),
        )
        .annotate(n=Count("pk"))
        .order_by()
    )
    return found


def people(scope: Scope) -> Rows:
    rows: QuerySet[Any] = cohorts.proposals(scope).filter(decision__isnull=False)
    who = F("decision__reviewer_id")
    found: Rows = rows.values(**_of_proposal(scope), person_id=who).distinct().order_by()
    return found


def novelty(scope: Scope) -> Rows:
    return (
        cohorts.predicted(scope)
        .values(**_of_proposal(scope), scope_percent=PercentOf(F("main__prediction__in_scope")))
        .annotate(n=Count("pk"))
        .order_by()
    )


def _of_proposal(scope: Scope) -> dict[str, Any]:
    return {
        "day": TruncDate("created_at", tzinfo=scope.now.tzinfo),
        "choice_id": F("main__choice_id"),
        "version_id": F("main__prediction__model_version_id"),
    }


def _is(condition: Q) -> Any:
    return ExpressionWrapper(condition, output_field=BooleanField())


KINDS: dict[type[Spanned], Callable[[Scope], Rows]] = {
    ProposalCount: proposals,
    ChangeCount: changes,
    TimeCount: times,
    OutcomeCount: settlements,
    CheckCount: checks,
    ScoredCount: scored,
    PersonDay: people,
    NoveltyCount: novelty,
    **opening_counts.KINDS,
    DrawnCount: truth_counts.count_checks,
    AgreementCount: truth_counts.count_agreements,
    KpiCount: kpis,
    ReviewCount: review_counts.count_reviews,
}
# All that is kept: counts of days, those of weeks that are added up from them, and stories.
TABLES: tuple[type[models.Model], ...] = (
    *KINDS,
    TicketStory,
)
