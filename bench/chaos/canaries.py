"""A requester who leaves a word of her own in every place that a ticket's words can get to."""

import json
import random
import secrets
import signal
import string
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.test import override_settings
from django.utils import timezone
from knox.models import AuthToken

from bench.invariant import until_quiet
from bench.load import OPENED, Sender, in_threads
from bench.stack import Stack
from bench.world import Desk, new_desk, new_secret
from review.roles import TECHNICIAN, give_role
from triage.demo.desk import Desk as Store
from triage.demo.helpdesk import Helpdesk
from triage.learning import registry, training
from triage.models import (
    Choice,
    Label,
    ModelVersion,
    Playbook,
    Proposal,
    Source,
    SourceSecret,
    Ticket,
    TicketVersion,
)

QUIET_SECONDS = 120.0
MAIN, OTHER = "network.vpn", "access.password"
PHRASES = {MAIN: "vpn tunnel drops again", OTHER: "password locked at login"}
LATER = 500
CROSSING = 4
# Each word, and the columns that must hold it before anything is erased.
PLACES = {
    "subject": "triage_ticketversion.subject triage_delivery.body triage_proposal.reply",
    "body": "triage_ticketversion.body triage_delivery.body",
    "quoted": "triage_ticketversion.body triage_delivery.body",
    "address": "triage_ticket.requester triage_delivery.body",
    "name": "triage_ticket.requester_name triage_proposal.reply triage_effect.payload",
    "url": "triage_ticket.url triage_delivery.body",
    "value": "triage_ticketversion.values triage_delivery.body",
    "comment": "review_decision.text triage_effect.payload",
    "resolution": "triage_ticket.resolution triage_delivery.body",
    "told_twice": "triage_delivery.body",
    "stale": "triage_delivery.body",
    "edited_subject": "triage_ticket.subject triage_ticket.search django_admin_log.object_repr",
    "edited_body": "triage_ticket.body triage_ticket.search",
    "old_subject": "triage_ticket.subject triage_ticketversion.subject",
    "old_body": "triage_ticket.body triage_ticketversion.body triage_prediction.words_for",
    "next_subject": "triage_ticket.subject triage_delivery.body",
    "next_body": "triage_ticket.body triage_delivery.body",
    "escalation": "review_decision.text triage_effect.payload",
    "crossing": "triage_ticket.subject triage_delivery.body",
    "unread": "triage_delivery.body",
}
LEARNT = ("subject", "body", "edited_subject", "edited_body", "old_subject", "old_body")


@dataclass
class Canaries:
    """The words by place, who wrote them, and what of them is needed to look for them."""

    desk: Desk
    store: Store
    user: User
    token: str
    words: dict[str, str] = field(default_factory=dict)
    models: list[ModelVersion] = field(default_factory=list)
    first: dict[str, Any] = field(default_factory=dict)
    tickets: dict[str, str] = field(default_factory=dict)

    @property
    def source(self) -> Source:
        return self.desk.source

    @property
    def address(self) -> str:
        return f"{self.words['address']}@example.org"

    @property
    def expected(self) -> dict[str, set[str]]:
        return {self.words[name]: set(places.split()) for name, places in PLACES.items()}

    @property
    def in_models(self) -> set[str]:
        """Words that a model learns, and of each a piece as models keep them."""
        learnt = {self.words[name] for name in LEARNT}
        return learnt | {word[3:8] for word in learnt}

    def message(self, number: str, *, version: int = 1, **over: Any) -> dict[str, Any]:
        data = {
            "id": number,
            "version": version,
            "subject": "About the tunnel",
            "requester": {"address": self.address, "name": f"Ann {self.words['name']}"},
            "url": f"https://desk.example.org/{self.words['url']}",
            "opened_at": OPENED.isoformat(),
        }
        return {"type": "ticket.updated", "data": data | over}

    def ticket(self, name: str) -> Ticket:
        return Ticket.objects.get(source=self.source, external_id=self.tickets[name])


@contextmanager
def canaries() -> Iterator[Canaries]:
    """With a helpdesk that takes write-backs as long as the block lasts."""
    desk = new_desk(allows_private_addresses=True)
    token = new_secret(desk.source, SourceSecret.Purpose.OUTBOUND)
    unused = new_secret(desk.source, SourceSecret.Purpose.AUTOMATION)
    store = Store()
    served = Helpdesk(store, port=0, token=token, automation_secret=unused)
    Source.objects.filter(pk=desk.source.pk).update(api_url=served.url)
    desk.source.refresh_from_db()
    thread = Thread(target=served.serve_forever, daemon=True)
    thread.start()
    user = User.objects.create_user(f"technician-{secrets.token_hex(4)}")
    give_role(user, TECHNICIAN)
    _, secret = AuthToken.objects.create(user)
    letters = random.SystemRandom()
    words = {
        name: f"zq{''.join(letters.choices(string.ascii_lowercase, k=9))}xq" for name in PLACES
    }
    try:
        yield Canaries(desk, store, user, secret, words)
    finally:
        served.shutdown()
        served.server_close()
        thread.join()


