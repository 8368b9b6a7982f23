"""What a human look is worth: the moment by which a person should have looked.

Queues are ordered by that moment, so the order needs no clock and an index can hold it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

# By rank, the lowest priority first; ranks above are as pressing as the last.
TARGET_MINUTES = (480, 240, 60, 15)
# Without a priority: as long as the second lowest may wait.
UNRANKED_MINUTES = TARGET_MINUTES[1]
# Shares of the target by which a ticket moves forward, at the most.
UNSURE_SHARE = 0.25
NOVEL_SHARE = 0.25
# Of tickets like those that a model learnt from, novelty spreads evenly over 0 to 1. So only the
# strangest fifth says anything; below, one ticket is as usual as another.
NOVEL_FROM = 0.8
# The strangest twentieth: worth a word, and a fair share of them for everybody.
NOVEL_BADGE_FROM = 0.95


@dataclass(frozen=True)
class Worth:
    """Why a ticket stands where it stands.

    target_minutes : from opening to the look that is due, by its priority
    uncertainty : 0 to 1, one minus the probability of the main value
    novelty : 0 to 1, one minus the in-scope score of the main value
    """

    target_minutes: int
    uncertainty: float
    novelty: float

    @property
    def sooner_unsure(self) -> timedelta:
        return timedelta(minutes=self.target_minutes * UNSURE_SHARE * self.uncertainty)

    @property
    def sooner_novel(self) -> timedelta:
        beyond = max(0.0, self.novelty - NOVEL_FROM) / (1 - NOVEL_FROM)
        return timedelta(minutes=self.target_minutes * NOVEL_SHARE * beyond)

    def due(self, opened_at: datetime) -> datetime:
        """When the target runs out."""
        return opened_at + timedelta(minutes=self.target_minutes)

    def look_by(self, opened_at: datetime) -> datetime:
        """The place in the queue: the target, sooner where the model is unsure or out of its depth.

        A ticket that nobody is sure about is worth more of a person's time than one that only
        has to be waved through.
        """
        return self.due(opened_at) - self.sooner_unsure - self.sooner_novel


def target_minutes(rank: int | None, named: int | None = None) -> int:
    """The owner's own figure for the priority, else one by its rank; None: no priority."""
    if named is not None:
        return named
    if rank is None:
        return UNRANKED_MINUTES
    return TARGET_MINUTES[min(max(rank, 0), len(TARGET_MINUTES) - 1)]
