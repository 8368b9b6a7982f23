"""A delivery: shown as it came, and redelivered."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.conftest import new_source, new_ticket, ticket_message
from tests.triage.admin.conftest import signed_in
from tests.triage.admin.delivery_rows import LIST, applied, new_delivery, page_of, reading
from triage.models import Delivery, Job, Source, TicketEvent


def post_action(client: Client, *rows: Delivery, **over: str) -> Any:
    data = {"action": "redeliver_chosen", "_selected_action": [row.pk for row in rows]}
    return client.post(reverse(LIST), data | over, follow=True)


# --- The page -------------------------------------------------------------------------------
def test_the_page_shows_the_body_as_it_came_and_as_json(desk: Client, source: Source) -> None:
    body = json.dumps(ticket_message(subject="Größe <b>")).encode()
    delivery = new_delivery(source, body)

    answer = desk.get(page_of(delivery))

    text = answer.content.decode()
    assert answer.context["raw"] == body.decode()
    assert '    "subject": "Größe <b>"' in answer.context["pretty"]
    assert "Größe &lt;b&gt;" in text
    assert delivery.body_sha256 in text
    assert "which fits the stored bytes" in text
    assert f"{len(body)} bytes" in text


@pytest.mark.parametrize(
    "body",
    [
        b"<script>alert(1)</script>\xff" + b"x" * 30_000,
        b"[" * 20_000,
        b'{"a": "\\ud800"}',
        b'{"a": NaN, "b": 1e999, "c": "\\u0000"}',
        b"9" * 5000,
        b"",
        b"\x00\x01",
    ],
    ids=lambda body: repr(body[:12]),
)
def test_whatever_a_body_holds_the_page_shows_it_as_text(
    desk: Client, source: Source, body: bytes
) -> None:
    answer = desk.get(page_of(new_delivery(source, body)))

    text = answer.content.decode()
    assert answer.status_code == 200
    assert "<script>alert" not in text
    if len(body) > 20_000:
        assert "&lt;script&gt;alert(1)" in text
        assert "the first 20,000 of 30,026 characters" in text


def test_a_body_that_was_changed_in_the_database_is_told_apart(
    desk: Client, source: Source
) -> None:
    delivery = new_delivery(source)
    Delivery.objects.filter(pk=delivery.pk).update(body=b"{ }")

    text = desk.get(page_of(delivery)).content.decode()

    assert "they were changed after they came" in text
    assert "which fits" not in text


def test_the_page_leads_to_ticket_and_jobs(desk: Client, source: Source) -> None:
    delivery = applied(source, external_id="48209", subject="VPN")
    version = delivery.versions.get()
    job = Job.objects.create(
        kind="propose",
        subject=version.pk,
        attempts=5,
        dead_at=timezone.now(),
        last_error="ValueError: the model file is gone",
    )

    text = desk.get(page_of(delivery)).content.decode()

    assert reverse("admin:triage_ticket_change", args=[version.ticket_id]) in text
    assert reverse("admin:triage_job_change", args=[job.pk]) in text
    assert "5 attempts" in text
    assert "ValueError: the model file is gone" in text
    assert "Nothing is left to do." in text


def test_the_page_shows_the_event_that_it_told_of(desk: Client, source: Source) -> None:
    delivery = new_delivery(source, outcome="applied")
    TicketEvent.objects.create(
        ticket=new_ticket(source), key="e", kind="resolved",
        happened_at=timezone.now(), delivery=delivery,
    )  # fmt: skip

    assert ">resolved</a>" in desk.get(page_of(delivery)).content.decode()


def test_a_delivery_that_nobody_will_come_to_says_so(desk: Client, source: Source) -> None:
    assert "It has no job" in desk.get(page_of(new_delivery(source))).content.decode()


def test_what_was_erased_shows_when_and_nothing_else(desk: Client, source: Source) -> None:
    body = b'{"type": "ticket.created"}'
    delivery = new_delivery(source, body, outcome="applied")
    Delivery.objects.filter(pk=delivery.pk).update(body=b"", erased_at=timezone.now())

    text = desk.get(page_of(delivery)).content.decode()

    assert "Its body was erased on" in text
    assert delivery.body_sha256 in text
    assert "they were changed" not in text


def test_the_download_is_the_exact_bytes_and_never_opens_in_the_browser(
    desk: Client, source: Source
) -> None:
    body = b' {"a":\r\n "\xff<script>"}\x00 '
    delivery = new_delivery(source, body)

    answer = desk.get(page_of(delivery, "download"))

    assert answer.content == body
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"] == f'attachment; filename="delivery-{delivery.pk}.json"'
    assert answer["X-Content-Type-Options"] == "nosniff"


# --- Redelivering ---------------------------------------------------------------------------
def test_the_button_asks_and_then_has_it_read_again(
    desk: Client, ai_owner: User, source: Source, work: Callable[[], int]
) -> None:
    delivery = new_delivery(source, json.dumps(ticket_message()).encode())
    page = page_of(delivery, "redeliver_one")

    asked = desk.get(page)
    assert "read again from the bytes that are stored" in asked.content.decode()
    assert not Job.objects.exists()
    said = desk.post(page, follow=True)

    assert "It will be read again in a moment." in said.content.decode()
    assert Job.objects.get().subject == delivery.pk
    work()
    delivery.refresh_from_db()
    assert delivery.outcome == "applied"
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id, entry.change_message) == (
        ai_owner, str(delivery.pk), "Redelivered.",
    )  # fmt: skip


def test_a_dead_letter_starts_afresh(desk: Client, source: Source) -> None:
    delivery = new_delivery(source)
    reading(delivery, attempts=5, dead_at=timezone.now(), last_error="no")

    post_action(desk, delivery)

    job = Job.objects.get()
    assert (job.dead_at, job.attempts, job.lease_until) == (None, 0, None)


def test_one_is_redelivered_at_once_and_several_after_a_question(
    desk: Client, source: Source
) -> None:
    first, second, third = (new_delivery(source) for _ in range(3))

    one = post_action(desk, first)
    assert "1 delivery will be read again" in one.content.decode()
    asked = post_action(desk, second, third)
    assert "Redeliver 2 deliveries" in asked.content.decode()
    assert Job.objects.count() == 1
    kept = dict.fromkeys(name for name, _ in asked.context["kept"])
    assert list(kept) == ["action", "sure", "_selected_action"]
    done = post_action(desk, second, third, sure="yes")

    assert "2 deliveries will be read again" in done.content.decode()
    assert set(Job.objects.values_list("subject", flat=True)) == {first.pk, second.pk, third.pk}
    assert LogEntry.objects.count() == 3


def test_too_many_at_once_are_refused(
    desk: Client, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("triage.admin.deliveries.MOST_AT_ONCE", 2)
    rows = [new_delivery(source) for _ in range(3)]

    answer = post_action(desk, *rows, select_across="1", sure="yes")

    assert "At most 2 at once" in answer.content.decode()
    assert not Job.objects.exists()


def test_readers_see_the_log_and_redeliver_nothing(auditor: User, source: Source) -> None:
    client, delivery = signed_in(auditor), new_delivery(source)
    page = page_of(delivery, "redeliver_one")

    assert client.get(page_of(delivery, "download")).content == b"{}"
    assert [client.get(page).status_code, client.post(page).status_code] == [403, 403]
    post_action(client, delivery)
    assert not Job.objects.exists()
    for address in (reverse(LIST), page_of(delivery)):
        assert "/redeliver/" not in client.get(address).content.decode()
        assert "redeliver_chosen" not in client.get(address).content.decode()


def test_who_may_not_see_deliveries_gets_no_bytes(team_lead: User, technician: User) -> None:
    delivery = new_delivery(new_source())

    assert signed_in(technician).get(page_of(delivery, "download")).status_code in (302, 403)
    assert Client().get(page_of(delivery, "download")).status_code == 302
