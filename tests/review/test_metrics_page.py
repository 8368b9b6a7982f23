"""The metrics page, its lists of tickets and its tables, as a team lead opens them."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from review.metrics import rollups
from review.metrics.definitions import DEFINITIONS
from review.metrics.sections import SECTIONS
from tests.review.helpers import make_reader, make_user
from tests.review.metrics.helpers import (
    LONG_AGO,
    NOW,
    accept,
    escalate,
    make_desk,
    make_proposal,
    make_ticket,
    override,
)
from triage.models import Proposal

pytestmark = pytest.mark.django_db
FEBRUARY = {"from": "2026-02-01", "to": "2026-02-28"}
MARCH = {"from": "2026-03-01", "to": "2026-03-31"}


@pytest.fixture(autouse=True)
def _at_noon() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def lead(client: Client) -> Client:
    client.force_login(make_reader())
    return client


def page(lead: Client, **query: str) -> str:
    answer = lead.get(reverse("review:metrics"), query)
    assert answer.status_code == 200
    return plain(answer.text)


def plain(html: str) -> str:
    return html.replace("\N{NO-BREAK SPACE}", " ")


def make_month() -> None:
    desk = make_desk()
    for _ in range(20):
        accept(make_proposal(desk, "password"))
        override(make_proposal(desk, "vpn"), category=desk.choices["wifi"])
    for _ in range(10):
        escalate(make_proposal(desk, "vpn"))
        make_proposal(desk, "password", route=Proposal.Route.AUTO)
    make_proposal(desk, "wifi")


def test_without_login_it_asks_for_one_and_without_permission_it_says_no(client: Client) -> None:
    for path in (
        reverse("review:metrics"),
        reverse("review:metrics_tickets") + "?metric=acceptance",
        reverse("review:metrics_csv", args=["acceptance"]),
    ):
        client.logout()
        assert client.get(path).status_code == 302
        client.force_login(make_user(f"tom{len(path)}", "review.add_decision"))
        assert client.get(path).status_code == 403


def test_a_month_shows_where_automation_helps_and_hurts(lead: Client) -> None:
    make_month()

    html = page(lead, **MARCH)

    hurts, helps = html.split("Automation helps here")
    assert re.search(r"Network › VPN</a> <span>accepted 0 % of 20, elsewhere 100 %", hurts)
    assert re.search(r"Network › VPN</a> <span>escalated later 33 % of 30, elsewhere 0 %", hurts)
    assert re.search(r"Password</a> <span>accepted 100 % of 20, elsewhere 0 %", helps)
    assert "1 Mar 2026 to 31 Mar 2026, UTC" in html


def test_every_report_has_its_meaning_its_table_and_its_export(lead: Client) -> None:
    make_month()

    # At a glance, and the pages of the other questions.
    html = page(lead, **MARCH)
    html += "".join(lead.get(one.url, MARCH).content.decode() for one in SECTIONS.values())

    for key, definition in DEFINITIONS.items():
        assert str(definition.name) in html
        assert str(definition.caveat).replace("'", "&#x27;") in html
        assert reverse("review:metrics_csv", args=[key]) in html
        assert reverse("review:definition", args=[key, definition.version]) in html
    assert html.count("Definition, version 1") >= len(DEFINITIONS)


def test_charts_get_their_figures_as_data_and_no_script_stands_in_the_page(lead: Client) -> None:
    make_month()

    html = page(lead, **MARCH)

    data = dict(re.findall(r'<script id="([^"]+)" type="application/json">(.*?)</script>', html))
    shares = json.loads(data["chart-untouched"])
    assert sum(map(sum, (series["counts"] for series in shares["series"]))) == 61
    assert set(data) >= {"chart-acceptance", "chart-escalated-despite-automation"}
    assert re.findall(r"<script(?![^>]*(?:src=|application/json))", html) == []
    assert re.findall(r"\sstyle=|\son\w+=|<style", html) == []


def test_below_the_minimum_it_says_too_few_instead_of_a_rate(lead: Client) -> None:
    desk = make_desk()
    for _ in range(9):
        accept(make_proposal(desk))

    html = page(lead, **MARCH)

    assert "too few (9)" in html
    assert "100 %</a>" not in html
    accept(make_proposal(desk))
    assert "too few (9)" not in page(lead, **MARCH)


def test_without_proposals_or_decisions_it_says_so(lead: Client) -> None:
    assert "No proposal in this window" in page(lead)

    make_proposal(make_desk())

    html = page(lead, **MARCH)
    assert "No decision yet" in html
    assert "Nothing to count in this window" in html


def test_numbers_lead_to_the_tickets_they_count(lead: Client) -> None:
    make_month()
    html = page(lead, **MARCH)
    links = set(re.findall(r'href="(/metrics/tickets/\?[^"]+)"[^>]*>([\d,]+)</a>', html))

    for link, number in links:
        listed = plain(lead.get(link.replace("&amp;", "&")).text)
        noun = "proposal" if number == "1" else "proposals"
        assert f"{number} {noun} made from 1 Mar 2026 to 31 Mar 2026, UTC" in listed
    assert len(links) > 20


def test_a_list_links_its_tickets_and_turns_pages(lead: Client) -> None:
    desk = make_desk()
    proposals = [make_proposal(desk, at=LONG_AGO + timedelta(seconds=s)) for s in range(51)]
    path = reverse("review:metrics_tickets")
    query = {**MARCH, "metric": "untouched", "state": "untouched"}

    first = lead.get(path, query).text
    second = lead.get(path, {**query, "page": "2"}).text

    newest, oldest = proposals[-1].ticket, proposals[0].ticket
    assert f'<a href="{reverse("review:ticket", args=[newest.pk])}">' in first
    assert reverse("review:ticket", args=[oldest.pk]) not in first
    assert reverse("review:ticket", args=[oldest.pk]) in second
    assert "page 1 of 2" in first


def test_a_ticket_is_shown_as_text_wherever_its_words_come_from(lead: Client) -> None:
    desk = make_desk()
    make_proposal(desk, ticket=make_ticket(desk, subject="<script>alert(1)</script>"))
    desk.choices["vpn"].name = "<img src=x onerror=alert(1)>"
    desk.choices["vpn"].save()

    listed = lead.get(reverse("review:metrics_tickets"), {**MARCH, "metric": "untouched"}).text
    html = page(lead, **MARCH)

    assert "&lt;script&gt;alert(1)" in listed
    assert "<script>alert" not in listed
    assert "<img src=x" not in html + listed


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"from": "2026-03-02", "to": "2026-03-01"}, "The last day lies before the first."),
        ({"source": "nowhere"}, "Source: "),
        ({"days": "365"}, "Window: "),
    ],
)
def test_a_wrong_window_is_told_and_nothing_is_counted(
    lead: Client, query: dict[str, str], message: str
) -> None:
    answer = lead.get(reverse("review:metrics"), query)

    assert answer.status_code == 400
    assert message in answer.text
    assert "Nothing is counted" in answer.text


def test_an_address_that_no_figure_has_is_refused_in_words(lead: Client) -> None:
    answer = lead.get(reverse("review:metrics_tickets"), {"metric": "people"})

    assert answer.status_code == 400
    assert "names no list of tickets" in answer.text


def test_the_table_comes_as_a_file_with_absolute_links(lead: Client) -> None:
    make_month()

    answer = lead.get(reverse("review:metrics_csv", args=["acceptance"]), MARCH)

    text = answer.getvalue().decode()
    assert answer.streaming
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert 'filename="acceptance-2026-03-01-2026-03-31.csv"' in answer["Content-Disposition"]
    assert "http://testserver/metrics/tickets/?from=2026-03-01" in text
    assert text.count("\r\n") == 1 + 3 * 4
    assert lead.get(reverse("review:metrics_csv", args=["people"])).status_code == 404
    assert (
        lead.get(reverse("review:metrics_csv", args=["untouched"]), {"days": "x"}).status_code
        == 400
    )


def test_days_of_the_window_are_those_of_the_servers_clock(
    lead: Client, settings: Settings
) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    # Half past midnight on the first of March in Berlin.
    make_proposal(make_desk(), at=datetime(2026, 2, 28, 23, 30, tzinfo=UTC))

    assert "No proposal in this window" not in page(lead, **MARCH)
    assert "Europe/Berlin" in page(lead, **MARCH)
    assert "No proposal in this window" in page(lead, **FEBRUARY)


def test_the_page_costs_the_same_number_of_queries_whatever_there_is_to_show(
    lead: Client, django_assert_max_num_queries: Any
) -> None:
    make_month()
    assert rollups.catch_up()
    with django_assert_max_num_queries(25) as few:
        page(lead, **MARCH)
    other = make_desk("other")
    for main in ("vpn", "wifi", "password"):
        for _ in range(5):
            accept(make_proposal(other, main))
            override(make_proposal(other, main), team=other.choices["id"], reason="policy")
    assert rollups.catch_up()
    with django_assert_max_num_queries(len(few)):
        page(lead, **MARCH)
