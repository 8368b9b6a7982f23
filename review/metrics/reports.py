"""The seven reports: counts of a scope as rows of figures, one report a definition."""

from collections import Counter
from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from review.metrics import counts, definitions
from review.metrics.cohorts import BY_AI, COUNTED, SETTLED, Outcome
from review.metrics.figures import (
    AI,
    Bucket,
    Column,
    Figure,
    Row,
    count,
    difference,
    rate,
    seconds,
)
from review.metrics.meaning import Definition
from review.metrics.report import ALL, GROUP_NAMES, Note, Report, RowOf, by_size, grouped, summed
from review.metrics.window import Scope


def untouched_row(definition: Definition) -> RowOf:
    def row(label: str, key: str, number: Mapping[str, int]) -> Row:
        n = sum(number.get(outcome, 0) for outcome in COUNTED)
        figures = {"n": count(n, Bucket(definition.key, key))}
        for outcome in COUNTED:
            bucket = Bucket(definition.key, key, state=outcome)
            figures[outcome] = count(number.get(outcome, 0), bucket)
        bucket = Bucket(definition.key, key, state=Outcome.UNTOUCHED)
        figures["share"] = rate(number.get(Outcome.UNTOUCHED, 0), n, definition, bucket)
        return Row((label,), figures, key)

    return row


def untouched(scope: Scope) -> Report:
    definition = scope.definition(definitions.UNTOUCHED.key)
    found = counts.outcomes(scope)
    row = untouched_row(definition)
    columns = [Column("n", _("proposals")), *(Column(o.value, o.label) for o in COUNTED)]
    columns.append(Column("share", _("untouched share")))
    return grouped(definition, scope, columns, found, row, notes=_superseded(found))


def acceptance_row(definition: Definition) -> RowOf:
    def row(label: str, key: str, number: Mapping[str, int]) -> Row:
        accepted, overridden = number.get("accepted", 0), number.get("overridden", 0)
        hit = Bucket(definition.key, key, state=Outcome.ACCEPTED)
        figures = {
            "n": count(accepted + overridden, Bucket(definition.key, key)),
            "accepted": count(accepted, hit),
            "overridden": count(overridden, Bucket(definition.key, key, state=Outcome.OVERRIDDEN)),
            "rate": rate(accepted, accepted + overridden, definition, hit),
        }
        return Row((label,), figures, key)

    return row


def acceptance(scope: Scope) -> Report:
    definition = scope.definition(definitions.ACCEPTANCE.key)
    row = acceptance_row(definition)
    columns = [
        Column("n", _("decided")),
        Column("accepted", _("accepted")),
        Column("overridden", _("overridden")),
        Column("rate", _("acceptance")),
    ]
    left_out = Note(str(_("Proposals whose main value was left open are not in it.")))
    return grouped(definition, scope, columns, counts.answers(scope), row, notes=(left_out,))


def escalated_row(definition: Definition) -> RowOf:
    def row(label: str, key: str, number: Mapping[str, int]) -> Row:
        n, k = number.get("n", 0), number.get("hit", 0)
        hit = Bucket(definition.key, key, hit="yes")
        figures = {
            "n": count(n, Bucket(definition.key, key)),
            "hit": count(k, hit),
            "rate": rate(k, n, definition, hit),
        }
        return Row((label,), figures, key)

    return row


def escalated(scope: Scope) -> Report:
    definition = scope.definition(definitions.ESCALATED.key)
    row = escalated_row(definition)
    columns = [
        Column("n", _("proposed by a model")),
        Column("hit", _("escalated later")),
        Column("rate", _("share")),
    ]
    return grouped(definition, scope, columns, counts.escalations(scope), row)


def reopened_row(definition: Definition) -> RowOf:
    states = {str(outcome): (outcome,) for outcome in SETTLED} | {AI: BY_AI}

    def row(label: str, key: str, number: Mapping[str, int]) -> Row:
        figures: dict[str, Figure] = {}
        rates = {}
        for state, outcomes in states.items():
            n = sum(number.get(outcome, 0) for outcome in outcomes)
            k = sum(number.get(f"{outcome}_hit", 0) for outcome in outcomes)
            bucket = Bucket(definition.key, key, state=state, hit="yes")
            figures[state] = rate(k, n, definition, bucket)
            rates[state] = (k, n)
        figures["difference"] = difference(rates[AI], rates[Outcome.OVERRIDDEN], definition)
        return Row((label,), figures, key)

    return row


