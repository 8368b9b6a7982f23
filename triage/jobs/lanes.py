"""Three lanes of work: neither a silent helpdesk nor a long training ever holds up triage."""

from enum import StrEnum

from triage.models import Job


class Lane(StrEnum):
    """A queue of the broker, and processes that listen to it alone."""

    TRIAGE = "triage"
    EFFECTS = "effects"
    LEARNING = "learning"


# In order of urgency: what was begun is ended before something new is begun, and what only
# explains a proposal waits until all of them are made; models in shadow come after everything.
KINDS = {
    Lane.TRIAGE: (Job.Kind.PROPOSE, Job.Kind.RECEIVE, Job.Kind.EVIDENCE, Job.Kind.SHADOW),
    Lane.EFFECTS: (Job.Kind.EFFECT, Job.Kind.NOTICE),
    Lane.LEARNING: (Job.Kind.TRAIN,),
}
# Begun within seconds while all is well; a training takes minutes, and the next waits for it.
PROMPT_KINDS = (*KINDS[Lane.TRIAGE], *KINDS[Lane.EFFECTS])
ALL_KINDS = (*PROMPT_KINDS, *KINDS[Lane.LEARNING])
TASKS = {
    Lane.TRIAGE: "triage.work",
    Lane.EFFECTS: "triage.write_back",
    Lane.LEARNING: "triage.train",
}
