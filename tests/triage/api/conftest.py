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

Propose = Callable[..., Proposal]
LISTS = ("tickets", "proposals", "decisions")


def with_token(user: User) -> Client:
    _, token = AuthToken.objects.create(user)
    return Client(headers={"Authorization": f"Token {token}"}, raise_request_exception=False)


def ids(answer: Any) -> list[int]:
    """The rows of a list, which must have been given."""
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()["results"]]


def new_proposed(source: Source, **over: Any) -> Proposal:
    """A ticket, of category network unless told otherwise, and what the steps propose for it."""
    ticket = new_ticket(source, **{"values": {"category": "network"}} | over)
    steps.propose([ticket.versions.get().pk])
    return Proposal.objects.get(ticket=ticket)


@pytest.fixture
def asking(technician: User) -> Client:
    """A client with a technician's token."""
    return with_token(technician)


@pytest.fixture
def propose(catalogue: dict[str, Choice]) -> Propose:
    """`new_proposed`, the catalogue of the source `desk` being there."""
    return new_proposed
