"""Why a ticket stands in the queue where it stands, in figures that a page can add up."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from review.catalogue import Catalogue
from triage.models import Waiting
from triage.policy.worth import Worth, target_minutes

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Place:
    """`due` is when the target runs out, `look_by` the place in line: the same, or sooner.

    `priority` is the name of the choice that set the target; empty where none did.
    """

    is_held: bool
    opened_at: datetime
    priority: str
    target: timedelta
    due: datetime
    sooner_unsure: timedelta
    sooner_novel: timedelta
    look_by: datetime

    @property
    def is_sooner(self) -> bool:
        return self.look_by < self.due


def worth_of(row: Waiting) -> Worth:
    return Worth(row.target_minutes, row.uncertainty, row.novelty)


def place_of(row: Waiting, choices: Catalogue) -> Place:
    worth = worth_of(row)
    return Place(
        is_held=row.is_held,
        opened_at=row.since,
        priority=_priority(row, choices),
        target=MINUTE * row.target_minutes,
        due=worth.due(row.since),
        sooner_unsure=_whole(worth.sooner_unsure),
        sooner_novel=_whole(worth.sooner_novel),
        look_by=row.look_by,
    )


def _priority(row: Waiting, choices: Catalogue) -> str:
    """The name of the first choice of an ordered field whose target is the row's."""
    given = (choices.by_pk.get(pk) for pk in row.choices)
    ordered = [choice for choice in given if choice is not None and choice.field.is_ordered]
    return next(
        (
            choice.name
            for choice in ordered
            if target_minutes(choice.rank, choice.target_minutes) == row.target_minutes
        ),
        "",
    )


def _whole(span: timedelta) -> timedelta:
    """Less than half a minute is nothing to speak of."""
    return round(span / MINUTE) * MINUTE
