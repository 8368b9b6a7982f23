"""All reports there are: what makes them, how a page shows them, which tickets stand behind."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from review.metrics import (
    charts,
    checks,
    definitions,
    definitions_autonomy,
    definitions_checks,
    drill_hits,
    gate,
    reports,
    reports_autonomy,
    reports_checks,
)
from review.metrics.cohorts import Outcome
from review.metrics.definitions_drills import DRILL_HITS
from review.metrics.figures import AI, Bucket
from review.metrics.meaning import Text
from review.metrics.report import Report
from review.metrics.window import Scope
from triage.models import Proposal

Chart = dict[str, Any]


@dataclass(frozen=True)
class Entry:
    """One metric that is reported.

    lead : columns of the first total row that answer in one line
    chart : data for metrics.js; None where there is too little to draw
    rows : the proposals that a bucket of this metric counts; none: as drill.COHORTS says
    cells : words for each value that `Bucket.cell` can have here
    """

    report: Callable[[Scope], Report]
    lead: tuple[str, ...] = ()
    chart: Callable[[Report], Chart | None] | None = None
    rows: Callable[[Scope, Bucket], QuerySet[Proposal]] | None = None
    cells: Mapping[str, Text] = field(default_factory=dict)


@dataclass(frozen=True)
class Shown:
    """A report's place on a page. `size` is wide, broad or narrow: all, most or few columns."""

    key: str
    size: str = "wide"
    is_table: bool = False


@dataclass(frozen=True)
class Section:
    """A page of reports that answer one question."""

    slug: str
    name: Text
    question: Text
    said: Text
    shown: Sequence[Shown]

    @property
    def url(self) -> str:
        return reverse(f"review:metrics_{self.slug}")


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
    definitions.UNTOUCHED.key: Entry(reports.untouched, ("share",), charts.shares),
    definitions.ACCEPTANCE.key: Entry(reports.acceptance, ("rate",), _acceptance),
    definitions.OVERRIDE_REASONS.key: Entry(reports.override_reasons, (), _override_reasons),
    definitions.STEP_INS.key: Entry(reports.step_ins),
    definitions.ESCALATED.key: Entry(reports.escalated, ("rate",), _escalated),
    definitions.REOPENED.key: Entry(
        reports.reopened, (AI, Outcome.OVERRIDDEN.value, "difference"), _reopened
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
    return Entry(report, lead, chart, checks.listed, reports_checks.WORDS)


def _rates(name: Text, tone: str) -> Callable[[Report], Chart | None]:
    return lambda report: charts.intervals(report, {"rate": (name, tone)})


def _switching(report: Report) -> Chart | None:
    columns = {"rate": (_("took the advice"), "accent"), "harmful": (_("harmful"), "bad")}
    return charts.intervals(report, columns)


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
}
OF_AUTONOMY: Mapping[str, Entry] = {
    definitions_autonomy.AUTO_SHARE.key: Entry(
        reports_autonomy.auto_share,
        ("rate",),
        _rates(_("applied without a person"), "auto"),
        reports_autonomy.listed,
        reports_autonomy.WORDS,
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
RELIANCE = Section(
    slug="reliance",
    name=_("Who was right"),
    question=_("Who was right?"),
    said=_(
        "From answers that people gave before they saw the advice. Bad corners: errors waved "
        "through, and right values changed. Where nobody has checked, nothing is known."
    ),
    shown=(
        Shown(definitions_checks.AI_ERROR.key, "wide"),
        Shown(definitions_checks.NET_BENEFIT.key, "broad", is_table=True),
        Shown(definitions_checks.COMPLEMENTARITY.key, "narrow"),
        Shown(definitions_checks.OVER_RELIANCE.key, "wide"),
        Shown(definitions_checks.UNDER_RELIANCE.key, "wide"),
        Shown(definitions_checks.RAIR.key, "narrow"),
        Shown(definitions_checks.RSR.key, "narrow"),
        Shown(definitions_checks.DETECTION.key, "narrow"),
        Shown(definitions_checks.SWITCHING.key, "wide"),
    ),
)
AUTONOMY = Section(
    slug="autonomy",
    name=_("Acting alone"),
    question=_("Does it earn its autonomy?"),
    said=_("How much is applied without a person, how often that is wrong, and what is allowed."),
    shown=(
        Shown(definitions_autonomy.AUTO_SHARE.key, "half"),
        Shown(definitions_checks.AUTO_ERROR.key, "half"),
        Shown(definitions_autonomy.BUDGET_BURN.key, "half", is_table=True),
        Shown(definitions_autonomy.CALIBRATION.key, "half"),
    ),
)
OF_DRILLS: Mapping[str, Entry] = {
    DRILL_HITS.key: Entry(
        drill_hits.drill_hits,
        (f"{drill_hits.WRONG}_rate", f"{drill_hits.RIGHT}_rate"),
        _drill_hits,
        rows=drill_hits.rows,
        cells=drill_hits.CELLS,
    ),
}
ENTRIES: Mapping[str, Entry] = {
    **OF_PROPOSALS,
    **OF_CHECKS,
    **OF_AUTONOMY,
    **OF_DRILLS,
}
PEOPLE = Section(
    slug="people",
    name=_("People and advice"),
    question=_("Do people catch errors?"),
    said=_(
        "Of the team together, from at least five people on. Where errors slip through, the advice "
        "or its page is to be mended, not the person."
    ),
    shown=(Shown(DRILL_HITS.key),),
)
SECTIONS: Mapping[str, Section] = {
    section.slug: section for section in (RELIANCE, AUTONOMY, PEOPLE)
}
