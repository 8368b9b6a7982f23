"""The page of workflows and its lists of tickets, as a team lead opens them."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from review.metrics import rollups
from review.metrics.definitions import DEFINITIONS
from review.metrics.sections import WORKFLOWS
from tests.review.helpers import make_reader, make_user
from tests.review.metrics.helpers import (
    LONG_AGO,
    NOW,
    Desk,
    accept,
    close_itself,
    escalate,
    live,
    make_desk,
    make_proposal,
    make_ticket,
    override,
)
from triage.models import Proposal, Ticket

pytestmark = pytest.mark.django_db
MARCH = {"from": "2026-03-01", "to": "2026-03-31"}
HOUR, DAY = 60, 24 * 60
TICKETS = "/metrics/tickets/"


@pytest.fixture(autouse=True)
def _at_noon() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def lead(client: Client) -> Client:
    client.force_login(make_reader())
    return client


def plain(html: str) -> str:
    return html.replace("\N{NO-BREAK SPACE}", " ")


def page(lead: Client, **query: str) -> str:
    answer = lead.get(WORKFLOWS.url, query)
    assert answer.status_code == 200
    return plain(answer.text)


def make_month(n: int = 30) -> Desk:
    """Wi-Fi goes back and forth; password is closed by a playbook."""
    desk = make_desk()
    net, identity = desk.choices["net"], desk.choices["id"]
    forth = (1, "reassigned", net), (2, "reassigned", identity), (3, "reassigned", net)
    for number in range(n):
        day = LONG_AGO + timedelta(days=number % 3 - 9)
        for main in ("vpn", "wifi", "password"):
            ticket = make_ticket(desk, opened_at=day)
            is_auto = main == "password"
            route = Proposal.Route.AUTO if is_auto else Proposal.Route.REVIEW
            made = make_proposal(desk, main, ticket=ticket, at=day, route=route)
            if is_auto:
                close_itself(made)
            else:
                accept(made)
            live(ticket, *(forth if main == "wifi" else ()), (9, "started"), (HOUR, "resolved"))
    return desk


def test_without_permission_it_says_no(client: Client) -> None:
    assert client.get(WORKFLOWS.url).status_code == 302
    client.force_login(make_user("tom", "review.add_decision"))
    assert client.get(WORKFLOWS.url).status_code == 403


def test_what_stands_out_is_said_first_with_its_tickets(lead: Client) -> None:
    make_month()

    html = page(lead, **MARCH)

    found = re.search(r'<a href="([^"]+)">Network › Wi-Fi</a> <span>([^<]+)</span>', html)
    assert found is not None
    assert found[2] == "Ping-pong: 100 % (89–100 %), all together 33 %"
    listed = plain(lead.get(found[1].replace("&amp;", "&")).text)
    assert "30 tickets opened from 1 Mar 2026 to 31 Mar 2026, UTC" in listed
    assert "came back to an earlier team" in listed


def test_every_report_has_its_meaning_its_table_and_its_export(lead: Client) -> None:
    make_month()

    html = page(lead, **MARCH)

    for shown in WORKFLOWS.shown:
        definition = DEFINITIONS[shown.key]
        assert str(definition.name) in html
        assert str(definition.caveat).replace("'", "&#x27;") in html
        assert reverse("review:metrics_csv", args=[shown.key]) in html


def test_pictures_come_as_data_and_each_has_a_table(lead: Client) -> None:
    make_month()

    html = page(lead, **MARCH)

    data = dict(re.findall(r'<script id="([^"]+)" type="application/json">(.*?)</script>', html))
    assert json.loads(data["chart-ping-pong"])["kind"] == "limits"
    assert json.loads(data["trend-ping-pong"])["kind"] == "trend"
    for name in data:
        assert f'data-chart="{name}"' in html
    assert html.count("<table>") >= len(data)
    assert re.findall(r"<script(?![^>]*(?:src=|application/json))", html) == []
    assert re.findall(r"\sstyle=|\son\w+=|<style", html) == []


def test_the_weeks_stand_in_a_table_whose_figures_lead_to_their_tickets(lead: Client) -> None:
    make_month()

    html = page(lead, **MARCH)

    table = html.split("Ping-pong: week by week")[1].split("</table>")[0]
    weeks = re.findall(r'<th scope="row">([^<]+)</th><td class="number"><a href="([^"]+)">', table)
    assert [week for week, _ in weeks] == ["9 Mar – 15 Mar 2026", "2 Mar – 8 Mar 2026"]
    listed = lead.get(weeks[1][1].replace("&amp;", "&")).text
    # Those that came back, ten on each of two days.
    assert "20 tickets opened from 2 Mar 2026 to 8 Mar 2026" in listed


def test_without_anything_to_count_it_says_so(lead: Client) -> None:
    html = page(lead)

    assert html.count("Nothing to count in this window.") == len(WORKFLOWS.shown)
    assert "Nothing stands out." in html


def test_a_wrong_window_is_told_and_nothing_is_counted(lead: Client) -> None:
    answer = lead.get(WORKFLOWS.url, {"from": "2026-03-02", "to": "2026-03-01"})

    assert answer.status_code == 400
    assert "The last day lies before the first." in answer.text


@pytest.mark.parametrize(
    "query",
    [
        {"metric": "ping-pong", "state": "accepted"},
        {"metric": "ping-pong", "cell": "nowhere"},
        {"metric": "reopened", "version": "99"},
        {"metric": "outcomes-by-route", "of": "x"},
    ],
)
def test_a_list_that_no_figure_has_is_refused_in_words(lead: Client, query: dict[str, str]) -> None:
    answer = lead.get(TICKETS, query)

    assert answer.status_code == 400
    assert "names no list of tickets" in answer.text


def test_an_erased_ticket_still_counts_and_shows_no_words(lead: Client) -> None:
    ticket = make_ticket(make_desk(), subject="my salary")
    Ticket.objects.filter(pk=ticket.pk).update(subject="", body="", erased_at=NOW)

    listed = lead.get(TICKETS, {**MARCH, "metric": "reassigned"}).text

    assert "(erased)" in listed
    assert "1 ticket opened" in listed


def test_figures_of_time_come_as_a_table_and_as_json_with_n_and_no_k(lead: Client) -> None:
    make_month()

    answer = lead.get(reverse("review:metrics_csv", args=["touch-ratio"]), MARCH)
    lines = answer.getvalue().decode().splitlines()
    told = lead.get("/api/v1/metrics/touch-ratio/", MARCH).json()

    share = next(figure for figure in told["totals"][0]["figures"] if figure["key"] == "rate")
    assert len(lines) == 1 + 4 * 2
    # Nine minutes in the queue, then 51 of work, for each of the 90.
    assert (share["value"], share["k"], share["n"]) == (pytest.approx(51 / 60), None, 90)
    assert "90 tickets opened" in lead.get(share["tickets"]).text


def test_the_page_costs_the_same_number_of_queries_whatever_there_is_to_show(
    lead: Client, django_assert_max_num_queries: Any
) -> None:
    desk = make_month(20)
    escalate(make_proposal(desk))
    assert rollups.catch_up()
    with django_assert_max_num_queries(36) as few:
        page(lead, **MARCH)
    for main in ("vpn", "wifi", "password"):
        for _ in range(5):
            changed = make_proposal(desk, main, at=LONG_AGO)
            override(changed, team=desk.choices["id"], reason="policy")
            live(changed.ticket, (HOUR, "resolved"), (DAY, "rated", None, 1))
    assert rollups.catch_up()
    with django_assert_max_num_queries(len(few)):
        page(lead, **MARCH)
