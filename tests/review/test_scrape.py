"""The address that Prometheus reads: who may, in which format, at which cost."""

import gzip
from collections.abc import Sequence
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from prometheus_client.core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from pytest_django import Settings

from review import telemetry
from tests.review.helpers import make_desk, make_model, make_proposal
from tests.review.scraping import TOKEN, Scraped, ask, scraped
from tests.triage.test_webhook_trouble import cut_off
from triage.models import TallyMark
from triage.telemetry.scrape import Part

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def token(settings: Settings) -> None:
    settings.COUNTERSIGN_SCRAPE_TOKEN = TOKEN


def test_without_a_token_it_is_closed_and_says_how_to_open_it(
    client: Client, settings: Settings
) -> None:
    settings.COUNTERSIGN_SCRAPE_TOKEN = ""

    for given in (TOKEN, ""):
        answer = ask(client, given)
        assert answer.status_code == 404
        assert "set COUNTERSIGN_SCRAPE_TOKEN" in answer.content.decode()


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", f"Bearer {TOKEN}x", f"Basic {TOKEN}", TOKEN, "Bearer ü"]
)
def test_a_wrong_token_is_refused_without_a_query(
    client: Client, header: str, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0):
        answer = client.get("/metrics", headers={"Authorization": header} if header else {})

    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    assert "COUNTERSIGN_SCRAPE_TOKEN" in answer.content.decode()
    assert TOKEN not in answer.content.decode()


def test_a_login_opens_nothing(admin_client: Client) -> None:
    assert admin_client.get("/metrics").status_code == 401


def test_the_page_for_people_stays_where_it_is(admin_client: Client) -> None:
    answer = admin_client.get("/metrics/")

    assert (answer.status_code, answer["Content-Type"]) == (200, "text/html; charset=utf-8")


def test_it_is_plain_text_unless_openmetrics_is_asked_for(client: Client) -> None:
    plain = ask(client)
    opened = ask(client, Accept="application/openmetrics-text;version=nonsense,text/plain;q=0.5")

    assert plain["Content-Type"].startswith("text/plain; version=0.0.4")
    assert "no-store" in plain["Cache-Control"]
    assert opened["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    text = opened.content.decode()
    families = text_string_to_metric_families(text)  # type: ignore[no-untyped-call]
    assert {f.name for f in families} == {
        family.name.removesuffix("_total") for family in Scraped(plain.content.decode()).families
    }


def test_it_is_compressed_for_those_who_say_so(client: Client) -> None:
    answer = ask(client, **{"Accept-Encoding": "gzip"})

    assert b"countersign_jobs" in gzip.decompress(answer.content)


def test_it_can_only_be_read(client: Client) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}

    assert client.post("/metrics", headers=headers).status_code == 405
    assert client.head("/metrics", headers=headers).status_code == 200


def test_inside_a_cluster_it_is_asked_without_tls(client: Client, settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True

    assert ask(client).status_code == 200
    assert client.get("/metrics/").status_code == 301


def statements(client: Client) -> int:
    """Without those that open and close transactions."""
    with CaptureQueriesContext(connection) as found:
        scraped(client)
    return sum("SAVEPOINT" not in query["sql"] for query in found)


def test_it_takes_as_many_statements_with_many_rows_as_with_few(client: Client) -> None:
    make_proposal(make_desk("first"))
    scraped(client)
    few = statements(client)
    for number in range(5):
        desk = make_desk(f"desk{number}")
        make_model(desk)
        for _ in range(3):
            make_proposal(desk)
    many = statements(client)

    assert few == many == 29


def test_kept_counts_are_written_once_a_minute_and_not_at_each_scrape(client: Client) -> None:
    scraped(client)
    before = set(TallyMark.objects.values_list("name", "upto"))
    scraped(client)

    assert set(TallyMark.objects.values_list("name", "upto")) == before
    assert len(before) == 7


def asked(statement: str) -> Part:
    """A part that asks the database this."""

    def collect() -> Sequence[Metric]:
        with connection.cursor() as cursor:
            cursor.execute(statement)
        return []

    return Part("broken", collect)


@pytest.mark.parametrize(
    "part",
    [asked("SELECT 1 / 0"), asked("SELECT pg_sleep(30)"), Part("broken", lambda: 1 / 0)],  # type: ignore[arg-type,return-value]
)
def test_a_part_that_fails_or_hangs_leaves_the_others(
    client: Client, monkeypatch: pytest.MonkeyPatch, part: Part
) -> None:
    monkeypatch.setattr(telemetry, "PARTS", (part, *telemetry.PARTS))
    monkeypatch.setattr("triage.telemetry.scrape.STATEMENT_SECONDS", 0.2)

    answer = ask(client)

    found = Scraped(answer.content.decode())
    assert answer.status_code == 200
    assert found("countersign_scrape_errors", part="broken") == 1
    assert found("countersign_scrape_errors", part="jobs") == 0
    assert found("countersign_jobs", lane="triage", state="dead") == 0
    took = found("countersign_scrape_duration_seconds", part="broken")
    assert took is not None
    assert took < 1


def test_parts_that_come_too_late_are_left_out_and_said(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("triage.telemetry.scrape.LONGEST_SECONDS", 0.0)

    found = Scraped(ask(client).content.decode())

    failed = {s.labels["part"]: s.value for s in found.samples if s.name.endswith("_errors")}
    assert failed == {part.name: 1.0 for part in telemetry.PARTS}


@pytest.mark.django_db(transaction=True)
def test_without_the_database_it_says_so_and_answers(client: Client) -> None:
    cut_off()
    found = Scraped(ask(client).content.decode())
    connection.close()

    # The first part loses the connection; those after it open another.
    assert found("countersign_scrape_errors", part="jobs") == 1
    assert found("countersign_scrape_errors", part="people") == 0


@pytest.mark.django_db(transaction=True)
def test_the_time_limit_does_not_outlive_the_scrape(client: Client) -> None:
    scraped(client)

    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",)
