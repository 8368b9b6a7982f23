"""Two lanes of work, so that a helpdesk that does not answer never holds up triage."""

from enum import StrEnum

from triage.models import Job


class Lane(StrEnum):
    """A queue of the broker, and processes that listen to it alone."""

    TRIAGE = "triage"
    EFFECTS = "effects"


# In order of urgency: what was begun is ended before something new is begun, and what only
# explains a proposal waits until all of them are made; models in shadow come after everything.
KINDS = {
    Lane.TRIAGE: (Job.Kind.PROPOSE, Job.Kind.RECEIVE, Job.Kind.EVIDENCE, Job.Kind.SHADOW),
    Lane.EFFECTS: (Job.Kind.EFFECT, Job.Kind.NOTICE),
}
ALL_KINDS = (*KINDS[Lane.TRIAGE], *KINDS[Lane.EFFECTS])
TASKS = {Lane.TRIAGE: "triage.work", Lane.EFFECTS: "triage.write_back"}
