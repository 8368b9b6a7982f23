from review.models.checks import (
    BlindAnswer,
    BlindValue,
    PracticeAnswer,
    SecondLook,
    SpotCheck,
    Truth,
)
from review.models.counts import (
    AgreementCount,
    ChangeCount,
    CheckCount,
    DrawnCount,
    OutcomeCount,
    PersonDay,
    ProposalCount,
    ReviewCount,
    TimeCount,
    TimeWeek,
)
from review.models.decisions import Batch, DecidedValue, Decision, Reason, Withdrawal
from review.models.definitions import Ballot, DefinitionComment, MetricDefinition
from review.models.drills import Drill, DrillAcknowledgement, DrillAnswer, DrillProgramme
from review.models.kpis import Baseline, KpiCount, KpiTarget
from review.models.people import Concern, Seen
from review.models.pulse import PulseAsked, PulseCount
from review.models.stories import (
    NoveltyCount,
    ResolveCount,
    ResolveWeek,
    ReturnCount,
    StoryCount,
    StoryPath,
    TicketStory,
)
from review.models.weekly import WeeklySent, WeeklySubscription
from review.models.work import Lease, SavedView, Skip, TeamAgreement

__all__ = [
    "AgreementCount",
    "Ballot",
    "Baseline",
    "Batch",
    "BlindAnswer",
    "BlindValue",
    "ChangeCount",
    "CheckCount",
    "Concern",
    "DecidedValue",
    "Decision",
    "DefinitionComment",
    "Drill",
    "DrillAcknowledgement",
    "DrillAnswer",
    "DrawnCount",
    "DrillProgramme",
    "KpiCount",
    "KpiTarget",
    "Lease",
    "MetricDefinition",
    "NoveltyCount",
    "OutcomeCount",
    "PersonDay",
    "PracticeAnswer",
    "PulseAsked",
    "PulseCount",
    "ProposalCount",
    "Reason",
    "ResolveCount",
    "ResolveWeek",
    "ReturnCount",
    "ReviewCount",
    "SavedView",
    "SecondLook",
    "Seen",
    "Skip",
    "SpotCheck",
    "StoryCount",
    "StoryPath",
    "TeamAgreement",
    "TicketStory",
    "TimeCount",
    "TimeWeek",
    "Truth",
    "WeeklySent",
    "WeeklySubscription",
    "Withdrawal",
]
