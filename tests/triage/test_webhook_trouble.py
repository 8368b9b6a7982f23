"""The door for helpdesks while something behind it is broken, slow or being changed."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone

from config.celery import app as celery_app
from tests.conftest import ticket_message
from triage.intake import storing, webhook
from triage.intake.patience import Patience
from triage.jobs import doorbell
from triage.jobs.lanes import Lane
from triage.models import Delivery, Job, Source, SourceSecret

pytestmark = pytest.mark.django_db

Deliver = Callable[..., Any]


@pytest.fixture(autouse=True)
def client_that_answers_500(client: Client) -> None:
    """The test client would raise what a browser sees as 500."""
    client.raise_request_exception = False


@pytest.mark.django_db(transaction=True)
def test_a_dead_broker_never_fails_a_delivery(
    deliver: Deliver, make_source: Callable[..., Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Port 1 of loopback refuses every connection."""
    monkeypatch.setattr(celery_app.conf, "broker_write_url", "redis://127.0.0.1:1/0")
    bell = doorbell.Doorbell(Lane.TRIAGE)
    monkeypatch.setitem(doorbell._bells, Lane.TRIAGE, bell)
    source = make_source()

    started = time.monotonic()
    answers = [deliver(source, ticket_message(version=n)) for n in range(1, 21)]
    seconds = time.monotonic() - started

    assert [answer.status_code for answer in answers] == [202] * 20
    assert bell.ring_now() is False
    assert Job.objects.filter(kind=Job.Kind.RECEIVE).count() == 20
    # Nobody waits for the attempt to connect, which may last two seconds.
    assert seconds < 5


@pytest.mark.django_db(transaction=True)
def test_a_database_that_does_not_let_it_store_is_503_and_nothing_is_acknowledged(
    deliver: Deliver, make_source: Callable[..., Source]
) -> None:
    source = make_source()
    with psycopg.connect(**_same_database()) as other:
        other.execute("LOCK TABLE triage_delivery IN ACCESS EXCLUSIVE MODE")
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '200ms'")
        answer = deliver(source, ticket_message())
        other.rollback()
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = 0")

    assert answer.status_code == 503
    assert int(answer["Retry-After"]) > 0
    assert not Delivery.objects.exists()
    assert deliver(source, ticket_message()).status_code == 202


@pytest.mark.django_db(transaction=True)
def test_a_database_that_went_away_is_503_and_the_next_delivery_is_stored(
    deliver: Deliver, make_source: Callable[..., Source]
) -> None:
    source = make_source()
    cut_off()
    answer = deliver(source, ticket_message())
    connection.close()

    assert answer.status_code == 503
    assert int(answer["Retry-After"]) > 0
    assert deliver(source, ticket_message()).status_code == 202


def cut_off() -> None:
    """End our connection from the server's side, as a restart of the database does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    with psycopg.connect(**_same_database(), autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


def _same_database() -> dict[str, Any]:
    return {
        key: value
        for key, value in connection.get_connection_params().items()
        if key in ("dbname", "user", "password", "host", "port")
    }


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_frozen_is_503_before_the_helpdesk_gives_up(
    deliver: Deliver, make_source: Callable[..., Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock of a table never comes free here, and no server enforces a timeout."""
    monkeypatch.setattr(webhook, "_patience", Patience(1.0))
    source = make_source()
    deliver(source, ticket_message(), webhook_id="msg_1")
    with psycopg.connect(**_same_database()) as other:
        other.execute("LOCK TABLE triage_delivery IN ACCESS EXCLUSIVE MODE")
        started = time.monotonic()
        answer = deliver(source, ticket_message(version=2), webhook_id="msg_2")
        seconds = time.monotonic() - started
        other.rollback()

    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert seconds < 10
    assert deliver(source, ticket_message(version=2), webhook_id="msg_2").status_code in (200, 202)


def test_work_that_has_waited_too_long_is_503_until_somebody_works(
    deliver: Deliver, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    backlogs = [storing.Backlog() for _ in range(3)]
    monkeypatch.setattr(storing, "is_behind", backlogs[0].is_behind)
    assert deliver(source, ticket_message(version=1)).status_code == 202
    long_ago = timezone.now() - timedelta(seconds=settings.INTAKE_OLDEST_JOB_SECONDS + 1)
    Job.objects.update(created_at=long_ago)

    monkeypatch.setattr(storing, "is_behind", backlogs[1].is_behind)
    refused = deliver(source, ticket_message(version=2))
    Job.objects.update(kind=Job.Kind.EFFECT)
    monkeypatch.setattr(storing, "is_behind", backlogs[2].is_behind)
    taken = deliver(source, ticket_message(version=3))

    assert (refused.status_code, refused["Retry-After"]) == (503, "30")
    assert taken.status_code == 202
    assert Delivery.objects.count() == 2


def test_a_secret_that_was_retired_a_moment_ago_opens_nothing(
    deliver: Deliver, source: Source
) -> None:
    assert deliver(source, ticket_message()).status_code == 202

    SourceSecret.objects.update(retired_at=timezone.now())

    assert deliver(source, ticket_message(version=2)).status_code == 401
    assert Delivery.objects.count() == 1


def test_a_source_that_was_switched_off_a_moment_ago_is_404(
    deliver: Deliver, source: Source
) -> None:
    assert deliver(source, ticket_message()).status_code == 202

    Source.objects.update(is_active=False)

    assert deliver(source, ticket_message(version=2)).status_code == 404
    assert Delivery.objects.count() == 1
