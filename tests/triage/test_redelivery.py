"""Reading a stored delivery once more: nothing twice, and nothing that was read is unread."""

import json
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from tests.conftest import event_message, ticket_message
from triage import steps
from triage.intake.redelivery import redeliver
from triage.models import (
    Choice,
    Delivery,
    Job,
    Proposal,
    Source,
    Ticket,
    TicketEvent,
    TicketVersion,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]

Work = Callable[[], int]
numbers = count(1)


def stored(source: Source, message: dict[str, Any] | bytes) -> Delivery:
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    return Delivery.objects.create(source=source, webhook_id=f"re_{next(numbers)}", body=body)


def come(source: Source, message: dict[str, Any] | bytes, work: Work) -> Delivery:
    """Stored and worked on until nothing is due."""
    delivery = stored(source, message)
    redeliver([delivery.pk])
    work()
    delivery.refresh_from_db()
    return delivery


def everything() -> dict[str, int]:
    rows = (Ticket, TicketVersion, TicketEvent, Proposal)
    return {row.__name__: row.objects.count() for row in rows}


def kill(kind: str, subject: int) -> Job:
    job, _ = Job.objects.update_or_create(
        kind=kind,
        subject=subject,
        defaults={
            "attempts": settings.JOB_MAX_ATTEMPTS,
            "dead_at": timezone.now(),
            "last_error": "ValueError: no",
        },
    )
    return job


@pytest.mark.parametrize(
    "later",
    [
        {},
        {"version": 0},
        {"version": 3, "subject": "Newer"},
    ],
    ids=["as it is", "with an older one", "with a newer one"],
)
def test_a_ticket_that_was_read_stays_as_it_is_however_often_it_is_redelivered(
    source: Source, work: Work, later: dict[str, Any]
) -> None:
    delivery = come(source, ticket_message(version=2), work)
    if later:
        come(source, ticket_message(**later), work)
    before, outcomes = everything(), list(Delivery.objects.values_list("outcome", flat=True))
    assert delivery.outcome == "applied"

    for _ in range(3):
        redeliver(list(Delivery.objects.values_list("pk", flat=True)))
        work()

    assert everything() == before
    assert list(Delivery.objects.order_by("pk").values_list("outcome", flat=True)) == outcomes
    assert not Job.objects.exists()


def test_a_version_that_is_read_twice_before_its_turn_is_still_proposed(
    source: Source, work: Work
) -> None:
    """Its first worker was slow, and another took the delivery over."""
    delivery = stored(source, ticket_message())
    for _ in range(2):
        steps.receive([delivery.pk])

    work()

    delivery.refresh_from_db()
    assert delivery.outcome == "applied"
    assert Proposal.objects.get().ticket_version.delivery_id == delivery.pk


def test_events_that_were_read_stay_as_they_are(source: Source, work: Work) -> None:
    come(source, ticket_message(), work)
    first = come(source, event_message(kind="reopened"), work)
    second = come(source, event_message(kind="reopened"), work)
    before = everything()

    redeliver([first.pk, second.pk])
    work()

    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.outcome, second.outcome) == ("applied", "repeated")
    assert Ticket.objects.get().reopened_count == 1
    assert everything() == before


def test_triage_that_died_is_tried_again(source: Source, work: Work) -> None:
    delivery = stored(source, ticket_message())
    steps.receive([delivery.pk])
    kill(Job.Kind.PROPOSE, TicketVersion.objects.get().pk)
    assert work() == 0

    redeliver([delivery.pk])
    work()

    assert Proposal.objects.count() == 1
    assert not Job.objects.exists()


def test_triage_that_an_event_called_for_is_tried_again(source: Source, work: Work) -> None:
    come(source, ticket_message(), work)
    event = come(source, event_message(kind="reopened"), work)
    job = kill(Job.Kind.PROPOSE, TicketVersion.objects.get().pk)

    redeliver([event.pk])

    job.refresh_from_db()
    assert (job.dead_at, job.attempts) == (None, 0)


def test_triage_of_a_settled_ticket_is_not_called_for(source: Source, work: Work) -> None:
    """A version without a proposal may be one that needs none."""
    come(source, ticket_message(), work)
    Proposal.objects.get().waiting.delete()
    update = come(source, ticket_message(version=2), work)
    assert Proposal.objects.count() == 1

    redeliver([update.pk])
    work()

    assert Proposal.objects.count() == 1


def test_an_event_that_gave_up_waiting_is_read_once_its_ticket_has_come(
    source: Source, work: Work
) -> None:
    event = stored(source, event_message(kind="resolved"))
    kill(Job.Kind.RECEIVE, event.pk)
    come(source, ticket_message(), work)

    redeliver([event.pk])
    work()

    event.refresh_from_db()
    assert event.outcome == "applied"
    assert Ticket.objects.get().closed_at is not None


def test_what_could_not_be_read_is_refused_again(source: Source, work: Work) -> None:
    delivery = come(source, b'{"type": "nothing"}', work)
    said = delivery.explanation

    redeliver([delivery.pk])
    work()

    delivery.refresh_from_db()
    assert (delivery.outcome, delivery.explanation) == ("refused", said)


def test_what_was_erased_is_not_read(
    source: Source, catalogue: dict[str, Choice], work: Work
) -> None:
    delivery = come(source, ticket_message(), work)
    Delivery.objects.filter(pk=delivery.pk).update(body=b"", erased_at=timezone.now())

    redeliver([delivery.pk])

    assert not Job.objects.exists()
    assert Delivery.objects.get(pk=delivery.pk).outcome == "applied"
