"""How much one has reviewed: who sees it, where it stops, and the agreement behind it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client, override_settings
from django.utils import timezone

from review import load
from review.models import Batch, Decision, TeamAgreement
from tests.review.helpers import Desk, make_desk, make_proposal, make_reader, make_technician
from triage.models import LedgerEntry

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 4, 14, 0, tzinfo=UTC)
AGREED = (60, 50)
DEAD_CACHE = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": "redis://127.0.0.1:9/0",
    }
}


@pytest.fixture(autouse=True)
def _no_agreement_of_another_test(db: None) -> Iterator[None]:
    load.forget_agreement()
    yield
    load.forget_agreement()


@pytest.fixture
def maya() -> User:
    return make_technician()


@pytest.fixture
def technician(client: Client, maya: User) -> Client:
    client.force_login(maya)
    return client


@pytest.fixture
def desk() -> Desk:
    return make_desk()


def words(response: Any) -> str:
    return unescape(response.content.decode())


def minutes_ago(*minutes: float, now: datetime = NOW) -> list[datetime]:
    return [now - timedelta(minutes=one) for one in sorted(minutes, reverse=True)]


def review(desk: Desk, person: User, number: int, *, ago: float = 1, **over: Any) -> None:
    """Decisions of the past, so many minutes ago."""
    for _ in range(number):
        proposal = make_proposal(desk, waits=False)
        Decision.objects.create(
            proposal=proposal,
            stands_for=proposal,
            reviewer=person,
            verdict="accepted",
            decided_at=timezone.now() - timedelta(minutes=ago),
            **over,
        )
    cache.delete(f"load:{person.pk}")


def agree(person: User, **over: Any) -> TeamAgreement:
    made = TeamAgreement.objects.create(agreed_by=person, **over)
    load.forget_agreement()
    return made


def test_only_the_last_hour_counts_and_the_next_opens_when_there_is_room() -> None:
    moments = minutes_ago(90, 61, 59, 40, 20)

    free = load.measure(moments, (4, 50), NOW)
    full = load.measure(moments, (2, 50), NOW)

    assert (free.reviews, free.is_reached, free.opens_at) == (3, False, None)
    assert (full.reviews, full.is_reached) == (3, True)
    # Two of the three have to be an hour old: the second is so 20 minutes from now.
    assert full.opens_at == NOW + timedelta(minutes=20)


def test_who_goes_on_is_told_when_there_is_room_but_not_stopped() -> None:
    going_on = load.measure(minutes_ago(5, 4, 3), (2, 50), NOW, goes_on=True)

    assert not going_on.is_reached
    assert going_on.opens_at == NOW + timedelta(minutes=56)


@pytest.mark.parametrize(
    ("minutes", "is_due"),
    [
        (range(0, 51, 4), False),
        (range(2, 55, 4), True),
        # A pause of five minutes begins the stretch anew.
        ([*range(26, 55, 4), *range(1, 21, 4)], False),
        # Whoever has stopped needs no hint.
        (range(6, 80, 4), False),
        ([], False),
    ],
)
def test_a_break_is_due_after_a_stretch_without_a_pause(minutes: list[int], is_due: bool) -> None:
    assert load.measure(minutes_ago(*minutes), AGREED, NOW).break_due is is_due
    assert not load.measure(minutes_ago(*minutes), AGREED, NOW, hint_waits=True).break_due


def test_everybody_sees_their_own_figure_and_nobody_elses(
    client: Client, maya: User, desk: Desk
) -> None:
    tom = make_technician("tom")
    review(desk, maya, 3)
    review(desk, tom, 7)
    review(desk, maya, 2, ago=61)

    client.force_login(maya)
    page = words(client.get("/"))

    assert "3 this hour" in page
    assert "7 this hour" not in page
    client.force_login(make_reader())
    assert "this hour" not in words(client.get("/"))


def test_a_batch_is_one_review(desk: Desk, maya: User) -> None:
    batch = Batch.objects.create(reviewer=maya, decided_at=timezone.now())
    review(desk, maya, 5, batch=batch)
    review(desk, maya, 2)

    assert load.load_of(maya).reviews == 3


@pytest.mark.django_db(transaction=True)
def test_deciding_counts_at_once_and_costs_the_page_no_query(
    technician: Client, maya: User, desk: Desk, django_assert_num_queries: Any
) -> None:
    assert load.load_of(maya).reviews == 0
    technician.post(f"/proposals/{make_proposal(desk).pk}/accept")

    with django_assert_num_queries(0):
        assert load.load_of(maya).reviews == 1


def test_without_a_cache_nothing_is_shown_and_nobody_is_stopped(
    technician: Client, maya: User, desk: Desk
) -> None:
    agree(maya, reviews_per_hour=1)
    review(desk, maya, 3)
    make_proposal(desk)

    with override_settings(CACHES=DEAD_CACHE):
        found = load.load_of(maya)
        load.add_review(maya.pk)
        load.go_on(maya)

    assert found == load.UNKNOWN
    assert not found.is_reached


def test_at_the_cap_the_next_ticket_does_not_open_by_itself(
    technician: Client, maya: User, desk: Desk
) -> None:
    agree(maya, reviews_per_hour=3)
    review(desk, maya, 3)
    first, second = make_proposal(desk), make_proposal(desk)

    response = technician.post(f"/proposals/{first.pk}/accept?q=vpn")

    assert response["Location"] == "/pause/?q=vpn"
    page = words(technician.get(response["Location"]))
    assert "You have looked at" in page
    assert "The team agreed to stop at 3" in page
    assert technician.get(f"/tickets/{second.ticket_id}/").status_code == 200
    assert "data-stays" in words(technician.get("/"))


def test_one_can_go_on_knowingly(technician: Client, maya: User, desk: Desk) -> None:
    agree(maya, reviews_per_hour=1)
    review(desk, maya, 2)
    first, second = make_proposal(desk), make_proposal(desk)

    response = technician.post("/pause/go-on?q=vpn", follow=True)
    again = technician.post(f"/proposals/{first.pk}/accept")

    assert response.redirect_chain[-1] == (f"/tickets/{first.ticket_id}/?q=vpn", 302)
    assert again["Location"] == f"/tickets/{second.ticket_id}/"
    assert technician.get("/pause/")["Location"] == "/"


def test_before_the_hour_is_full_no_ticket_is_fetched_ahead(
    technician: Client, maya: User, desk: Desk
) -> None:
    agree(maya, reviews_per_hour=3)
    first, _ = make_proposal(desk), make_proposal(desk)

    window = {"X-Window": str(uuid4())}

    def ahead() -> int:
        return technician.get(f"/tickets/{first.ticket_id}/ahead/", headers=window).status_code

    review(desk, maya, 1)
    assert ahead() == 200
    review(desk, maya, 1)
    assert ahead() == 204
    load.go_on(maya)
    assert ahead() == 200


def test_where_nothing_waits_nobody_is_told_to_stop(
    technician: Client, maya: User, desk: Desk
) -> None:
    agree(maya, reviews_per_hour=1)
    review(desk, maya, 2)

    assert technician.get("/pause/")["Location"] == "/"


def test_the_hint_to_take_a_break_waits_when_it_is_put_off(
    technician: Client, maya: User, desk: Desk
) -> None:
    for ago in range(1, 60, 3):
        review(desk, maya, 1, ago=ago)

    assert "without a pause" in words(technician.get("/history/"))
    back = technician.post("/pause/later", headers={"Referer": "http://testserver/history/"})
    elsewhere = technician.post("/pause/later", headers={"Referer": "https://evil.example/"})

    assert back["Location"] == "http://testserver/history/"
    assert elsewhere["Location"] == "/"
    assert "without a pause" not in words(technician.get("/history/"))


def test_everybody_reads_the_agreement_and_its_history(technician: Client, maya: User) -> None:
    assert "nobody has changed them" in words(technician.get("/agreement/"))
    agree(maya, reviews_per_hour=45, note="Team meeting in March")
    agree(maya, reviews_per_hour=40)

    page = words(technician.get("/agreement/"))

    assert "After 40 reviews in an hour" in page
    assert "45 an hour" in page


def test_a_team_lead_enters_a_new_agreement_which_is_in_force_and_on_the_record(
    client: Client, team_lead: User, ai_owner: User, django_capture_on_commit_callbacks: Any
) -> None:
    client.force_login(ai_owner)
    assert client.get("/admin/review/teamagreement/add/").status_code == 403
    client.force_login(team_lead)
    said = {"reviews_per_hour": 40, "break_after_minutes": 45, "note": "Agreed in March"}

    with django_capture_on_commit_callbacks(execute=True):
        response = client.post("/admin/review/teamagreement/add/", said)

    made = TeamAgreement.objects.get()
    assert response.status_code == 302
    assert (made.reviews_per_hour, made.agreed_by) == (40, team_lead)
    entry = LedgerEntry.objects.get(kind=LedgerEntry.Kind.POLICY)
    assert entry.subject == f"team agreement:{made.pk}"
    assert entry.payload["reviews_per_hour"] == 40
    change = client.post(f"/admin/review/teamagreement/{made.pk}/change/", said)
    assert change.status_code == 403
    assert load.load_of(make_technician()).cap == 40


def test_who_may_not_decide_has_no_load(client: Client, desk: Desk) -> None:
    client.force_login(make_reader())

    assert client.get("/pause/").status_code == 403
    assert client.post("/pause/go-on").status_code == 403
    assert client.post("/pause/later").status_code == 403
    assert client.get("/agreement/").status_code == 200
