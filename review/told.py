"""What is on record of one ticket and its newest proposal, in one query: events, effects, rules."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef

from triage.models import (
    Delivery,
    Effect,
    Job,
    Proposal,
    RuleHit,
    Ticket,
    TicketEvent,
    TicketVersion,
)
from triage.nested import nested, rows_of

RECENT = timedelta(days=30)
VERSIONS_SHOWN = 10
# Of a ticket's events the newest.
EVENTS_SHOWN = 100
# A mailbox that a whole company writes from has more; so far it is told how many.
TICKETS_COUNTED = 100


@dataclass(frozen=True)
class Hit:
    """A rule that matched; `holds`: it asked for a person."""

    rule_version: int
    rule: str
    number: int
    owner: str
    holds: bool


@dataclass(frozen=True)
class Requester:
    """How many tickets the requester has opened up to this one, and of them in the last 30 days.

    `is_more`: they are more than were counted.
    """

    nth: int
    recent: int
    is_more: bool


@dataclass(frozen=True)
class Told:
    """Events oldest first, versions newest first. `events_cut`: there were earlier ones."""

    ticket: Ticket
    proposal: Proposal | None
    hits: list[Hit]
    is_being_explained: bool
    effects: list[Effect]
    events: list[TicketEvent]
    events_cut: bool
    versions: list[TicketVersion]
    requester: Requester | None


def told(pk: int) -> Told:
    """The newest proposal is that of the newest version which people may see. Ticket.DoesNotExist.

    A job that died explains nothing any more.
    """
    explaining = Job.objects.filter(
        kind=Job.Kind.EVIDENCE, subject=OuterRef("pk"), dead_at__isnull=True
    )
    proposal = (
        Proposal.objects.filter(ticket=pk)
        .exclude(route=Proposal.Route.SHADOW)
        .select_related(
            "ticket__source", "ticket__waiting", "ticket_version", "playbook__owner", "spot_check"
        )
        .defer("ticket__search", "ticket_version__subject", "ticket_version__body")
        .annotate(
            explaining=Exists(explaining), found_hits=_hits(), **_of_ticket("ticket", "ticket__")
        )
        .order_by("-ticket_version__version")
        .first()
    )
    if proposal is not None:
        hits = [_hit(found) for found in proposal.found_hits]
        return _told(proposal.ticket, proposal, proposal, hits, proposal.explaining)
    ticket = (
        Ticket.objects.select_related("source", "waiting")
        .defer("search")
        .annotate(**_of_ticket("pk", ""))
        .get(pk=pk)
    )
    return _told(ticket, None, ticket, [], False)


def _of_ticket(pk: str, prefix: str) -> dict[str, ArraySubquery]:
    """What hangs on the ticket that the outer query names by `pk` and reads behind `prefix`."""
    of_it = {"ticket": OuterRef(pk)}
    events = TicketEvent.objects.filter(**of_it).order_by("-happened_at", "-pk")
    effects = Effect.objects.filter(**of_it).order_by("created_at", "proposal", "position")
    # An echo of our own write is no news.
    versions = TicketVersion.objects.filter(**of_it).exclude(
        delivery__outcome=Delivery.Outcome.ECHO
    )
    opened = Ticket.objects.filter(
        source=OuterRef(f"{prefix}source"),
        requester=OuterRef(f"{prefix}requester"),
        opened_at__lte=OuterRef(f"{prefix}opened_at"),
    ).exclude(requester="")
    return {
        "found_events": nested(events[: EVENTS_SHOWN + 1]),
        "found_effects": nested(effects),
        "found_versions": nested(
            versions.order_by("-version")[:VERSIONS_SHOWN], outcome="delivery__outcome"
        ),
        "found_opened": ArraySubquery(
            opened.order_by("-opened_at").values("opened_at")[: TICKETS_COUNTED + 1]
        ),
    }


def _told(
    ticket: Ticket, proposal: Proposal | None, found: Any, hits: list[Hit], explaining: bool
) -> Told:
    """`found` is the row that carries what `_of_ticket` has annotated."""
    events = rows_of(TicketEvent, found.found_events)
    return Told(
        ticket=ticket,
        proposal=proposal,
        hits=hits,
        is_being_explained=explaining,
        effects=rows_of(Effect, found.found_effects),
        events=events[:EVENTS_SHOWN][::-1],
        events_cut=len(events) > EVENTS_SHOWN,
        versions=_versions(found.found_versions),
        requester=_requester(ticket, found.found_opened),
    )


def _versions(found: list[dict[str, Any]]) -> list[TicketVersion]:
    """What the helpdesk told us of the ticket, newest first.

    Our own write answers before its echo comes, which is then late and says no new word.
    """
    versions = rows_of(TicketVersion, found)
    for version, row in zip(versions, found, strict=True):
        if version.delivery_id is not None:
            version.delivery = Delivery(pk=version.delivery_id, outcome=row["outcome"])
    return [
        version
        for version, older in zip_longest(versions, versions[1:])
        if older is None
        or not (outcome_of(version) == Delivery.Outcome.STALE and _words(version) == _words(older))
    ]


def outcome_of(version: TicketVersion) -> str:
    """What the delivery of it did; empty without one."""
    return version.delivery.outcome if version.delivery else ""


def _words(version: TicketVersion) -> tuple[str, str]:
    return version.subject, version.body


def _hits() -> ArraySubquery:
    hits = RuleHit.objects.filter(proposal=OuterRef("pk"))
    return nested(
        hits.order_by("rule_version__rule__position", "pk"),
        "rule_version",
        rule="rule_version__rule__name",
        number="rule_version__number",
        actions="rule_version__actions",
        login="rule_version__rule__owner__username",
        first="rule_version__rule__owner__first_name",
        last="rule_version__rule__owner__last_name",
    )


def _hit(found: dict[str, Any]) -> Hit:
    return Hit(
        rule_version=found["rule_version"],
        rule=found["rule"],
        number=found["number"],
        owner=f"{found['first']} {found['last']}".strip() or found["login"],
        holds=any(action.get("kind") == "hold" for action in found["actions"]),
    )


def _requester(ticket: Ticket, opened: list[datetime]) -> Requester | None:
    if not ticket.requester:
        return None
    counted = opened[:TICKETS_COUNTED]
    recent = sum(at >= ticket.opened_at - RECENT for at in counted)
    return Requester(len(counted), recent, is_more=len(opened) > TICKETS_COUNTED)
