"""Reading decisions: filters and what they cost."""

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from review import decisions
from review.models import Decision
from tests.conftest import OPENED
from tests.triage.api.conftest import new_proposed, with_token
from triage.models import Choice, Source

pytestmark = pytest.mark.django_db


def test_decisions_are_filtered_and_cost_the_same_queries_for_1_and_30(
    source: Source, catalogue: dict[str, Choice], technician: User
) -> None:
    def accepted() -> Decision:
        return decisions.decide(
            proposal=new_proposed(source, values={"category": "access"}),
            reviewer=technician,
            choices={},
            reasons={},
            with_playbook=False,
        )

    asking = with_token(technician)
    first = accepted()
    with CaptureQueriesContext(connection) as one:
        asking.get("/api/v1/decisions/")
    for _ in range(29):
        accepted()
    with CaptureQueriesContext(connection) as thirty:
        answer = asking.get("/api/v1/decisions/")
    Decision.objects.filter(pk=first.pk).update(decided_at=OPENED)
    found = {
        query: len(asking.get(f"/api/v1/decisions/?{query}").json()["results"])
        for query in (
            "verdict=accepted",
            "verdict=sent_back",
            f"proposal={first.proposal_id}",
            "since=2026-03-02T09:30:01Z",
            "since=2026-03-02T09:30:00Z",
        )
    }

    assert len(answer.json()["results"]) == 30
    assert len(one) == len(thirty) <= 8
    assert list(found.values()) == [30, 0, 1, 29, 30]
