"""Jobs at the desk: what each is about, how old it is, and sending it again."""

from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.conftest import new_ticket
from tests.triage.admin.conftest import signed_in
from tests.triage.admin.rows import new_proposal, new_rule
from triage.models import Choice, Delivery, Job, RuleNotice, Source, Ticket, TrainingRun

LIST = "admin:triage_job_changelist"
numbers = count(1)


def dead_letter(kind: str, subject: int, **over: Any) -> Job:
    values = {"attempts": 5, "dead_at": timezone.now(), "last_error": "ValueError: no"}
    return Job.objects.create(kind=kind, subject=subject, **values | over)


def one_of_each_kind(
    source: Source, choice: Choice
) -> tuple[Ticket, dict[str, tuple[Model, Model]]]:
    """By kind: the job's subject, and the row whose page it leads to; of a ticket or of none."""
    ticket = new_ticket(source)
    delivery = Delivery.objects.create(source=source, webhook_id=f"d{next(numbers)}", body=b"{}")
    ticket.versions.update(delivery=delivery)
    proposal = new_proposal(ticket, choice)
    rule = new_rule(source, name=f"Rule {next(numbers)}")
    notice = RuleNotice.objects.create(
        rule_version=rule.versions.get(), ticket=ticket, to="ann@example.org"
    )
    run = TrainingRun.objects.create(
        field=choice.field, asked_by=source.owner, finished_at=timezone.now()
    )
    return ticket, {
        "train": (run, run),
        "receive": (delivery, delivery),
        "propose": (ticket.versions.get(), ticket),
        "evidence": (proposal, proposal),
        "shadow": (ticket.versions.get(), ticket),
        "effect": (proposal, proposal),
        "notice": (notice, rule),
    }


def change_page(row: Model) -> str:
    return reverse(f"admin:triage_{row._meta.model_name}_change", args=[row.pk])


def test_a_job_of_every_kind_leads_to_its_subject_and_its_ticket(
    desk: Client, source: Source, choices: dict[str, Choice]
) -> None:
    ticket, rows = one_of_each_kind(source, choices["network"])
    jobs = {kind: dead_letter(kind, subject.pk) for kind, (subject, _) in rows.items()}
    assert rows.keys() == set(Job.Kind.values)

    shown = desk.get(reverse(LIST)).context["cl"].result_list

    about = {job.kind: job.about_row for job in shown}
    for kind, (_, page) in rows.items():
        assert about[kind].page == change_page(page), kind
        has_ticket = kind != "train"
        assert about[kind].ticket == (ticket if has_ticket else None), kind
        text = desk.get(change_page(jobs[kind])).content.decode()
        assert change_page(page) in text, kind
        assert (f">#{ticket.external_id}</a>" in text) == has_ticket, kind
        assert "ValueError: no" in text, kind
        assert desk.get(change_page(page)).status_code == 200


def test_a_job_whose_subject_is_gone_says_so(desk: Client) -> None:
    for kind in Job.Kind.values:
        dead_letter(kind, 4711)

    text = desk.get(reverse(LIST)).content.decode()

    assert text.count("4711, which is gone") == len(Job.Kind.values)


def test_more_jobs_ask_no_more_of_the_database(
    desk: Client, source: Source, choices: dict[str, Choice]
) -> None:
    def add(rounds: int) -> None:
        for _ in range(rounds):
            _, rows = one_of_each_kind(source, choices["network"])
            for kind, (subject, _) in rows.items():
                dead_letter(kind, subject.pk)

    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            assert desk.get(reverse(LIST)).status_code == 200
        return len(caught)

    add(1)
    queries()  # From then on the session comes from its copy.
    few = queries()
    add(6)

    assert queries() == few <= 25


