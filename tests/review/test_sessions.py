"""Sessions: rows with a copy in the cache, which may be gone, and never outlives a sign-out."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.core.cache import caches
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings

from review import sessions
from review.sessions import LONGEST_SECONDS, Copies, SessionStore
from tests.review.helpers import make_reader

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "copies", Copies())


@pytest.fixture
def reader(client: Client) -> Client:
    client.force_login(make_reader(), "review.accounts.People")
    return client


def key_of(client: Client) -> str:
    return client.cookies["sessionid"].value


def reads_its_row(client: Client) -> bool:
    with CaptureQueriesContext(connection) as asked:
        assert client.get("/history/").status_code == 200
    return any("django_session" in query["sql"] for query in asked)


def test_the_first_page_reads_the_row_and_those_after_it_the_copy(reader: Client) -> None:
    assert [reads_its_row(reader) for _ in range(3)] == [True, False, False]


def test_a_copy_is_kept_for_a_minute_and_never_longer_than_its_session(reader: Client) -> None:
    reader.get("/history/")
    client = caches["sessions"]._cache.get_client(None)  # type: ignore[attr-defined]
    key = caches["sessions"].make_key(key_of(reader))
    assert 0 < client.ttl(key) <= LONGEST_SECONDS

    caches["sessions"].delete(key_of(reader))
    Session.objects.update(expire_date=timezone.now() + timedelta(seconds=20))
    reader.get("/history/")
    assert 0 < client.ttl(key) <= 20


def test_signing_out_ends_the_session_at_once(reader: Client) -> None:
    reader.get("/history/")
    thief = Client()
    thief.cookies["sessionid"] = key_of(reader)
    assert thief.get("/history/").status_code == 200

    reader.post("/accounts/logout/")

    assert thief.get("/history/").status_code == 302


def test_what_is_put_into_a_session_is_there_on_the_next_page(reader: Client) -> None:
    reader.get("/history/")
    store = SessionStore(key_of(reader))
    store["chosen"] = "dark"
    store.save()

    assert SessionStore(key_of(reader))["chosen"] == "dark"


def test_a_copy_that_somebody_has_written_is_no_session(reader: Client) -> None:
    reader.get("/history/")
    caches["sessions"].set(key_of(reader), "forged:by:somebody")

    assert reads_its_row(reader)
    caches["sessions"].set("a" * 32, "forged:by:somebody")
    assert SessionStore("a" * 32).load() == {}


def test_without_the_cache_pages_read_the_row(
    reader: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Silent:
        def __getitem__(self, name: str) -> object:
            raise ConnectionRefusedError

    monkeypatch.setattr(sessions, "caches", Silent())

    assert [reads_its_row(reader) for _ in range(2)] == [True, True]
    reader.post("/accounts/logout/")
    assert reader.get("/history/").status_code == 302
