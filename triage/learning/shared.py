"""The live tickets that two versions of a field both predicted, and how each did on them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

from django.db import connection
from django.utils import timezone

from triage.learning.comparison import Paired, Rate, paired, share
from triage.models import Label, ModelVersion

DAYS = 30
# The newest, so that a page costs the same however long a version has been in shadow.
MOST_TICKETS = 20_000

# One row a ticket, by its newest version that both predicted; of each the most probable choice.
# The challenger comes first, because it has predicted less.
SHARED = """
    WITH recent AS (
        SELECT ticket_version_id, probabilities FROM triage_prediction
        WHERE model_version_id = %(challenger)s AND created_at >= %(since)s
        ORDER BY created_at DESC LIMIT %(most)s
    ), pair AS (
        SELECT DISTINCT ON (version.ticket_id) version.ticket_id,
            old.probabilities AS before, recent.probabilities AS after
        FROM recent
        JOIN triage_prediction old ON old.ticket_version_id = recent.ticket_version_id
            AND old.model_version_id = %(champion)s
        JOIN triage_ticketversion version ON version.id = recent.ticket_version_id
        ORDER BY version.ticket_id, version.version DESC
    )
    SELECT ticket_id,
        (SELECT key FROM jsonb_each(before) ORDER BY value DESC, key LIMIT 1),
        (SELECT key FROM jsonb_each(after) ORDER BY value DESC, key LIMIT 1)
    FROM pair ORDER BY ticket_id DESC
"""
# Truths that neither version can have learnt from: told after both were trained.
TRUTHS = """
    SELECT label.ticket_id, label.origin, choice.key, label.propensity
    FROM triage_label label JOIN triage_choice choice ON choice.id = label.choice_id
    WHERE label.ticket_id = ANY(%(tickets)s) AND label.field_id = %(field)s
        AND label.origin <> 'history' AND label.created_at > %(after)s
    ORDER BY label.ticket_id
"""


@dataclass(frozen=True)
class Shared:
    """One ticket and what each of the two would propose; None where it knows no live choice."""

    ticket: int
    champion: str | None
    challenger: str | None


@dataclass(frozen=True)
class Truth:
    """A ticket's true choice with how it is known; propensity for blind checks only."""

    ticket: int
    origin: str
    choice: str
    propensity: float | None


@dataclass(frozen=True)
class Comparison:
    """Champion and challenger on the tickets of the last DAYS that both predicted."""

    champion: ModelVersion
    challenger: ModelVersion
    tickets: Sequence[Shared]
    truths: Sequence[Truth]

    @cached_property
    def by_ticket(self) -> dict[int, Shared]:
        return {row.ticket: row for row in self.tickets}

    @cached_property
    def agreement(self) -> Rate | None:
        same = [int(row.champion == row.challenger) for row in self.tickets]
        return share(same, [1.0] * len(same))

    @cached_property
    def changed(self) -> list[Shared]:
        """Tickets whose proposed value would be another, the newest first."""
        return [row for row in self.tickets if row.champion != row.challenger]

    @cached_property
    def changes(self) -> Counter[tuple[str | None, str | None]]:
        return Counter((row.champion, row.challenger) for row in self.changed)

    @cached_property
    def blind(self) -> Paired | None:
        """On blind checks, weighted by 1 / propensity: the figure that decides."""
        return self._paired(self.checks)

    @cached_property
    def checks(self) -> list[Truth]:
        return [
            truth
            for truth in self.truths
            if truth.origin == Label.Origin.SPOT_CHECK and truth.propensity is not None
        ]

    def beside(self, origin: str) -> Paired | None:
        """On truths of people or events that saw the champion's advice: shown apart."""
        return self._paired([truth for truth in self.truths if truth.origin == origin])

    def by_choice(self) -> dict[str, Paired]:
        """On blind checks, by the true choice."""
        found = {}
        for key in sorted({truth.choice for truth in self.checks}):
            of_choice = self._paired([truth for truth in self.checks if truth.choice == key])
            if of_choice is not None:
                found[key] = of_choice
        return found

    def _paired(self, truths: Sequence[Truth]) -> Paired | None:
        rows = [(self.by_ticket[truth.ticket], truth) for truth in truths]
        return paired(
            [int(row.champion == truth.choice) for row, truth in rows],
            [int(row.challenger == truth.choice) for row, truth in rows],
            [1 / (truth.propensity or 1.0) for _, truth in rows],
        )


def compare(champion: ModelVersion, challenger: ModelVersion) -> Comparison:
    """Two versions of one field on live tickets; two statements, whatever their number."""
    tickets = [Shared(*row) for row in _rows(SHARED, _wanted(champion, challenger))]
    truths = _rows(
        TRUTHS,
        {
            "tickets": [row.ticket for row in tickets],
            "field": champion.field_id,
            "after": max(champion.created_at, challenger.created_at),
        },
    )
    return Comparison(champion, challenger, tickets, [Truth(*row) for row in truths])


def _wanted(champion: ModelVersion, challenger: ModelVersion) -> dict[str, Any]:
    return {
        "champion": champion.pk,
        "challenger": challenger.pk,
        "since": timezone.now() - timedelta(days=DAYS),
        "most": MOST_TICKETS,
    }


def _rows(statement: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found
