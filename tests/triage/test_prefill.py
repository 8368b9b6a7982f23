"""A rung of prefill: the suggestion stands in the helpdesk, marked, and a person confirms."""

from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import User

from review.decisions import decide
from tests.triage.faulty_helpdesk import FaultyHelpdesk
from triage import steps
from triage.effects import plan
from triage.models import Choice, Proposal, Source, Ticket, Waiting

pytestmark = pytest.mark.django_db

VALUES = {"category": "network"}


@pytest.fixture
def helpdesk() -> Iterator[FaultyHelpdesk]:
    desk = FaultyHelpdesk()
    yield desk
    desk.stop()


@pytest.fixture
def proposal(
    helpdesk: FaultyHelpdesk,
    make_source: Callable[..., Source],
    make_catalogue: Callable[[Source], dict[str, Choice]],
    make_ticket: Callable[..., Ticket],
) -> Proposal:
    source = make_source(api_url=helpdesk.start(), allows_private_addresses=True)
    make_catalogue(source)
    ticket = make_ticket(source, external_id="P-1", values=VALUES)
    helpdesk.put("P-1")
    steps.propose([ticket.versions.get().pk])
    return Proposal.objects.get()


def test_the_suggestion_is_left_once_by_name_and_changes_no_value(
    proposal: Proposal, helpdesk: FaultyHelpdesk, work: Callable[[], int]
) -> None:
    plan.prefill(proposal, VALUES)
    plan.prefill(proposal, VALUES)
    work()

    (note,) = helpdesk.tickets["P-1"]["notes"]
    assert note["kind"] == "internal"
    assert note["body"] == "Countersign suggests: Category: Network. A person confirms."
    assert helpdesk.tickets["P-1"]["values"] == {}
    assert Waiting.objects.filter(proposal=proposal).exists()


def test_confirming_it_is_no_conflict_with_our_own_note(
    proposal: Proposal, helpdesk: FaultyHelpdesk, technician: User, work: Callable[[], int]
) -> None:
    plan.prefill(proposal, VALUES)
    work()

    decide(proposal=proposal, reviewer=technician, choices={}, reasons={}, with_playbook=False)
    work()

    assert helpdesk.tickets["P-1"]["values"]["category"] == "network"
    assert set(proposal.effects.values_list("state", flat=True)) == {"applied"}
