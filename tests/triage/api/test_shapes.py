"""What a ticket and a proposal look like, and what is never shown."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.conftest import OPENED, event_message, new_ticket, ticket_message
from tests.triage.api.conftest import LISTS, Propose, ids
from triage.models import (
    Choice,
    EscalationRule,
    Level,
    ModelVersion,
    Playbook,
    Prediction,
    Proposal,
    ProposedValue,
    RuleHit,
    RuleVersion,
    Source,
    Ticket,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def reasoned(
    source: Source, catalogue: dict[str, Choice], propose: Propose, technician: User
) -> Proposal:
    """A proposal that a model, a rule and a playbook had a part in."""
    proposal = propose(source)
    solved = new_ticket(source, closed_at=OPENED)
    playbook = Playbook.objects.create(
        source=source, name="Reset the tunnel", owner=technician, reply="Hello"
    )
    model = ModelVersion.objects.create(
        field=catalogue["network"].field,
        number=3,
        owner=technician,
        state="champion",
        artefact="x",
        sha256="0" * 64,
        label_count=100,
    )
    prediction = Prediction.objects.create(
        ticket_version=proposal.ticket_version,
        model_version=model,
        probabilities={"network": 0.875, "access": 0.125},
        in_scope=0.75,
        words_for=["tunnel", "VPN"],
        words_against=["hour"],
    )
    rule = EscalationRule.objects.create(source=source, name="Outage words", owner=technician)
    version = RuleVersion.objects.create(
        rule=rule, number=2, conditions=[], actions=[], author=technician
    )
    RuleHit.objects.create(proposal=proposal, rule_version=version)
    values = ProposedValue.objects.filter(proposal=proposal)
    values.filter(field__key="category").update(
        basis="model", prediction=prediction, probability=0.875
    )
    values.filter(field__key="priority").update(
        basis="rule", rule_version=version, choice=catalogue["urgent"]
    )
    Proposal.objects.filter(pk=proposal.pk).update(
        playbook=playbook, reply="Hello", similar=[{"ticket": solved.pk, "similarity": 0.5}]
    )
    return Proposal.objects.get(pk=proposal.pk)


WENT_WELL = {
    "values": {},
    "closed_at": "2026-03-02T09:30:00Z",
    "reopened_count": 0,
    "reassigned_count": 0,
    "rating": None,
    "playbook": "",
    "was_automatic": False,
}


def test_a_proposal_says_what_each_value_rests_on(
    asking: Client, reasoned: Proposal, technician: User
) -> None:
    answer = asking.get(f"/api/v1/proposals/{reasoned.pk}/").json()

    category, team, priority = answer["values"]
    rule = {"name": "Outage words", "version": 2, "owner": "maya"}
    assert category == {
        "field": "category",
        "choice": "network",
        "basis": "model",
        "level": "suggest",
        "probability": 0.875,
        "doubt": "",
        "asked": None,
        "prediction": {
            "model_version": 3,
            "probabilities": {"network": 0.875, "access": 0.125},
            "in_scope": 0.75,
            "tier": 1,
            "words_for": ["tunnel", "VPN"],
            "words_against": ["hour"],
        },
        "rule": None,
    }
    assert (team["choice"], team["basis"], team["prediction"]) == (
        "infrastructure",
        "follows",
        None,
    )
    assert (priority["choice"], priority["rule"]) == ("urgent", rule)
    assert answer["rules"] == [rule]
    assert answer["playbook"] == {
        "id": reasoned.playbook_id,
        "name": "Reset the tunnel",
        "owner": "maya",
        "is_reversible": True,
    }
    assert answer["reply"] == "Hello"
    (alike,) = answer["similar"]
    assert alike.pop("outcome") == WENT_WELL
    assert [alike] == reasoned.similar
    assert answer["ticket"]["external_id"] == reasoned.ticket.external_id
    assert (answer["route"], answer["is_waiting"], answer["ticket_version"]) == ("review", True, 1)


def test_a_ticket_shows_its_versions_events_and_newest_proposal(
    asking: Client,
    source: Source,
    catalogue: dict[str, Choice],
    deliver: Callable[..., Any],
    work: Callable[[], int],
) -> None:
    deliver(source, ticket_message(values={"category": "access"}))
    work()
    deliver(source, ticket_message(version=5, subject="Still no VPN", values={}))
    deliver(source, event_message(kind="reassigned", field="team", choice="infrastructure"))
    work()

    ticket = Ticket.objects.get()
    answer = asking.get(f"/api/v1/tickets/{ticket.pk}/").json()

    newest = Proposal.objects.get(ticket_version__version=5)
    assert (answer["source"], answer["external_id"]) == ("desk", "T-1")
    assert answer["body"] == ticket.body
    assert [(v["version"], v["subject"], v["values"]) for v in answer["versions"]] == [
        (5, "Still no VPN", {}),
        (1, "VPN drops every hour", {"category": "access"}),
    ]
    (event,) = answer["events"]
    assert (event["kind"], event["field"], event["choice"], event["score"]) == (
        "reassigned",
        "team",
        "infrastructure",
        None,
    )
    assert answer["proposal"]["id"] == answer["waiting_proposal"] == newest.pk
    assert answer["proposal"]["values"][0]["field"] == "category"


def test_a_ticket_without_a_proposal_says_so(asking: Client, source: Source) -> None:
    answer = asking.get(f"/api/v1/tickets/{new_ticket(source).pk}/").json()

    assert (answer["proposal"], answer["waiting_proposal"], answer["events"]) == (None, None, [])


def test_a_detail_costs_the_same_queries_however_much_there_is(
    asking: Client, source: Source, reasoned: Proposal
) -> None:
    path = f"/api/v1/tickets/{reasoned.ticket_id}/"
    with CaptureQueriesContext(connection) as few:
        asking.get(path)
    for version in range(2, 30):
        reasoned.ticket.versions.create(version=version, subject="x")
        reasoned.ticket.events.create(key=str(version), kind="commented", happened_at=OPENED)
    with CaptureQueriesContext(connection) as many:
        answer = asking.get(path).json()

    assert len(many) == len(few) <= 13
    assert [v["version"] for v in answer["versions"]] == list(range(29, 9, -1))
    assert len(answer["events"]) == 28


def test_what_runs_in_the_shadow_is_shown_to_nobody(
    asking: Client, source: Source, propose: Propose
) -> None:
    hidden, shown = propose(source), propose(source)
    Proposal.objects.filter(pk=hidden.pk).update(route=Proposal.Route.SHADOW)
    hidden.waiting.delete()
    shown.values.filter(field__key="category").update(level=Level.SHADOW)

    (row,) = asking.get("/api/v1/proposals/").json()["results"]
    detail = asking.get(f"/api/v1/proposals/{shown.pk}/").json()

    assert row["id"] == shown.pk
    for values in (row["values"], detail["values"]):
        assert (values[0]["choice"], values[0]["basis"]) == (None, "none")
    assert ids(asking.get("/api/v1/proposals/?choice=network")) == []
    assert asking.get(f"/api/v1/proposals/{hidden.pk}/").status_code == 404
    assert asking.get(f"/api/v1/tickets/{hidden.ticket_id}/").json()["proposal"] is None


def test_an_open_value_says_what_was_asked_of_the_model_unless_it_is_in_the_shadow(
    asking: Client, source: Source, propose: Propose
) -> None:
    proposal = propose(source)
    value = proposal.values.filter(field__key="category")
    value.update(choice=None, basis="none", probability=0.18, doubt="unsure", asked=0.2)
    told = []

    for level in (Level.SUGGEST, Level.SHADOW):
        value.update(level=level)
        row = asking.get(f"/api/v1/proposals/{proposal.pk}/").json()["values"][0]
        told.append((row["choice"], row["probability"], row["doubt"], row["asked"]))

    assert told == [(None, 0.18, "unsure", 0.2), (None, None, "", None)]


@pytest.mark.parametrize("pk", ["0", "999999999", "9" * 30, "9" * 5000])
@pytest.mark.parametrize("name", LISTS)
def test_a_row_that_is_not_there_is_404_in_json(asking: Client, name: str, pk: str) -> None:
    answer = asking.get(f"/api/v1/{name}/{pk}/")

    assert answer.status_code == 404
    assert answer.json()["detail"]


def test_an_unknown_address_is_json_below_api_and_a_page_elsewhere(
    asking: Client, client: Client
) -> None:
    answers = [asking.get(path) for path in ("/api/", "/api/v2/tickets/", "/api/v1/nothing")]
    page = client.get("/nothing/")

    assert [answer.status_code for answer in answers] == [404] * 3
    assert [answer.json() for answer in answers] == [
        {"detail": "There is nothing at this address."}
    ] * 3
    assert page.status_code == 404
    assert page["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("name", LISTS)
def test_lists_cannot_be_written(asking: Client, name: str) -> None:
    codes = {
        asking.generic(method, f"/api/v1/{name}/{row}").status_code
        for method in ("POST", "PUT", "PATCH", "DELETE")
        for row in ("", "1/")
    }

    assert codes == {405}


def test_reading_changes_nothing(asking: Client, source: Source, propose: Propose) -> None:
    proposal = propose(source)
    with CaptureQueriesContext(connection) as queries:
        for path in ("tickets/", f"tickets/{proposal.ticket_id}/", f"proposals/{proposal.pk}/"):
            asking.get(f"/api/v1/{path}")

    written = [q["sql"] for q in queries if not q["sql"].startswith("SELECT")]
    assert written == []
