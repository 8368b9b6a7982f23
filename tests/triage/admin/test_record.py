"""The record is read quickly, whatever its size."""

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from review.models import Decision
from tests.conftest import new_ticket
from tests.triage.admin.conftest import signed_in
from tests.triage.admin.rows import new_rule, one_of_everything
from triage import ledger
from triage.models import (
    Choice,
    EmergencyStop,
    ModelVersion,
    Proposal,
    Source,
    Ticket,
    TicketEvent,
)

LISTS = (
    [f"triage_{name}" for name in ("source", "sourcesecret", "field", "choice", "escalationrule")]
    + [f"triage_{name}" for name in ("playbook", "rung", "certificate", "emergencystop")]
    + [f"triage_{name}" for name in ("modelversion", "prediction", "label", "delivery", "ticket")]
    + ["triage_driftfinding", "triage_retrainingproposal"]
    + [f"triage_{name}" for name in ("proposal", "effect", "job", "ledgerentry")]
    + [f"triage_{name}" for name in ("trainingrun", "labeldoubt")]
    + ["review_drill", "review_drillprogramme"]
    + ["review_decision", "review_reason", "knox_authtoken", "auth_user", "auth_group"]
)


@pytest.fixture
def fill(make_version: Callable[..., ModelVersion]) -> Callable[[int], None]:
    """Adds rows of every table, each pointing at rows of its own."""
    version, numbers = make_version(), count(1)

    def add(rows: int) -> None:
        for _ in range(rows):
            one_of_everything(version, next(numbers))
            make_version(state="retired")

    return add


def queries(client: Client, page: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as caught:
        assert client.get(page).status_code == 200
    return len(caught)


def test_no_list_asks_more_of_the_database_for_more_rows(
    root: User, fill: Callable[[int], None]
) -> None:
    client = signed_in(root)
    pages = {name: reverse(f"admin:{name}_changelist") for name in LISTS}
    fill(2)
    queries(client, "/admin/")  # From then on the session comes from its copy.
    few = {name: queries(client, page) for name, page in pages.items()}
    fill(8)

    many = {name: queries(client, page) for name, page in pages.items()}

    assert many == few
    assert max(many.values()) <= 20, many


def test_the_first_page_asks_the_same_whatever_there_is(
    root: User, fill: Callable[[int], None]
) -> None:
    client, page = signed_in(root), reverse("admin:index")
    fill(2)
    queries(client, page)  # From then on the session comes from its copy.
    few = queries(client, page)
    fill(8)

    assert queries(client, page) == few
    assert few <= 20


@pytest.mark.parametrize("name", ["ticket", "proposal", "escalationrule"])
def test_no_row_asks_more_for_more_rows_below_it(
    root: User, fill: Callable[[int], None], name: str
) -> None:
    client = signed_in(root)
    fill(1)
    proposal = Decision.objects.get().proposal
    rows = {
        "ticket": proposal.ticket,
        "proposal": proposal,
        "escalationrule": proposal.hits.get().rule_version.rule,
    }
    pk = rows[name].pk
    page = reverse(f"admin:triage_{name}_change", args=[pk])
    queries(client, page)
    few = queries(client, page)
    add_below(name, proposal)

    assert queries(client, page) == few


def add_below(name: str, proposal: Proposal) -> None:
    """More rows of the kinds that the page of this row lists."""
    if name == "ticket":
        for number in range(5):
            TicketEvent.objects.create(
                ticket=proposal.ticket,
                key=f"more{number}",
                kind="reassigned",
                happened_at=timezone.now(),
                choice=Choice.objects.all()[number],
            )
    elif name == "proposal":
        for choice in Choice.objects.exclude(field=proposal.values.get().field)[:1]:
            proposal.values.create(field=choice.field, choice=choice, basis="follows")
    else:
        version = proposal.hits.get().rule_version
        for number in range(2, 7):
            author = User.objects.create_user(f"author{number}")
            version.rule.versions.create(
                number=number,
                combine="all",
                conditions=version.conditions,
                actions=version.actions,
                author=author,
            )


def test_tickets_are_found_by_their_words_and_by_their_number(desk: Client, source: Source) -> None:
    printer = new_ticket(source, external_id="4711", subject="Printer jams")
    new_ticket(source, external_id="4712", subject="Wifi", body="The printer is fine")
    page = reverse("admin:triage_ticket_changelist")

    def found(words: str) -> set[str]:
        rows = desk.get(page, {"q": words}).context["cl"].result_list
        return {ticket.external_id for ticket in rows}

    assert found("printer jams") == {"4711"}
    assert found("printer") == {"4711", "4712"}
    assert found("#4711") == {printer.external_id}
    assert found("471") == set()
    assert found('"unbalanced (') == set()


def test_the_search_of_tickets_uses_indexes_only(source: Source) -> None:
    page = admin.site.get_model_admin(Ticket)
    rows, _ = page.get_search_results(RequestFactory().get("/"), Ticket.objects.all(), "4711")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan = rows.order_by().explain()

    assert "BitmapOr" in plan
    assert "ticket_search" in plan
    assert "Seq Scan" not in plan


def test_ledger_entries_lead_to_what_they_are_about(desk: Client, source: Source) -> None:
    rule = new_rule(source)
    ledger.append(kind="policy", subject=f"rule:{rule.pk}", payload={"event": "added"})
    ledger.append(kind="policy", subject="unknown:1", payload={})
    page = reverse("admin:triage_ledgerentry_changelist")

    listed = desk.get(page).content.decode()
    found = desk.get(page, {"q": f"rule:{rule.pk}"}).context["cl"].result_list

    assert reverse("admin:triage_escalationrule_change", args=[rule.pk]) in listed
    assert "unknown:1" in listed
    assert [entry.subject for entry in found] == [f"rule:{rule.pk}"]


def test_the_chain_holds_after_work_at_the_desk(
    desk: Client, source: Source, choices: dict[str, Choice], ai_owner: User
) -> None:
    page = reverse("admin:triage_choice_changelist")
    desk.post(page, {"action": "retire", "_selected_action": [c.pk for c in choices.values()]})
    desk.post(reverse("admin:triage_emergencystop_everything"), {"reason": "Drill"})

    assert ledger.verify() is None


def test_a_change_and_its_entry_stand_or_fall_together(
    desk: Client, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(**_: Any) -> None:
        raise RuntimeError("no ledger")

    monkeypatch.setattr(ledger, "append", fails)
    with pytest.raises(RuntimeError, match="no ledger"):
        desk.post(reverse("admin:triage_emergencystop_everything"), {"reason": "Drill"})

    assert EmergencyStop.objects.count() == 0
