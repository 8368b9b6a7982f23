"""The delivery log: found among many, by whatever is known of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.conftest import new_source, new_ticket
from tests.triage.admin.delivery_rows import LIST, applied, new_delivery, reading
from triage.admin import delivery_search
from triage.models import Delivery, Job, Source, TicketEvent

LATER = timedelta(minutes=5)


def listed(client: Client, **query: str) -> dict[str, str]:
    """Webhook id to shown outcome."""
    answer = client.get(reverse(LIST), query)
    assert answer.status_code == 200
    page = answer.context["cl"].model_admin
    return {row.webhook_id: page.state(row) for row in answer.context["cl"].result_list}


@pytest.fixture
def one_of_each(source: Source) -> dict[str, str]:
    """Deliveries that came to every outcome there is: webhook id to outcome."""
    now = timezone.now()
    rows = {name: new_delivery(source) for name in ("waits", "being read", "dead letter")}
    reading(rows["waits"], lease_until=now - LATER, attempts=1)
    reading(rows["being read"], lease_until=now + LATER, attempts=1)
    reading(rows["dead letter"], dead_at=now, attempts=5)
    for name in Delivery.Outcome.values:
        rows[name] = new_delivery(source, outcome=name)
    untriaged = applied(source)
    version = untriaged.versions.get()
    Job.objects.create(kind="propose", subject=version.pk, attempts=5, dead_at=now)
    return {row.webhook_id: name for name, row in rows.items()} | {
        untriaged.webhook_id: "dead letter"
    }


def test_the_list_says_of_each_delivery_what_came_of_it(
    desk: Client, one_of_each: dict[str, str]
) -> None:
    assert listed(desk) == one_of_each


@pytest.mark.parametrize("state", ["waits", "being read", *Delivery.Outcome.values, "dead letter"])
def test_each_outcome_can_be_asked_for(
    desk: Client, one_of_each: dict[str, str], state: str
) -> None:
    found = listed(desk, state=state)

    wanted = {name for name, outcome in one_of_each.items() if outcome == state}
    # What died in triage was applied all the same.
    died = {name for name, outcome in one_of_each.items() if outcome == "dead letter"}
    assert wanted <= found.keys() <= (wanted | died if state == "applied" else wanted)
    assert wanted


def test_a_list_shows_ticket_size_and_when_it_came(desk: Client, source: Source) -> None:
    delivery = applied(source, external_id="48209")
    Delivery.objects.filter(pk=delivery.pk).update(
        body=b"x" * 2048, received_at=timezone.now() - timedelta(hours=3)
    )

    text = desk.get(reverse(LIST)).content.decode()

    assert ">#48209</a>" in text
    assert reverse("admin:triage_ticket_change", args=[delivery.versions.get().ticket_id]) in text
    assert "2.0\xa0KB" in text
    assert "3\xa0hours ago" in text
    assert 'class="desk-time"' in text


def test_deliveries_are_found_by_id_number_and_ticket(desk: Client, source: Source) -> None:
    ticket = new_ticket(source, external_id="4711")
    brought = new_delivery(source, outcome="applied")
    ticket.versions.update(delivery=brought)
    told = new_delivery(source, outcome="applied")
    TicketEvent.objects.create(
        ticket=ticket, key="e", kind="resolved", happened_at=timezone.now(), delivery=told
    )
    other = new_delivery(new_source(), webhook_id=brought.webhook_id)
    new_delivery(source)

    def found(words: str) -> set[int]:
        return {row.pk for row in desk.get(reverse(LIST), {"q": words}).context["cl"].result_list}

    assert found(brought.webhook_id) == {brought.pk, other.pk}
    assert found(f" {told.webhook_id} ") == {told.pk}
    assert found(str(other.pk)) == {other.pk}
    assert found("#4711") == found("4711") == {brought.pk, told.pk}
    for nothing in ("msg_", "47", "#", "9" * 30, "0", "٣", "-1", "' OR 1=1"):
        assert found(nothing) == set(), nothing


def test_filters_hold_together(desk: Client, source: Source) -> None:
    other = new_source()
    wanted = new_delivery(source, outcome="refused")
    new_delivery(source, outcome="stale")
    new_delivery(other, outcome="refused")

    found = listed(desk, state="refused", source__id__exact=str(source.pk))

    assert found == {wanted.webhook_id: "refused"}


def test_days_are_those_of_the_desk_and_both_count(
    desk: Client, source: Source, settings: Any
) -> None:
    settings.TIME_ZONE = "Europe/Vienna"
    # In Vienna these are the last second of 1 March, the first and last of 2 March, the first of 3.
    moments = ["2026-03-01T22:59:59", "2026-03-01T23:00:00", "2026-03-02T22:59:59"]
    moments.append("2026-03-02T23:00:00")
    for moment in moments:
        row = new_delivery(source, webhook_id=moment.replace(":", "-"))
        Delivery.objects.filter(pk=row.pk).update(
            received_at=datetime.fromisoformat(moment).replace(tzinfo=UTC)
        )

    def found(**query: str) -> list[str]:
        rows = desk.get(reverse(LIST), query).context["cl"].result_list
        return sorted(row.webhook_id.replace("-", ":").replace(":", "-", 2) for row in rows)

    assert found(received_at_from="2026-03-02", received_at_to="2026-03-02") == moments[1:3]
    assert found(received_at_from="2026-03-02") == moments[1:]
    assert found(received_at_to="2026-03-01") == moments[:1]
    assert found(received_at_from="2026-02-30", received_at_to="gestern") == moments
    assert found(received_at_to="9999-12-31") == moments


def test_more_rows_ask_no_more_of_the_database(desk: Client, source: Source, root: User) -> None:
    def add(rows: int) -> None:
        for _ in range(rows):
            one = applied(source)
            reading(one, attempts=2, last_error="no")
            Job.objects.create(
                kind="propose", subject=one.versions.get().pk, dead_at=timezone.now()
            )
            event = new_delivery(source, outcome="applied")
            TicketEvent.objects.create(
                ticket=one.versions.get().ticket,
                key="e",
                kind="resolved",
                happened_at=timezone.now(),
                delivery=event,
            )

    def queries(**query: str) -> int:
        with CaptureQueriesContext(connection) as caught:
            assert desk.get(reverse(LIST), query).status_code == 200
        assert not [
            q for q in caught.captured_queries if "COUNT(*)" in q["sql"] and "delivery" in q["sql"]
        ]
        return len(caught)

    asked = [{}, {"q": "4711"}, {"state": "dead letter"}, {"state": "waits"}, {"_facets": "True"}]
    add(2)
    queries()  # From then on the session comes from its copy.
    few = [queries(**query) for query in asked]
    add(10)

    assert [queries(**query) for query in asked] == few
    assert max(few) <= 20


def plan(rows: Any) -> str:
    """As it would be for a large table: without reading all of it, if there is another way."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
    text: str = rows.explain()
    return text


@pytest.mark.parametrize(
    ("narrowed", "index"),
    [
        ({}, "delivery_recent"),
        ({"outcome": "refused"}, "delivery_notable"),
        ({"source": 1}, "delivery_of_source"),
        ({"received_at__gte": datetime(2026, 3, 2, tzinfo=UTC)}, "delivery_recent"),
    ],
    ids=str,
)
def test_each_way_to_the_newest_rests_on_an_index(
    db: None, narrowed: dict[str, Any], index: str
) -> None:
    said = plan(Delivery.objects.filter(**narrowed).order_by("-received_at", "-pk")[:51])

    assert index in said
    assert "Seq Scan" not in said


def test_the_search_and_dead_letters_rest_on_indexes(source: Source) -> None:
    page = admin.site.get_model_admin(Delivery)
    asked, _ = page.get_search_results(RequestFactory().get("/"), Delivery.objects.all(), "4711")

    searched = plan(asked.order_by())
    dead = plan(Delivery.objects.filter(pk__in=delivery_search.dead()).order_by())

    assert "triage_delivery_pkey" in searched
    assert "job_dead" in dead
    assert "Seq Scan" not in searched + dead
