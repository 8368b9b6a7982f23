"""All tables of triage. A foreign key with db_index=False needs no index of its own: a constraint
or an index of its model begins with it.
"""

from triage.models.catalogue import Choice, Field, Source, SourceSecret
from triage.models.counting import Touched
from triage.models.drift import (
    DriftFinding,
    DriftReference,
    DriftReport,
    RetrainingProposal,
)
from triage.models.effects import Effect
from triage.models.intake import Delivery, Ticket, TicketEvent, TicketVersion
from triage.models.jobs import Job
from triage.models.learning import Label, ModelVersion, Prediction, TextVector
from triage.models.ledger import LedgerEntry, LedgerHead
from triage.models.policy import (
    Certificate,
    EmergencyStop,
    EscalationRule,
    Level,
    Playbook,
    RuleNotice,
    RuleVersion,
    Rung,
)
from triage.models.proposals import Proposal, ProposedValue, RuleHit, Waiting
from triage.models.tallies import Tally, TallyMark
from triage.models.training import LabelDoubt, TrainingRun

__all__ = [
    "Certificate",
    "Choice",
    "Delivery",
    "DriftFinding",
    "DriftReference",
    "DriftReport",
    "Effect",
    "EmergencyStop",
    "EscalationRule",
    "Field",
    "Job",
    "Label",
    "LabelDoubt",
    "LedgerEntry",
    "LedgerHead",
    "Level",
    "ModelVersion",
    "Playbook",
    "Prediction",
    "Proposal",
    "ProposedValue",
    "RetrainingProposal",
    "RuleHit",
    "RuleNotice",
    "RuleVersion",
    "Rung",
    "Source",
    "SourceSecret",
    "Tally",
    "TallyMark",
    "TextVector",
    "Ticket",
    "TicketEvent",
    "TicketVersion",
    "Touched",
    "TrainingRun",
    "Waiting",
]
