"""Whether the process answers and whether it can do its work."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client, override_settings
from django.utils import timezone

from tests.triage.test_webhook_trouble import cut_off
from triage.models import Job

pytestmark = pytest.mark.django_db

NOBODY_LISTENS = "redis://:a-password@127.0.0.1:1/0"


def test_health_answers_without_login_database_or_broker(
    client: Client, django_assert_num_queries: Callable[..., object]
) -> None:
    with django_assert_num_queries(0), override_settings(CELERY_BROKER_URL=NOBODY_LISTENS):  # type: ignore[attr-defined]
        answer = client.get("/health/")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert "no-store" in answer["Cache-Control"]


def test_ready_says_how_old_the_oldest_job_is(client: Client) -> None:
    idle = client.get("/ready/").json()
    Job.objects.create(kind="receive", subject=1, created_at=timezone.now() - timedelta(seconds=90))
    Job.objects.create(
        kind="receive",
        subject=2,
        created_at=timezone.now() - timedelta(days=1),
        dead_at=timezone.now(),
    )
    answer = client.get("/ready/")

    assert idle == {
        "status": "ready",
        "database": "ok",
        "broker": "ok",
        "oldest_job_seconds": 0.0,
    }
    assert answer.status_code == 200
    assert 90 <= answer.json()["oldest_job_seconds"] < 100
    assert "no-store" in answer["Cache-Control"]


def test_a_dead_broker_is_degraded_and_still_200(client: Client) -> None:
    with override_settings(CELERY_BROKER_URL=NOBODY_LISTENS):
        answer = client.get("/ready/")

    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["broker"]) == ("degraded", "down")
    assert "a-password" not in answer.content.decode()


@pytest.mark.django_db(transaction=True)
def test_without_the_database_it_is_503_and_ready_again_when_that_is_back(client: Client) -> None:
    cut_off()
    answer = client.get("/ready/")
    connection.close()

    assert answer.status_code == 503
    assert answer.json() == {
        "status": "not ready",
        "database": "down",
        "broker": "ok",
        "oldest_job_seconds": None,
    }
    assert client.get("/ready/").status_code == 200


@pytest.mark.parametrize("path", ["/health/", "/ready/"])
def test_they_are_read_only(client: Client, path: str) -> None:
    assert [client.head(path).status_code, client.post(path).status_code] == [200, 405]


def test_a_probe_has_to_name_a_host_that_is_served(client: Client) -> None:
    by_address = client.get("/health/", headers={"Host": "10.1.2.3:8000"})
    by_name = client.get("/health/", headers={"Host": "localhost"})

    assert (by_address.status_code, by_name.status_code) == (400, 200)
