"""What is measured before and after automation, in the same way on both sides.

Nothing here is voted on: a baseline that was taken keeps the meaning that it was taken with.
"""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from review.metrics.figures import Kind
from review.metrics.meaning import Definition, Text, Unit

MIN_N = 20
RATE, MEDIAN = "rate", "median"


@dataclass(frozen=True)
class Measure:
    """`hit` is the column of KpiCount that is counted; empty where no ticket alone is a hit."""

    definition: Definition
    kind: Kind
    column: str
    hit: str = ""

    @property
    def key(self) -> str:
        return self.definition.key


def _definition(key: str, name: Text, formula: Text, caveat: Text, unit: Unit) -> Definition:
    return Definition(
        key=key,
        number=None,
        version=1,
        name=name,
        formula=formula,
        caveat=caveat,
        unit=unit,
        min_n=MIN_N,
        purpose="",
    )


REASSIGNED = Measure(
    _definition(
        "reassigned",
        _("Reassigned"),
        _("tickets that another team got at least once ÷ resolved tickets"),
        _("Some hand-overs are right and wanted."),
        Unit.SHARE,
    ),
    Kind.RATE,
    RATE,
    hit="reassigned",
)
PING_PONG = Measure(
    _definition(
        "ping-pong",
        _("Ping-pong"),
        _("tickets that came back to a team that had had them ÷ resolved tickets"),
        _("Where the first team is not known, a return to it cannot be seen."),
        Unit.SHARE,
    ),
    Kind.RATE,
    RATE,
    hit="returned",
)
RECATEGORISED = Measure(
    _definition(
        "recategorised",
        _("Recategorised"),
        _("tickets whose category was changed at least once ÷ resolved tickets"),
        _("A helpdesk in which nobody mends categories looks good here."),
        Unit.SHARE,
    ),
    Kind.RATE,
    RATE,
    hit="recategorised",
)
CAME_BACK = Measure(
    _definition(
        "came-back",
        _("Came back after a resolution"),
        _(
            "tickets reopened within the outcome window after their first resolution "
            "÷ resolved tickets"
        ),
        _("A requester who opens a second ticket instead is not seen."),
        Unit.SHARE,
    ),
    Kind.RATE,
    RATE,
    hit="reopened",
)
REWORK = Measure(
    _definition(
        "rework-share",
        _("Share of rework"),
        _(
            "time that tickets were open after their first resolution, within the outcome window "
            "÷ all time that they were open"
        ),
        _("Clock time, nights and weekends included; a few long tickets weigh much."),
        Unit.SHARE,
    ),
    Kind.RATE,
    RATE,
)
TIME_TO_RESOLVE = Measure(
    _definition(
        "time-to-resolve",
        _("Time to resolve"),
        _("median (nearest rank) of first resolution − opening, to within a tenth"),
        _("Clock time. Tickets that are not resolved are not in it. Never alone."),
        Unit.SECONDS,
    ),
    Kind.SECONDS,
    MEDIAN,
)
MEASURES = {
    measure.key: measure
    for measure in (
        REASSIGNED,
        PING_PONG,
        RECATEGORISED,
        CAME_BACK,
        REWORK,
        TIME_TO_RESOLVE,
    )
}
