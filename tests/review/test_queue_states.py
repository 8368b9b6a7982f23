"""What people are told when the queue is more than a list: behind, stopped, untaught, long."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from review import queue as room
from review import recalled
from review.catalogue import catalogue
from review.queue import QueueFilter, queue_page
from tests.review.helpers import (
    Desk,
    make_desk,
    make_model,
    make_proposal,
    make_reader,
    make_technician,
    make_ticket,
)
from triage.models import Job, Waiting

pytestmark = pytest.mark.django_db
MOST_QUERIES = 12


@pytest.fixture
def reader(client: Client) -> Client:
    client.force_login(make_reader())
    return client


@pytest.fixture
def desk(db: None) -> Desk:
    return make_desk()


def html(client: Client, address: str = "/") -> str:
    return " ".join(client.get(address).content.decode().split())


def waits(seconds: int, kind: str = "propose") -> None:
    Job.objects.create(kind=kind, subject=1, created_at=timezone.now() - timedelta(seconds=seconds))


def test_while_triage_keeps_up_nothing_is_said(reader: Client) -> None:
    waits(60)
    # Only explains, and may wait.
    waits(9_000, "evidence")

    assert 'class="lag' not in html(reader)


def test_people_learn_that_triage_is_behind(reader: Client, desk: Desk) -> None:
    waits(12 * 60 + 5)

    empty = html(reader)
    make_proposal(desk)

    assert "New tickets have come in but are not triaged yet" in empty
    for page in (empty, html(reader)):
        assert "Triage is behind: the oldest ticket waits 12 min." in page


def test_people_learn_that_intake_has_stopped(reader: Client) -> None:
    waits(3 * 3600)

    assert "Triage has stopped: the oldest ticket has waited 3 h" in html(reader)


def test_how_far_behind_is_asked_once_in_a_while(reader: Client) -> None:
    html(reader)
    waits(12 * 60)
    before = html(reader)
    recalled.forget()

    assert "Triage is behind" not in before
    assert "Triage is behind" in html(reader)


def test_before_there_is_a_model_the_queue_says_so(reader: Client, desk: Desk) -> None:
    empty = html(reader)
    make_proposal(desk, main=None)
    untaught = html(reader)
    make_model(desk)

    assert "No model has been trained yet" in empty
    assert "No model has been trained yet" in untaught
    assert "No model has been trained yet" not in html(reader)


def test_nobody_counts_beyond_a_thousand(
    reader: Client, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "COUNTED_UPTO", 50)
    monkeypatch.setattr("review.templatetags.queueing.COUNTED_UPTO", 50)
    now = timezone.now()
    for minutes in range(60, 0, -1):
        make_proposal(desk, make_ticket(desk, opened_at=now - timedelta(minutes=minutes)))
    last = Waiting.objects.order_by("-look_by")[0]

    first, end = html(reader), html(reader, "/?page=99")
    deep = queue_page(QueueFilter(), catalogue(), showing=last)
    page = html(reader, f"/tickets/{last.ticket_id}/")

    assert "1–25 of 1,000+ waiting" in first
    assert '<span class="count" id="waiting-count">1,000+' in first
    assert "page 2 of 2" in end
    assert "Narrow the list, or search" in end
    assert (deep.number, [row.waiting for row in deep.rows]) == (0, [last])
    assert "From this ticket on" in page
    assert 'href="/?page=1">First in line</a>' in page


def test_a_ticket_outside_the_filter_leaves_the_list_at_its_beginning(desk: Desk) -> None:
    now = timezone.now()
    for minutes in range(60, 0, -1):
        make_proposal(desk, make_ticket(desk, opened_at=now - timedelta(minutes=minutes)))
    other = make_proposal(desk, make_ticket(desk, opened_at=now), main="access.password")
    chosen = QueueFilter(category=("network",))

    page = queue_page(chosen, catalogue(), showing=Waiting.objects.get(proposal=other))

    assert page.number == 1


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?everything=1",
        "?category=network&category=access&team=team.net&priority=normal&kind=unsure&kind=novel",
        "?source=norvik&held=1&overdue=1&since=2026-01-01&until=2030-01-01",
        "?requester=ann.lind@example.org&q=%2377&page=2",
    ],
)
def test_the_queue_page_stays_within_its_budget(client: Client, desk: Desk, query: str) -> None:
    technician = make_technician()
    client.force_login(technician)
    technician.views.create(name="Mine", query="held=1")
    for _ in range(30):
        make_proposal(desk)
    client.get(f"/{query}")
    recalled.forget()

    with CaptureQueriesContext(connection) as asked:
        assert client.get(f"/{query}").status_code == 200

    assert len(asked) <= MOST_QUERIES, [one["sql"] for one in asked]
