"""What the page of the fullest ticket costs, and that what is kept in mind is never out of date."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from review.catalogue import catalogue
from review.drills import turns
from review.lines import MOST_DECISIONS, lines_of
from review.models import DecidedValue, Decision, Reason
from review.told import EVENTS_SHOWN, TICKETS_COUNTED
from tests.review.fullest import make_fullest
from tests.review.helpers import (
    Desk,
    make_desk,
    make_model,
    make_proposal,
    make_reader,
    make_reasons,
    make_technician,
    make_ticket,
    make_user,
    ticket_page,
)
from triage.models import Choice, ModelVersion, Source, Ticket, TicketEvent

pytestmark = pytest.mark.django_db
MOST_QUERIES = 12
MOST_TO_DECIDE = 41
TO_LOOK_FOR_A_DRILL = 1
HTMX = {"HX-Request": "true"}


@pytest.fixture
def desk(db: None) -> Desk:
    return make_desk()


@pytest.fixture
def technician(client: Client, desk: Desk) -> Client:
    client.force_login(make_technician(), "review.accounts.People")
    return client


def statements(ask: Callable[[], Any], status: int = 200) -> list[str]:
    with CaptureQueriesContext(connection) as asked:
        assert ask().status_code == status
    return [query["sql"] for query in asked]


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_the_fullest_ticket_costs_twelve_queries_at_most(
    technician: Client, desk: Desk, headers: dict[str, str]
) -> None:
    ticket = make_fullest(desk)
    path = f"/tickets/{ticket.pk}/"
    technician.get(path, headers=headers)

    found = statements(lambda: technician.get(path, headers=headers))

    assert len(found) <= MOST_QUERIES, found


def test_everything_of_the_fullest_ticket_is_on_its_page(technician: Client, desk: Desk) -> None:
    ticket = make_fullest(desk)

    html = ticket_page(technician, ticket)

    for words in (
        "Held by the rule “Rule 1”, owned by Olga Owner.",
        "Rule “Urgent words”, owned by Olga Owner",
        "“Rule 0” (version 1), owned by Olga Owner",
        "Norvik was changed by someone else before we could set fields.",
        "Changed by the requester or the helpdesk (version 2)",
        "Reassigned: Identity",
        "Rated: 2 of 5",
        "They said so on the phone.",
        "VPN</s>",
        "their ticket no. 2, 2 in 30 days",
        "Accept with the reply",
        "answered by “Roll back”",
        "sent on once",
        "rated 2 of 5",
        "Model version 1, owned by Olga Owner",
    ):
        assert words in html, words


@pytest.mark.parametrize("drill_drawn", [0, 1])
def test_accepting_and_the_next_ticket_cost_no_more_than_this(
    technician: Client, desk: Desk, monkeypatch: pytest.MonkeyPatch, drill_drawn: int
) -> None:
    # Drawn by the numbers of person and ticket, which are others in each run.
    monkeypatch.setattr(turns, "CHANCE", float(drill_drawn))
    ticket = make_fullest(desk)
    following = make_proposal(desk).ticket
    pk = ticket.waiting.proposal_id
    technician.get(f"/tickets/{following.pk}/")

    decided = statements(lambda: technician.post(f"/proposals/{pk}/accept", headers=HTMX), 302)
    shown = statements(lambda: technician.get(f"/tickets/{following.pk}/", headers=HTMX))

    assert len(decided) <= MOST_TO_DECIDE + drill_drawn * TO_LOOK_FOR_A_DRILL, decided
    assert len(shown) <= MOST_QUERIES


# --- What is kept -----------------------------------------------------------------------------


def test_what_owners_change_is_on_the_next_page(technician: Client, desk: Desk) -> None:
    make_reasons()
    ticket = make_proposal(desk).ticket
    assert "Network › VPN" in ticket_page(technician, ticket)

    Choice.objects.filter(pk=desk["network.vpn"].pk).update(name="Tunnel")
    Reason.objects.filter(key="wrong").update(label="Not so")
    Choice.objects.create(field=desk.team, key="team.new", name="Night shift")

    html = ticket_page(technician, ticket)
    for words in ("Network › Tunnel", "Not so", "Night shift"):
        assert words in html
    Choice.objects.filter(pk=desk["access"].pk).update(retired_at=timezone.now())
    Source.objects.update(name="Elsewhere")
    html = ticket_page(technician, ticket)
    assert f'value="{desk["access"].pk}"' not in html
    assert "in Elsewhere" in html


def test_a_choice_or_a_reason_that_was_just_retired_is_refused(
    technician: Client, desk: Desk
) -> None:
    reasons = make_reasons()
    proposal = make_proposal(desk)
    ticket_page(technician, proposal.ticket)
    sent = {
        "choice-category": desk["access.password"].pk,
        "reason-category": reasons["override.wrong"].pk,
    }

    Choice.objects.filter(pk=desk["access.password"].pk).update(retired_at=timezone.now())
    choice = technician.post(f"/proposals/{proposal.pk}/override", sent)
    Choice.objects.update(retired_at=None)
    Reason.objects.filter(key="wrong").update(is_active=False)
    reason = technician.post(f"/proposals/{proposal.pk}/override", sent)

    assert (choice.status_code, reason.status_code) == (422, 422)
    assert "This is not one of the choices any more." in choice.content.decode()
    assert not Decision.objects.exists()


def test_the_catalogue_is_read_again_exactly_when_a_row_has_changed(desk: Desk) -> None:
    kept = catalogue()
    assert catalogue() is kept
    assert desk.category.pk not in kept.with_model

    make_model(desk)
    assert desk.category.pk in catalogue().with_model
    ModelVersion.objects.update(state=ModelVersion.State.RETIRED)
    assert desk.category.pk not in catalogue().with_model
    desk["hardware"].implies.add(desk["team.id"])
    implied = catalogue().implied(desk["hardware"].pk, desk.team.pk)
    assert implied == desk["team.id"]


def test_a_person_and_what_they_may_do_are_one_query(client: Client, desk: Desk) -> None:
    user = make_reader()
    group = Group.objects.create(name="deciders")
    group.permissions.set(Permission.objects.filter(codename="add_decision"))
    client.force_login(user, "review.accounts.People")

    def asked_of_people() -> list[str]:
        found = statements(lambda: client.get("/history/"))
        return [one for one in found if "auth_" in one.partition(" WHERE ")[0]]

    assert len(asked_of_people()) == 1
    assert not User.objects.get(pk=user.pk).has_perm("review.add_decision")
    user.groups.add(group)
    assert User.objects.get(pk=user.pk).has_perms(["review.add_decision", "review.view_decision"])
    user.user_permissions.clear()
    assert client.get("/history/").status_code == 403


def test_nobody_who_was_locked_out_may_do_anything(client: Client, desk: Desk) -> None:
    user = make_technician()
    client.force_login(user, "review.accounts.People")

    User.objects.update(is_active=False)

    assert client.get("/history/").status_code == 302
    assert not User.objects.get(pk=user.pk).has_perm("review.add_decision")
    assert make_user("root", is_superuser=True).has_perm("review.add_decision")


# --- What does not grow -----------------------------------------------------------------------


def test_of_many_events_the_newest_are_shown_and_the_cut_is_told(
    technician: Client, desk: Desk
) -> None:
    ticket = make_proposal(desk).ticket
    now = timezone.now()
    TicketEvent.objects.bulk_create(
        TicketEvent(
            ticket=ticket,
            key=str(number),
            kind=TicketEvent.Kind.RATED if number == EVENTS_SHOWN else TicketEvent.Kind.COMMENTED,
            score=4 if number == EVENTS_SHOWN else None,
            happened_at=now - timedelta(minutes=number),
        )
        for number in range(EVENTS_SHOWN + 1)
    )

    html = ticket_page(technician, ticket)

    assert html.count('<li class="is-event">') == EVENTS_SHOWN
    assert "What was before that is left out." in html
    assert "4 of 5" not in html


def test_a_requester_with_a_hundred_tickets_is_not_counted_to_the_end(
    technician: Client, desk: Desk
) -> None:
    ticket = make_proposal(desk, make_ticket(desk, opened_at=timezone.now())).ticket
    Ticket.objects.bulk_create(
        Ticket(
            source=desk.source,
            external_id=f"old-{number}",
            version=1,
            subject="Again",
            requester=ticket.requester,
            opened_at=timezone.now() - timedelta(days=number + 1),
        )
        for number in range(TICKETS_COUNTED + 5)
    )

    assert "more than 100 tickets before, at least 31 in 30 days" in ticket_page(technician, ticket)


def test_how_a_choice_fared_is_told_by_the_newest_decisions(desk: Desk) -> None:
    maya = make_technician()
    shown = make_proposal(desk)
    old = [_decided(desk, maya, desk["access.password"]) for _ in range(3)]
    new = [_decided(desk, maya, desk["network.vpn"]) for _ in range(12)]
    assert old[0].pk < new[0].pk

    track = lines_of(shown, catalogue())[0].track
    assert track is not None
    assert (track.decisions, track.overridden) == (15, 3)

    DecidedValue.objects.bulk_create(
        DecidedValue(
            decision=decision,
            field=desk.category,
            proposed=desk["network.vpn"],
            final=desk["network.vpn"],
        )
        for decision in _plain_decisions(desk, maya, MOST_DECISIONS)
    )
    track = lines_of(shown, catalogue())[0].track
    assert track is not None
    assert (track.decisions, track.overridden) == (MOST_DECISIONS, 0)


def _decided(desk: Desk, by: User, final: Choice) -> Decision:
    decision = _plain_decisions(desk, by, 1)[0]
    reason, _ = Reason.objects.get_or_create(
        key="wrong", label="Wrong", applies_to=Reason.AppliesTo.OVERRIDE, digit=1
    )
    DecidedValue.objects.create(
        decision=decision,
        field=desk.category,
        proposed=desk["network.vpn"],
        final=final,
        reason=reason,
    )
    return decision


def _plain_decisions(desk: Desk, by: User, count: int) -> list[Decision]:
    proposals = [make_proposal(desk, waits=False) for _ in range(count)]
    return Decision.objects.bulk_create(
        Decision(
            proposal=proposal,
            stands_for=proposal,
            reviewer=by,
            verdict=Decision.Verdict.ACCEPTED,
            decided_at=timezone.now(),
        )
        for proposal in proposals
    )
