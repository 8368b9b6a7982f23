"""Undo and Reverse on the pages and for other programs."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from review import decisions, undo
from review.models import Decision, Reason
from tests.review.helpers import (
    Desk,
    make_desk,
    make_proposal,
    make_reader,
    make_reasons,
    make_technician,
    ticket_page,
)
from tests.triage.api.conftest import with_token
from triage.models import Delivery, Proposal, TicketVersion, Waiting

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def desk() -> Desk:
    return make_desk()


@pytest.fixture
def maya() -> User:
    return make_technician("maya", first_name="Maya", last_name="Berg")


@pytest.fixture
def technician(client: Client, maya: User) -> Client:
    client.force_login(maya, "django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def reasons() -> dict[str, Reason]:
    return make_reasons()


def accepted(proposal: Proposal, by: User) -> Decision:
    return decisions.decide(
        proposal=proposal, reviewer=by, choices={}, reasons={}, with_playbook=False
    )


def change_in_the_helpdesk(proposal: Proposal) -> None:
    delivery = Delivery.objects.create(
        source=proposal.ticket.source, webhook_id="w2", body=b"", outcome="applied"
    )
    TicketVersion.objects.create(ticket=proposal.ticket, version=2, subject="", delivery=delivery)


def history(client: Client) -> str:
    return str(client.get("/history/").content.decode())


# --- Undo -----------------------------------------------------------------------------------
def test_the_message_after_a_decision_offers_to_take_it_back(
    technician: Client, desk: Desk
) -> None:
    proposal = make_proposal(desk)

    answer = technician.post(f"/proposals/{proposal.pk}/accept", headers=HTMX, follow=True)

    decision = Decision.objects.get()
    html = answer.content.decode()
    assert f'action="/decisions/{decision.pk}/undo"' in html.split('id="toast"')[1]
    assert 'data-key="u"' in html.split('id="toast"')[1]


def test_undo_opens_the_ticket_again(technician: Client, desk: Desk, maya: User) -> None:
    proposal = make_proposal(desk)
    decision = accepted(proposal, maya)

    answer = technician.post(f"/decisions/{decision.pk}/undo", follow=True)

    html = answer.content.decode()
    assert answer.redirect_chain == [(f"/tickets/{proposal.ticket_id}/", 302)]
    assert f"Undone: #{proposal.ticket.external_id} waits again" in html
    assert f"/proposals/{proposal.pk}/accept" in html
    assert "Decision taken back by Maya Berg" in html
    assert "is-withdrawn" in html


def test_undo_is_offered_to_who_decided_and_only_as_long_as_it_is_possible(
    technician: Client, desk: Desk, maya: User
) -> None:
    mine, theirs, late = (make_proposal(desk) for _ in range(3))
    bob = make_technician("bob")
    own, other, past = accepted(mine, maya), accepted(theirs, bob), accepted(late, maya)
    change_in_the_helpdesk(late)

    pages = {p.pk: ticket_page(technician, p.ticket) for p in (mine, theirs, late)}
    listed = history(technician)

    for decision, proposal, offered in (
        (own, mine, True),
        (other, theirs, False),
        (past, late, False),
    ):
        assert (f'"/decisions/{decision.pk}/undo"' in pages[proposal.pk]) is offered
        assert (f'"/decisions/{decision.pk}/undo"' in listed) is offered
        assert f"/proposals/{proposal.pk}/reverse" in pages[proposal.pk]


def test_too_late_says_what_happened_and_offers_to_reverse(
    technician: Client, desk: Desk, maya: User
) -> None:
    proposal = make_proposal(desk)
    decision = accepted(proposal, maya)
    change_in_the_helpdesk(proposal)

    answer = technician.post(f"/decisions/{decision.pk}/undo")

    assert answer.status_code == 409
    html = answer.content.decode()
    assert "The helpdesk changed the ticket" in html
    assert f"/proposals/{proposal.pk}/reverse" in html


def test_what_somebody_else_decided_is_not_taken_back(technician: Client, desk: Desk) -> None:
    decision = accepted(make_proposal(desk), make_technician("bob"))

    answer = technician.post(f"/decisions/{decision.pk}/undo")

    assert answer.status_code == 403
    assert "Only who decided can take it back" in answer.content.decode()
    assert Decision.objects.get().stands_for is not None


def test_u_takes_back_the_last_one_and_says_when_there_is_none(
    technician: Client, desk: Desk, maya: User
) -> None:
    first, second = make_proposal(desk), make_proposal(desk)
    accepted(first, maya)
    accepted(second, maya)

    answers = [technician.post("/decisions/undo", headers=HTMX) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [302, 302, 409]
    assert [answer["Location"] for answer in answers[:2]] == [
        f"/tickets/{second.ticket_id}/",
        f"/tickets/{first.ticket_id}/",
    ]
    assert answers[2]["HX-Retarget"] == "#toast"
    assert "There is nothing to undo" in answers[2].content.decode()
    assert technician.post("/decisions/undo")["Location"] == "/"


def test_the_history_shows_what_was_taken_back_and_by_whom(
    technician: Client, desk: Desk, maya: User
) -> None:
    undo.undo(accepted(make_proposal(desk), maya), maya)

    html = history(technician)

    assert "is-withdrawn" in html
    assert "Taken back by Maya Berg" in html


@pytest.mark.parametrize("path", ["/decisions/{}/undo", "/decisions/undo", "/proposals/{}/reverse"])
def test_readers_and_strangers_are_kept_out(
    client: Client, desk: Desk, maya: User, path: str
) -> None:
    decision = accepted(make_proposal(desk), maya)
    pk = decision.proposal_id if "proposals" in path else decision.pk
    assert client.post(path.format(pk)).status_code == 302
    client.force_login(make_reader(), "django.contrib.auth.backends.ModelBackend")
    assert client.post(path.format(pk)).status_code == 403
    assert client.get(path.format(pk)).status_code == 405
    assert Decision.objects.get().stands_for is not None


def test_what_is_not_there_is_404(technician: Client) -> None:
    assert technician.post(f"/decisions/{10**30}/undo").status_code == 404
    assert technician.post("/proposals/7/reverse").status_code == 404


# --- Reverse --------------------------------------------------------------------------------
def reversal(
    proposal: Proposal, decision: Decision | None, desk: Desk, **over: object
) -> dict[str, Any]:
    return {
        "instead_of": decision.pk if decision else "",
        "choice-category": desk["access.password"].pk,
        "choice-team": "follow",
        "choice-priority": desk["normal"].pk,
        "text": "",
        **over,
    }


def test_a_decision_is_reversed_on_its_page_and_the_team_follows(
    technician: Client, desk: Desk, reasons: dict[str, Reason]
) -> None:
    proposal = make_proposal(desk)
    first = accepted(proposal, make_technician("bob", first_name="Bob", last_name="Stone"))
    change_in_the_helpdesk(proposal)
    wrong = reasons["override.wrong"].pk

    answer = technician.post(
        f"/proposals/{proposal.pk}/reverse",
        reversal(proposal, first, desk, **{"reason-category": wrong}),
        follow=True,
    )

    second = Decision.objects.get(stands_for=proposal)
    finals = {value.field.key: value.final for value in second.values.select_related("field")}
    assert (finals["category"], finals["team"]) == (desk["access.password"], desk["team.id"])
    html = answer.content.decode()
    assert "Reversed by Maya Berg" in html
    assert f"Reversed: #{proposal.ticket.external_id}" in html


def test_a_reversal_without_a_reason_comes_back_with_what_is_missing(
    technician: Client, desk: Desk, reasons: dict[str, Reason], maya: User
) -> None:
    proposal = make_proposal(desk)
    first = accepted(proposal, maya)

    answer = technician.post(f"/proposals/{proposal.pk}/reverse", reversal(proposal, first, desk))
    same = reversal(proposal, first, desk, **{"choice-category": desk["network.vpn"].pk})
    unchanged = technician.post(f"/proposals/{proposal.pk}/reverse", same)

    assert answer.status_code == unchanged.status_code == 422
    assert "Say why: choose a reason." in answer.content.decode()
    assert "Nothing differs from what stands" in unchanged.content.decode()
    assert 'id="reverse" aria-labelledby="reverse-title">' in answer.content.decode()


def test_what_changed_since_it_was_in_view_is_not_reversed(
    technician: Client, desk: Desk, reasons: dict[str, Reason], maya: User
) -> None:
    proposal = make_proposal(desk)
    first = accepted(proposal, maya)
    undo.undo(first, maya)
    gone = technician.post(f"/proposals/{proposal.pk}/reverse", reversal(proposal, first, desk))
    accepted(proposal, make_technician("bob"))
    other = technician.post(f"/proposals/{proposal.pk}/reverse", reversal(proposal, first, desk))

    assert [gone.status_code, other.status_code] == [409, 409]
    assert "Nothing stands here any more" in gone.content.decode()
    assert "has changed meanwhile" in other.content.decode()


def test_what_was_applied_without_a_person_can_be_reversed_even_after_a_change(
    technician: Client, desk: Desk, reasons: dict[str, Reason]
) -> None:
    proposal = make_proposal(desk, route=Proposal.Route.AUTO, waits=False)
    change_in_the_helpdesk(proposal)
    assert "Applied without a person" in ticket_page(technician, proposal.ticket)

    wrong = reasons["override.wrong"].pk
    technician.post(
        f"/proposals/{proposal.pk}/reverse",
        reversal(proposal, None, desk, **{"reason-category": wrong}),
    )

    assert Decision.objects.get().verdict == "overridden"
    keys = proposal.effects.order_by("position").values_list("key", flat=True)
    assert list(keys) == [f"p{proposal.pk}.2-values", f"p{proposal.pk}.2-note"]


# --- For other programs ---------------------------------------------------------------------
def say(user: User, path: str, body: object = None) -> Any:
    content = b"" if body is None else json.dumps(body).encode()
    return with_token(user).generic(
        "POST", f"/api/v1/{path}", content, content_type="application/json"
    )


def test_programs_take_back_and_learn_when_it_is_too_late(desk: Desk, maya: User) -> None:
    decision = accepted(make_proposal(desk), maya)
    path = f"decisions/{decision.pk}/undo/"

    answers = [say(user, path) for user in (make_technician("bob"), make_reader(), maya, maya)]

    assert [answer.status_code for answer in answers] == [403, 403, 200, 409]
    assert "reverse it instead" in answers[0].json()["detail"]
    row = answers[2].json()
    assert row["stands"] is False
    assert row["withdrawn"]["by"] == {"id": maya.pk, "name": "Maya Berg"}
    assert row["withdrawn"]["reversed_by"] is None
    assert answers[3].json()["code"] == "too_late"
    assert Waiting.objects.exists()


def test_programs_reverse_what_stands(desk: Desk, maya: User, reasons: dict[str, Reason]) -> None:
    first = accepted(make_proposal(desk), maya)
    body = {
        "verdict": "override",
        "values": {"category": "access.password"},
        "reasons": {"category": "wrong"},
    }

    answer = say(maya, f"decisions/{first.pk}/reverse/", body)
    again = say(maya, f"decisions/{first.pk}/reverse/", body)
    back = say(
        maya,
        f"decisions/{answer.json()['id']}/reverse/",
        {"verdict": "accept", "reasons": {"category": "wrong"}},
    )

    assert [answer.status_code, again.status_code, back.status_code] == [201, 409, 201]
    assert answer.json()["stands"] is True
    assert again.json()["code"] == "already_decided"
    assert back.json()["verdict"] == "accepted"
    listed = with_token(maya).get("/api/v1/decisions/").json()["results"]
    assert [row["stands"] for row in listed] == [True, False, False]
    assert listed[2]["withdrawn"]["reversed_by"] == answer.json()["id"]


def test_programs_decide_on_what_was_applied_without_a_person(
    desk: Desk, maya: User, reasons: dict[str, Reason]
) -> None:
    applied = make_proposal(desk, route=Proposal.Route.AUTO, waits=False)
    waiting = make_proposal(desk)
    body = {"verdict": "send_back", "reason": "wrong"}

    answers = [say(maya, f"proposals/{p.pk}/reverse/", body) for p in (applied, waiting)]

    assert [answer.status_code for answer in answers] == [201, 409]
    assert Decision.objects.get().proposal == applied
    assert Decision.objects.get().decided_at <= timezone.now()
