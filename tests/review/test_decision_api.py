"""Deciding through the API: what is stored, what is refused, and who was first."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from review.models import Decision, Reason
from tests.conftest import event_message, ticket_message
from tests.triage.api.conftest import new_proposed, with_token
from triage.models import Choice, Effect, Label, LedgerEntry, Playbook, Proposal, Source, Waiting

pytestmark = pytest.mark.django_db

Say = Callable[..., Any]


@pytest.fixture
def reasons(db: None) -> None:
    for digit, (key, applies_to, needs_text) in enumerate(
        [
            ("wrong-category", "override", False),
            ("other", "override", True),
            ("major-incident", "escalate", False),
            ("more-information", "send_back", False),
        ],
        1,
    ):
        Reason.objects.update_or_create(
            key=key,
            applies_to=applies_to,
            defaults={
                "label": key.replace("-", " "),
                "digit": digit,
                "needs_text": needs_text,
                "is_active": True,
            },
        )


@pytest.fixture
def proposal(source: Source, catalogue: dict[str, Choice], reasons: None) -> Proposal:
    """Proposes category network and, from it, team infrastructure; priority is left open."""
    return new_proposed(source)


@pytest.fixture
def say(technician: User, proposal: Proposal) -> Say:
    """Post a decision on the proposal; a dict is sent as JSON, bytes as they are."""
    client = with_token(technician)

    def post(body: Any, on: int | None = None, **more: Any) -> Any:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return client.generic(
            "POST",
            f"/api/v1/proposals/{on or proposal.pk}/decision/",
            content,
            **{"content_type": "application/json"} | more,
        )

    return post


def finals(decision: Decision) -> dict[str, str | None]:
    return {
        value.field.key: value.final.key if value.final else None for value in decision.values.all()
    }


# --- Deciding -------------------------------------------------------------------------------
def test_accepting_stores_the_decision_its_labels_effects_and_ledger_entry(
    say: Say, proposal: Proposal, technician: User
) -> None:
    answer = say({"verdict": "accept"})

    decision = Decision.objects.get()
    assert answer.status_code == 201
    assert (decision.verdict, decision.reviewer) == ("accepted", technician)
    assert finals(decision) == {
        "category": "network",
        "team": "infrastructure",
        "priority": None,
    }
    assert set(Label.objects.values_list("choice__key", flat=True)) == {
        "network",
        "infrastructure",
    }
    assert list(Effect.objects.values_list("kind", flat=True)) == ["values", "note"]
    assert LedgerEntry.objects.filter(kind="decision").count() == 1
    assert not Waiting.objects.exists()


def test_the_answer_is_the_decision_as_reading_it_shows_it(
    say: Say, proposal: Proposal, technician: User
) -> None:
    answer = say({"verdict": "accept", "text": "Looks right."}).json()

    read = with_token(technician).get(f"/api/v1/decisions/{answer['id']}/").json()
    assert answer == read
    assert answer["proposal"] == proposal.pk
    assert answer["ticket"]["external_id"] == proposal.ticket.external_id
    assert answer["reviewer"] == {"id": technician.pk, "name": "Maya Berg"}
    assert (answer["verdict"], answer["text"], answer["reason"]) == (
        "accepted",
        "Looks right.",
        None,
    )
    assert answer["values"][0] == {
        "field": "category",
        "proposed": "network",
        "final": "network",
        "reason": None,
    }


def test_overriding_changes_what_was_said_and_keeps_the_rest(say: Say) -> None:
    answer = say(
        {
            "verdict": "override",
            "values": {"category": "access", "priority": "urgent"},
            "reasons": {"category": "wrong-category"},
        }
    )

    assert answer.status_code == 201
    decision = Decision.objects.get()
    assert decision.verdict == "overridden"
    assert finals(decision) == {
        "category": "access",
        "team": "infrastructure",
        "priority": "urgent",
    }
    assert [row["reason"] for row in answer.json()["values"]] == ["wrong-category", None, None]


def test_escalating_routes_to_a_team_and_settles_nothing_else(say: Say) -> None:
    answer = say({"verdict": "escalate", "reason": "major-incident", "team": "service-desk"})

    decision = Decision.objects.get()
    assert answer.status_code == 201
    assert (decision.verdict, decision.reason and decision.reason.key) == (
        "escalated",
        "major-incident",
    )
    effect = Effect.objects.get(kind="values")
    assert effect.payload == {"values": {"team": "service-desk"}}
    assert not Label.objects.exists()


def test_sending_back_leaves_only_a_note(say: Say) -> None:
    answer = say({"verdict": "send_back", "reason": "more-information", "text": "Which VPN?"})

    assert answer.status_code == 201
    assert Decision.objects.get().verdict == "sent_back"
    assert list(Effect.objects.values_list("kind", flat=True)) == ["note"]


def test_a_playbook_is_carried_out_only_when_asked(
    say: Say, proposal: Proposal, technician: User
) -> None:
    playbook = Playbook.objects.create(
        source=proposal.ticket.source, name="Reset", owner=technician, reply="Hello"
    )
    Proposal.objects.filter(pk=proposal.pk).update(playbook=playbook, reply="Hello Ann")

    answer = say({"verdict": "accept", "with_playbook": True})

    assert answer.json()["with_playbook"] is True
    assert list(Effect.objects.order_by("position").values_list("kind", flat=True)) == [
        "values",
        "note",
        "reply",
        "status",
    ]


# --- Who may, and who was first -------------------------------------------------------------
def test_without_a_token_it_is_401_and_without_the_permission_403(
    client: Client, proposal: Proposal, team_lead: User, auditor: User
) -> None:
    url = f"/api/v1/proposals/{proposal.pk}/decision/"
    codes = [
        asking.post(url, {"verdict": "accept"}, content_type="application/json").status_code
        for asking in (client, with_token(team_lead), with_token(auditor))
    ]

    assert codes == [401, 403, 403]
    assert not Decision.objects.exists()


def test_a_session_needs_a_csrf_token_as_well(proposal: Proposal, technician: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(technician, "django.contrib.auth.backends.ModelBackend")

    answer = browser.post(
        f"/api/v1/proposals/{proposal.pk}/decision/",
        {"verdict": "accept"},
        content_type="application/json",
    )

    assert answer.status_code == 403
    assert "CSRF" in answer.json()["detail"]


def test_the_second_gets_409_with_the_decision_of_the_first(
    say: Say, proposal: Proposal, ai_owner: User
) -> None:
    first = say({"verdict": "accept"}).json()

    answer = with_token(ai_owner).post(
        f"/api/v1/proposals/{proposal.pk}/decision/",
        {"verdict": "send_back", "reason": "more-information"},
        content_type="application/json",
    )

    assert answer.status_code == 409
    assert answer.json() == {
        "detail": "Maya Berg has already accepted this proposal.",
        "code": "already_decided",
        "winner": first,
    }
    assert Decision.objects.count() == 1


def test_a_proposal_whose_ticket_has_changed_is_409_superseded(
    source: Source,
    catalogue: dict[str, Choice],
    say: Say,
    deliver: Callable[..., Any],
    work: Callable[[], int],
) -> None:
    deliver(source, ticket_message())
    work()
    old = Proposal.objects.get(ticket__external_id="T-1")
    deliver(source, ticket_message(version=2))
    work()

    answer = say({"verdict": "accept"}, on=old.pk)

    assert answer.status_code == 409
    assert (answer.json()["code"], answer.json()["winner"]) == ("superseded", None)
    assert not Decision.objects.exists()


def test_a_closed_ticket_is_409_superseded(
    source: Source,
    say: Say,
    proposal: Proposal,
    deliver: Callable[..., Any],
    work: Callable[[], int],
) -> None:
    deliver(source, event_message(ticket_id=proposal.ticket.external_id, kind="closed"))
    work()

    assert say({"verdict": "accept"}).json()["code"] == "superseded"


def test_what_is_not_there_or_runs_in_the_shadow_is_404(say: Say, proposal: Proposal) -> None:
    missing = say({"verdict": "accept"}, on=999_999_999)
    Proposal.objects.filter(pk=proposal.pk).update(route=Proposal.Route.SHADOW)

    assert [missing.status_code, say({"verdict": "accept"}).status_code] == [404, 404]


# --- What is refused ------------------------------------------------------------------------
OVERRIDE = {"verdict": "override", "values": {"category": "access"}}


@pytest.mark.parametrize(
    ("body", "key", "said"),
    [
        ({}, "verdict", "required"),
        ({"verdict": "maybe"}, "verdict", "not a valid choice"),
        ({"verdict": "accept", "values": {"category": "access"}}, "values", "'accept' takes"),
        ({"verdict": "accept", "value": 1}, "value", "'accept' takes"),
        ({"verdict": "override"}, "values", "needs this"),
        ({"verdict": "override", "values": {}}, "values", "not be empty"),
        ({"verdict": "override", "values": []}, "values", "dictionary"),
        ({"verdict": "override", "values": {"category": None}}, "values", "not be null"),
        ({"verdict": "override", "values": {"category": "x"}}, "values", "a choice 'x'"),
        ({"verdict": "override", "values": {"x": "access"}}, "values", "no field 'x'"),
        ({"verdict": "override", "values": {"team": "access"}}, "values", "field 'team'"),
        (OVERRIDE, "detail", "Say why"),
        (OVERRIDE | {"reasons": {"category": "x"}}, "reasons", "no such reason: 'x'"),
        (OVERRIDE | {"reasons": {"category": "major-incident"}}, "reasons", "no such reason"),
        (OVERRIDE | {"reasons": {"team": "other"}}, "reasons", "not among the values"),
        (OVERRIDE | {"reasons": {"category": "other"}}, "detail", "a few words"),
        ({"verdict": "escalate"}, "reason", "needs this"),
        ({"verdict": "escalate", "reason": "x"}, "reason", "Known are: major-incident"),
        ({"verdict": "escalate", "reason": "major-incident", "team": "x"}, "team", "choice 'x'"),
        ({"verdict": "send_back"}, "reason", "needs this"),
        ({"verdict": "send_back", "reason": "more-information", "team": "x"}, "team", "takes"),
        ({"verdict": "accept", "with_playbook": True}, "detail", "offers no playbook"),
        ({"verdict": "accept", "with_playbook": "perhaps"}, "with_playbook", "boolean"),
        ({"verdict": "accept", "text": "x" * 501}, "text", "500 characters"),
        ({"verdict": ["accept"]}, "verdict", "not a valid choice"),
        ({"verdict": "override", "values": {"category": {"a": 1}}}, "values", "valid string"),
        (b"", "verdict", "required"),
        (b"{", "detail", "not usable JSON"),
        (b"[" * 100_000, "detail", "not usable JSON"),
        (b'{"verdict":' + b"[" * 500 + b"]" * 500 + b"}", "detail", "nested"),
        (b'{"verdict": NaN}', "detail", "NaN"),
        (b'{"verdict": "\\ud800"}', "detail", "surrogate"),
        (b'{"verdict": "accept", "text": "a\\u0000b"}', "detail", "NUL"),
        (b'{"verdict": ' + b"9" * 5000 + b"}", "detail", "not usable JSON"),
        (b"\xff\xfe", "detail", "not usable JSON"),
        (b"[]", "non_field_errors", "Expected a dictionary"),
        (b"null", "non_field_errors", "No data"),
        (b'"accept"', "non_field_errors", "Expected a dictionary"),
    ],
    ids=lambda value: repr(value)[:50],
)
def test_a_refusal_names_the_key_and_the_rule_and_stores_nothing(
    say: Say, body: Any, key: str, said: str
) -> None:
    answer = say(body)

    assert answer.status_code == 400, answer.content
    assert said in json.dumps(answer.json()[key])
    assert not Decision.objects.exists()
    assert Waiting.objects.exists()


def test_a_choice_or_reason_out_of_use_is_refused(say: Say, catalogue: dict[str, Choice]) -> None:
    Choice.objects.filter(pk=catalogue["access"].pk).update(retired_at=timezone.now())
    Reason.objects.filter(key="major-incident").update(is_active=False)

    retired = say(OVERRIDE | {"reasons": {"category": "wrong-category"}})
    inactive = say({"verdict": "escalate", "reason": "major-incident"})

    assert (retired.status_code, inactive.status_code) == (400, 400)
    assert "is retired" in retired.json()["detail"]
    assert "is not a reason for escalating" in inactive.json()["detail"]


def test_a_choice_of_another_source_is_unknown(
    say: Say, make_source: Callable[..., Source], make_catalogue: Callable[..., dict[str, Choice]]
) -> None:
    other = make_catalogue(make_source())
    Choice.objects.create(field=other["network"].field, key="printing", name="Printing")

    answer = say({"verdict": "override", "values": {"category": "printing"}})

    assert answer.status_code == 400


def test_a_body_over_a_megabyte_is_413_and_another_type_415(say: Say) -> None:
    large = say({"verdict": "accept", "text": "x" * 1_100_000})
    form = say(b"verdict=accept", content_type="application/x-www-form-urlencoded")
    charset = say({"verdict": "accept"}, content_type="application/json; charset=rot13")

    assert (large.status_code, form.status_code, charset.status_code) == (413, 415, 201)


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    body=st.fixed_dictionaries(
        {"verdict": st.sampled_from(["accept", "override", "escalate", "send_back"])},
        optional={
            name: st.none()
            | st.booleans()
            | st.integers()
            | st.text(max_size=20)
            | st.dictionaries(
                st.sampled_from(["category", "team", "priority"]) | st.text(max_size=5),
                st.sampled_from(["network", "access", "wrong-category"]) | st.text(max_size=5),
                max_size=3,
            )
            for name in ("values", "reasons", "reason", "text", "with_playbook", "team")
        },
    )
)
def test_nothing_that_is_sent_gets_a_5xx(say: Say, body: dict[str, Any]) -> None:
    assert say(body).status_code in (201, 400, 409)
