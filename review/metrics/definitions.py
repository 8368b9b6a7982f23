"""What each metric means as the service computes it, once; what a team made of it: versions.py.

A change of meaning is a new version, so that an old figure is never taken for a new one. Teams
number their versions on from the service's own, so one that computes something else takes the next
hundred: 101 after 1.
"""

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from review.metrics.definitions_autonomy import OF_AUTONOMY
from review.metrics.definitions_checks import OF_CHECKS
from review.metrics.definitions_drills import OF_DRILLS
from review.metrics.definitions_truth import OF_TRUTH
from review.metrics.definitions_work import OF_WORK
from review.metrics.definitions_workflows import OF_WORKFLOWS
from review.metrics.meaning import MOST_OUTCOME_DAYS, Audience, Definition, Parameter, Text, Unit

__all__ = ["DEFINITIONS", "Audience", "Definition", "Parameter", "Text", "Unit"]

ACCEPTANCE = Definition(
    key="acceptance",
    number=1,
    version=1,
    name=_("Acceptance"),
    formula=_(
        "accepted ÷ (accepted + overridden); a proposal with one changed value is overridden"
    ),
    caveat=_(
        "Acceptance is not correctness: a wrong proposal can be waved through, "
        "and a right one can be changed."
    ),
    unit=Unit.SHARE,
    min_n=10,
    purpose=_(
        "Shows where people agree with proposals and where they do not, "
        "so that a choice, a model or a source can be looked into."
    ),
)
OVERRIDE_REASONS = Definition(
    key="override-reasons",
    number=2,
    version=1,
    name=_("Override reasons"),
    formula=_("overridden values with this reason ÷ overridden values of the field"),
    caveat=_("What the reviewer said at the time; whether the change was right is not known here."),
    unit=Unit.SHARE,
    min_n=10,
    purpose=_(
        "Shows which step of the workflow proposals fail at, "
        "so that the step is mended and not only the ticket."
    ),
)
ESCALATED = Definition(
    key="escalated-despite-automation",
    number=18,
    version=1,
    name=_("Escalated despite automation"),
    formula=_(
        "proposals whose main value came from a model and whose ticket was escalated afterwards "
        "÷ all proposals whose main value came from a model"
    ),
    caveat=_(
        "Some escalations are right and wanted, and recent proposals have had less time for one. "
        "High shares name workflows to redesign."
    ),
    unit=Unit.SHARE,
    min_n=20,
    purpose=_("Finds workflows in which automation starts what people then have to escalate."),
)
TIME_TO_DECISION = Definition(
    key="time-to-decision",
    number=28,
    version=1,
    name=_("Time to decision"),
    formula=_("median and ninth decile (nearest rank) of decision time − proposal time"),
    caveat=_(
        "Clock time, nights and weekends included. Proposals that still wait are not in it, "
        "so read it beside the untouched share."
    ),
    unit=Unit.SECONDS,
    min_n=10,
    purpose=_(
        "Shows how long tickets wait for a decision, "
        "so that work can be shared out better. Never alone, and never about one person."
    ),
)
REOPENED = Definition(
    key="reopened",
    number=None,
    version=1,
    name=_("Came back"),
    formula=_(
        "tickets reopened within the outcome window ÷ decided or auto-applied proposals whose "
        "outcome window has passed; accepted and auto-applied against overridden"
    ),
    caveat=_(
        "People change the harder tickets, so the difference is not the effect of automation. "
        "A ticket that was never resolved counts as not reopened."
    ),
    unit=Unit.SHARE,
    min_n=20,
    purpose=_("Shows whether what was settled stays settled."),
    parameters={
        "outcome_days": Parameter(
            label=_("Outcome window"),
            unit=_("days"),
            least=1,
            most=MOST_OUTCOME_DAYS,
            default=settings.OUTCOME_WINDOW_DAYS,
        )
    },
)
UNTOUCHED = Definition(
    key="untouched",
    number=None,
    version=1,
    name=_("From proposal to outcome"),
    formula=_("proposals that nobody decided and nothing applied ÷ all proposals"),
    caveat=_("Untouched means that nobody has looked so far; it is never an acceptance."),
    unit=Unit.SHARE,
    min_n=10,
    purpose=_("Shows what became of all proposals, also of those that nobody looked at."),
)
STEP_INS = Definition(
    key="step-ins",
    number=None,
    version=1,
    name=_("Where technicians step in"),
    formula=_("decisions from this choice to that one ÷ all decisions on this proposed choice"),
    caveat=_("Shows what people changed, not who was right. The twenty most frequent changes."),
    unit=Unit.SHARE,
    min_n=10,
    purpose=_(
        "Shows which choices are mixed up, so that the catalogue, a rule or a model can be mended."
    ),
)

OF_PROPOSALS = (
    UNTOUCHED,
    ACCEPTANCE,
    OVERRIDE_REASONS,
    STEP_INS,
    ESCALATED,
    REOPENED,
    TIME_TO_DECISION,
)
ALL = (*OF_PROPOSALS, *OF_CHECKS, *OF_TRUTH, *OF_AUTONOMY, *OF_DRILLS, *OF_WORKFLOWS, *OF_WORK)
DEFINITIONS = {definition.key: definition for definition in ALL}
