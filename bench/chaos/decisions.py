"""Several technicians press the button on one ticket in the same moment."""

import json
import secrets
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from html import unescape
from threading import Barrier, Lock, Thread
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from knox.models import AuthToken

from bench.checks import Check, Result
from bench.invariant import until_quiet
from bench.load import OPENED, Answer, Sender, in_threads
from bench.stack import Stack
from bench.world import Desk, new_desk, new_secret
from review.models import Decision
from review.roles import TECHNICIAN, give_role
from triage.demo import company
from triage.demo.corpus import stories
from triage.demo.desk import Desk as Store
from triage.demo.helpdesk import Helpdesk
from triage.models import Effect, LedgerEntry, Proposal, SourceSecret

QUIET_SECONDS = 300.0
PATIENCE_SECONDS = 60.0
PROPOSED, OTHERWISE = "access.password", "network.vpn"
BACKEND = "django.contrib.auth.backends.ModelBackend"
FORM = {"content-type": "application/x-www-form-urlencoded"}


class CountingStore(Store):
    """Counts every write that came, those too that it has carried out before."""

    def __init__(self) -> None:
        super().__init__()
        self.came: Counter[str] = Counter()
        self._counting = Lock()

    def change(self, ticket_id: str, wanted: Mapping[str, Any], *, seen: int, key: str) -> int:
        self._count(key)
        return super().change(ticket_id, wanted, seen=seen, key=key)

    def note(
        self,
        ticket_id: str,
        kind: str,
        body: str,
        marker: str,
        *,
        seen: int | None = None,
        key: str,
    ) -> int:
        self._count(key)
        return super().note(ticket_id, kind, body, marker, seen=seen, key=key)

    def _count(self, key: str) -> None:
        with self._counting:
            self.came[key] += 1


@dataclass(frozen=True)
class Decider:
    """A technician, who decides on the page, or with a token through a plug-in."""

    user: User
    headers: Mapping[str, str]
    form_token: str = ""

    @property
    def name(self) -> str:
        return self.user.get_full_name()

    def decide(self, sender: Sender, proposal: int) -> Answer:
        if self.form_token:
            body = urlencode({"csrfmiddlewaretoken": self.form_token}).encode()
            return sender.send("POST", f"/proposals/{proposal}/accept", body, self.headers)
        said = {
            "verdict": "override",
            "values": {"category": OTHERWISE},
            "reasons": {"category": "wrong-category"},
        }
        body = json.dumps(said).encode()
        return sender.send("POST", f"/api/v1/proposals/{proposal}/decision/", body, self.headers)

    def has_won(self, answer: Answer) -> bool:
        return answer.status == (302 if self.form_token else 201)

    def has_learnt(self, answer: Answer, winner: "Decider") -> bool:
        """Whether the answer is a 409 that names who was faster, or who has the ticket open."""
        if answer.status != 409:
            return False
        if self.form_token:
            said = unescape(answer.body.decode())
            return any(f"{winner.name} {did}" in said for did in ("was faster", "is looking at"))
        told = answer.json()
        if told["code"] == "leased":
            return f"{winner.name} is looking at" in told["detail"]
        return bool(
            told["winner"]["reviewer"]["id"] == winner.user.pk
            and told["detail"].startswith(winner.name)
        )


def two_technicians(stack: Stack, *, tickets: int, threads: int) -> Result:
    """`threads` technicians, every other one on the page, decide each ticket at once."""
    stack.up()
    with _helpdesk() as (store, desk):
        proposals = _proposals(stack, store, desk, tickets)
        deciders = [_decider(number, on_page=bool(number % 2)) for number in range(threads)]
        answers = _race(Sender(stack.url, desk), deciders, proposals)
        until_quiet(QUIET_SECONDS)
        wrong = [
            said
            for proposal, given in zip(proposals, answers, strict=True)
            if (said := _judge(store, proposal, deciders, given))
        ]
        counted = Counter(answer.status for given in answers for answer in given)
        sent_twice = [key for key, times in store.came.items() if times != 1]
    winners = Counter(Decision.objects.filter(proposal__in=proposals).values_list("reviewer"))
    return Result(
        passed=not wrong
        and not sent_twice
        and len(proposals) == tickets
        and counted[201] + counted[302] == tickets
        and counted[409] == tickets * (threads - 1),
        figure=f"{len(proposals):,} tickets x {threads}: {counted[201] + counted[302]:,} decided "
        f"({counted[302]:,} on the page), {counted[409]:,} x 409, {len(winners)} winners; "
        f"{sum(store.came.values()):,} writes in the helpdesk, {len(sent_twice)} of them twice"
        + (f"; wrong: {len(wrong)}, such as {wrong[0]}" if wrong else ""),
    )


