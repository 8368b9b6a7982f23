"""Every page of the review room, from its address table; a new one is walked or fails loudly."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from review.metrics import votes
from review.metrics.definitions import DEFINITIONS
from review.models import (
    Batch,
    BlindAnswer,
    BlindValue,
    Concern,
    Decision,
    Drill,
    DrillAnswer,
    DrillProgramme,
    MetricDefinition,
    PracticeAnswer,
    SavedView,
    SecondLook,
    SpotCheck,
)
from tests.review.definitions.world import proposed
from triage.models import Choice, ModelVersion, Proposal, Ticket, TicketVersion

NAMESPACE = "review"
ARGUMENT = re.compile(r"(?:([\w-]+)/)?<(?:\w+:)?(\w+)>")


class NotOnTheMap(AssertionError):
    """A route whose arguments nobody has given here."""


@dataclass(frozen=True)
class Address:
    """Where a route leads, with rows that are there; some pages need a query."""

    name: str
    path: str
    query: str


def arguments(ticket: Ticket, viewer: User) -> dict[str, object]:
    """By what stands in the address before an argument, else by its name."""
    decision = Decision.objects.latest("pk")
    now = timezone.now()
    proposal = ticket.proposals.latest("pk")
    view, _ = SavedView.objects.get_or_create(owner=decision.reviewer, name="Mine", query="held=1")
    concern, _ = Concern.objects.get_or_create(text="Is this fair?", defaults={"reported_at": now})
    batch, _ = Batch.objects.get_or_create(reviewer=decision.reviewer, defaults={"decided_at": now})
    Decision.objects.filter(pk=decision.pk).update(batch=batch)
    right, wrong = Choice.objects.filter(field__source=ticket.source, field__is_main=True)[:2]
    exercise, _ = PracticeAnswer.objects.get_or_create(
        person=viewer,
        proposal=proposal,
        defaults={
            "answer": wrong,
            "advice": right,
            "final": right,
            "truth": right,
            "answered_at": now,
            "finished_at": now,
        },
    )
    made = version_on_vote(decision.reviewer)
    return {
        "tickets": ticket.pk,
        "beside": Ticket.objects.exclude(pk=ticket.pk).latest("pk").pk,
        "proposals": proposal.pk,
        "equal": proposal.pk,
        "decisions": decision.pk,
        "batches": batch.pk,
        "views": view.pk,
        "concerns": concern.pk,
        "practice": exercise.pk,
        "drills": ticket.source_id,
        "answers": answered_drill(ticket, viewer).pk,
        "looks": second_look(ticket, right).pk,
        "metrics": next(iter(DEFINITIONS)),
        "definitions": made.key,
        "version": made.version,
        "comments": made.comments.latest("pk").pk,
    }


def answered_drill(ticket: Ticket, viewer: User) -> Drill:
    """Of the viewer's own, in a source whose programme is on."""
    right, wrong = Choice.objects.filter(field__source=ticket.source, field__is_main=True)[:2]
    now = timezone.now()
    DrillProgramme.objects.get_or_create(
        source=ticket.source,
        defaults={
            "is_on": True,
            "disclosure": "Read this.",
            "disclosed_at": now,
            "changed_by": viewer,
        },
    )
    drill, _ = Drill.objects.get_or_create(
        person=viewer,
        proposal=ticket.proposals.latest("pk"),
        defaults={
            "advice": wrong,
            "truth": right,
            "is_right": False,
            "known_by": "agreed",
            "version": ModelVersion.objects.latest("pk"),
            "shown_at": now,
        },
    )
    DrillAnswer.objects.get_or_create(
        drill=drill,
        defaults={"verdict": "overridden", "final": right, "seconds": 9, "answered_at": now},
    )
    return drill


def second_look(like: Ticket, choice: Choice) -> SpotCheck:
    """Of a ticket that nobody who walks knows, and that waits for a second person."""
    if known := SecondLook.objects.first():
        return known.check_of
    now = timezone.now()
    ticket = Ticket.objects.create(
        source=like.source, external_id="look", version=1, subject="Beamer", opened_at=now
    )
    seen = TicketVersion.objects.create(ticket=ticket, version=1, subject="Beamer")
    proposal = Proposal.objects.create(ticket=ticket, ticket_version=seen, route="review")
    check = SpotCheck.objects.create(
        proposal=proposal, propensity=0.05, second_at=0.2, stratum="waiting", drawn_at=now
    )
    first, _ = User.objects.get_or_create(username="first-to-answer")
    given = BlindAnswer.objects.create(check_of=check, reviewer=first, answered_at=now, seconds=9.0)
    BlindValue.objects.create(answer=given, field=choice.field, choice=choice)
    SecondLook.objects.create(check_of=check, nth=2, since=now)
    return check


def version_on_vote(by: User) -> MetricDefinition:
    """Of what a metric means, with the comment that it was proposed with."""
    if row := MetricDefinition.objects.first():
        return row
    row = proposed(by)
    return votes.open_vote(row.pk, by=by)


# What a page is opened with besides its bare address.
QUERIES = {
    "queue": ("?category=access.nothing",),
    "ticket": ("?do=override", "?do=escalate"),
    "history": ("?since=soon",),
    "metrics_tickets": ("?metric=acceptance",),
    "metrics_kpi_tickets": (
        "?source=norvik&metric=reassigned&from=2026-01-01&to=2026-12-31&before=2027-01-01",
    ),
    "weekly": ("?week=next",),
    "search": ("?q=VPN",),
}


def addresses(ticket: Ticket, viewer: User) -> list[Address]:
    """As one who may open them would; each person has an exercise of their own."""
    known = arguments(ticket, viewer)
    found = []
    for name, route in sorted(_routes()):
        given = {}
        for before, argument in ARGUMENT.findall(route):
            if (before or argument) not in known:
                raise NotOnTheMap(f"{route}: say in walk.arguments which {before or argument}.")
            given[argument] = known[before or argument]
        path = reverse(f"{NAMESPACE}:{name}", kwargs=given)
        found += [Address(name, f"{path}{query}", query) for query in ("", *QUERIES.get(name, ()))]
    return found


def pages(client: Client, found: list[Address]) -> Iterator[tuple[Address, str]]:
    """Those that answer a GET with a whole page, and its HTML. None may break or lead nowhere."""
    for address in found:
        answer = client.get(address.path)
        assert answer.status_code < 500, address
        assert answer.status_code != 404, address
        kind = answer.headers.get("Content-Type", "")
        if answer.status_code == 200 and kind.startswith("text/html") and not answer.streaming:
            html = answer.content.decode()
            if html.lstrip().lower().startswith("<!doctype html"):
                yield address, html


def _routes() -> set[tuple[str, str]]:
    resolver = next(
        one
        for one in get_resolver().url_patterns
        if isinstance(one, URLResolver) and one.namespace == NAMESPACE
    )
    return set(_below(resolver.url_patterns, ""))


def _below(patterns: list[URLPattern | URLResolver], outer: str) -> Iterator[tuple[str, str]]:
    for one in patterns:
        route = f"{outer}{one.pattern}"
        if isinstance(one, URLResolver):
            yield from _below(one.url_patterns, route)
        elif one.name:
            yield one.name, route
