"""What people see of a model in doubt, and how they settle what it could not."""

from html import unescape
from typing import Any

import pytest
from django.test import Client

from review.models import DecidedValue, Decision, Reason
from review.reasons import MORE_PRECISE, ensure_reasons
from tests.review.helpers import (
    Desk,
    make_desk,
    make_doubtful,
    make_model,
    make_proposal,
    make_reader,
    make_reasons,
    make_technician,
    make_torn,
    ticket_page,
)
from triage.models import Choice, Effect, Label, Level

pytestmark = pytest.mark.django_db


@pytest.fixture
def technician(client: Client) -> Client:
    client.force_login(make_technician())
    return client


@pytest.fixture
def desk() -> Desk:
    return make_desk()


@pytest.fixture
def reasons() -> dict[str, Reason]:
    ensure_reasons()
    return {reason.key: reason for reason in Reason.objects.filter(applies_to="override")}


def picks(page: str) -> list[str]:
    form = page.partition("data-picks")[2].partition("</form>")[0]
    return [part.split("<")[0].strip() for part in form.split("</kbd>")[1:]]


# --- Left open ------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("over", "words"),
    [
        ({}, "Left open: the model is not sure (18 %, asked for 20 %)."),
        (
            {"probability": 0.1996},
            "Left open: the model is not sure (just under 20 %, asked for 20 %).",
        ),
        (
            {"doubt": "unlike", "asked": 0.01, "in_scope": 0.0},
            "Left open: this ticket is unlike anything the model was taught (0 % of that looks "
            "stranger, asked for 1 %).",
        ),
    ],
)
def test_an_open_value_says_why(
    technician: Client, desk: Desk, over: dict[str, Any], words: str
) -> None:
    html = ticket_page(technician, make_doubtful(desk, **over).ticket)

    assert words in html
    is_strange = over.get("doubt") == "unlike"
    assert ("Likeliest, but not likely enough: Network › VPN." in html) != is_strange


def test_an_open_value_is_filled_without_a_reason(technician: Client, desk: Desk) -> None:
    proposal = make_doubtful(desk)
    form = {"choice-category": desk["network.vpn"].pk, "choice-team": "follow", "text": ""}

    technician.post(f"/proposals/{proposal.pk}/override", form)

    finals = {value.field.key: value.final for value in DecidedValue.objects.all()}
    assert (finals["category"], finals["team"]) == (desk["network.vpn"], desk["team.net"])


def test_what_runs_in_the_shadow_does_not_show_through_an_open_value(
    technician: Client, desk: Desk
) -> None:
    proposal = make_proposal(desk, priority=None)
    model = make_model(desk, field=desk.priority)
    said = proposal.ticket_version.predictions.create(
        model_version=model, probabilities={"urgent": 0.9}, in_scope=0.5
    )
    proposal.values.filter(field=desk.priority).update(
        level=Level.SHADOW, prediction=said, probability=0.9, doubt="unlike", asked=0.6
    )

    html = ticket_page(technician, proposal.ticket)

    line = html.partition("<h3>Priority</h3>")[2].partition("</div>")[0]
    assert "Nothing is proposed for this." in line
    assert "Urgent" not in line
    assert "unlike" not in line


# --- A parent -------------------------------------------------------------------------------
def test_a_proposed_parent_says_what_the_model_is_torn_between(
    technician: Client, desk: Desk
) -> None:
    html = ticket_page(technician, make_torn(desk).ticket)

    assert "VPN 34 %, Wi-Fi 31 %: both are Network." in html
    assert "The model expects about 6 in 10 like this to be right." in html
    # How far such figures were off was measured on single choices.
    assert "such figures were off" not in html
    assert "Otherwise most likely Access › Password." in html
    assert "for VPN: <mark>VPN</mark>" in html
    assert "VPN, in the model’s eyes" in html


def test_the_parent_itself_and_what_is_not_named_are_counted(
    technician: Client, desk: Desk
) -> None:
    proposal = make_torn(desk)
    more = {"network.vpn": 0.2, "network.wifi": 0.15, "network": 0.1, "network.lan": 0.08}
    for key in ("network.lan", "network.gone"):
        Choice.objects.create(
            field=desk.category, key=key, name=key, parent=desk["network"], retired_at=None
        )
    proposal.ticket_version.predictions.update(probabilities={**more, "network.gone": 0.07})

    html = ticket_page(technician, proposal.ticket)

    assert "VPN 20 %, Wi-Fi 15 %, Network itself 10 % and 2 more: all are Network." in html


def test_a_choice_below_is_decided_for_with_one_press(
    technician: Client, desk: Desk, reasons: dict[str, Reason]
) -> None:
    desk["network.wifi"].implies.set([desk["team.id"]])
    proposal = make_torn(desk)
    html = ticket_page(technician, proposal.ticket)
    assert picks(html) == ["VPN", "Wi-Fi"]
    sent = {
        "choice-team": "follow",
        "choice-priority": desk["normal"].pk,
        "reason-category": reasons[MORE_PRECISE].pk,
        "choice-category": desk["network.wifi"].pk,
    }
    for name, value in sent.items():
        assert f'name="{name}" value="{value}"' in html

    answer = technician.post(f"/proposals/{proposal.pk}/override", sent)

    assert answer.status_code == 302, unescape(answer.content.decode())
    assert Decision.objects.get().verdict == "overridden"
    decided = {value.field.key: value for value in DecidedValue.objects.all()}
    assert decided["category"].proposed == desk["network"]
    assert decided["category"].final == desk["network.wifi"]
    assert decided["category"].reason == reasons[MORE_PRECISE]
    # What follows from the choice follows, for the same reason.
    assert decided["team"].final == desk["team.id"]
    assert Label.objects.get(field=desk.category).choice == desk["network.wifi"]
    assert Effect.objects.get(kind="values").payload["values"]["category"] == "network.wifi"


def test_retired_choices_are_not_offered_and_the_likeliest_comes_first(
    technician: Client, desk: Desk, reasons: dict[str, Reason]
) -> None:
    below = {"key": "network.vpn.old", "name": "Old client", "parent": desk["network.vpn"]}
    Choice.objects.create(field=desk.category, **below)
    proposal = make_torn(desk)
    Choice.objects.filter(key="network.wifi").update(retired_at=proposal.created_at)
    said = {"network.vpn.old": 0.4, "network.vpn": 0.25}
    proposal.ticket_version.predictions.update(probabilities=said)

    html = ticket_page(technician, proposal.ticket)

    assert picks(html) == ["VPN › Old client", "VPN"]


@pytest.mark.parametrize("without", ["the reason", "the right to decide", "a parent"])
def test_no_choice_is_offered_at_once(desk: Desk, client: Client, without: str) -> None:
    if without == "the reason":
        make_reasons()
    else:
        ensure_reasons()
    reader = without == "the right to decide"
    client.force_login(make_reader() if reader else make_technician())
    proposal = make_proposal(desk) if without == "a parent" else make_torn(desk)

    assert "data-picks" not in ticket_page(client, proposal.ticket)


def test_a_reason_that_wants_words_or_was_switched_off_is_not_given_for_people(
    technician: Client, desk: Desk, reasons: dict[str, Reason]
) -> None:
    ticket = make_torn(desk).ticket
    for change in ({"needs_text": True}, {"is_active": False, "needs_text": False}):
        Reason.objects.filter(key=MORE_PRECISE).update(**change)

        assert "data-picks" not in ticket_page(technician, ticket)
