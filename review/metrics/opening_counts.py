"""The counts of tickets by the day on which they were opened; see review/models/stories.py."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.db import models
from django.db.models import Case, CharField, Count, ExpressionWrapper, F, Q, QuerySet, Sum, When
from django.db.models.fields import FloatField
from django.db.models.functions import TruncDate

from review.metrics.aggregates import BinOf, DaysBetween
from review.metrics.stories import BAD_RATING
from review.metrics.window import Scope
from review.models import ResolveCount, ReturnCount, Spanned, StoryCount, TicketStory

Rows = Iterable[Mapping[str, Any]]
SPLIT = ("day", "choice_id", "version_id", "path")
RESOLVED = Q(resolved_at__isnull=False)
# Those whose work was told, and who are through with it.
WATCHED = RESOLVED & Q(has_states=True)
HANDLED = F("worked") + F("paused") + F("queued")
WHOLE = HANDLED + F("awaiting")
Rated = ReturnCount.Rated
RATED = Case(
    When(rating__isnull=True, then=models.Value(Rated.NEVER)),
    When(rating__lte=BAD_RATING, then=models.Value(Rated.BAD)),
    default=models.Value(Rated.WELL),
    output_field=CharField(),
)


def opened(scope: Scope) -> QuerySet[TicketStory]:
    """Stories of tickets that were opened in the window."""
    rows = TicketStory.objects.filter(day__gte=scope.first, day__lte=scope.last)
    return rows.filter(source=scope.source) if scope.source else rows


def stories(scope: Scope) -> Rows:
    # Prefixed, because a sum may not bear the name of a column that it adds up.
    sums = {
        **_sums("rework", F("rework"), "whole", WHOLE, RESOLVED),
        **_sums("worked", F("worked"), "handled", HANDLED, WATCHED),
    }
    found = (
        opened(scope)
        .values(*SPLIT)
        .annotate(
            sum_n=Count("pk"),
            sum_reassigned=Count("pk", filter=Q(reassigned__gt=0)),
            sum_recategorised=Count("pk", filter=Q(recategorised__gt=0)),
            sum_returned=Count("pk", filter=Q(returned=True)),
            sum_resolved=Count("pk", filter=RESOLVED),
            sum_watched=Count("pk", filter=WATCHED),
            **{f"sum_{name}": each for name, each in sums.items()},
        )
        .order_by()
    )
    return ({name.removeprefix("sum_"): value for name, value in row.items()} for row in found)


def returns(scope: Scope) -> Rows:
    resolved_on = TruncDate("resolved_at", tzinfo=scope.now.tzinfo)
    rows: QuerySet[Any] = opened(scope).filter(RESOLVED)
    found: Rows = (
        rows.values(
            *SPLIT,
            "is_self_closed",
            "reopened_after",
            "contacted_after",
            resolved_after=DaysBetween(F("day"), resolved_on),
            rated=RATED,
        )
        .annotate(n=Count("pk"))
        .order_by()
    )
    return found


def resolve_times(scope: Scope) -> Rows:
    rows: QuerySet[Any] = opened(scope).filter(RESOLVED)
    found: Rows = (
        rows.values(*SPLIT, bin=BinOf(F("to_resolve")))
        .annotate(n=Count("pk"), seconds=Sum("to_resolve"))
        .order_by()
    )
    return found


def _sums(part: str, x: Any, whole: str, y: Any, of: Q) -> dict[str, Sum]:
    """Sums, sums of squares and of products of a part and its whole, over some of the tickets."""

    def total(expression: Any) -> Sum:
        return Sum(ExpressionWrapper(expression, FloatField()), filter=of, default=0.0)

    return {
        part: total(x),
        whole: total(y),
        f"{part}_squares": total(x * x),
        f"{whole}_squares": total(y * y),
        f"{part}_products": total(x * y),
    }


KINDS: dict[type[Spanned], Callable[[Scope], Rows]] = {
    StoryCount: stories,
    ReturnCount: returns,
    ResolveCount: resolve_times,
}
