"""Reports of acting alone."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from review.metrics import checks, cohorts, counts, definitions_autonomy, scored_counts
from review.metrics.estimators import Estimate, brier, calibration_error, weighted_rate_from_sums
from review.metrics.figures import Bucket, Column, Figure, Kind, Row, count, estimated, rate
from review.metrics.groups import Named, in_group
from review.metrics.meaning import Definition, Text
from review.metrics.report import ALL, GROUP_NAMES, Report, by_size, grouped
from review.metrics.scored_counts import Scored
from review.metrics.window import Group, Scope
from triage.models import Certificate, ModelVersion, Proposal

SHORT = timedelta(days=7)
WORDS: Mapping[str, Text] = {
    "eligible": _("proposed by a model"),
    "auto": _("applied without a person"),
    "checked": _("checked"),
    "wrong": _("AI wrong"),
    "scored": _("checked, with a stated probability"),
}


def auto_share(scope: Scope) -> Report:
    definition = scope.definition(definitions_autonomy.AUTO_SHARE.key)

    def row(label: str, key: str, number: Mapping[str, int]) -> Row:
        n, k = number.get("n", 0), number.get("hit", 0)
        hit = Bucket(definition.key, key, cell="auto")
        figures = {
            "n": count(n, Bucket(definition.key, key, cell="eligible")),
            "rate": rate(k, n, definition, hit),
        }
        return Row((label,), figures, key)

    columns = [Column("n", WORDS["eligible"]), Column("rate", WORDS["auto"])]
    return grouped(definition, scope, columns, counts.automatic(scope), row)


def budget_burn(scope: Scope) -> Report:
    """A row for each choice with a live certificate, whatever the scope is split by."""
    definition = scope.definition(definitions_autonomy.BUDGET_BURN.key)
    by_choice = replace(scope, group=Group.CATEGORY)
    short = replace(by_choice, first=max(scope.first, scope.last - SHORT + timedelta(days=1)))
    long_cells, short_cells = _by_key(by_choice), _by_key(short)
    rows = []
    for held in _certificates(scope):
        key = str(held.choice_id)
        some = long_cells.get(key, [])
        n = checks.count(some)
        figures = {
            "n": count(n, Bucket(definition.key, key, cell="checked")),
            "wrong": count(
                checks.count([cell for cell in some if not cell.is_right]),
                Bucket(definition.key, key, cell="wrong"),
            ),
            "burn": _burn(some, held.alpha, definition),
            "lately": _burn(short_cells.get(key, []), held.alpha, definition),
        }
        rows.append(Row((str(held.choice),), figures, key))
    return Report(
        definition,
        scope,
        labels=(_("Choice with a certificate"),),
        columns=(
            Column("n", WORDS["checked"]),
            Column("wrong", WORDS["wrong"]),
            Column("burn", _("burn over the window")),
            Column("lately", _("over its last 7 days")),
        ),
        rows=by_size(rows),
        totals=(),
        size=len(rows),
    )


def calibration(scope: Scope) -> Report:
    definition = scope.definition(definitions_autonomy.CALIBRATION.key)
    found = scope.once(scored_counts.newest)

    def row(group: Named, some: Scored) -> Row:
        enough = some.n >= definition.min_n
        bucket = Bucket(definition.key, group.key, cell="scored") if found.is_all else None
        figures = {"n": Figure(Kind.COUNT, some.n, some.n, some.n, bucket=bucket)}
        figures |= {
            name: estimated(
                Kind.NUMBER,
                estimate(some.probability, some.is_right, None, some.weight) if enough else None,
                some.n,
                definition,
                bucket,
            )
            for name, estimate in (("brier", brier), ("error", calibration_error))
        }
        return Row((group.name,), figures, group.key)

    return Report(
        definition,
        scope,
        labels=(GROUP_NAMES[scope.group],),
        columns=(
            Column("n", WORDS["scored"]),
            Column("brier", _("Brier score")),
            Column("error", _("calibration error")),
        ),
        rows=by_size(row(group, some) for group, some in found.groups.items()),
        totals=(row(Named("", str(ALL)), found.checks),),
        size=found.checks.n,
        is_by_group=True,
    )


def listed(scope: Scope, bucket: Bucket) -> QuerySet[Proposal]:
    """The proposals that a figure of this module counts."""
    if bucket.metric == definitions_autonomy.AUTO_SHARE.key:
        rows = cohorts.standing(scope).filter(cohorts.IS_BY_MODEL)
        if bucket.cell == "auto":
            rows = rows.filter(Q(outcome=cohorts.Outcome.AUTO))
        return rows.filter(in_group(scope.group, bucket.of)) if bucket.of else rows
    if bucket.metric == definitions_autonomy.BUDGET_BURN.key:
        rows = cohorts.checked(scope).filter(checks.CONDITIONS[bucket.cell or "checked"])
        return rows.filter(in_group(Group.CATEGORY, bucket.of)) if bucket.of else rows
    rows = cohorts.checked(scope).filter(Q(main__probability__isnull=False))
    return rows.filter(in_group(scope.group, bucket.of)) if bucket.of else rows


def _by_key(scope: Scope) -> dict[str, list[checks.Cell]]:
    found: dict[str, list[checks.Cell]] = defaultdict(list)
    for cell in scope.once(checks.cells):
        found[cell.group.key].append(cell)
    return found


def _burn(some: Sequence[checks.Cell], alpha: float, definition: Definition) -> Figure:
    n = checks.count(some)
    found = weighted_rate_from_sums(checks.sums(some, lambda cell: not cell.is_right))
    burn = None
    if found is not None:
        low, high = (side / alpha for side in found.interval)
        burn = Estimate(found.value / alpha, type(found.interval)(low, high), n)
    return estimated(Kind.NUMBER, burn, n, definition)


def _certificates(scope: Scope) -> Iterable[Certificate]:
    rows = Certificate.objects.filter(
        expires_at__gt=timezone.now(),
        model_version__state=ModelVersion.State.CHAMPION,
        field__is_main=True,
    )
    if scope.source:
        rows = rows.filter(field__source=scope.source)
    newest = rows.order_by("choice_id", "-issued_at").distinct("choice_id")
    return newest.select_related("choice")
