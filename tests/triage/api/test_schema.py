"""The API's description holds, and nothing that it lets one send breaks the service."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.test import Client
from django.utils import timezone
from drf_spectacular.generators import EndpointEnumerator
from hypothesis import HealthCheck, given, settings
from knox.models import AuthToken
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from review.decisions import decide
from review.models import Decision, SpotCheck
from tests.conftest import post_signed
from tests.review.definitions.world import proposed
from triage.models import Proposal, Source

pytestmark = pytest.mark.django_db

WEBHOOK = "/api/v1/sources/{slug}/webhook"
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
# The tool asks for compressed answers and reads them as they are.
PLAIN = {"Accept-Encoding": "identity"}
schema = schemathesis.openapi.from_wsgi("/api/schema/?format=json", get_wsgi_application())
few = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
)
fewer = settings(few, max_examples=3)


@pytest.fixture(autouse=True)
def kept_connection() -> Iterator[None]:
    """The end of a request would close the connection, and the test's transaction with it."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def token(technician: User) -> str:
    _, token = AuthToken.objects.create(technician)
    return str(token)


@pytest.fixture
def everybody(
    technician: User, ai_owner: User, team_lead: User, auditor: User, make_user: Callable[..., User]
) -> list[dict[str, str]]:
    """The header of each role, of somebody without one, of a wrong token, and of nobody."""
    people = (technician, ai_owner, team_lead, auditor, make_user("nina"))
    tokens = [AuthToken.objects.create(user)[1] for user in people]
    return [*({"Authorization": f"Token {token}"} for token in (*tokens, "0" * 64)), {}]


@pytest.fixture
def decided(source: Source, propose: Callable[..., Proposal], technician: User) -> Decision:
    return decide(
        proposal=propose(source),
        reviewer=technician,
        choices={},
        reasons={},
        with_playbook=False,
    )


def test_the_description_is_valid_and_without_warnings() -> None:
    call_command("spectacular", validate=True, fail_on_warn=True, file="/dev/null")


def test_every_operation_is_described() -> None:
    described = {
        (method.upper(), path)
        for path, methods in schema.raw_schema["paths"].items()
        for method in methods
    }
    endpoints = EndpointEnumerator().get_api_endpoints()  # type: ignore[no-untyped-call]
    routed = {
        (method, path.replace("{pk}", "{id}"))
        for path, _, method, _ in endpoints
        if path.startswith("/api/v1/")
    }

    assert described == routed
    assert ("POST", WEBHOOK) in described


@schema.exclude(path=WEBHOOK).parametrize()
@few
def test_no_operation_answers_what_is_not_described(case: Case[Any], token: str) -> None:
    case.call_and_validate(headers={"Authorization": f"Token {token}"} | PLAIN, checks=CHECKS)


@schema.parametrize()
@fewer
def test_nobody_is_answered_what_is_not_described(
    case: Case[Any], everybody: list[dict[str, str]]
) -> None:
    for headers in everybody:
        case.call_and_validate(headers=headers | PLAIN, checks=CHECKS)


@pytest.fixture
def there(
    decided: Decision, propose: Callable[..., Proposal], source: Source, ai_owner: User
) -> dict[str, dict[str, Any]]:
    """What fills the places of a path, by the name before the first of them."""
    waiting = propose(source)
    check = SpotCheck.objects.create(
        proposal=decided.proposal, propensity=0.05, stratum="waiting", drawn_at=timezone.now()
    )
    version = proposed(ai_owner, "acceptance", min_n=30)
    return {
        "checks": {"id": check.pk},
        "decisions": {"id": decided.pk},
        "definitions": {"key": version.key, "version": version.version},
        "metrics": {"key": "acceptance"},
        "proposals": {"id": waiting.pk},
        "tickets": {"id": waiting.ticket_id},
    }


@schema.include(path_regex=r"\{(?:id|key)\}").parametrize()
@few
def test_no_operation_on_a_row_that_is_there_answers_what_is_not_described(
    case: Case[Any], ai_owner: User, there: dict[str, dict[str, Any]]
) -> None:
    before = case.operation.path.partition("/{")[0]
    case.path_parameters.update(there[before.rpartition("/")[2]])
    token = AuthToken.objects.create(ai_owner)[1]

    answer = case.call_and_validate(
        headers={"Authorization": f"Token {token}"} | PLAIN, checks=CHECKS
    )

    assert answer.status_code != 404


@few
@given(case=schema[WEBHOOK]["POST"].as_strategy())
def test_a_signed_delivery_of_any_described_shape_is_taken_or_refused(
    case: Case[Any], client: Client, source: Source
) -> None:
    body = case.body if isinstance(case.body, dict) else b""
    answer = post_signed(client, source, body)

    assert answer.status_code in (202, 400), body


def test_the_pages_of_the_description_answer(client: Client) -> None:
    page = client.get("/api/docs/")
    strict = client.get("/api/schema/")

    assert page.status_code == strict.status_code == 200
    assert client.options("/api/docs/").status_code == 405
    assert b"swagger-ui" in page.content
    assert re.findall(rb'(?:src|href)="(?!/static/)[^"]*"', page.content) == []
    assert "default-src 'self'" in strict["Content-Security-Policy"]
