"""The list of labels that look wrong, and what the owner says of them."""

from collections.abc import Callable

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from tests.browser.conftest import Opener
from tests.conftest import new_ticket
from tests.triage.admin.conftest import signed_in
from tests.triage.admin.rows import new_doubt
from triage.models import Choice, Label, LabelDoubt, LedgerEntry, ModelVersion, Source

LIST = "admin:triage_labeldoubt_changelist"
NARROW = (360, 800)
Doubt = Callable[..., LabelDoubt]


@pytest.fixture
def doubt(
    source: Source, choices: dict[str, Choice], make_version: Callable[..., ModelVersion]
) -> Doubt:
    version = make_version()

    def make(subject: str = "VPN drops", **over: float) -> LabelDoubt:
        ticket = new_ticket(source, subject=subject, body=f"{subject} since Monday")
        label = Label.objects.create(
            ticket=ticket,
            field=version.field,
            choice=choices["access"],
            origin=Label.Origin.HISTORY,
        )
        return new_doubt(version, label, choices["network"], **over)

    return make


def listed(client: Client, **query: str) -> str:
    answer = client.get(reverse(LIST), query)
    assert answer.status_code == 200
    return answer.content.decode()


def page(row: LabelDoubt, name: str) -> str:
    return reverse(f"admin:triage_labeldoubt_{name}", args=[row.pk])


def test_the_most_suspicious_label_comes_first_with_ticket_label_and_suggestion(
    desk: Client, doubt: Doubt
) -> None:
    doubt("Printer", given_probability=0.2)
    first = doubt("Tunnel closes", given_probability=0.01)

    shown = listed(desk)

    assert shown.index("Tunnel closes") < shown.index("Printer")
    assert f"#{first.label.ticket.external_id}" in shown
    assert "Access (1%)" in shown
    assert "Network (91%)" in shown


def test_labels_are_judged_one_by_one_after_a_question(
    desk: Client, doubt: Doubt, ai_owner: User
) -> None:
    row = doubt()

    asked = desk.get(page(row, "this_is_wrong")).content.decode()
    assert "It teaches no further model." in asked
    answer = desk.post(page(row, "this_is_wrong"), follow=True)

    row.refresh_from_db()
    assert (row.verdict, row.said_by) == ("wrong", ai_owner)
    assert "On record: the label is wrong." in answer.content.decode()
    entry = LedgerEntry.objects.get(subject=f"label:{row.label_id}")
    assert entry.payload["event"] == "called wrong"
    assert LogEntry.objects.get().change_message == "The label is wrong."
    desk.post(page(row, "this_is_right"))
    row.refresh_from_db()
    assert row.verdict == "right"


def test_several_are_judged_from_the_list(desk: Client, doubt: Doubt) -> None:
    rows = [doubt(f"Ticket {number}") for number in range(3)]

    answer = desk.post(
        reverse(LIST),
        {"action": "call_right", "_selected_action": [row.pk for row in rows[:2]]},
        follow=True,
    )

    assert "2 labels: the label is right." in answer.content.decode()
    assert LabelDoubt.objects.filter(verdict="right").count() == 2
    assert LedgerEntry.objects.filter(payload__event="called right").count() == 2


def test_the_list_shows_what_is_open_unless_asked_otherwise(desk: Client, doubt: Doubt) -> None:
    doubt("Still open")
    desk.post(page(doubt("Called wrong"), "this_is_wrong"))

    shown, wrong, every = listed(desk), listed(desk, verdict="wrong"), listed(desk, verdict="all")

    assert ("Still open" in shown, "Called wrong" in shown) == (True, False)
    assert ("Still open" in wrong, "Called wrong" in wrong) == (False, True)
    assert ("Still open" in every, "Called wrong" in every) == (True, True)


def test_it_can_be_narrowed_to_a_version_and_to_a_field(
    desk: Client, doubt: Doubt, make_version: Callable[..., ModelVersion]
) -> None:
    row = doubt()
    other = make_version(state="retired")

    assert "VPN drops" in listed(desk, model_version__id__exact=str(row.model_version_id))
    assert "VPN drops" not in listed(desk, model_version__id__exact=str(other.pk))
    assert "VPN drops" in listed(desk, label__field__id__exact=str(row.label.field_id))


def test_readers_look_and_do_not_judge(doubt: Doubt, auditor: User) -> None:
    row, client = doubt(), signed_in(auditor)

    assert "VPN drops since Monday" in client.get(page(row, "change")).content.decode()
    assert client.post(page(row, "this_is_wrong")).status_code == 403
    client.post(reverse(LIST), {"action": "call_wrong", "_selected_action": [row.pk]})

    row.refresh_from_db()
    assert row.verdict == ""


def test_an_empty_list_says_that_there_is_nothing(desk: Client) -> None:
    assert "0 results" in listed(desk)


@pytest.mark.browser
def test_doubts_fit_a_narrow_phone(open_window: Opener, doubt: Doubt, ai_owner: User) -> None:
    row = doubt("A long subject about the tunnel that closes " * 4)
    window = open_window(ai_owner, size=NARROW)

    for address in (reverse(LIST), page(row, "change"), page(row, "this_is_wrong")):
        window.open(address)
        assert window.page.evaluate("document.documentElement.scrollWidth") <= 360, address