def test_the_list_shows_the_oldest_first_with_age_and_state(desk: Client) -> None:
    now = timezone.now()
    Job.objects.create(kind="effect", subject=1, created_at=now - timedelta(minutes=4, seconds=2))
    Job.objects.create(kind="effect", subject=2, lease_until=now + timedelta(minutes=1))
    Job.objects.create(kind="effect", subject=3, lease_until=now - timedelta(minutes=1))
    dead_letter("effect", 4, created_at=now - timedelta(days=3, hours=1))

    answer = desk.get(reverse(LIST))

    page = answer.context["cl"].model_admin
    shown = [
        (job.subject, page.state(job), page.age(job)) for job in answer.context["cl"].result_list
    ]
    assert shown[:2] == [(4, "dead letter", "3 days"), (1, "waiting", "4 minutes")]
    assert {row[:2] for row in shown[2:]} == {(2, "being done"), (3, "waiting")}


@pytest.mark.parametrize("kind", Job.Kind.values)
def test_dead_letters_of_every_kind_are_sent_again(desk: Client, ai_owner: User, kind: str) -> None:
    dead = dead_letter(kind, 1)
    alive = Job.objects.create(kind=kind, subject=2, attempts=3)

    answer = desk.post(
        reverse(LIST),
        {"action": "redeliver", "_selected_action": [dead.pk, alive.pk]},
        follow=True,
    )

    dead.refresh_from_db()
    alive.refresh_from_db()
    assert (dead.dead_at, dead.attempts) == (None, 0)
    assert alive.attempts == 3
    assert "1 will be tried again" in answer.content.decode()
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id) == (ai_owner, str(dead.pk))


def test_the_page_of_a_dead_letter_asks_and_sends_it_again(desk: Client) -> None:
    dead = dead_letter("effect", 1)
    page = reverse("admin:triage_job_redeliver_one", args=[dead.pk])

    asked = desk.get(page)
    assert "The last error was: ValueError: no" in asked.content.decode()
    assert Job.objects.filter(dead_at__isnull=False).exists()
    desk.post(page)

    dead.refresh_from_db()
    assert (dead.dead_at, dead.attempts) == (None, 0)
    assert "It is no dead letter" in desk.post(page, follow=True).content.decode()


def test_readers_are_not_offered_to_send_again(auditor: User) -> None:
    client, dead = signed_in(auditor), dead_letter("effect", 1)
    act = reverse("admin:triage_job_redeliver_one", args=[dead.pk])

    client.post(reverse(LIST), {"action": "redeliver", "_selected_action": [dead.pk]})

    assert client.post(act).status_code == 403
    dead.refresh_from_db()
    assert dead.dead_at is not None
    for page in (reverse(LIST), change_page(dead)):
        assert "redeliver" not in client.get(page).content.decode().lower()


# --- The first page -------------------------------------------------------------------------
def first_page(client: Client) -> tuple[str, list[str]]:
    answer = client.get(reverse("admin:index"))
    return answer.content.decode(), [what for what, _, _ in answer.context["warnings"]]


def test_the_first_page_is_calm_while_work_is_done(desk: Client) -> None:
    Job.objects.create(kind="effect", subject=1)

    text, warnings = first_page(desk)

    assert warnings == []
    assert "Age of the oldest job" in text


def test_the_first_page_warns_in_words_of_old_jobs_and_dead_letters(desk: Client) -> None:
    old = timezone.now() - timedelta(minutes=7, seconds=1)
    Job.objects.create(kind="effect", subject=1, created_at=old)
    dead_letter("effect", 2, created_at=old - timedelta(days=9))
    dead_letter("effect", 3)

    text, warnings = first_page(desk)

    assert warnings == ["The oldest job has waited for 7 minutes.", "2 dead letters."]
    for query in ("dead_at__isempty=1", "dead_at__isempty=0"):
        link = f"{reverse(LIST)}?{query}"
        assert link in text
        assert desk.get(link).status_code == 200


def test_the_warnings_lead_to_the_jobs_they_speak_of(desk: Client) -> None:
    Job.objects.create(kind="effect", subject=1)
    dead_letter("effect", 2)

    def subjects(is_alive: str) -> list[int]:
        answer = desk.get(reverse(LIST), {"dead_at__isempty": is_alive})
        return [job.subject for job in answer.context["cl"].result_list]

    assert (subjects("1"), subjects("0")) == ([1], [2])
