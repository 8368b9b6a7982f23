from collections.abc import Callable

import pytest

from tests.review.world import Desk
from tests.threads import in_threads
from triage import steps
from triage.models import Choice, Source, Ticket

__all__ = ["in_threads"]

VALUES = {"category": "network", "priority": "normal"}


@pytest.fixture
def make_desk(
    make_source: Callable[..., Source],
    make_catalogue: Callable[[Source], dict[str, Choice]],
    make_ticket: Callable[..., Ticket],
) -> Callable[..., Desk]:
    """A desk whose ticket is proposed by the real step; `values` are set in the helpdesk."""

    def make(**values: str) -> Desk:
        source = make_source(api_url="http://127.0.0.1:9/api", allows_private_addresses=True)
        choices = make_catalogue(source)
        ticket = make_ticket(source, values=values, requester_name="Ann Weber")
        steps.propose([ticket.versions.get().pk])
        return Desk(source, choices, ticket)

    return make


@pytest.fixture
def desk(make_desk: Callable[..., Desk]) -> Desk:
    return make_desk(**VALUES)


@pytest.fixture
def open_desk(make_desk: Callable[..., Desk]) -> Desk:
    """Nothing is proposed for the category."""
    return make_desk(priority="normal")