def live_through(stack: Stack, told: Canaries, *, others: int) -> None:
    """Everything that can happen to her tickets, over HTTP and through the worker."""
    sender, words = Sender(stack.url, told.desk), told.words
    _offer_playbook(told)
    _solved_before(told, others)
    told.tickets["first"] = _opened(told)
    told.first = told.message(
        told.tickets["first"],
        subject=f"vpn {words['subject']}",
        body=f"It drops, says {words['body']}, every day.\n\n> once: {words['quoted']}\n",
        values={"category": MAIN, "room": words["value"]},
    )
    _deliver(sender, told.first, webhook_id="canary-first")
    until_quiet(QUIET_SECONDS)
    _decide(sender, told, "first", verdict="accept", with_playbook=True, text=words["comment"])
    until_quiet(QUIET_SECONDS)
    told.models.append(_train(told))
    _told_more(sender, told)
    told.models.append(_train(told))
    _next(sender, told)
    until_quiet(QUIET_SECONDS)
    _decide(
        sender, told, "next", verdict="escalate", reason="major-incident", text=words["escalation"]
    )
    _crossing(sender, told)
    until_quiet(QUIET_SECONDS)
    _log_change(told)
    # Held, not ended: the model that they have in memory is the one with her words.
    for part in (stack.worker, stack.writer, stack.sweeper):
        part.signal(signal.SIGSTOP)
    _deliver(sender, told.message("never-read", subject=words["unread"]))


def _opened(told: Canaries) -> str:
    """A number that the helpdesk knows, so that what is decided can be written back."""
    return told.store.open({"subject": "", "body": "", "requester": {}, "opened_at": ""})


def _deliver(sender: Sender, message: dict[str, Any], *, webhook_id: str = "") -> None:
    statuses = sender.deliver(message, webhook_id=webhook_id)
    if statuses[-1] not in (200, 202):
        raise RuntimeError(f"A delivery was answered {statuses}.")


def _decide(sender: Sender, told: Canaries, name: str, **said: Any) -> None:
    proposal = Proposal.objects.filter(ticket=told.ticket(name)).latest("pk")
    headers = {"authorization": f"Token {told.token}", "content-type": "application/json"}
    address = f"/api/v1/proposals/{proposal.pk}/decision/"
    answer = sender.send("POST", address, json.dumps(said).encode(), headers)
    if answer.status != 201:
        raise RuntimeError(f"The decision on {name} was answered {answer.status}: {answer.body!r}")


def _offer_playbook(told: Canaries) -> None:
    playbook = Playbook.objects.create(
        source=told.source,
        name="Greet",
        owner=told.source.owner,
        reply="Hello {requester_name}, about {subject}: it is on its way.",
        follow_up=Playbook.FollowUp.OPEN,
    )
    playbook.for_choices.add(_choice(told, MAIN))


def _choice(told: Canaries, key: str) -> Choice:
    return Choice.objects.get(field__source=told.source, field__key="category", key=key)


def _solved_before(told: Canaries, others: int) -> None:
    """Imported history: other people's, and two of hers."""
    for number in range(others):
        key = (MAIN, OTHER)[number % 2]
        _solved(told, key, f"{PHRASES[key]} {number % 7}", "colleague@example.org")
    text = f"{told.words['old_body']} " * 3
    for _ in range(2):
        _solved(told, MAIN, text, told.address, subject=told.words["old_subject"])


def _solved(told: Canaries, key: str, body: str, requester: str, *, subject: str = "") -> None:
    ticket = Ticket.objects.create(
        source=told.source,
        external_id=f"old-{secrets.token_hex(6)}",
        version=0,
        subject=subject,
        body=body,
        requester=requester,
        opened_at=OPENED,
        closed_at=timezone.now(),
    )
    TicketVersion.objects.create(ticket=ticket, version=0, subject=subject, body=body)
    choice = _choice(told, key)
    Label.objects.create(ticket=ticket, field=choice.field, choice=choice, origin="history")


def _train(told: Canaries) -> ModelVersion:
    with override_settings(TRAINING_LABEL_FLOOR=2):
        version = training.train(_choice(told, MAIN).field, owner=told.source.owner)
    registry.promote(version, by=told.source.owner, reason="The next one.")
    return version


def _told_more(sender: Sender, told: Canaries) -> None:
    words, number = told.words, told.tickets["first"]
    for event, word in (("e1", words["resolution"]), ("e1", words["told_twice"])):
        data = {
            "id": event,
            "ticket_id": number,
            "kind": "resolved",
            "happened_at": OPENED.isoformat(),
            "resolution": word,
        }
        _deliver(sender, {"type": "ticket.event", "data": data})
        until_quiet(QUIET_SECONDS)
    _deliver(sender, told.message(number, body=words["stale"]))
    edited = {"subject": f"vpn {words['edited_subject']}", "body": words["edited_body"]}
    _deliver(sender, told.message(number, version=LATER, **edited))
    until_quiet(QUIET_SECONDS)


def _next(sender: Sender, told: Canaries) -> None:
    told.tickets["next"] = _opened(told)
    words = told.words
    body = f"{words['next_body']} and {words['old_body']}"
    _deliver(sender, told.message(told.tickets["next"], subject=words["next_subject"], body=body))


def _crossing(sender: Sender, told: Canaries) -> None:
    """The same new ticket many times at once: workers meet, and the database refuses some."""
    told.tickets["crossing"] = _opened(told)
    subject = told.words["crossing"]
    message = told.message(told.tickets["crossing"], subject=subject, values={"category": MAIN})

    def once() -> None:
        _deliver(sender, message)
        sender.close()

    in_threads([once] * CROSSING, CROSSING)
    until_quiet(QUIET_SECONDS)
    _decide(sender, told, "crossing", verdict="accept")


def _log_change(told: Canaries) -> None:
    """As the desk would have noted a change of the row under the name it had."""
    ticket = told.ticket("first")
    LogEntry.objects.create(
        user=told.source.owner,
        content_type=ContentType.objects.get_for_model(Ticket),
        object_id=str(ticket.pk),
        object_repr=str(ticket),
        action_flag=CHANGE,
    )
