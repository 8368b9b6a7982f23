"""What each metric means, once: pages, tables, exports and the API all read it here.

A change of meaning is a new version, so that an old figure is never taken for a new one.
"""

from dataclasses import dataclass
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise


class Unit(StrEnum):
    SHARE = "share"
    SECONDS = "seconds"


@dataclass(frozen=True)
class Definition:
    """`number` is the metric's number in the handbook, where it has one.

    Below `min_n` cases a rate is not shown: it would say more about chance than about work.
    """

    key: str
    number: int | None
    version: int
    name: Text
    formula: Text
    caveat: Text
    unit: Unit
    min_n: int


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
)

DEFINITIONS = {
    definition.key: definition
    for definition in (
        UNTOUCHED,
        ACCEPTANCE,
        OVERRIDE_REASONS,
        STEP_INS,
        ESCALATED,
        REOPENED,
        TIME_TO_DECISION,
    )
}
