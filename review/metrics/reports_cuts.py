"""How much would be applied alone from each stated probability on, and how wrong that would be."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from review.metrics import charts, cohorts, scored_counts, wording
from review.metrics.definitions_autonomy import RISK_COVERAGE
from review.metrics.estimators import RiskPoint, risk_coverage
from review.metrics.figures import Bucket, Column, Row, count, drawn_rate
from review.metrics.groups import in_group
from review.metrics.meaning import Text
from review.metrics.report import Note, Report
from review.metrics.scored_counts import Newest
from review.metrics.window import Scope
from triage.models import Proposal

# In percent, as the keys of the cells have them; the first is that of all.
CUTS = (0, 50, 60, 70, 80, 85, 90, 95, 98)
ABOVE, WRONG = "from", "wrong-from"


def _cells() -> Mapping[str, Text]:
    said = {
        ABOVE: gettext_lazy("checked, from this probability on"),
        WRONG: gettext_lazy("AI wrong, from this probability on"),
    }
    return {f"{name}-{cut}": words for name, words in said.items() for cut in CUTS}


CELLS = _cells()


def by_cut(scope: Scope) -> Report:
    """Of all groups together, whatever the scope is split by: a curve of each needs many checks."""
    definition = scope.definition(RISK_COVERAGE.key)
    found = scope.once(scored_counts.newest)
    scored = found.checks
    points = risk_coverage(
        scored.probability, ~scored.is_right, [cut / 100 for cut in CUTS], scored.weight
    )

    def row(cut: int, point: RiskPoint) -> Row:
        above = scored.of(scored.probability >= cut / 100)
        wrong = above.n - int(above.is_right.sum())

        def bucket(name: str) -> Bucket | None:
            return Bucket(definition.key, cell=f"{name}-{cut}") if found.is_all else None

        figures = {
            "n": count(above.n, bucket(ABOVE)),
            "coverage": drawn_rate(above.n, point.coverage, scored.n, definition, bucket(ABOVE)),
            "error": drawn_rate(wrong, point.error, above.n, definition, bucket(WRONG)),
        }
        return Row((_label(cut),), figures, str(cut))

    rows = [row(cut, point) for cut, point in zip(CUTS, points, strict=False)]
    return Report(
        definition,
        scope,
        labels=(_("Stated probability"),),
        columns=(
            Column("n", _("checked")),
            Column("coverage", _("share of all")),
            Column("error", _("AI wrong")),
        ),
        rows=tuple(one for one in rows[1:] if one.figures["n"].n),
        totals=tuple(rows[:1]),
        size=scored.n,
        notes=_left_out(found),
    )


def chart(report: Report) -> charts.Chart | None:
    """Error over coverage, from the few surest to all; None below two points."""
    rows = [*report.totals, *report.rows]
    # The surest that cover the same share stand for all that do.
    told = {
        coverage.value: charts.OnLine(100 * coverage.value, coverage.text, row.labels[0], error)
        for row in rows
        if (coverage := row.figures["coverage"]).value is not None
        and (error := row.figures["error"]).value is not None
    }
    if len(told) < 2:
        return None
    return charts.curve(list(told.values()), _("AI wrong"), "bad", _("share of all"))


def listed(scope: Scope, bucket: Bucket) -> QuerySet[Proposal]:
    """The checked proposals that a figure counts."""
    name, _dash, cut = (bucket.cell or f"{ABOVE}-0").rpartition("-")
    rows: QuerySet[Any] = cohorts.checked(scope).filter(Q(main__probability__gte=int(cut) / 100))
    if name == WRONG:
        rows = rows.filter(is_right=False)
    return rows.filter(in_group(scope.group, bucket.of)) if bucket.of else rows


def _label(cut: int) -> str:
    return _("all") if cut == 0 else _("from %(percent)s") % {"percent": wording.percent(cut / 100)}


def _left_out(found: Newest) -> tuple[Note, ...]:
    if found.is_all:
        return ()
    said = _("Of the newest %(number)s checks.") % {"number": wording.whole(found.checks.n)}
    return (Note(said),)
