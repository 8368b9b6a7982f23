"""The next ticket: whose turn it is, claimed for one window, shown before its time."""

from collections.abc import Callable
from datetime import timedelta
from html import unescape
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from review import fairness, leases, skips
from review.catalogue import catalogue
from review.models import Decision, Lease, Reason
from review.queue import QueueFilter
from review.upcoming import claim_next
from tests.review.helpers import (
    Desk,
    make_desk,
    make_proposal,
    make_reader,
    make_reasons,
    make_technician,
    make_ticket,
)
from triage.models import Proposal, Waiting

pytestmark = pytest.mark.django_db
WINDOW = UUID(int=1)
HTMX = {"HX-Request": "true", "X-Window": str(WINDOW)}


@pytest.fixture
def desk() -> Desk:
    return make_desk()


@pytest.fixture
def reasons() -> dict[str, Reason]:
    return make_reasons()


@pytest.fixture
def line(desk: Desk) -> list[Proposal]:
    """Three that wait, in the order of the list."""
    return new_line(desk, 3)


@pytest.fixture
def maya() -> User:
    return make_technician("maya")


@pytest.fixture
def technician(client: Client, maya: User) -> Client:
    client.force_login(maya)
    return client


def new_line(desk: Desk, count: int) -> list[Proposal]:
    now = timezone.now()
    return [
        make_proposal(desk, make_ticket(desk, opened_at=now - timedelta(minutes=count - place)))
        for place in range(count)
    ]


def turn(
    person: User, after: Proposal | None = None, window: UUID = WINDOW, **chosen: str
) -> int | None:
    row = after.waiting if after else None
    narrowed: dict[str, Any] = dict(chosen)
    return claim_next(QueueFilter(**narrowed), catalogue(), person=person, window=window, after=row)


def words(response: Any) -> str:
    return unescape(response.content.decode())


def test_the_following_one_comes_next_then_the_first_then_none(
    line: list[Proposal], maya: User
) -> None:
    first, second, third = line

    assert turn(maya, second) == third.ticket_id
    assert turn(maya, third) == first.ticket_id
    assert turn(maya) == first.ticket_id
    Waiting.objects.exclude(pk=third.pk).delete()
    assert turn(maya, third) is None


def test_two_windows_of_anybody_never_get_the_same(line: list[Proposal], maya: User) -> None:
    tom, other = make_technician("tom"), UUID(int=2)

    given = [turn(maya), turn(tom, window=other), turn(maya, window=UUID(int=3))]

    assert given == [proposal.ticket_id for proposal in line]
    assert turn(tom, window=UUID(int=4)) is None
    # Asked again, a window gets what it holds.
    assert turn(tom, window=other) == line[1].ticket_id


def test_what_a_person_skipped_comes_next_for_others_alone(
    line: list[Proposal], maya: User, reasons: dict[str, Reason]
) -> None:
    skips.skip(line[0], maya, reason=reasons["skip.wrong"])

    assert turn(maya) == line[1].ticket_id
    assert turn(make_technician("tom"), window=UUID(int=2)) == line[0].ticket_id


