"""What Ann writes, with a word of its own in each place, and where it has got to."""

import json
from collections.abc import Callable
from itertools import count
from typing import Any

from tests.conftest import event_message, ticket_message
from triage.jobs import leases
from triage.models import Choice, Delivery, Job, Playbook, Source, Ticket

ANN, BOB = "ann@example.org", "bob@example.org"
# Each stands in one place of what Ann writes and nowhere else.
SUBJECT, BODY, NAME, EDITED, SOLVED, VALUE = (
    "zqsubjectzq",
    "zqbodyzq",
    "zqnamezq",
    "zqeditedzq",
    "zqsolvedzq",
    "zqvaluezq",
)
CANARIES = (SUBJECT, BODY, NAME, EDITED, SOLVED, VALUE, "ann@example")
Deliver = Callable[..., Any]
Work = Callable[[], int]
numbers = count(1)


def by_ann(**over: Any) -> dict[str, Any]:
    said = {
        "id": "A-1",
        "subject": f"VPN {SUBJECT}",
        "body": f"The tunnel closes, {BODY}.",
        "requester": {"address": "Ann@Example.org", "name": f"Ann {NAME}"},
        "url": f"https://desk.example.org/{NAME}",
        "values": {"priority": "normal", "room": VALUE},
    }
    return ticket_message(**said | over)


def stored(source: Source, message: object, **over: Any) -> Delivery:
    """A delivery that no worker has read."""
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    delivery = Delivery.objects.create(
        **{"source": source, "webhook_id": f"kept_{next(numbers)}", "body": body} | over
    )
    leases.put(Job.Kind.RECEIVE, [delivery.pk])
    return delivery


def tell_ann(source: Source, catalogue: dict[str, Choice], deliver: Deliver, work: Work) -> Ticket:
    """Ann's ticket after two versions and its solution, with a reply that greets her, and Bob's."""
    playbook = Playbook.objects.create(
        source=source, name="Greet", owner=source.owner, reply="Hello {requester_name}: {subject}"
    )
    playbook.for_choices.add(catalogue["network"])
    deliver(source, by_ann(values={"category": "network", "room": VALUE}), webhook_id="first")
    deliver(source, ticket_message(id="B-1", requester={"address": BOB, "name": "Bob"}))
    work()
    again = by_ann(version=2, body=f"Changed: {EDITED}", values={"category": "network"})
    deliver(source, again, webhook_id="second")
    deliver(source, event_message(ticket_id="A-1", resolution=f"Told her {SOLVED}."))
    work()
    return Ticket.objects.get(external_id="A-1")
