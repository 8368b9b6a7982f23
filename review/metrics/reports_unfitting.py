"""What the service did with tickets for which people found no choice."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from review.metrics import cohorts
from review.metrics.cohorts import Outcome
from review.metrics.definitions_autonomy import UNFITTING
from review.metrics.estimators import WeightedSums
from review.metrics.figures import Bucket, Column, Row, count, weighted
from review.metrics.groups import COLUMNS, Named, in_group, name_groups
from review.metrics.meaning import Text
from review.metrics.report import ALL, GROUP_NAMES, Report, by_size
from review.metrics.window import Scope
from review.models import BlindValue
from triage.models import Proposal

CELLS: Mapping[str, Text] = {
    "unfitting": _("two people found no choice"),
    "acted-on": _("two people found no choice, and it was applied without a person"),
}
ENOUGH_PEOPLE = 2


@dataclass(frozen=True)
class _Some:
    """`n` proposals that were checked and answered a second time with the same chance."""

    n: int
    weight: float
    is_auto: bool


def acted_on(scope: Scope) -> Report:
    definition = scope.definition(UNFITTING.key)

    def row(group: Named, some: Iterable[_Some]) -> Row:
        some = list(some)
        k = sum(one.n for one in some if one.is_auto)
        acted = Bucket(definition.key, group.key, cell="acted-on")
        figures = {
            "n": count(
                sum(one.n for one in some), Bucket(definition.key, group.key, cell="unfitting")
            ),
            "acted": count(k, acted),
            "rate": weighted(k, _sums(some), definition, acted),
        }
        return Row((group.name,), figures, group.key)

    groups = _found(scope)
    everything = [one for some in groups.values() for one in some]
    return Report(
        definition,
        scope,
        labels=(GROUP_NAMES[scope.group],),
        columns=(
            Column("n", _("no choice fits")),
            Column("acted", _("applied without a person")),
            Column("rate", _("share")),
        ),
        rows=by_size(row(group, some) for group, some in groups.items()),
        totals=(row(Named("", str(ALL)), everything),),
        size=sum(one.n for one in everything),
        is_by_group=True,
    )


def listed(scope: Scope, bucket: Bucket) -> QuerySet[Proposal]:
    rows = _unfitting(scope)
    if bucket.cell == "acted-on":
        rows = rows.filter(Q(outcome=Outcome.AUTO))
    return rows.filter(in_group(scope.group, bucket.of)) if bucket.of else rows


def _unfitting(scope: Scope) -> QuerySet[Proposal]:
    """Of whose main field two people, blind, could tell no choice: few, and found by an index."""
    said = (
        BlindValue.objects.filter(choice__isnull=True, field__in=scope.main_fields or (0,))
        .values("answer__check_of__proposal")
        .annotate(people=Count("pk"))
        .filter(people__gte=ENOUGH_PEOPLE)
        .values("answer__check_of__proposal")
    )
    return cohorts.proposals(scope).filter(pk__in=said)


def _found(scope: Scope) -> dict[Named, list[_Some]]:
    columns = COLUMNS[scope.group]
    counted: QuerySet[Any] = _unfitting(scope)
    rows = list(
        counted.values(
            *columns.all,
            "outcome",
            drawn=F("spot_check__propensity"),
            second=F("spot_check__second_at"),
        )
        .annotate(count=Count("pk"))
        .order_by()
    )
    found: dict[Named, list[_Some]] = defaultdict(list)
    for group, row in zip(name_groups(rows, columns), rows, strict=True):
        # Only what was answered twice is counted, and that was drawn, too.
        weight = 1 / (row["drawn"] * (row["second"] or 1))
        found[group].append(_Some(row["count"], weight, row["outcome"] == Outcome.AUTO))
    return found


def _sums(some: list[_Some]) -> WeightedSums:
    def total(power: int, *, hits: bool = False) -> float:
        return float(sum(one.n * one.weight**power for one in some if one.is_auto or not hits))

    return WeightedSums(
        sum(one.n for one in some), total(1), total(2), total(1, hits=True), total(2, hits=True)
    )