def _race(
    sender: Sender, deciders: Sequence[Decider], proposals: Sequence[Proposal]
) -> list[list[Answer]]:
    """For each proposal what each decider was answered; they start each one together."""
    together = Barrier(len(deciders))

    def work(decider: Decider) -> list[Answer]:
        answers = []
        for proposal in proposals:
            together.wait(PATIENCE_SECONDS)
            answers.append(decider.decide(sender, proposal.pk))
        sender.close()
        return answers

    columns = in_threads([partial(work, decider) for decider in deciders], len(deciders))
    return [list(row) for row in zip(*columns, strict=True)]


def _judge(
    store: CountingStore,
    proposal: Proposal,
    deciders: Sequence[Decider],
    answers: Sequence[Answer],
) -> str:
    """What is wrong with the outcome of one proposal; "" if nothing."""
    pairs = list(zip(deciders, answers, strict=True))
    won = [decider for decider, answer in pairs if decider.has_won(answer)]
    stored = Decision.objects.filter(proposal=proposal)
    if len(won) != 1 or [each.reviewer_id for each in stored] != [won[0].user.pk]:
        return f"{proposal.pk}: {len(won)} were told that they decided, {len(stored)} decisions"
    blind = [a.status for d, a in pairs if d is not won[0] and not d.has_learnt(a, won[0])]
    if blind:
        return f"{proposal.pk}: {len(blind)} losers were not told who won; they got {blind}"
    entries = LedgerEntry.objects.filter(kind="decision", subject=f"proposal:{proposal.pk}")
    if [entry.actor for entry in entries] != [f"user:{won[0].user.pk}"]:
        return f"{proposal.pk}: {len(entries)} entries in the ledger"
    states = set(Effect.objects.filter(proposal=proposal).values_list("state", flat=True))
    if states != {Effect.State.APPLIED}:
        return f"{proposal.pk}: effects are {sorted(states)}"
    there = store.get(proposal.ticket.external_id)
    wanted = PROPOSED if won[0].form_token else OTHERWISE
    if there["values"].get("category") != wanted:
        return f"{proposal.pk}: the helpdesk has {there['values']}, decided was {wanted}"
    if len(there["notes"]) != 1 or won[0].name not in there["notes"][0]["body"]:
        return f"{proposal.pk}: {len(there['notes'])} notes in the helpdesk"
    return ""


@contextmanager
def _helpdesk() -> Iterator[tuple[CountingStore, Desk]]:
    """A helpdesk that takes write-backs, and the desk that is connected with it."""
    store = CountingStore()
    desk = new_desk(allows_private_addresses=True)
    token = new_secret(desk.source, SourceSecret.Purpose.OUTBOUND)
    unused = new_secret(desk.source, SourceSecret.Purpose.AUTOMATION)
    served = Helpdesk(store, port=0, token=token, automation_secret=unused)
    desk.source.api_url = served.url
    desk.source.save(update_fields=["api_url"])
    thread = Thread(target=served.serve_forever, daemon=True)
    thread.start()
    try:
        yield store, desk
    finally:
        served.shutdown()
        served.server_close()
        thread.join()


def _proposals(stack: Stack, store: CountingStore, desk: Desk, tickets: int) -> list[Proposal]:
    """Tickets that came through the webhook and wait; the helpdesk has them in a category."""
    sender = Sender(stack.url, desk)
    for number in range(tickets):
        story = stories()[number % len(stories())]
        store.open(
            {
                "subject": story.subject,
                "body": story.body,
                "requester": {
                    "address": company.address(story.requester),
                    "name": company.requester_name(story.requester),
                },
                "opened_at": OPENED.isoformat(),
                "values": {"category": PROPOSED},
            }
        )
    for delivery in store.outbox():
        sender.deliver(delivery["body"], webhook_id=delivery["id"])
        store.delivered(delivery["id"])
    until_quiet(QUIET_SECONDS)
    waiting = Proposal.objects.filter(ticket__source=desk.source, waiting__isnull=False)
    return list(waiting.select_related("ticket").order_by("pk"))


def _decider(number: int, *, on_page: bool) -> Decider:
    user = User.objects.create_user(
        f"decider-{secrets.token_hex(4)}",
        first_name="Decider",
        last_name=f"No. {number} {secrets.token_hex(2)}",
    )
    give_role(user, TECHNICIAN)
    if not on_page:
        _, token = AuthToken.objects.create(user)
        headers = {"authorization": f"Token {token}", "content-type": "application/json"}
        return Decider(user, headers)
    client = Client()
    client.force_login(user, backend=BACKEND)
    form_token = secrets.token_hex(16)
    cookies = {
        settings.SESSION_COOKIE_NAME: client.cookies[settings.SESSION_COOKIE_NAME].value,
        settings.CSRF_COOKIE_NAME: form_token,
    }
    told = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return Decider(user, {"cookie": told, **FORM}, form_token)


CHECKS = [
    Check(
        "two technicians, one ticket",
        two_technicians,
        full={"tickets": 200, "threads": 8},
        small={"tickets": 12, "threads": 8},
    )
]
