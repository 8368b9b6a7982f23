"""The API's description holds, and nothing that it lets one send breaks the service."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.test import Client
from hypothesis import HealthCheck, given, settings
from knox.models import AuthToken
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.conftest import post_signed
from triage.models import Proposal, Source

pytestmark = pytest.mark.django_db

WEBHOOK = "/api/v1/sources/{slug}/webhook"
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
schema = schemathesis.openapi.from_wsgi("/api/schema/?format=json", get_wsgi_application())
few = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
)


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
def token(technician: Any) -> str:
    _, token = AuthToken.objects.create(technician)
    return str(token)


def test_the_description_is_valid_and_without_warnings() -> None:
    call_command("spectacular", validate=True, fail_on_warn=True, file="/dev/null")


def test_every_operation_is_described() -> None:
    described = {
        (method.upper(), path)
        for path, methods in schema.raw_schema["paths"].items()
        for method in methods
    }

    assert described >= {
        ("POST", WEBHOOK),
        ("GET", "/api/v1/tickets/"),
        ("GET", "/api/v1/tickets/{id}/"),
        ("GET", "/api/v1/proposals/"),
        ("GET", "/api/v1/proposals/{id}/"),
        ("POST", "/api/v1/proposals/{id}/decision/"),
        ("GET", "/api/v1/decisions/"),
        ("GET", "/api/v1/decisions/{id}/"),
    }


@schema.exclude(path=WEBHOOK).parametrize()
@few
def test_no_operation_answers_what_is_not_described(case: Case[Any], token: str) -> None:
    case.call_and_validate(headers={"Authorization": f"Token {token}"}, checks=CHECKS)


@schema.include(path_regex=r"\{id\}").parametrize()
@few
def test_no_operation_on_a_row_that_is_there_answers_what_is_not_described(
    case: Case[Any], token: str, source: Source, propose: Callable[..., Proposal]
) -> None:
    proposal = Proposal.objects.first() or propose(source)
    case.path_parameters["id"] = (
        proposal.ticket_id if "/tickets/" in case.operation.path else proposal.pk
    )

    case.call_and_validate(headers={"Authorization": f"Token {token}"}, checks=CHECKS)


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
    assert b"swagger-ui" in page.content
    assert re.findall(rb'(?:src|href)="(?!/static/)[^"]*"', page.content) == []
    assert "default-src 'self'" in strict["Content-Security-Policy"]
