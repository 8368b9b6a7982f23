"""A decided proposal and the faulty helpdesk that its effects go to."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.triage.faulty_helpdesk import FaultyHelpdesk
from triage import steps
from triage.models import Choice, Effect, Job, Playbook, Proposal, Source, SourceSecret, Ticket

AUTOMATION_SECRET = "whsec_YXV0b21hdGlvbi1zZWNyZXQtb2YtdGhlLXRlc3Rz"


@dataclass
class World:
    helpdesk: FaultyHelpdesk
    proposal: Proposal
    remote: dict[str, Any]

    def states(self) -> dict[str, str]:
        rows = Effect.objects.filter(proposal=self.proposal).order_by("position")
        return dict(rows.values_list("kind", "state"))

    def decide(self, *, with_playbook: bool = False) -> None:
        steps.apply(
            self.proposal,
            values={"category": "network", "priority": "urgent"},
            note="accepted by Maya.",
            with_playbook=with_playbook,
        )


@pytest.fixture
def world(
    make_source: Callable[..., Source],
    make_secret: Callable[..., SourceSecret],
    make_catalogue: Callable[[Source], dict[str, Choice]],
    make_ticket: Callable[..., Ticket],
) -> Iterator[World]:
    helpdesk = FaultyHelpdesk()
    address = helpdesk.start()
    source = make_source(api_url=address, allows_private_addresses=True)
    make_secret(source, "the-token", purpose=SourceSecret.Purpose.OUTBOUND)
    make_secret(source, AUTOMATION_SECRET, purpose=SourceSecret.Purpose.AUTOMATION)
    choices = make_catalogue(source)
    playbook = Playbook.objects.create(
        source=source,
        name="Roll back",
        owner=source.owner,
        reply="Hello {requester_name}, it is on its way.",
        action_url=f"{address}/automation",
    )
    playbook.for_choices.add(choices["network"])
    ticket = make_ticket(source, values={"category": "network"}, requester_name="Ann")
    steps.propose([ticket.versions.get().pk])
    yield World(helpdesk, Proposal.objects.get(), helpdesk.put(ticket.external_id))
    helpdesk.stop()


def make_due() -> None:
    Job.objects.update(next_attempt_at=timezone.now() - timedelta(seconds=1))
