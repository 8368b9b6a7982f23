"""What a helpdesk says later of a ticket that was erased here."""

import pytest

from bench import traces
from tests.conftest import event_message
from tests.triage.ann import CANARIES, Deliver, Work, by_ann, tell_ann
from triage import erasure
from triage.erasure import Whose
from triage.intake.redelivery import redeliver
from triage.models import Choice, Delivery, Job, Source, Ticket, TicketEvent, Waiting

pytestmark = pytest.mark.django_db


@pytest.fixture
def erased(source: Source, catalogue: dict[str, Choice], deliver: Deliver, work: Work) -> Ticket:
    ticket = tell_ann(source, catalogue, deliver, work)
    erasure.erase(Whose(source, ticket="A-1"), by=source.owner)
    ticket.refresh_from_db()
    return ticket


def test_a_new_version_is_taken_and_nothing_of_it_kept(
    erased: Ticket, source: Source, deliver: Deliver, work: Work
) -> None:
    before = erased.versions.count()

    answer = deliver(source, by_ann(version=99))
    work()

    assert answer.status_code == 202
    delivery = Delivery.objects.latest("pk")
    assert (bytes(delivery.body), delivery.outcome) == (b"", "refused")
    assert delivery.explanation.startswith("The ticket was erased")
    assert erased.versions.count() == before
    assert traces.in_database(CANARIES) == {}
    assert not Job.objects.exists()


def test_the_same_late_delivery_again_is_known(
    erased: Ticket, source: Source, deliver: Deliver, work: Work
) -> None:
    deliver(source, by_ann(version=99), webhook_id="late")
    work()

    again = deliver(source, by_ann(version=99), webhook_id="late")
    work()

    assert again.status_code == 200
    assert traces.in_database(CANARIES) == {}


def test_an_event_counts_without_its_words_and_asks_for_nobody(
    erased: Ticket, source: Source, deliver: Deliver, work: Work
) -> None:
    deliver(
        source,
        event_message(
            id="E-9",
            ticket_id="A-1",
            kind="reopened",
            resolution=f"As {CANARIES[0]} said",
            happened_at="2026-04-01T10:00:00Z",
        ),
    )
    work()

    erased.refresh_from_db()
    assert TicketEvent.objects.get(key="E-9").kind == "reopened"
    assert (erased.reopened_count, erased.closed_at, erased.resolution) == (1, None, "")
    assert bytes(Delivery.objects.latest("pk").body) == b""
    assert not Waiting.objects.filter(ticket=erased).exists()
    assert traces.in_database(CANARIES) == {}


def test_reading_an_emptied_delivery_anew_changes_nothing(erased: Ticket, work: Work) -> None:
    emptied = Delivery.objects.filter(erased_at__isnull=False)
    before = list(emptied.order_by("pk").values())

    redeliver([delivery.pk for delivery in emptied])
    work()

    assert list(emptied.order_by("pk").values()) == before
    assert not Job.objects.exists()
