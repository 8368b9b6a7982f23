"""The bell: what is new until it is read, counted once a minute and never at a page's cost."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from redis import RedisError

from review import bell
from review.models import Seen
from tests.emptying import forget_cached
from tests.review.helpers import Desk, make_desk, make_proposal, make_technician, make_user
from tests.review.test_news import page, told
from triage import ledger

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh_cache() -> None:
    forget_cached()


@pytest.fixture
def desk() -> Desk:
    return make_desk()


@pytest.fixture
def maya() -> User:
    """Here for as long as news lasts."""
    user = make_technician("maya")
    User.objects.filter(pk=user.pk).update(date_joined=timezone.now() - timedelta(days=60))
    return User.objects.get(pk=user.pk)


@pytest.fixture
def technician(client: Client, maya: User) -> Client:
    client.force_login(maya)
    return client


def bell_of(client: Client) -> str:
    return client.get("/news/count/").content.decode()


def test_reading_the_first_page_makes_it_old(technician: Client, desk: Desk, maya: User) -> None:
    told(desk, "rule:1", event="added")
    told(desk, "rule:2", event="added")

    assert ">2<" in bell_of(technician)
    assert page(technician).count('class="is-new"') == 2
    assert bell_of(technician).strip() == ""
    assert page(technician).count('class="is-new"') == 0
    told(desk, "rule:3", event="added")
    forget_cached()
    assert ">1<" in bell_of(technician)
    assert Seen.objects.get().person == maya


def test_a_filtered_or_a_later_page_leaves_the_rest_new(technician: Client, desk: Desk) -> None:
    told(desk, "rule:1", event="added")

    page(technician, "?kind=policy")
    technician.head("/news/")

    assert not Seen.objects.exists()
    assert ">1<" in bell_of(technician)


def test_what_one_did_oneself_is_listed_but_not_new(
    technician: Client, desk: Desk, maya: User
) -> None:
    ledger.append(
        kind="policy", subject="rule:1", payload={"event": "added"}, actor=ledger.actor_of(maya)
    )

    assert bell_of(technician).strip() == ""
    html = page(technician)
    assert "New rule" in html
    assert "is-new" not in html


def test_for_somebody_new_nothing_from_before_is_new(client: Client, desk: Desk) -> None:
    told(desk, "rule:1", event="added")
    client.force_login(make_technician("bob"))

    assert bell_of(client).strip() == ""
    assert "New rule" in page(client)


def test_more_than_99_are_99_plus(technician: Client) -> None:
    ledger.append_all(
        [ledger.Entry("policy", f"rule:{number}", {"event": "added"}) for number in range(130)]
    )

    assert ">99+<" in bell_of(technician)


def test_working_pages_ask_for_the_count_later_and_then_know_it(
    technician: Client, desk: Desk
) -> None:
    told(desk, "rule:1", event="added")

    first = technician.get("/").content.decode()
    assert 'hx-trigger="load, every 300s"' in first
    assert ">1<" in bell_of(technician)
    second = technician.get("/").content.decode()

    assert 'hx-trigger="every 300s"' in second
    assert re.search(r'id="news-count".*?>1<', second, re.DOTALL)


def test_a_remembered_count_costs_no_query(desk: Desk, maya: User) -> None:
    told(desk, "rule:1", event="added")
    bell.count(maya)

    with CaptureQueriesContext(connection) as queries:
        assert (bell.remembered(maya), bell.count(maya)) == (1, 1)

    assert len(queries) == 0


def test_working_pages_never_pay_for_the_bell(technician: Client, desk: Desk, maya: User) -> None:
    ticket = make_proposal(desk).ticket
    with CaptureQueriesContext(connection) as counted:
        bell.count(maya)
    assert asks_for_news(counted)
    for path in ("/", f"/tickets/{ticket.pk}/"):
        cache.delete(f"news:{maya.pk}")
        with CaptureQueriesContext(connection) as cold:
            technician.get(path)

        assert cold
        assert not asks_for_news(cold)


def asks_for_news(queries: CaptureQueriesContext) -> bool:
    return any(Seen._meta.db_table in query["sql"] for query in queries)


@pytest.mark.parametrize("error", [RedisError("gone"), ConnectionRefusedError("gone")])
def test_a_broken_cache_shows_no_count_and_no_page_fails(
    technician: Client, desk: Desk, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    told(desk, "rule:1", event="added")

    def broken(*args: object, **kwargs: object) -> None:
        raise error

    monkeypatch.setattr(cache, "get", broken)
    monkeypatch.setattr(cache, "set", broken)

    assert bell_of(technician).strip() == ""
    for path in ("/", "/history/", "/news/"):
        assert technician.get(path).status_code == 200


def test_news_are_for_those_who_may_see_decisions(client: Client) -> None:
    for path in ("/news/", "/news/count/"):
        assert client.get(path).status_code == 302
    client.force_login(make_user("guest"))
    for path in ("/news/", "/news/count/"):
        assert client.get(path).status_code == 403
        assert client.post(path).status_code == 405