def test_who_has_had_few_strange_tickets_is_given_the_first_of_them(
    desk: Desk, maya: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = new_line(desk, 4)
    Waiting.objects.filter(pk=line[2].pk).update(novelty=0.99)
    for mine, given in ((0.1, line[2]), (0.5, line[0])):
        monkeypatch.setattr(fairness, "novel_shares", lambda _, m=mine: fairness.Shares(m, 0.3))

        assert turn(maya) == given.ticket_id
        Lease.objects.all().delete()


def test_an_unknown_filter_leaves_nothing(line: list[Proposal], maya: User) -> None:
    assert turn(maya, category="nothing") is None


def test_ten_people_at_once_get_ten_tickets(
    transactional_db: None, in_threads: Callable[..., None]
) -> None:
    new_line(make_desk(), 12)
    people = [make_technician(f"tech{number}") for number in range(10)]
    start, given = Barrier(len(people)), list[int | None]()

    def ask(person: User) -> None:
        start.wait()
        given.append(turn(person, window=uuid4()))

    in_threads([lambda who=who: ask(who) for who in people])

    assert None not in given
    assert len(set(given)) == len(people)
    assert Lease.objects.count() == len(people)


def test_the_next_ticket_is_claimed_by_its_address(
    technician: Client, line: list[Proposal]
) -> None:
    leases.claim(line[0].ticket, make_technician("tom"), uuid4())

    response = technician.get("/tickets/next/?category=network")

    assert response.status_code == 302
    assert response["Location"] == f"/tickets/{line[1].ticket_id}/?category=network"
    Waiting.objects.all().delete()
    assert technician.get("/tickets/next/")["Location"] == "/"


def test_the_ticket_ahead_is_the_part_a_swap_would_bring_without_the_one_being_decided(
    technician: Client, line: list[Proposal]
) -> None:
    technician.get(f"/tickets/{line[0].ticket_id}/", headers=HTMX)

    response = technician.get(f"/tickets/{line[0].ticket_id}/ahead/?category=network", headers=HTMX)

    html = words(response)
    assert response.status_code == 200
    assert f'data-ticket="{line[1].ticket_id}"' in html
    assert f"/proposals/{line[1].pk}/accept?category=network" in html
    assert f"<title>#{line[1].ticket.external_id}" in html
    assert line[0].ticket.subject not in html
    assert "2 waiting" in html
    assert html.count("data-row") == 2
    # The bar and the news come with the decision.
    assert 'id="toast"' not in html
    assert "waiting-count" not in html
    held = Lease.objects.filter(window=WINDOW).values_list("ticket", flat=True)
    assert set(held) == {line[0].ticket_id, line[1].ticket_id}


def test_nothing_is_ahead_of_the_last_one(technician: Client, desk: Desk) -> None:
    proposal = make_proposal(desk)

    response = technician.get(f"/tickets/{proposal.ticket_id}/ahead/", headers=HTMX)

    assert (response.status_code, response.content) == (204, b"")


def test_a_page_that_shows_the_next_ticket_gets_only_the_news(
    technician: Client, line: list[Proposal]
) -> None:
    technician.get(f"/tickets/{line[0].ticket_id}/", headers=HTMX)
    technician.get(f"/tickets/{line[0].ticket_id}/ahead/", headers=HTMX)

    response = technician.post(
        f"/proposals/{line[0].pk}/accept", headers=HTMX | {"X-Ahead": str(line[1].pk)}
    )

    html = words(response)
    assert response.status_code == 200
    assert response["X-Ahead"] == str(line[1].pk)
    assert f"Accepted #{line[0].ticket.external_id}" in html
    assert 'id="waiting-count" hx-swap-oob="true">2<' in html
    assert 'id="work"' not in html
    assert Decision.objects.get().proposal == line[0]
    assert list(Lease.objects.values_list("ticket", flat=True)) == [line[1].ticket_id]


@pytest.mark.parametrize("loss", ["taken", "decided", "nonsense"])
def test_a_page_that_shows_what_it_does_not_hold_is_led_to_another(
    technician: Client, line: list[Proposal], loss: str
) -> None:
    technician.get(f"/tickets/{line[0].ticket_id}/ahead/", headers=HTMX)
    shown = str(line[1].pk)
    if loss == "taken":
        Lease.objects.update(holder=make_technician("tom"), window=uuid4())
    elif loss == "decided":
        Waiting.objects.filter(pk=line[1].pk).delete()
    else:
        shown = "9" * 400

    response = technician.post(f"/proposals/{line[0].pk}/accept", headers=HTMX | {"X-Ahead": shown})

    assert response.status_code == 302
    wanted = line[1] if loss == "nonsense" else line[2]
    assert response["Location"] == f"/tickets/{wanted.ticket_id}/"


def test_readers_are_given_nothing(client: Client, line: list[Proposal]) -> None:
    client.force_login(make_reader())

    assert client.get("/tickets/next/").status_code == 403
    assert client.get(f"/tickets/{line[0].ticket_id}/ahead/").status_code == 403
    assert client.get(f"/tickets/{line[0].ticket_id}/").status_code == 200
    assert not Lease.objects.exists()


@pytest.mark.parametrize("pk", [0, 999_999, 10**30])
def test_nothing_is_ahead_of_what_is_not_there(technician: Client, pk: int) -> None:
    assert technician.get(f"/tickets/{pk}/ahead/").status_code == 404
    assert technician.get(f"/tickets/{pk}/lease/").status_code == 404
