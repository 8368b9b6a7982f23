"""What happens at the simulated helpdesk: people write tickets, technicians solve them.

Each change waits in the desk's outbox until Countersign has taken it as a signed webhook.
"""

import json
import logging
import random
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

from standardwebhooks import Webhook

from triage.demo.company import address, requester_name
from triage.demo.corpus import Happening, Story
from triage.demo.desk import FINISHED, Desk, Ticket

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 5
RETRY_SECONDS = 0.5
MOST_OPEN = 60
FIRST_HOURS = 3.0
# The helpdesk's days pass quickly: what took a technician ten minutes takes one second here.
SECONDS_PER_MINUTE = 0.1
SOONEST_SECONDS, LATEST_SECONDS = 8.0, 240.0
FOLLOW_UPS = {
    "en": ("Any news? It is still the same here.", "I tried a restart meanwhile, no change."),
    "de": ("Gibt es etwas Neues? Hier ist alles beim Alten.", "Neustart hat nicht geholfen."),
    "es": ("¿Hay novedades? Aquí sigue igual.", "He reiniciado y nada."),
}


class NotTaken(Exception):
    """Countersign did not take a delivery now; the same one is sent again later."""


@dataclass(frozen=True)
class Post:
    """Where deliveries go, and the secret that signs them."""

    url: str
    secret: str

    def send(self, delivery_id: str, message: dict[str, Any]) -> int:
        """The answer's status below 500 and not 429; NotTaken for anything that may pass."""
        body = json.dumps(message)
        now = datetime.now(UTC)
        request = urllib.request.Request(
            self.url,
            data=body.encode(),
            headers={
                "Content-Type": "application/json",
                "webhook-id": delivery_id,
                "webhook-timestamp": str(int(now.timestamp())),
                "webhook-signature": Webhook(self.secret).sign(delivery_id, now, body),
            },
            method="POST",
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                if error.code == 429 or error.code >= 500:
                    raise NotTaken(f"answered {error.code}") from error
                return error.code
        except OSError as error:
            raise NotTaken(type(error).__name__) from error


class Feed:
    """Tells the stories in a shuffled order, over and over, and lets time pass on the tickets."""

    def __init__(self, desk: Desk, post: Post, stories: Sequence[Story], *, seed: int = 0) -> None:
        self.desk = desk
        self.post = post
        self._chance = random.Random(seed)
        self._stories = {story.key: story for story in stories}
        self._order = _order(stories, random.Random(seed))
        self._people: dict[str, list[str]] = {}
        for story in stories:
            self._people.setdefault(story.language, []).append(story.requester)

    def run(self, stop: Event, *, every_seconds: float, first: int) -> None:
        """Until told to stop: fill the queue with `first` tickets, then one every few seconds."""
        missing = first - sum(ticket["status"] not in FINISHED for ticket in self.desk.tickets())
        now = datetime.now(UTC)
        for age in sorted((self._chance.random() for _ in range(missing)), reverse=True):
            self.tell_next(opened=now - timedelta(hours=FIRST_HOURS * age))
        due = 0.0
        while not stop.is_set():
            if time.monotonic() >= due and not self.desk.outbox():
                due = time.monotonic() + every_seconds
                self.tell_next(opened=datetime.now(UTC))
                self.live_on()
            if not self.deliver():
                stop.wait(RETRY_SECONDS)
            stop.wait(0.05)

    def tell_next(self, *, opened: datetime) -> str:
        """Open a ticket for the next story; after the last one all are told anew by others."""
        place, round_ = self.desk.place
        story = self._order[place]
        who = story.requester if round_ == 1 else self._chance.choice(self._people[story.language])
        number = self.desk.open(
            {
                "story": story.key,
                "subject": story.subject,
                "body": story.body,
                "requester": {"address": address(who), "name": requester_name(who)},
                "opened_at": opened.isoformat(),
            }
        )
        is_last = place + 1 == len(self._order)
        self.desk.go_on(0 if is_last else place + 1, round_ + is_last)
        return number

    def live_on(self) -> None:
        """Let what is due happen, somebody ask again, and clear what piles up undecided."""
        now = time.time()
        tickets = self.desk.tickets()
        for ticket in tickets:
            if ticket["decided"] and "due" not in ticket:
                self.desk.remember(
                    ticket["id"], due=self._plan(self._stories.get(ticket["story"]), now)
                )
            elif ticket.get("due") and ticket["due"][0][0] <= now:
                self._happen(ticket)
        undecided = [t for t in tickets if t["status"] not in FINISHED and not t["decided"]]
        if len(undecided) > MOST_OPEN:
            self.desk.happen(undecided[-1]["id"], "resolved", resolution="Solved on the phone.")
        elif undecided and self._chance.random() < 0.1:
            self._ask_again(self._chance.choice(undecided))

    def deliver(self) -> int:
        """Send what waits, in order, until something is not taken; answers how many were."""
        sent = 0
        for waiting in self.desk.outbox():
            try:
                code = self.post.send(waiting["id"], waiting["body"])
            except NotTaken as error:
                logger.info("a delivery waits: %s", error)
                return 0
            if code >= 400:
                logger.error("delivery %s was refused with %s", waiting["id"], code)
            self.desk.delivered(waiting["id"])
            sent += 1
        return sent

    def _plan(self, story: Story | None, now: float) -> list[list[Any]]:
        """What will happen to a decided ticket, as [time, place among the story's happenings]."""
        if story is None:
            return []
        plan: list[list[Any]] = []
        at = now
        before = 0.0
        for place, happening in enumerate(story.happenings):
            wait = SECONDS_PER_MINUTE * (happening.after_minutes - before)
            at += min(max(wait, SOONEST_SECONDS), LATEST_SECONDS)
            before = happening.after_minutes
            plan.append([at, place])
        return plan

    def _happen(self, ticket: Ticket) -> None:
        (_, place), *later = ticket["due"]
        self.desk.remember(ticket["id"], due=later)
        story = self._stories[ticket["story"]]
        happening = story.happenings[place]
        if happening.kind == "resolved":
            if ticket["status"] not in FINISHED:
                self.desk.happen(ticket["id"], "resolved", resolution=story.resolution)
            return
        field, choice = _moved_to(happening)
        if field and ticket["values"].get(field) == choice:
            return
        self.desk.happen(
            ticket["id"],
            happening.kind,
            **({"field": field, "choice": choice} if field else {}),
            **({"score": happening.score} if happening.score else {}),
        )
        if field:
            self.desk.edit(ticket["id"], lambda own: own["values"].update({field: choice}))
        elif happening.kind == "reopened":
            self._ask_again(ticket)

    def _ask_again(self, ticket: Ticket) -> None:
        """The requester adds a line, which makes a new version of the ticket."""
        story = self._stories.get(ticket["story"])
        said = self._chance.choice(FOLLOW_UPS[story.language if story else "en"])
        if said in ticket["body"]:
            return
        self.desk.happen(ticket["id"], "commented")

        text = f"{ticket['body']}\n\n{said}"
        self.desk.edit(ticket["id"], lambda own: own.update(body=text))


def _moved_to(happening: Happening) -> tuple[str, str]:
    if happening.team:
        return "team", happening.team
    return ("category", happening.category) if happening.category else ("", "")


def _order(stories: Sequence[Story], chance: random.Random) -> list[Story]:
    """Shuffled, with the outage's tickets close together and in the order they were written."""
    ordinary = [story for story in stories if story.minute is None]
    outage = sorted(
        (story for story in stories if story.minute is not None), key=lambda s: s.minute or 0
    )
    chance.shuffle(ordinary)
    at = min(40, len(ordinary))
    return ordinary[:at] + outage + ordinary[at:]
