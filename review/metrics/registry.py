"""All reports there are: what makes them, how a page shows them, which tickets stand behind."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from review.metrics import (
    charts,
    checks,
    definitions,
    definitions_autonomy,
    definitions_checks,
    definitions_work,
    drill_hits,
    gate,
    reports,
    reports_autonomy,
    reports_checks,
    reports_cuts,
    reports_pulse,
    reports_unfitting,
    reports_work,
    story_drill,
    truth_reports,
    workflow_reports,
)
from review.metrics import definitions_workflows as workflows
from review.metrics.cohorts import Outcome
from review.metrics.definitions_drills import DRILL_HITS
from review.metrics.definitions_truth import CHECKS_ANSWERED, TRUTH_RELIABILITY
from review.metrics.figures import AI, Bucket
from review.metrics.meaning import Text
from review.metrics.outliers import Watched
from review.metrics.report import Report
from review.metrics.trends import TONES as TREND_TONES
from review.metrics.trends import TRENDS, Trended
from review.metrics.window import Scope
from review.models import TicketStory
from triage.models import Proposal

Chart = dict[str, Any]


@dataclass(frozen=True)
class Entry:
    """One metric that is reported.

    lead : columns of the first total row that answer in one line
    chart : data for metrics.js; None where there is too little to draw
    rows : the proposals that a bucket of this metric counts; none: as drill.COHORTS says
    stories : the tickets that it counts, where it counts tickets
    trend : how it is counted by week
    watched : what makes a group of it stand out on its page
    cells : words for each value that `Bucket.cell` can have here
    """

    report: Callable[[Scope], Report]
    lead: tuple[str, ...] = ()
    chart: Callable[[Report], Chart | None] | None = None
    rows: Callable[[Scope, Bucket], QuerySet[Proposal]] | None = None
    stories: Callable[[Scope, Bucket], QuerySet[TicketStory]] | None = None
    trend: Trended | None = None
    watched: Watched | None = None
    cells: Mapping[str, Text] = field(default_factory=dict)


def report_of(key: str, scope: Scope) -> Report:
    """The report of a metric as it may be shown; KeyError for a key that is not registered.

    Nothing that leaves the service takes a report from anywhere else.
    """
    return gate.passed(ENTRIES[key].report(scope))


def _acceptance(report: Report) -> Chart | None:
    return charts.intervals(report, {"rate": (_("acceptance"), "good")}, is_worst_low=True)


def _override_reasons(report: Report) -> Chart | None:
    return charts.intervals(report, {"rate": (_("share of the field's overrides"), "accent")})


def _escalated(report: Report) -> Chart | None:
    return charts.intervals(report, {"rate": (_("escalated later"), "bad")})


def _reopened(report: Report) -> Chart | None:
    by_value = {
        AI: (_("after the AI's value"), "good"),
        Outcome.OVERRIDDEN.value: (_("after a person's value"), "accent"),
    }
    return charts.intervals(report, by_value)


def _drill_hits(report: Report) -> Chart | None:
    by_kind = {
        f"{drill_hits.WRONG}_rate": (_("wrong advice caught"), "good"),
        f"{drill_hits.RIGHT}_rate": (_("right advice kept"), "accent"),
    }
    return charts.intervals(report, by_kind, is_worst_low=True)


OF_PROPOSALS: Mapping[str, Entry] = {
    definitions.UNTOUCHED.key: Entry(
        reports.untouched, ("share",), charts.shares, trend=TRENDS[definitions.UNTOUCHED.key]
    ),
    definitions.ACCEPTANCE.key: Entry(
        reports.acceptance, ("rate",), _acceptance, trend=TRENDS[definitions.ACCEPTANCE.key]
    ),
    definitions.OVERRIDE_REASONS.key: Entry(reports.override_reasons, (), _override_reasons),
    definitions.STEP_INS.key: Entry(reports.step_ins),
    definitions.ESCALATED.key: Entry(
        reports.escalated,
        ("rate",),
        _escalated,
        trend=TRENDS[definitions.ESCALATED.key],
        watched=Watched(),
    ),
    definitions.REOPENED.key: Entry(
        reports.reopened,
        (AI, Outcome.OVERRIDDEN.value, "difference"),
        _reopened,
        trend=TRENDS[definitions.REOPENED.key],
    ),
    definitions.TIME_TO_DECISION.key: Entry(
        reports.time_to_decision, ("median", "ninth"), charts.times
    ),
}


def _of_checks(
    report: Callable[[Scope], Report],
    lead: tuple[str, ...] = ("rate",),
    chart: Callable[[Report], Chart | None] | None = None,
) -> Entry:
    return Entry(report, lead, chart, rows=checks.listed, cells=reports_checks.WORDS)


def _rates(name: Text, tone: str) -> Callable[[Report], Chart | None]:
    return lambda report: charts.intervals(report, {"rate": (name, tone)})


def _switching(report: Report) -> Chart | None:
    columns = {"rate": (_("took the advice"), "accent"), "harmful": (_("harmful"), "bad")}
    return charts.intervals(report, columns)


def _unaided(report: Report) -> Chart | None:
    columns = {"rate": (_("right without the advice"), "accent")}
    return charts.intervals(report, columns, is_worst_low=True)


OF_CHECKS: Mapping[str, Entry] = {
    definitions_checks.AI_ERROR.key: _of_checks(
        reports_checks.ai_error, chart=_rates(_("AI wrong"), "bad")
    ),
    definitions_checks.AUTO_ERROR.key: _of_checks(
        reports_checks.auto_error, chart=_rates(_("wrong"), "bad")
    ),
    definitions_checks.OVER_RELIANCE.key: _of_checks(
        reports_checks.over_reliance, chart=_rates(_("waved through"), "bad")
    ),
    definitions_checks.UNDER_RELIANCE.key: _of_checks(
        reports_checks.under_reliance, chart=_rates(_("changed although right"), "warn")
    ),
    definitions_checks.NET_BENEFIT.key: _of_checks(reports_checks.net_benefit, ("benefit",)),
    definitions_checks.RAIR.key: _of_checks(reports_checks.rair),
    definitions_checks.RSR.key: _of_checks(reports_checks.rsr),
    definitions_checks.SWITCHING.key: _of_checks(
        reports_checks.switching, ("rate", "harmful"), _switching
    ),
    definitions_checks.DETECTION.key: _of_checks(
        reports_checks.telling, ("sensitivity", "criterion")
    ),
    definitions_checks.COMPLEMENTARITY.key: _of_checks(reports_checks.complementarity, ("gain",)),
    definitions_checks.UNAIDED.key: replace(
        _of_checks(reports_checks.unaided, chart=_unaided),
        trend=TRENDS[definitions_checks.UNAIDED.key],
    ),
}
OF_AUTONOMY: Mapping[str, Entry] = {
    definitions_autonomy.AUTO_SHARE.key: Entry(
        reports_autonomy.auto_share,
        ("rate",),
        _rates(_("applied without a person"), "auto"),
        rows=reports_autonomy.listed,
        cells=reports_autonomy.WORDS,
    ),
    definitions_autonomy.RISK_COVERAGE.key: Entry(
        reports_cuts.by_cut,
        ("error",),
        reports_cuts.chart,
        rows=reports_cuts.listed,
        cells=reports_cuts.CELLS,
    ),
    definitions_autonomy.UNFITTING.key: Entry(
        reports_unfitting.acted_on,
        ("rate",),
        _rates(_("applied without a person"), "bad"),
        rows=reports_unfitting.listed,
        cells=reports_unfitting.CELLS,
    ),
    definitions_autonomy.BUDGET_BURN.key: Entry(
        reports_autonomy.budget_burn,
        rows=reports_autonomy.listed,
        cells=reports_autonomy.WORDS,
    ),
    definitions_autonomy.CALIBRATION.key: Entry(
        reports_autonomy.calibration,
        ("brier", "error"),
        rows=reports_autonomy.listed,
        cells=reports_autonomy.WORDS,
    ),
}
OF_DRILLS: Mapping[str, Entry] = {
    DRILL_HITS.key: Entry(
        drill_hits.drill_hits,
        (f"{drill_hits.WRONG}_rate", f"{drill_hits.RIGHT}_rate"),
        _drill_hits,
        rows=drill_hits.rows,
        cells=drill_hits.CELLS,
    ),
}


def _of_tickets(
    key: str,
    report: Callable[[Scope], Report],
    lead: tuple[str, ...] = (),
    chart: Callable[[Report], Chart | None] | None = None,
    watched: Watched | None = None,
) -> Entry:
    return Entry(
        report,
        lead,
        chart,
        watched=watched,
        stories=story_drill.stories,
        trend=TRENDS[key],
        cells=story_drill.CELLS[key],
    )


HIGH_IS_BAD, LOW_IS_BAD = Watched(), Watched(is_worst_low=True)


def _limits(name: Text, watched: Watched) -> Callable[[Report], Chart | None]:
    return partial(charts.limits, watched=watched, name=name)


def _time_shares(report: Report) -> Chart | None:
    return charts.intervals(report, {"rate": (_("share of time"), "accent")})


def _outcomes(report: Report) -> Chart | None:
    names = {
        "reopened": (_("reopened"), "bad"),
        "contacted": (_("reopened or commented on"), "accent"),
        "bad": (_("rated bad, of those rated"), "warn"),
    }
    # The routes are compared, of all groups together.
    routes = tuple(replace(row, labels=row.labels[1:]) for row in report.totals)
    return charts.intervals(replace(report, rows=(), totals=routes), names)


def _times_to_resolve(report: Report) -> Chart | None:
    verdicts = {path: TREND_TONES[path] for path in workflow_reports.ROUTES}
    return charts.times(report, {str(path.label): tone for path, tone in verdicts.items()})


OF_WORKFLOWS: Mapping[str, Entry] = {
    **{
        key: _of_tickets(
            key,
            partial(workflow_reports.share, key=key),
            ("rate",),
            _limits(label, HIGH_IS_BAD),
            HIGH_IS_BAD,
        )
        for key, (_name, label) in workflow_reports.SHARES.items()
    },
    **{
        key: _of_tickets(
            key, partial(workflow_reports.time_share, key=key), ("rate",), _time_shares
        )
        for key in workflow_reports.TIMES
    },
    workflows.NOVELTY.key: Entry(
        workflow_reports.novelty,
        ("rate",),
        _limits(_("novel"), HIGH_IS_BAD),
        watched=HIGH_IS_BAD,
        rows=story_drill.novel,
        trend=TRENDS[workflows.NOVELTY.key],
        cells=story_drill.CELLS[workflows.NOVELTY.key],
    ),
    workflows.VERIFIED.key: _of_tickets(
        workflows.VERIFIED.key,
        workflow_reports.verified,
        ("rate",),
        _limits(_("verified"), LOW_IS_BAD),
        LOW_IS_BAD,
    ),
    workflows.OUTCOMES.key: _of_tickets(
        workflows.OUTCOMES.key, workflow_reports.outcomes, chart=_outcomes
    ),
    workflows.TIME_TO_RESOLVE.key: _of_tickets(
        workflows.TIME_TO_RESOLVE.key, workflow_reports.time_to_resolve, chart=_times_to_resolve
    ),
}
OF_TRUTH: Mapping[str, Entry] = {
    TRUTH_RELIABILITY.key: Entry(
        truth_reports.reliability,
        chart=truth_reports.agreement_chart,
        rows=truth_reports.rows_of_agreement,
        cells=truth_reports.VERDICTS,
    ),
    CHECKS_ANSWERED.key: Entry(
        truth_reports.checks,
        ("share",),
        truth_reports.checks_chart,
        rows=truth_reports.rows_of_checks,
        cells=truth_reports.STATES,
    ),
}
OF_WORK: Mapping[str, Entry] = {
    **{
        definition.key: Entry(
            report, lead, chart, rows=reports_work.listed, trend=trend, cells=reports_work.CELLS
        )
        for definition, report, lead, chart, trend in (
            (
                definitions_work.REVIEW_LOAD,
                reports_work.review_load,
                ("load", "fast"),
                None,
                TRENDS[definitions_work.REVIEW_LOAD.key],
            ),
            (definitions_work.META_WORK, reports_work.meta_work, ("rate",), None, None),
            (definitions_work.INTERRUPTIONS, reports_work.interruptions, ("rate",), None, None),
        )
    },
    definitions_work.PULSE.key: Entry(
        reports_pulse.pulse, ("rate",), reports_pulse.pulse_chart, rows=reports_pulse.no_tickets
    ),
    definitions_work.LEGITIMACY.key: Entry(
        reports_pulse.ratified, ("rate",), rows=reports_pulse.no_tickets
    ),
}
ENTRIES: Mapping[str, Entry] = {
    **OF_PROPOSALS,
    **OF_CHECKS,
    **OF_TRUTH,
    **OF_AUTONOMY,
    **OF_DRILLS,
    **OF_WORKFLOWS,
    **OF_WORK,
}