def reopened(scope: Scope) -> Report:
    definition = scope.definition(definitions.REOPENED.key)
    row = reopened_row(definition)
    columns = [Column(outcome.value, outcome.label) for outcome in SETTLED]
    columns.append(Column(AI, _("AI's value (auto-applied or accepted)")))
    columns.append(Column("difference", _("AI's value minus overridden")))
    window = ngettext(
        "Reopened within %(days)d day. Only tickets whose window has passed.",
        "Reopened within %(days)d days. Only tickets whose window has passed.",
        scope.outcome_days,
    ) % {"days": scope.outcome_days}
    return grouped(
        definition,
        scope,
        columns,
        counts.reopenings(scope),
        row,
        size=(AI, Outcome.OVERRIDDEN),
        notes=(Note(window),),
    )


def override_reasons(scope: Scope) -> Report:
    definition = scope.definition(definitions.OVERRIDE_REASONS.key)
    found = counts.override_reasons(scope)
    of_field = Counter[str]()
    for reason in found:
        of_field[reason.field.key] += reason.count
    rows = []
    for reason in found:
        bucket = Bucket(definition.key, field=reason.field.key, reason=reason.reason.key)
        of = of_field[reason.field.key]
        figures = {
            "k": count(reason.count, bucket),
            "rate": rate(reason.count, of, definition, bucket),
        }
        rows.append(Row((reason.field.name, reason.reason.name), figures, reason.reason.key))
    return Report(
        definition,
        scope,
        labels=(_("Field"), _("Reason")),
        columns=(Column("k", _("overrides")), Column("rate", _("share of the field's"))),
        rows=tuple(rows),
        totals=(),
        size=of_field.total(),
    )


def step_ins(scope: Scope) -> Report:
    definition = scope.definition(definitions.STEP_INS.key)
    rows = []
    for step in counts.step_ins(scope):
        proposed = Bucket(definition.key, field=step.field.key, was=step.proposed.key)
        changed = Bucket(**{**proposed.params(), "became": step.final.key})
        figures = {
            "k": count(step.count, changed),
            "n": count(step.of, proposed),
            "rate": rate(step.count, step.of, definition, changed),
        }
        rows.append(Row((step.field.name, step.proposed.name, step.final.name), figures))
    return Report(
        definition,
        scope,
        labels=(_("Field"), _("Proposed"), _("Became")),
        columns=(
            Column("k", _("changed so")),
            Column("n", _("decided")),
            Column("rate", _("share")),
        ),
        rows=tuple(rows),
        totals=(),
        size=sum(row.figures["k"].n for row in rows),
    )


def time_to_decision(scope: Scope) -> Report:
    definition = scope.definition(definitions.TIME_TO_DECISION.key)

    def row(times: counts.Times) -> Row:
        group, name = times.group or ("", str(ALL))
        bucket = Bucket(definition.key, group, state=times.verdict)
        figures = {
            "n": count(times.count, bucket),
            "median": seconds(times.bins, 0.5, definition, bucket),
            "ninth": seconds(times.bins, 0.9, definition, bucket),
        }
        return Row((name, str(Outcome(times.verdict).label)), figures, group)

    found = counts.decision_times(scope)
    totals = by_size(row(times) for times in counts.altogether(found))
    return Report(
        definition,
        scope,
        labels=(GROUP_NAMES[scope.group], _("Decision")),
        columns=(
            Column("n", _("decided")),
            Column("median", _("median")),
            Column("ninth", _("9 in 10 within")),
        ),
        rows=by_size(row(times) for times in found),
        totals=totals,
        size=sum(total.figures["n"].n for total in totals),
    )


def _superseded(found: list[counts.GroupCounts]) -> tuple[Note, ...]:
    n = summed(found)[Outcome.SUPERSEDED]
    text = ngettext(
        "%(n)d more was replaced by a newer proposal before a decision and is not counted.",
        "%(n)d more were replaced by a newer proposal before a decision and are not counted.",
        n,
    ) % {"n": n}
    bucket = Bucket(definitions.UNTOUCHED.key, state=Outcome.SUPERSEDED)
    return (Note(text, bucket),) if n else ()
