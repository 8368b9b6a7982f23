"""The demo company's past: solved tickets of the last three months, and models that learnt them."""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from itertools import count
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, OuterRef, Subquery

from triage.demo.company import address, requester_name
from triage.demo.corpus import SEED, Happening, Story
from triage.learning import registry, runs
from triage.models import (
    Choice,
    Field,
    Label,
    ModelVersion,
    Source,
    Ticket,
    TicketEvent,
    TicketVersion,
)

DAYS = 90
FIRST_NUMBER = 31_001
TRAINED = ("category", "priority")
# Before automation a ticket lay with the service desk first; so many had to be handed on by hand.
FIRST_TEAM = "service-desk"
SENT_ON = 0.45
MINUTES_UNTIL_SENT_ON = 55.0
CLOSING = (TicketEvent.Kind.RESOLVED, TicketEvent.Kind.CLOSED)


@dataclass(frozen=True)
class Told:
    """A story that has happened: its ticket, and when it was opened."""

    story: Story
    ticket: Ticket


@transaction.atomic
def load(
    source: Source,
    stories: Sequence[Story],
    *,
    now: datetime,
    by_hand_before: datetime | None = None,
    seed: int = SEED,
) -> list[Told]:
    """Store solved tickets with their later events and true labels, oldest first.

    Opened in working hours of the DAYS before `now`, and all of them over by then. What was
    opened before `by_hand_before` was routed by people, who found the right team later.
    """
    chance, hands = random.Random(seed), random.Random(seed + 1)
    zone = ZoneInfo(source.time_zone)
    moments = [(_opened(story, now.astimezone(zone), chance), story) for story in stories]
    moments.sort(key=lambda pair: (pair[0], pair[1].key))
    if by_hand_before:
        moments = [
            (opened, sent_on(story, hands) if opened < by_hand_before else story)
            for opened, story in moments
        ]
    choices = choices_of(source)
    numbers = count(FIRST_NUMBER)
    told = [Told(story, _ticket(source, story, opened, next(numbers))) for opened, story in moments]
    Ticket.objects.bulk_create(each.ticket for each in told)
    TicketVersion.objects.bulk_create(
        TicketVersion(
            ticket=each.ticket, version=1, subject=each.ticket.subject, body=each.ticket.body
        )
        for each in told
    )
    TicketEvent.objects.bulk_create(event for each in told for event in _events(each, choices))
    Label.objects.bulk_create(label for each in told for label in _labels(each, choices))
    # These were set to this moment while storing.
    own = Ticket.objects.filter(source=source)
    own.update(received_at=F("opened_at"))
    TicketVersion.objects.filter(ticket__source=source).update(
        created_at=Subquery(own.filter(pk=OuterRef("ticket")).values("opened_at"))
    )
    return told


def train(source: Source, owner: User, *, tell: Callable[[str], None]) -> list[ModelVersion]:
    """A champion each for category and priority; the team follows from the category."""
    champions = []
    for field in Field.objects.filter(source=source, key__in=TRAINED).order_by("position"):
        version = runs.in_foreground(field, by=owner, seed=SEED)
        registry.promote(version, by=owner, reason="The first model, trained on the imported past.")
        tell(f"{version}: {version.evidence['accuracy']:.0%} right on tickets it had not seen")
        champions.append(version)
    return champions


def choices_of(source: Source) -> dict[tuple[str, str], Choice]:
    rows = Choice.objects.filter(field__source=source).select_related("field")
    return {(choice.field.key, choice.key): choice for choice in rows}


def values_of(story: Story) -> dict[str, str]:
    """What the helpdesk held in the end, by field key."""
    if not story.in_scope:
        return {"priority": story.priority}
    return {"category": story.category, "team": story.team, "priority": story.priority}


def sent_on(story: Story, chance: random.Random) -> Story:
    """The story of a ticket that reached its team only by way of the service desk, or as it was."""
    was_sent_on = any(each.kind == TicketEvent.Kind.REASSIGNED for each in story.happenings)
    is_there = story.team in ("", FIRST_TEAM)
    if is_there or was_sent_on or chance.random() >= SENT_ON:
        return story
    late = MINUTES_UNTIL_SENT_ON * chance.lognormvariate(0, 0.7)
    sent = Happening(TicketEvent.Kind.REASSIGNED, late, team=story.team)
    later = (replace(each, after_minutes=each.after_minutes + late) for each in story.happenings)
    return replace(story, happenings=(sent, *later))


def _opened(story: Story, now: datetime, chance: random.Random) -> datetime:
    """A working moment such that everything told about the ticket lies before `now`."""
    latest = now - timedelta(minutes=story.minutes_to_the_end, hours=1)
    day = (now - timedelta(days=chance.randrange(1, DAYS))).date()
    while day.weekday() > 4:
        day -= timedelta(days=1)
    # Most is written in the morning and after lunch.
    minute = round(chance.triangular(7 * 60, 18 * 60, 9.5 * 60))
    moment = datetime.combine(day, time(), tzinfo=now.tzinfo) + timedelta(minutes=minute)
    while moment > latest:
        moment -= timedelta(days=7)
    return moment


def _ticket(source: Source, story: Story, opened: datetime, number: int) -> Ticket:
    ticket = Ticket(
        source=source,
        external_id=str(number),
        version=1 + len(story.happenings),
        subject=story.subject,
        body=story.body,
        requester=address(story.requester),
        requester_name=requester_name(story.requester),
        values=values_of(story),
        opened_at=opened,
        resolution=story.resolution,
    )
    for happening in story.happenings:
        if happening.kind in CLOSING:
            ticket.closed_at = ticket.closed_at or _when(opened, happening)
        elif happening.kind == TicketEvent.Kind.REOPENED:
            ticket.closed_at = None
            ticket.reopened_count += 1
    return ticket


def _events(told: Told, choices: Mapping[tuple[str, str], Choice]) -> Iterable[TicketEvent]:
    for number, happening in enumerate(told.story.happenings, start=1):
        choice = choices.get(("team", happening.team)) or choices.get(
            ("category", happening.category)
        )
        yield TicketEvent(
            ticket=told.ticket,
            key=f"{told.ticket.external_id}-{number}",
            kind=happening.kind,
            happened_at=_when(told.ticket.opened_at, happening),
            choice=choice,
            score=happening.score,
        )


def _labels(told: Told, choices: Mapping[tuple[str, str], Choice]) -> Iterable[Label]:
    if not told.story.in_scope:
        return
    for key, value in values_of(told.story).items():
        choice = choices[key, value]
        yield Label(
            ticket=told.ticket,
            field=choice.field,
            choice=choice,
            origin=Label.Origin.HISTORY,
        )


def _when(opened: datetime, happening: Happening) -> datetime:
    return opened + timedelta(minutes=happening.after_minutes)
