"""Second looks in the cockpit: nothing of what came of the ticket, the thanks, one's own page."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from review import decisions
from review.looks import offers
from review.models import BlindAnswer, SecondLook, SpotCheck
from tests.emptying import forget_cached
from tests.review.blind_world import answers, make_drawn
from tests.review.helpers import (
    Desk,
    make_proposal,
    make_reader,
    make_technician,
    make_ticket,
)
from tests.review.looks.world import give, make_waiting_check, second_desk
from tests.review.test_spotchecks import without_options
from triage.models import Ticket, TicketEvent, TicketVersion

pytestmark = pytest.mark.django_db

# Words that stand nowhere but in what was made of the ticket.
ADVICE = ("Network › VPN", "Network operations", "accepted", "Maya", "recategorised", "closed")


@pytest.fixture
def desk() -> Desk:
    forget_cached()
    return second_desk()


@pytest.fixture
def maya() -> User:
    return make_technician("maya", first_name="Maya")


@pytest.fixture
def tom() -> User:
    return make_technician("tom")


@pytest.fixture
def check(desk: Desk, maya: User) -> SpotCheck:
    return make_waiting_check(desk, maya)


@pytest.fixture
def technician(client: Client, tom: User) -> Client:
    client.force_login(tom)
    return client


def words(response: Any) -> str:
    return unescape(response.content.decode())


def to(response: Any) -> str:
    return str(response.headers["Location"])


def main_of(page: str) -> str:
    return page[page.index("<article") : page.index("</main>")]


def post(client: Client, check: SpotCheck, desk: Desk, said: str, **headers: str) -> Any:
    form = {"choice-category": said if said in ("", "unsure") else str(desk[said].pk)}
    return client.post(f"/looks/{check.pk}/answer", form, headers=headers)


def test_a_look_shows_the_ticket_as_it_was_and_nothing_of_what_came_of_it(
    technician: Client, desk: Desk, check: SpotCheck
) -> None:
    ticket = check.proposal.ticket
    now = timezone.now()
    TicketVersion.objects.create(
        ticket=ticket, version=2, subject="It was the VPN after all", body="Solved by VPN team."
    )
    Ticket.objects.filter(pk=ticket.pk).update(
        version=2,
        subject="It was the VPN after all",
        body="Solved by VPN team.",
        values={"category": "network.vpn"},
        closed_at=now,
        reopened_count=3,
        url="https://desk.example.org/1",
    )
    TicketEvent.objects.create(
        ticket=ticket,
        key="e",
        kind="recategorised",
        happened_at=now,
        choice=desk["network.vpn"],
    )

    page = words(technician.get(f"/looks/{check.pk}/"))

    shown = without_options(page)
    unwanted = (*ADVICE, "after all", "Solved by", "desk.example.org", "reopened", "version 2")
    assert [told for told in unwanted if told in main_of(shown)] == []
    assert ticket.subject in shown
    assert "My VPN client disconnects" in shown


def test_second_and_third_looks_and_answering_first_look_the_same(
    technician: Client, desk: Desk, maya: User, check: SpotCheck
) -> None:
    third = make_waiting_check(desk, maya)
    give(desk, third, make_technician("ada"), category="network.wifi")
    Ticket.objects.update(requester="", requester_name="")
    single = make_drawn(desk, make_ticket(desk, requester="", requester_name=""))

    def shape(path: str) -> str:
        body = main_of(words(technician.get(path)))
        lines = (re.sub(r"\d+", "#", line) for line in body.splitlines() if "csrf" not in line)
        kept = re.sub(r"<section class=\"proposal\".*?>|<form.*?>", "", "\n".join(lines))
        return re.sub(r"\s+", " ", kept)

    assert shape(f"/looks/{check.pk}/") == shape(f"/looks/{third.pk}/")
    # Of a first answer other fields are asked, too, if one likes.
    first = shape(f"/tickets/{single.ticket_id}/")
    for text in ("Answer first", "What would you choose?", "A small random share"):
        assert (text in first) is (text in shape(f"/looks/{check.pk}/")) is True


def test_the_answer_thanks_and_leads_to_the_next_ticket_without_any_advice(
    technician: Client, desk: Desk, tom: User, check: SpotCheck
) -> None:
    following = make_proposal(desk)
    technician.get(f"/looks/{check.pk}/")

    answer = post(technician, check, desk, "network.wifi")

    assert to(answer).startswith(f"/tickets/{following.ticket_id}/")
    given = BlindAnswer.objects.get(reviewer=tom)
    assert (given.nth, given.values.get().choice) == (2, desk["network.wifi"])
    page = words(technician.get(to(answer)))
    assert "Thank you." in page
    assert check.proposal.ticket.subject not in page


def test_moving_on_leads_to_a_look_once_in_so_many_tickets(
    technician: Client, desk: Desk, tom: User, check: SpotCheck
) -> None:
    for _ in range(offers.ONE_IN - 1):
        decisions.decide(
            proposal=make_proposal(desk),
            reviewer=tom,
            choices={},
            reasons={},
            with_playbook=False,
        )
    last, following = make_proposal(desk), make_proposal(desk)
    ahead = technician.get(f"/tickets/{last.ticket_id}/ahead/")

    answer = technician.post(f"/proposals/{last.pk}/accept")

    # Nothing is put in its place beforehand, so the decision leads on by itself.
    assert ahead.status_code == 204
    assert to(answer) == f"/looks/{check.pk}/"
    assert technician.get(f"/tickets/{following.ticket_id}/ahead/").status_code in (200, 204)


def test_a_full_hour_goes_before_a_look(
    technician: Client, desk: Desk, tom: User, check: SpotCheck, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offers, "ONE_IN", 1)
    monkeypatch.setattr("review.load._agreed", lambda kept: (1, 90))

    answer = technician.post(f"/proposals/{make_proposal(desk).pk}/accept")

    assert to(answer) == "/pause/"


@pytest.mark.parametrize("said", ["", "0", "9" * 25, "\0", "x" * 5000])
def test_nonsense_is_told_beside_the_field_and_nothing_is_kept(
    technician: Client, check: SpotCheck, said: str
) -> None:
    answer = technician.post(f"/looks/{check.pk}/answer", {"choice-category": said})

    assert answer.status_code == 422
    assert BlindAnswer.objects.count() == 1


def test_whoever_comes_too_late_is_told_and_led_to_the_list(
    technician: Client, desk: Desk, check: SpotCheck
) -> None:
    technician.get(f"/looks/{check.pk}/")
    SecondLook.objects.all().delete()

    answer = post(technician, check, desk, "network.wifi")

    assert to(answer) == "/looks/"
    assert "Somebody else has answered this one meanwhile" in words(technician.get("/looks/"))
    assert to(technician.get(f"/looks/{check.pk}/")) == "/looks/"
    assert to(technician.get("/looks/next/")) == "/looks/"


def test_two_people_are_never_given_the_same_look(
    technician: Client, check: SpotCheck, tom: User
) -> None:
    other = Client()
    other.force_login(make_technician("ada"))
    other.get(f"/looks/{check.pk}/")

    assert to(technician.get(f"/looks/{check.pk}/")) == "/looks/"
    assert "somebody has it open" in words(technician.get("/looks/"))


def test_what_came_of_ones_own_looks_is_shown_to_that_person_alone(
    technician: Client, desk: Desk, maya: User, tom: User
) -> None:
    agreed, waits, won, lost, unclear = (make_waiting_check(desk, maya) for _ in range(5))
    ada = make_technician("ada")
    give(desk, agreed, tom, category="network.vpn")
    for check in (waits, won, lost, unclear):
        give(desk, check, tom, category="network.wifi")
    give(desk, won, ada, category="network.wifi")
    give(desk, lost, ada, category="network.vpn")
    give(desk, unclear, ada, category="access.password")

    page = words(technician.get("/looks/"))
    theirs = Client()
    theirs.force_login(maya)

    assert "Another person said the same." in page
    assert "Another person said something else; a third is asked." in page
    assert "Two said different things, and yours stands." in page
    assert "Two others said Network › VPN." in page
    assert "Unclear: no choice was named twice" in page
    assert "maya" not in main_part(page)
    assert "ada" not in main_part(page)
    assert "You have given no second look yet." in words(theirs.get("/looks/"))


def main_part(page: str) -> str:
    return page[page.index("<main") : page.index("</main>")]


def test_ones_own_looks_cost_the_same_queries_for_2_and_25(
    technician: Client, desk: Desk, maya: User, tom: User
) -> None:
    def made(times: int) -> None:
        for _ in range(times):
            give(desk, make_waiting_check(desk, maya), tom, category="network.vpn")

    made(2)
    technician.get("/looks/")
    with CaptureQueriesContext(connection) as two:
        technician.get("/looks/")
    made(24)
    # What is asked once in a while, on a slow machine meanwhile, is asked here.
    technician.get("/looks/")
    with CaptureQueriesContext(connection) as many:
        page = technician.get("/looks/")

    assert len(many) == len(two)
    assert len(page.context["rows"]) == 25
    assert "Older" in words(page)
    assert len(technician.get("/looks/?page=2").context["rows"]) == 1
    assert technician.get("/looks/?page=x").status_code == 200


def test_pages_say_what_waits_and_where_people_are_too_few(
    technician: Client, desk: Desk, maya: User, check: SpotCheck
) -> None:
    page = words(technician.get("/looks/"))
    part = words(technician.get("/looks/", headers={"HX-Request": "true"}))

    assert "1 waits for you: look at it" in page
    assert "1 check waits for a second person." in page
    assert "Fewer than two technicians were active" in page
    assert '<span class="count">1</span>' in part
    assert to(technician.get("/looks/next/")) == f"/looks/{check.pk}/"


def test_only_those_who_decide_give_looks(client: Client, desk: Desk, check: SpotCheck) -> None:
    client.force_login(make_reader())

    for path in ("/looks/", "/looks/next/", f"/looks/{check.pk}/"):
        assert client.get(path).status_code == 403
    assert post(client, check, desk, "network.vpn").status_code == 403
    client.logout()
    assert client.get("/looks/").status_code == 302


def test_a_check_that_never_was_is_not_found(technician: Client) -> None:
    assert technician.get("/looks/987654/").status_code == 404
    assert technician.post("/looks/987654/answer", {}).status_code == 404


def test_the_seconds_run_from_this_persons_look(
    technician: Client, desk: Desk, tom: User, check: SpotCheck
) -> None:
    SecondLook.objects.update(since=timezone.now() - timedelta(days=3))
    page = technician.get(f"/looks/{check.pk}/")
    form = answers(desk, category="network.vpn") | {"looked": page.context["looked"]}

    technician.post(f"/looks/{check.pk}/answer", form)

    assert BlindAnswer.objects.get(reviewer=tom).seconds < 60
