"""Proposals as the steps make them, and clients that ask with a token."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from knox.models import AuthToken

from tests.conftest import new_ticket
from triage import steps
from triage.models import Choice, Proposal, Source


def with_token(user: User) -> Client:
    _, token = AuthToken.objects.create(user)
    return Client(headers={"Authorization": f"Token {token}"}, raise_request_exception=False)


@pytest.fixture
def asking(technician: User) -> Client:
    """A client with a technician's token."""
    return with_token(technician)


@pytest.fixture
def propose(catalogue: dict[str, Choice]) -> Callable[..., Proposal]:
    """`propose(source, **ticket)`: a ticket and the proposal that the steps make for it."""

    def made(source: Source, **over: Any) -> Proposal:
        ticket = new_ticket(source, **{"values": {"category": "network"}} | over)
        steps.propose([ticket.versions.get().pk])
        return Proposal.objects.get(ticket=ticket)

    return made
