"""The latest changes of policy on the first page: by name, with a link, and by whom."""

from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from review.models import Reason
from tests.triage.admin.conftest import signed_in
from tests.triage.admin.rows import new_certificate, new_rule
from triage import ledger
from triage.admin.changes import happened
from triage.models import (
    Choice,
    EmergencyStop,
    Job,
    LedgerEntry,
    ModelVersion,
    Playbook,
    Rung,
    Source,
)


def first_page(desk: Client) -> str:
    return unescape(desk.get(reverse("admin:index")).content.decode())


def add(subject: str, **payload: Any) -> None:
    kind = LedgerEntry.Kind.MODEL if subject.startswith("model") else LedgerEntry.Kind.POLICY
    ledger.append(kind=kind, subject=subject, payload=payload)


def test_changes_are_told_by_the_names_of_what_changed_and_lead_there(
    desk: Client,
    ai_owner: User,
    source: Source,
    choices: dict[str, Choice],
    make_version: Callable[..., ModelVersion],
) -> None:
    child = Choice.objects.create(
        field=choices["network"].field, key="vpn", name="VPN", parent=choices["network"]
    )
    rung = Rung.objects.create(field=child.field, choice=child, owner=ai_owner, reason="Start")
    rule, version = new_rule(source, name="Board members"), make_version()
    add(f"rung:{rung.pk}", event="changed", fields=["level", "canary_percent"], level="prefill")
    add(f"rule:{rule.pk}", event="added", fields=[])
    add(f"model:{version.pk}", in_service=True, reason="Better")

    html = first_page(desk)

    for page, pk, name, what in [
        ("rung", rung.pk, "Rung Network › VPN", "changed: level, canary percent, at prefill"),
        ("escalationrule", rule.pk, "Rule Board members", "added"),
        ("modelversion", version.pk, "Model category v1", "put into service"),
    ]:
        link = reverse(f"admin:triage_{page}_change", args=[pk])
        assert f'<a href="{link}">{name}</a> {what}<' in html


def test_every_kind_of_change_has_a_name(
    desk: Client,
    ai_owner: User,
    source: Source,
    choices: dict[str, Choice],
    make_version: Callable[..., ModelVersion],
) -> None:
    network, version = choices["network"], make_version()
    book = Playbook.objects.create(source=source, name="Restart", owner=ai_owner, reply="Hello")
    rungs = [
        Rung.objects.create(field=network.field, owner=ai_owner, reason="Start"),
        Rung.objects.create(playbook=book, owner=ai_owner, reason="Start"),
    ]
    stop = EmergencyStop.objects.create(reason="Drill", pulled_by=ai_owner)
    reason = Reason.objects.create(
        key="r", label="Wrong building", applies_to="override", digit=1, is_active=False
    )
    certificate = new_certificate(version, network)
    names = {
        f"playbook:{book.pk}": "Playbook Restart",
        f"rung:{rungs[0].pk}": "Rung Category: all other choices",
        f"rung:{rungs[1].pk}": "Rung of playbook Restart",
        f"stop:{stop.pk}": "Emergency stop of everything",
        f"reason:{reason.pk}": "Reason Wrong building",
        f"certificate:{certificate.pk}": "Certificate Network",
        f"secret:{source.secrets.get().pk}": f"Secret {source.secrets.get()} of {source}",
    }
    for subject in names:
        add(subject, event="added")

    html = first_page(desk)

    for name in names.values():
        assert f">{name}</a> added<" in html


def test_what_is_gone_or_has_no_page_is_named_by_its_number(desk: Client) -> None:
    add("rung:987654", event="changed", fields=["level"])
    add("token:0a1b", event="added")

    html = first_page(desk)

    assert "<span>Rung 987654 changed: level</span>" in html
    assert "<span>API token 0a1b added</span>" in html


def test_who_made_a_change_is_named_in_full(desk: Client, ai_owner: User, source: Source) -> None:
    User.objects.filter(pk=ai_owner.pk).update(first_name="Olivia", last_name="Marsh")
    ledger.append(
        kind=LedgerEntry.Kind.POLICY,
        subject=f"source:{source.pk}",
        payload={"event": "added"},
        actor=ledger.actor_of(ai_owner),
    )

    assert "<small>Olivia Marsh, <a" in first_page(desk)


def test_owners_are_offered_and_listed_by_their_full_names(
    desk: Client, ai_owner: User, source: Source
) -> None:
    User.objects.filter(pk=ai_owner.pk).update(first_name="Olivia", last_name="Marsh")
    new_rule(source)

    form = desk.get(reverse("admin:triage_escalationrule_add")).content.decode()
    listed = desk.get(reverse("admin:triage_escalationrule_changelist")).content.decode()

    assert f'<option value="{ai_owner.pk}" selected>Olivia Marsh</option>' in form
    assert ">Olivia Marsh</td>" in listed


def test_more_changes_of_one_kind_cost_no_query_more(
    desk: Client,
    source: Source,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    add(f"rule:{new_rule(source, name='Rule 0').pk}", event="added")
    first_page(desk)
    with django_assert_max_num_queries(100) as one:
        first_page(desk)
    for number in range(1, 8):
        add(f"rule:{new_rule(source, name=f'Rule {number}').pk}", event="added")

    with django_assert_max_num_queries(len(one)):
        html = first_page(desk)

    assert html.count(">Rule Rule ") == 8


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ({"event": "Redelivered."}, "Redelivered"),
        ({"number": 1, "labels": 430}, "trained on 430 labels"),
        ({"level": "off", "reason": "Not yet"}, "at off"),
        ({"version": 7}, ""),
    ],
)
def test_an_entry_says_in_a_few_words_what_happened(payload: dict[str, Any], said: str) -> None:
    assert happened(payload) == said


def test_the_badge_beside_jobs_appears_with_the_first_dead_letter(
    desk: Client, auditor: User
) -> None:
    link = reverse("admin:triage_job_changelist")

    def jobs(client: Client) -> str:
        page = client.get(reverse("admin:index")).content.decode()
        return page.split(f'href="{link}"', 1)[1].split("</a>", 1)[0]

    assert "bg-red" not in jobs(desk)

    dead = Job.objects.create(kind="effect", subject=1)
    Job.objects.filter(pk=dead.pk).update(dead_at=dead.created_at)

    assert "bg-red" in jobs(desk)
    assert "bg-red" in jobs(signed_in(auditor))
