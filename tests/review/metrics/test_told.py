"""Stories as they are read from rows, each made by hand."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.expressions import RawSQL

from review.metrics import rollups
from review.models import SpotCheck, StoryPath, TicketStory
from tests.review.metrics.helpers import (
    LONG_AGO,
    Desk,
    accept,
    close_itself,
    escalate,
    live,
    make_desk,
    make_event,
    make_proposal,
    make_ticket,
    override,
)
from triage.models import Effect, Label, Proposal, Ticket, TicketEvent, TicketVersion

pytestmark = pytest.mark.django_db
HOUR, DAY = 60, 24 * 60


@pytest.fixture
def desk() -> Desk:
    return make_desk()


def told(ticket: Ticket) -> TicketStory:
    assert rollups.catch_up()
    return TicketStory.objects.get(ticket=ticket)


def opened(desk: Desk, *happened: tuple[Any, ...], **values: str) -> Ticket:
    """A ticket whose first version has these values, keys of choices by key of field."""
    ticket = make_ticket(desk)
    TicketVersion.objects.create(ticket=ticket, version=1, values=values)
    return live(ticket, *happened)


def test_the_times_of_a_ticket_are_those_of_its_events(desk: Desk) -> None:
    ticket = opened(
        desk,
        (10, "started"),
        (30, "paused"),
        (45, "awaiting"),
        (60, "resolved"),
        (2 * DAY + 60, "reopened"),
        (2 * DAY + 90, "resolved"),
        (3 * DAY, "rated", None, 2),
    )

    found = told(ticket)

    assert (found.queued, found.worked, found.paused, found.awaiting) == (2400, 1200, 900, 900)
    assert (found.rework, found.to_resolve, found.has_states) == (1800, 3600, True)
    assert (found.reopened_after, found.contacted_after, found.rating) == (2, 2, 2)
    assert found.resolved_at == LONG_AGO + timedelta(hours=1)
    assert found.day == LONG_AGO.date()


def test_a_comment_after_the_resolution_is_contact_and_no_reopening(desk: Desk) -> None:
    found = told(opened(desk, (HOUR, "resolved"), (HOUR + DAY, "commented")))

    assert (found.reopened_after, found.contacted_after) == (None, 1)


def test_the_first_team_is_that_of_the_first_version(desk: Desk) -> None:
    net, identity = desk.choices["net"], desk.choices["id"]
    back = [(5, "reassigned", identity), (9, "reassigned", net)]

    found = told(opened(desk, *back, team="net"))
    unknown = told(opened(desk, *back))

    assert (found.reassigned, found.returned) == (2, True)
    assert (unknown.reassigned, unknown.returned) == (2, False)


def test_of_imported_history_the_first_team_is_not_known(desk: Desk) -> None:
    ticket = opened(desk, (5, "reassigned", desk.choices["net"]), team="net", category="vpn")
    Label.objects.create(
        ticket=ticket,
        field=desk.category,
        choice=desk.choices["wifi"],
        origin=Label.Origin.HISTORY,
    )

    found = told(ticket)

    # Else the move to the team that it had in the end would be none.
    assert (found.reassigned, found.returned) == (1, False)
    assert found.choice == desk.choices["wifi"]


def test_the_words_of_an_erased_ticket_are_gone_and_its_story_stays(desk: Desk) -> None:
    ticket = opened(desk, (HOUR, "resolved"), category="vpn")
    Ticket.objects.filter(pk=ticket.pk).update(subject="", body="", erased_at=LONG_AGO)
    make_event(ticket, TicketEvent.Kind.REOPENED, LONG_AGO + timedelta(hours=2))

    found = told(ticket)

    assert (found.reopened_after, found.choice) == (1, desk.choices["vpn"])


def test_a_ticket_is_filed_under_what_was_said_last(desk: Desk) -> None:
    wifi, password = desk.choices["wifi"], desk.choices["password"]
    plain = opened(desk, category="vpn")
    decided = make_proposal(desk, "vpn")
    override(decided, category=wifi)
    moved = make_proposal(desk, "vpn")
    override(moved, category=wifi)
    live(moved.ticket, (HOUR, "recategorised", password))
    open_still = make_proposal(desk, "password")
    nobody = make_ticket(desk)

    filed = [told(t).choice for t in (plain, decided.ticket, moved.ticket, open_still.ticket)]

    assert filed == [desk.choices["vpn"], wifi, password, password]
    assert told(nobody).choice is None


def test_the_path_is_that_of_the_last_proposal_that_was_settled(desk: Desk) -> None:
    twice = make_ticket(desk)
    accept(make_proposal(desk, ticket=twice))
    later = LONG_AGO + timedelta(hours=1)
    escalate(make_proposal(desk, ticket=twice, version=2, at=later))
    auto = make_proposal(desk, route=Proposal.Route.AUTO)
    checked = make_proposal(desk, route=Proposal.Route.AUTO)
    SpotCheck.objects.create(proposal=checked, propensity=0.1, stratum="auto", drawn_at=LONG_AGO)
    override(checked, category=desk.choices["wifi"])
    shadow = make_proposal(desk, route=Proposal.Route.SHADOW)
    waiting = make_proposal(desk)

    paths = [told(one).path for one in (twice, auto.ticket, checked.ticket, shadow.ticket)]

    assert paths == [StoryPath.ACCEPTED, StoryPath.AUTO, StoryPath.AUTO, StoryPath.BEFORE]
    assert told(waiting.ticket).path == StoryPath.UNSETTLED
    assert told(waiting.ticket).version == desk.model


@pytest.mark.parametrize(
    ("state", "route", "resolved", "is_self_closed"),
    [
        (Effect.State.APPLIED, Proposal.Route.AUTO, HOUR, True),
        (Effect.State.SENDING, Proposal.Route.AUTO, HOUR, True),
        (Effect.State.REFUSED, Proposal.Route.AUTO, HOUR, False),
        (Effect.State.APPLIED, Proposal.Route.REVIEW, HOUR, False),
        (Effect.State.APPLIED, Proposal.Route.AUTO, None, False),
    ],
)
def test_a_playbook_closed_what_it_resolved_without_a_person(
    desk: Desk, state: str, route: str, resolved: int | None, is_self_closed: bool
) -> None:
    proposal = make_proposal(desk, route=route)
    close_itself(proposal, state)
    if route == Proposal.Route.REVIEW:
        accept(proposal)
    if resolved:
        live(proposal.ticket, (resolved, "resolved"))

    assert told(proposal.ticket).is_self_closed is is_self_closed


def test_a_decision_long_after_the_opening_is_told_on_the_day_of_the_opening(desk: Desk) -> None:
    ticket = make_ticket(desk, opened_at=LONG_AGO - timedelta(days=9))
    proposal = make_proposal(desk, ticket=ticket, at=LONG_AGO)
    assert told(ticket).path == StoryPath.UNSETTLED

    accept(proposal)

    found = told(ticket)
    assert (found.path, found.day) == (
        StoryPath.ACCEPTED,
        (LONG_AGO - timedelta(days=9)).date(),
    )


def test_a_story_that_has_not_changed_is_not_written_again(desk: Desk) -> None:
    ticket = opened(desk, (HOUR, "resolved"))
    told(ticket)
    before = _address(ticket)

    make_event(ticket, "commented", LONG_AGO + timedelta(minutes=5))
    told(ticket)

    assert _address(ticket) == before


def _address(ticket: Ticket) -> Any:
    """Where the row lies in its table, which every writing changes."""
    rows = TicketStory.objects.filter(ticket=ticket).annotate(at=RawSQL("ctid::text", []))
    return rows.values_list("at", flat=True).get()


def test_many_tickets_take_as_many_queries_as_one(
    desk: Desk, django_assert_max_num_queries: Any
) -> None:
    live(accept(make_proposal(desk)).proposal.ticket, (HOUR, "resolved"))
    with django_assert_max_num_queries(180) as few:
        rollups.catch_up()
    for _ in range(20):
        live(accept(make_proposal(desk)).proposal.ticket, (HOUR, "resolved"))
    with django_assert_max_num_queries(len(few)):
        rollups.catch_up()
