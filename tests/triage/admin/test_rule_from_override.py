"""A rule begun from an override: what the form says first, and what stays of where it came from."""

import json
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from tests.conftest import new_source, new_ticket
from tests.triage.admin.rows import new_prediction, new_proposal
from tests.triage.admin.test_rules import posted
from triage import similar
from triage.models import Choice, ModelVersion, Proposal, ProposedValue, RuleVersion, Source

ADD = "admin:triage_escalationrule_add"


@pytest.fixture(autouse=True)
def nothing_known_of_words() -> None:
    similar.forget()


@pytest.fixture
def proposal(source: Source, choices: dict[str, Choice]) -> Proposal:
    """Hardware is proposed, for words that speak against it too."""
    ticket = new_ticket(source, subject="Warehouse scanner of bob@example.org stopped", body="x")
    return new_proposal(ticket, choices["hardware"])


def address(proposal: Proposal, choice: Choice, /, **over: Any) -> str:
    query = {"prompted_by": proposal.pk, "choice": choice.pk} | over
    return f"{reverse(ADD)}?" + "&".join(f"{key}={value}" for key, value in query.items())


def initial(client: Client, path: str) -> dict[str, Any]:
    answer = client.get(path)
    assert answer.status_code == 200
    form = answer.context["adminform"].form
    return {name: form[name].initial for name in ("name", "combine", "conditions", "actions")}


def test_the_form_starts_with_what_was_proposed_its_words_and_the_final_choice(
    desk: Client, proposal: Proposal, choices: dict[str, Choice]
) -> None:
    said = initial(desk, address(proposal, choices["network"]))

    assert said["combine"] == "all"
    assert said["conditions"] == [
        {"kind": "field_is", "field": "category", "choice": "hardware"},
        {"kind": "words_any", "words": ["warehouse", "scanner", "stopped"], "where": "either"},
    ]
    assert said["actions"] == [{"kind": "set_field", "field": "category", "choice": "network"}]
    assert said["name"] == "Hardware: warehouse to Network"


def test_words_that_spoke_against_the_proposal_come_first_and_no_address_comes_at_all(
    desk: Client,
    proposal: Proposal,
    choices: dict[str, Choice],
    make_version: Callable[..., ModelVersion],
) -> None:
    prediction = new_prediction(proposal.ticket, make_version(), hardware=0.6)
    prediction.words_against = ["Scanner", "_mail_", "wlan down"]
    prediction.save()
    ProposedValue.objects.filter(proposal=proposal).update(prediction=prediction)

    [_, words] = initial(desk, address(proposal, choices["network"]))["conditions"]

    assert words["words"] == ["Scanner", "wlan down", "warehouse", "stopped"]


def test_a_team_is_routed_to(desk: Client, proposal: Proposal, choices: dict[str, Choice]) -> None:
    team = choices["service-desk"]
    ProposedValue.objects.create(
        proposal=proposal, field=team.field, choice=choices["infrastructure"], basis="follows"
    )

    said = initial(desk, address(proposal, team))

    assert said["actions"] == [{"kind": "route_to", "choice": "service-desk"}]
    assert said["conditions"][0]["choice"] == "infrastructure"


def test_what_is_offered_can_be_saved_as_it_stands_and_remembers_the_proposal(
    desk: Client,
    proposal: Proposal,
    choices: dict[str, Choice],
    ai_owner: User,
    recorded: Callable[[str], list[dict[str, Any]]],
) -> None:
    new_source(name="The other desk")
    path = address(proposal, choices["network"])
    assert "x-bind:action" in desk.get(path).content.decode()

    answer = desk.post(path, posted(None, ai_owner, **initial(desk, path)))

    assert answer.status_code == 302, answer.context["errors"]
    version = RuleVersion.objects.get()
    assert version.prompted_by == proposal
    assert version.rule.source == proposal.ticket.source
    [payload] = recorded("rule")
    assert payload["prompted_by"] == proposal.pk
    assert "warehouse" not in json.dumps(payload)


def test_a_second_rule_from_such_an_override_gets_another_name(
    desk: Client, proposal: Proposal, choices: dict[str, Choice], ai_owner: User
) -> None:
    path = address(proposal, choices["network"])
    desk.post(path, posted(None, ai_owner, **initial(desk, path)))

    assert initial(desk, path)["name"] == "Hardware: warehouse to Network 2"


def test_a_later_version_does_not_come_from_the_override(
    desk: Client, proposal: Proposal, choices: dict[str, Choice], ai_owner: User
) -> None:
    path = address(proposal, choices["network"])
    desk.post(path, posted(None, ai_owner, **initial(desk, path)))
    rule = RuleVersion.objects.get().rule
    change = reverse("admin:triage_escalationrule_change", args=[rule.pk])

    desk.post(
        f"{change}?prompted_by={proposal.pk}", posted(rule, ai_owner, actions=[{"kind": "hold"}])
    )

    assert [v.prompted_by for v in rule.versions.order_by("number")] == [proposal, None]


@pytest.mark.parametrize(
    "query",
    [
        {"prompted_by": "0"},
        {"prompted_by": "x", "choice": "1"},
        {"prompted_by": "9" * 30},
        {"choice": "9" * 18},
        {"choice": "%00"},
    ],
)
def test_an_address_that_names_nothing_opens_the_empty_form(
    desk: Client, proposal: Proposal, choices: dict[str, Choice], query: dict[str, str]
) -> None:
    said = initial(desk, address(proposal, choices["network"], **query))

    assert (said["conditions"], said["actions"]) in (([], []), (list, list))


def test_a_proposal_in_the_shadow_and_a_retired_choice_prompt_no_rule(
    desk: Client, proposal: Proposal, choices: dict[str, Choice], ai_owner: User
) -> None:
    path = address(proposal, choices["network"])
    Choice.objects.filter(pk=choices["network"].pk).update(retired_at=proposal.created_at)
    assert initial(desk, path)["actions"] in ([], list)
    Proposal.objects.update(route=Proposal.Route.SHADOW)

    desk.post(path, posted(None, ai_owner))

    assert RuleVersion.objects.get().prompted_by is None


def test_the_form_says_where_it_came_from(
    desk: Client, proposal: Proposal, choices: dict[str, Choice]
) -> None:
    html = unescape(desk.get(address(proposal, choices["network"])).content.decode())

    assert f"From an override of #{proposal.ticket.external_id}." in html
    assert "From an override" not in desk.get(reverse(ADD)).content.decode()
