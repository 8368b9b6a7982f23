"""Whether triage keeps up, in the words of those who wait for its tickets."""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings

from review.recalled import recalled
from triage.health import oldest_ticket_seconds

KEPT_SECONDS = 15.0
# A healthy worker begins within seconds.
BEHIND_FROM_SECONDS = 120.0


@dataclass(frozen=True)
class Lag:
    """How long the oldest ticket has waited to be triaged."""

    seconds: float

    @property
    def oldest(self) -> timedelta:
        return timedelta(seconds=self.seconds)

    @property
    def is_behind(self) -> bool:
        return self.seconds >= BEHIND_FROM_SECONDS

    @property
    def is_stopped(self) -> bool:
        """Whether helpdesks are asked to keep what is new until triage has caught up."""
        return self.seconds > settings.INTAKE_OLDEST_JOB_SECONDS


def lag() -> Lag:
    return Lag(recalled("lag", KEPT_SECONDS, oldest_ticket_seconds))
