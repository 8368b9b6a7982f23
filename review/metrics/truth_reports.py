"""Can the checks be trusted? How far two people agree, and what became of the checks drawn."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from review.looks.verdicts import Verdict
from review.metrics import charts, cohorts, truth_cohorts, truth_counts
from review.metrics.definitions_truth import CHECKS_ANSWERED, TRUTH_RELIABILITY
from review.metrics.figures import Bucket, Column, Row, count, kappa, rate
from review.metrics.groups import in_group
from review.metrics.meaning import Text
from review.metrics.report import ALL, GROUP_NAMES, Report, by_size, grouped
from review.metrics.truth_cohorts import State
from review.metrics.truth_counts import Agreement
from review.metrics.window import Scope
from triage.models import Proposal

ANSWERED = "answered"
VERDICTS: Mapping[str, Text] = {
    Verdict.AGREED: _("both said the same"),
    Verdict.DISPUTED: _("waits for a third person"),
    Verdict.ADJUDICATED: _("a third said what one of two had said"),
    Verdict.UNCLEAR: _("unclear"),
}
STATES: Mapping[str, Text] = {
    **{state.value: state.label for state in State},
    ANSWERED: _("answered"),
}
TONES = {
    State.NOBODY: "idle",
    State.ALONE: "accent",
    State.SECOND: "warn",
    State.TWICE: "good",
    State.THIRD: "bad",
    State.THRICE: "auto",
}


def reliability(scope: Scope) -> Report:
    """Each field by itself: choices of different fields, or helpdesks, cannot agree."""
    definition = scope.definition(TRUTH_RELIABILITY.key)
    whole, parts = truth_counts.agreements(scope)

    def row(found: Agreement) -> Row:
        group, name = found.group or ("", str(ALL))
        n, unclear = found.verdicts.total(), found.verdicts[Verdict.UNCLEAR]
        waits = found.verdicts[Verdict.DISPUTED]

        def bucket(cell: str = "") -> Bucket:
            return Bucket(definition.key, group, field=found.field.key, cell=cell)

        figures = {
            "n": count(n, bucket()),
            "agreed": count(found.verdicts[Verdict.AGREED], bucket(Verdict.AGREED)),
            "kappa": kappa(found.pairs, definition, bucket()),
            "waits": count(waits, bucket(Verdict.DISPUTED)),
            "unclear": rate(unclear, n - waits, definition, bucket(Verdict.UNCLEAR)),
        }
        return Row((found.field.name, name), figures, group)

    totals = by_size(map(row, whole))
    return Report(
        definition,
        scope,
        labels=(_("Field"), GROUP_NAMES[scope.group]),
        columns=(
            Column("n", _("double checks")),
            Column("agreed", _("agreed")),
            Column("kappa", _("Cohen’s kappa")),
            Column("waits", _("wait for a third")),
            Column("unclear", _("unclear")),
        ),
        rows=by_size(map(row, parts)),
        totals=totals,
        size=sum(total.figures["n"].n for total in totals),
    )


def checks(scope: Scope) -> Report:
    definition = scope.definition(CHECKS_ANSWERED.key)

    def row(label: str, key: str, number: Mapping[str, int]) -> Row:
        n = sum(number.get(state, 0) for state in State)
        figures = {"n": count(n, Bucket(definition.key, key))}
        for state in State:
            bucket = Bucket(definition.key, key, cell=state.value)
            figures[state.value] = count(number.get(state, 0), bucket)
        answered = Bucket(definition.key, key, cell=ANSWERED)
        figures["share"] = rate(n - number.get(State.NOBODY, 0), n, definition, answered)
        return Row((label,), figures, key)

    columns = [Column("n", _("drawn")), *(Column(s.value, s.label) for s in State)]
    columns.append(Column("share", _("answered share")))
    return grouped(definition, scope, columns, truth_counts.check_states(scope), row)


def rows_of_agreement(scope: Scope, bucket: Bucket) -> QuerySet[Proposal]:
    said = truth_cohorts.double_checks(scope)
    if bucket.field:
        said = said.filter(field=int(bucket.field))
    if bucket.cell:
        said = said.filter(Q(verdict=bucket.cell))
    found = cohorts.proposals(scope).filter(pk__in=said.values("answer__check_of__proposal"))
    return found.filter(in_group(scope.group, bucket.of)) if bucket.of else found


def rows_of_checks(scope: Scope, bucket: Bucket) -> QuerySet[Proposal]:
    found = truth_cohorts.drawn(scope)
    if bucket.cell == ANSWERED:
        found = found.filter(~Q(state=State.NOBODY))
    elif bucket.cell:
        found = found.filter(Q(state=bucket.cell))
    return found.filter(in_group(scope.group, bucket.of)) if bucket.of else found


def agreement_chart(report: Report) -> dict[str, Any] | None:
    return charts.intervals(report, {"kappa": (_("Cohen’s kappa"), "good")}, is_worst_low=True)


def checks_chart(report: Report) -> dict[str, Any] | None:
    return charts.parts(report, {s.value: (s.label, TONES[s]) for s in State})
