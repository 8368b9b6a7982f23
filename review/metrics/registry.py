"""All reports there are: what makes them, how a page shows them, which tickets stand behind."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from review.metrics import charts, definitions, reports
from review.metrics.cohorts import Outcome
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
ENTRIES: Mapping[str, Entry] = {**OF_PROPOSALS}
SECTIONS: Mapping[str, Section] = {}
