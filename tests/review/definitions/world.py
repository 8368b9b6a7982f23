"""People and versions for tests of definitions, each made with as little said as possible."""

from dataclasses import replace
from html import unescape
from typing import Any

from django.contrib.auth.models import User
from django.test import Client

from review import recalled
from review.metrics import co_creation, versions, votes
from review.metrics.co_creation import Draft
from review.metrics.definitions import DEFINITIONS
from review.models import MetricDefinition
from review.roles import TECHNICIAN
from tests.conftest import new_user
from triage.models import LedgerEntry

KEY = "reopened"
WHERE = "/metrics/definitions/"


def make_team(size: int = 6) -> list[User]:
    return [new_user(f"tech{number}", TECHNICIAN) for number in range(size)]


def draft(key: str = KEY, **over: Any) -> Draft:
    """As the service came with it, but for what is given and `outcome_days` of 14."""
    one = DEFINITIONS[key]
    parameters = {"outcome_days": 14} if key == KEY else {}
    same = Draft(
        str(one.purpose), str(one.caveat), one.audience, one.min_n, one.min_people, parameters
    )
    return replace(same, **over)


def proposed(by: User, key: str = KEY, **over: Any) -> MetricDefinition:
    if key != KEY and not over:
        over = {"min_n": 33}
    return co_creation.propose(key, draft(key, **over), by=by, why="A week is too short.")


def voted(
    team: list[User], yes: int = 6, no: int = 0, *, by: User | None = None, **over: Any
) -> MetricDefinition:
    """Proposed by the first of the team, or by somebody else; the last say no."""
    leader = by or team[0]
    row = proposed(leader, **over)
    votes.open_vote(row.pk, by=leader)
    for person in team[:yes]:
        votes.vote(row.pk, by=person, says_yes=True)
    for person in team[yes : yes + no]:
        votes.vote(row.pk, by=person, says_yes=False, reason="unclear")
    return votes.close_vote(row.pk, by=leader)


def active(team: list[User], lead: User, **over: Any) -> MetricDefinition:
    row = voted(team, **over)
    standing = max(
        [1, *MetricDefinition.objects.filter(
            key=row.key, activated_at__isnull=False, retired_at=None
        ).values_list("version", flat=True)]
    )  # fmt: skip
    found = co_creation.activate(row.pk, by=lead, instead_of=standing)
    recalled.forget(versions.RECALLED)
    return found


def events(row: MetricDefinition) -> list[dict[str, Any]]:
    found = LedgerEntry.objects.filter(subject=f"definition:{row.pk}").order_by("sequence")
    return [dict(entry.payload) for entry in found]


def path(row: MetricDefinition, step: str = "") -> str:
    return f"{WHERE}{row.key}/{row.version}/{step}"


def page(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status
    return unescape(answer.text)
