"""What the metrics of tickets and their outcomes mean as the service computes them."""

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from review.metrics.meaning import MOST_OUTCOME_DAYS, Definition, Parameter, Unit

OUTCOME_DAYS = Parameter(
    label=_("Outcome window"),
    unit=_("days"),
    least=1,
    most=MOST_OUTCOME_DAYS,
    default=settings.OUTCOME_WINDOW_DAYS,
)
VERIFIED = Definition(
    key="verified-resolution",
    number=17,
    version=1,
    name=_("Verified resolution"),
    formula=_(
        "tickets that a playbook closed without a person, that were neither commented on nor "
        "reopened within the outcome window, and that were not rated bad ÷ all tickets that a "
        "playbook closed without a person and whose outcome window has passed"
    ),
    caveat=_(
        "Silence is not always success: some people give up, or write a new ticket. "
        "A thank-you counts as contact."
    ),
    unit=Unit.SHARE,
    min_n=20,
    purpose=_("Shows whether what a playbook closed was really solved, and not only closed."),
    parameters={"outcome_days": OUTCOME_DAYS},
)
PING_PONG = Definition(
    key="ping-pong",
    number=21,
    version=1,
    name=_("Ping-pong"),
    formula=_("tickets that came back to a team that had had them before ÷ all tickets opened"),
    caveat=_(
        "Some returns are useful, and recent tickets have had less time for one. "
        "Who had an imported ticket first is not known, so that its first return is not seen."
    ),
    unit=Unit.SHARE,
    min_n=20,
    purpose=_("Finds workflows in which teams pass tickets back and forth."),
)
REASSIGNED = Definition(
    key="reassigned",
    number=None,
    version=1,
    name=_("Reassigned"),
    formula=_("tickets that went to another team at least once ÷ all tickets opened"),
    caveat=_(
        "A hand-over can be right, and a helpdesk may tell the first assignment as one. "
        "Recent tickets have had less time for it."
    ),
    unit=Unit.SHARE,
    min_n=20,
    purpose=_("Shows where the first team is often the wrong one."),
)
RECATEGORISED = Definition(
    key="recategorised",
    number=None,
    version=1,
    name=_("Recategorised"),
    formula=_("tickets whose category was changed at least once ÷ all tickets opened"),
    caveat=_(
        "Only changes that the helpdesk tells; tickets that are filed wrong and stay so are not "
        "in it. Shown under the category that a ticket had at last."
    ),
    unit=Unit.SHARE,
    min_n=20,
    purpose=_("Shows which categories tickets end up in that were filed elsewhere at first."),
)
REWORK = Definition(
    key="rework-share",
    number=22,
    version=1,
    name=_("Rework share"),
    formula=_(
        "time that tickets were open after their first resolution ÷ all time that they were open, "
        "of tickets that were resolved at least once"
    ),
    caveat=_(
        "Clock time, waiting included, so long tickets count for more than short ones. "
        "A reopening that nobody told of is not in it."
    ),
    unit=Unit.SHARE,
    min_n=30,
    purpose=_("Shows how much of all time goes into what was called solved before."),
)
TOUCH = Definition(
    key="touch-ratio",
    number=23,
    version=1,
    name=_("Touch ratio"),
    formula=_(
        "time in work ÷ (time in work + time waiting in the queue or within the helpdesk), of "
        "resolved tickets whose helpdesk tells when work begins and waits; time spent waiting for "
        "the requester is left out"
    ),
    caveat=_(
        "Clock time by the helpdesk's states: a ticket in work overnight counts as worked on. "
        "A low ratio means queues, not idle people."
    ),
    unit=Unit.SHARE,
    min_n=30,
    purpose=_("Shows how much of a ticket's time is work and how much is waiting."),
)
TIME_TO_RESOLVE = Definition(
    key="time-to-resolve",
    number=28,
    version=1,
    name=_("Time to resolve"),
    formula=_("median and ninth decile (nearest rank) of first resolution − opening"),
    caveat=_(
        "Clock time, nights and weekends included. Tickets that are still open are not in it, and "
        "people get the harder ones, so routes are not to be held against each other."
    ),
    unit=Unit.SECONDS,
    min_n=10,
    purpose=_("Shows how long people wait for a solution. It still matters, but never alone."),
)
NOVELTY = Definition(
    key="novelty-share",
    number=26,
    version=1,
    name=_("Novelty share"),
    formula=_(
        "proposals for tickets that the model found stranger than this share of what it had learnt "
        "÷ all proposals that a model had an opinion on"
    ),
    caveat=_(
        "With a usual mix of tickets it is what the quantile leaves: of 95 percent, 5 percent. "
        "More means that work has changed, not that anybody works badly."
    ),
    unit=Unit.SHARE,
    min_n=20,
    purpose=_("Shows when tickets come in that the model has not learnt and people have to solve."),
    parameters={
        "quantile": Parameter(
            label=_("Novelty quantile"), unit=_("percent"), least=80, most=99, default=95
        )
    },
)
OUTCOMES = Definition(
    key="outcomes-by-route",
    number=None,
    version=1,
    name=_("What became of tickets"),
    formula=_(
        "tickets reopened, or reopened or commented on, within the outcome window after their "
        "first resolution ÷ tickets resolved whose outcome window has passed; rated bad ÷ rated; "
        "by how the last proposal was settled"
    ),
    caveat=_(
        "People change the harder tickets, so the difference is not the effect of automation. "
        "Few people rate, and those who are annoyed sooner than others."
    ),
    unit=Unit.SHARE,
    min_n=20,
    purpose=_("Shows whether tickets stay solved, whoever had the last word on the proposal."),
    parameters={"outcome_days": OUTCOME_DAYS},
)

OF_WORKFLOWS = (
    PING_PONG,
    REASSIGNED,
    RECATEGORISED,
    REWORK,
    TOUCH,
    NOVELTY,
    VERIFIED,
    OUTCOMES,
    TIME_TO_RESOLVE,
)
