from review.models.checks import BlindAnswer, BlindValue, PracticeAnswer, SpotCheck
from review.models.decisions import Batch, DecidedValue, Decision, Reason, Withdrawal
from review.models.people import Concern, Seen
from review.models.work import Lease, SavedView, Skip, TeamAgreement

__all__ = [
    "Batch",
    "BlindAnswer",
    "BlindValue",
    "Concern",
    "DecidedValue",
    "Decision",
    "Lease",
    "PracticeAnswer",
    "Reason",
    "SavedView",
    "Seen",
    "Skip",
    "SpotCheck",
    "TeamAgreement",
    "Withdrawal",
]
