"""The pages of reports, by the question that each answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from review.metrics import (
    definitions,
    definitions_autonomy,
    definitions_checks,
    definitions_work,
)
from review.metrics import definitions_workflows as workflows
from review.metrics.definitions_drills import DRILL_HITS
from review.metrics.definitions_truth import CHECKS_ANSWERED, TRUTH_RELIABILITY
from review.metrics.meaning import Text


@dataclass(frozen=True)
class Shown:
    """A report's place on a page. `size` is wide, broad, half, narrow or third of its columns.

    Some are there for their table; of some the weeks are seen at once.
    """

    key: str
    size: str = "wide"
    is_table: bool = False
    has_weeks: bool = False


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
        Shown(definitions_autonomy.RISK_COVERAGE.key, "half"),
        Shown(definitions_autonomy.UNFITTING.key, "half"),
        Shown(definitions_autonomy.BUDGET_BURN.key, "half", is_table=True),
        Shown(definitions_autonomy.CALIBRATION.key, "half"),
    ),
)
PEOPLE = Section(
    slug="people",
    name=_("People and advice"),
    question=_("Do people catch errors?"),
    said=_(
        "Of the team together, from at least five people on. Where errors slip through, the advice "
        "or its page is to be mended, not the person."
    ),
    shown=(
        Shown(DRILL_HITS.key),
        Shown(definitions_checks.UNAIDED.key, has_weeks=True),
        Shown(definitions_work.REVIEW_LOAD.key, "half", has_weeks=True),
        Shown(definitions_work.META_WORK.key, "half"),
        Shown(definitions_work.INTERRUPTIONS.key, "half"),
        Shown(definitions_work.PULSE.key, "half"),
        Shown(definitions_work.LEGITIMACY.key, "half"),
    ),
)
WORKFLOWS = Section(
    slug="workflows",
    name=_("Workflows"),
    question=_("Where does work go wrong?"),
    said=_(
        "What is escalated although automation began it, and where people step in and why; then "
        "what goes back and forth, what comes back, and how long it takes. Tickets are counted by "
        "the day on which they were opened, proposals by their own."
    ),
    shown=(
        Shown(definitions.ESCALATED.key, "narrow"),
        Shown(definitions.STEP_INS.key, "broad", is_table=True),
        Shown(definitions.OVERRIDE_REASONS.key, "half"),
        Shown(workflows.NOVELTY.key, "half"),
        Shown(workflows.PING_PONG.key, "third", has_weeks=True),
        Shown(workflows.REASSIGNED.key, "third", has_weeks=True),
        Shown(workflows.RECATEGORISED.key, "third", has_weeks=True),
        Shown(workflows.REWORK.key, "half", has_weeks=True),
        Shown(workflows.TOUCH.key, "half", has_weeks=True),
        Shown(workflows.OUTCOMES.key, "half", has_weeks=True),
        Shown(workflows.VERIFIED.key, "half", has_weeks=True),
        Shown(workflows.TIME_TO_RESOLVE.key, has_weeks=True),
    ),
)
TRUTH = Section(
    slug="truth",
    name=_("Checks"),
    question=_("Can the checks be trusted?"),
    said=_(
        "Every figure of error rests on what people answered before they saw the proposal. A share "
        "is answered by two, and by a third where they differ."
    ),
    shown=(Shown(TRUTH_RELIABILITY.key), Shown(CHECKS_ANSWERED.key)),
)
SECTIONS: Mapping[str, Section] = {
    section.slug: section for section in (WORKFLOWS, RELIANCE, TRUTH, AUTONOMY, PEOPLE)
}
