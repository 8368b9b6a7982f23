"""How long reviews take, and tickets that were passed over, by day and source."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import (
    Case,
    CharField,
    Count,
    F,
    FloatField,
    PositiveSmallIntegerField,
    Q,
    QuerySet,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Cast, Floor, Least, TruncDate

from review.metrics import cohorts
from review.metrics.counts import counted
from review.metrics.groups import COUNTED_COLUMNS, Columns, Named, name_groups
from review.metrics.window import Group, Scope
from review.models import Decision, ReviewCount, Skip

Rows = Iterable[Mapping[str, Any]]
Verdict = Decision.Verdict
# Saying yes, and handing a ticket on: work that there would not be without the service's advice,
# or that leads to no solution.
META = (Verdict.ACCEPTED, Verdict.ESCALATED, Verdict.SENT_BACK)
MOST = ReviewCount.MOST_SECONDS
Grouped = TypeVar("Grouped")


@dataclass(frozen=True)
class Reviews:
    """Reviews of one group that followed another: how many, and their seconds all together.

    `meta_seconds` of them were of META, `squares` are those of the seconds. `skips` are tickets
    that were passed over, whatever went before.
    """

    group: Named
    n: int = 0
    seconds: float = 0.0
    squares: float = 0.0
    meta_seconds: float = 0.0
    meta_squares: float = 0.0
    accepted: int = 0
    fast: int = 0
    skips: int = 0

    @property
    def hours(self) -> float:
        return self.seconds / 3600


def by_source(scope: Scope, fast_seconds: int = 0, columns: Columns | None = None) -> list[Reviews]:
    """One aggregate query; `fast` are accepts below so many seconds, at most MOST_SECONDS."""
    columns = columns or COUNTED_COLUMNS[Group.SOURCE]
    is_review, is_meta = ~Q(verdict=ReviewCount.SKIPPED), Q(verdict__in=META)
    is_accepted = Q(verdict=Verdict.ACCEPTED)

    def total(column: str, which: Q) -> Sum:
        return Sum(column, filter=which, default=0)

    rows: QuerySet[Any] = counted(ReviewCount, scope, columns)
    found = list(
        rows.values(*columns.all)
        .annotate(
            reviews=total("n", is_review),
            all_seconds=total("seconds", is_review),
            all_squares=total("squares", is_review),
            meta_seconds=total("seconds", is_meta),
            meta_squares=total("squares", is_meta),
            accepted=total("n", is_accepted),
            fast=total("n", is_accepted & Q(whole_seconds__lt=fast_seconds)),
            skips=total("n", ~is_review),
        )
        .order_by()
    )
    return [
        Reviews(
            group,
            row["reviews"],
            row["all_seconds"],
            row["all_squares"],
            row["meta_seconds"],
            row["meta_squares"],
            row["accepted"],
            row["fast"],
            row["skips"],
        )
        for group, row in zip(name_groups(found, columns), found, strict=True)
    ]


def altogether(found: Iterable[Reviews], group: Named) -> Reviews:
    found = list(found)

    def total(name: str) -> Any:
        return sum(getattr(one, name) for one in found)

    names = [name for name in Reviews.__dataclass_fields__ if name != "group"]
    return Reviews(group, **{name: total(name) for name in names})


def count_reviews(scope: Scope) -> Rows:
    """What ReviewCount keeps of the days of a scope."""
    took = F("decision__seconds_since_last")
    rows: QuerySet[Any] = cohorts.proposals(scope).filter(
        decision__seconds_since_last__isnull=False
    )
    yield from (
        rows.values(
            day=TruncDate("created_at", tzinfo=scope.now.tzinfo),
            verdict=F("decision__verdict"),
            whole_seconds=Case(
                When(
                    decision__verdict=Verdict.ACCEPTED,
                    then=Cast(Least(Floor(took), Value(float(MOST))), PositiveSmallIntegerField()),
                ),
                default=Value(MOST),
            ),
        )
        .annotate(
            n=Count("pk"), seconds=Sum(took), squares=Sum(took * took, output_field=FloatField())
        )
        .order_by()
    )
    yield from _skips(scope)


def _skips(scope: Scope) -> Rows:
    day = TruncDate("proposal__created_at", tzinfo=scope.now.tzinfo)
    rows: QuerySet[Any] = Skip.objects.filter(cohorts.shown(scope, "proposal__"))
    found: Rows = (
        rows.values(
            day=day,
            verdict=Value(ReviewCount.SKIPPED, output_field=CharField()),
            whole_seconds=Value(MOST),
            seconds=Value(0.0),
            squares=Value(0.0),
        )
        .annotate(n=Count("pk"))
        .order_by()
    )
    return found
