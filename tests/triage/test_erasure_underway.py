"""Erasing what is still on its way: stored deliveries, waiting work, workers that are busy."""

import json
import threading

import pytest
from django.db import connection

from bench import traces
from tests.conftest import event_message, new_ticket, ticket_message
from tests.triage.ann import (
    ANN,
    BOB,
    BODY,
    CANARIES,
    EDITED,
    NAME,
    SOLVED,
    SUBJECT,
    VALUE,
    Deliver,
    Work,
    by_ann,
    stored,
    tell_ann,
)
from triage import erasure
from triage.erasure import Whose
from triage.jobs import leases
from triage.models import Choice, Delivery, Effect, Job, Source, Ticket, TicketVersion, Waiting

pytestmark = pytest.mark.django_db


@pytest.fixture
def told(source: Source, catalogue: dict[str, Choice], deliver: Deliver, work: Work) -> Ticket:
    return tell_ann(source, catalogue, deliver, work)


# --- Deliveries -----------------------------------------------------------------------------
def test_the_same_delivery_again_is_still_known_and_brings_no_text_back(
    told: Ticket, source: Source, deliver: Deliver, work: Work
) -> None:
    first = by_ann(values={"category": "network", "room": VALUE})
    erasure.erase(Whose(source, requester=ANN), by=source.owner)

    again = deliver(source, first, webhook_id="first")
    other = deliver(source, by_ann(version=9), webhook_id="first")
    work()

    assert (again.status_code, other.status_code) == (200, 409)
    assert traces.in_database(CANARIES) == {}


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(by_ann()).encode(),
        json.dumps(by_ann()).replace("Ann@Example", "\\u0041nn@Example").encode(),
        json.dumps(by_ann()).encode("utf-16"),
        json.dumps({"from": {"cc": ["x", f"Ann <{ANN}>"]}}).encode(),
    ],
    ids=["plain", "escaped", "utf-16", "in no shape we know"],
)
def test_a_delivery_that_nobody_has_read_goes_with_its_job(body: bytes, source: Source) -> None:
    unread = stored(source, body)
    bobs = stored(source, ticket_message(id="B-1", requester={"address": BOB, "name": "Bob"}))

    erasure.erase(Whose(source, requester=ANN), by=source.owner)

    unread.refresh_from_db()
    bobs.refresh_from_db()
    assert (bytes(unread.body), unread.outcome) == (b"", "refused")
    assert unread.erased_at is not None
    assert (bytes(bobs.body), bobs.erased_at) != (b"", None)
    assert list(Job.objects.values_list("subject", flat=True)) == [bobs.pk]


def test_what_a_delivery_was_refused_for_goes_too(source: Source) -> None:
    said = f"kind: “{ANN}” is not a valid choice."
    refused = stored(
        source, {"data": {"id": "A-1", "by": ANN}}, outcome="refused", explanation=said
    )

    erasure.erase(Whose(source, requester=ANN), by=source.owner)

    refused.refresh_from_db()
    assert (bytes(refused.body), refused.explanation) == (b"", "")


def test_repetitions_that_led_to_no_row_go_with_their_ticket(
    told: Ticket, source: Source, deliver: Deliver, work: Work
) -> None:
    deliver(source, by_ann(version=2, body=f"Sent twice: {EDITED}"))
    deliver(source, event_message(ticket_id="A-1", resolution=f"Told twice: {SOLVED}."))
    work()

    erasure.erase(Whose(source, ticket="A-1"), by=source.owner)

    assert Delivery.objects.filter(erased_at__isnull=True).count() == 1
    assert traces.in_database(CANARIES) == {}


# --- Work in progress -----------------------------------------------------------------------
def test_nobody_is_asked_to_decide_and_no_work_is_left(
    source: Source, catalogue: dict[str, Choice], deliver: Deliver, work: Work
) -> None:
    deliver(source, by_ann())
    work()
    version = TicketVersion.objects.get()
    leases.put(Job.Kind.PROPOSE, [version.pk])
    assert Waiting.objects.exists()

    erasure.erase(Whose(source, ticket="A-1"), by=source.owner)

    assert not Waiting.objects.exists()
    assert not Job.objects.exists()


@pytest.mark.parametrize(("state", "said"), [("pending", "before"), ("sending", "while")])
def test_what_was_not_written_back_yet_is_given_up(
    state: str, said: str, told: Ticket, source: Source
) -> None:
    proposal = told.proposals.latest("pk")
    for kind, payload in (("note", {"text": NAME}), ("values", {"values": {"team": "x"}})):
        Effect.objects.create(
            key=f"p{proposal.pk}-{kind}",
            ticket=told,
            proposal=proposal,
            kind=kind,
            payload=payload,
            seen_version=2,
            state=state,
        )
    leases.put(Job.Kind.EFFECT, [proposal.pk])

    erasure.erase(Whose(source, ticket="A-1"), by=source.owner)

    note, values = Effect.objects.order_by("kind")
    assert (note.payload, values.payload) == ({"text": ""}, {"values": {"team": "x"}})
    assert {note.state, values.state} == {"skipped"}
    assert f"Erased {said}" in note.detail
    assert not Job.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_what_a_busy_worker_writes_late_is_erased_as_well(
    source: Source, catalogue: dict[str, Choice]
) -> None:
    unread = stored(source, by_ann())
    [job] = leases.claim([Job.Kind.RECEIVE], 10)
    looked = threading.Event()

    def write_late() -> None:
        # The worker had the body in its hands when the delivery was emptied.
        looked.wait(20)
        new_ticket(source, external_id="A-1", subject=SUBJECT, body=BODY, requester=ANN)
        leases.finish([job])
        connection.close()

    worker = threading.Thread(target=write_late)
    worker.start()

    def tell(step: str) -> None:
        if step.startswith("waiting"):
            looked.set()

    erasure.erase(Whose(source, requester=ANN), by=source.owner, tell=tell)
    worker.join()

    unread.refresh_from_db()
    assert bytes(unread.body) == b""
    assert Ticket.objects.get().erased_at is not None
    assert traces.in_database(CANARIES) == {}
