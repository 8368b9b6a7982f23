"""Before and now as people and their tools get it: page, lists, table and API."""

import csv
import io
from dataclasses import replace
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from review.metrics import definitions
from review.metrics.findings import Finding, findings
from review.metrics.kpis import agreeing, listing
from review.metrics.kpis.board import Board
from review.metrics.kpis.measures import MEASURES, REASSIGNED
from review.metrics.report import Report
from review.models import KpiTarget
from review.roles import AI_OWNER, AUDITOR, TEAM_LEAD, TECHNICIAN
from tests.conftest import new_user
from tests.review.metrics.helpers import (
    NOW,
    Desk,
    make_desk,
    make_scope,
)
from tests.review.metrics.kpi_world import (
    SINCE,
    compared,
    make_past,
)

pytestmark = pytest.mark.django_db
PAGE = "/metrics/kpis/"
MARCH = "from=2026-03-01&to=2026-03-31"


@pytest.fixture
def now() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def desk(now: None) -> Desk:
    return make_desk()


@pytest.fixture
def lead(desk: Desk) -> User:
    return new_user("theo", TEAM_LEAD)


@pytest.fixture
def window(client: Client, lead: User) -> Client:
    client.force_login(lead, "review.accounts.People")
    return client


def words(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def test_the_page_says_what_is_better_and_that_it_is_no_experiment(
    window: Client, desk: Desk, lead: User
) -> None:
    compared(desk, lead)
    agreeing.set_target(desk.source, REASSIGNED, direction="most", value=0.2, why="agreed", by=lead)

    page = words(window.get(f"{PAGE}?{MARCH}"))

    assert "This is no experiment." in page
    assert "lower than before" in page
    assert "at most 20 %" in page
    assert "target met" in page
    assert "set after automation began" in page
    assert "12 of 40" in page
    assert 'data-chart="kpi-' in page


def test_what_is_better_than_before_is_told_at_a_glance_and_leads_to_its_tickets(
    window: Client, desk: Desk, lead: User
) -> None:
    compared(desk, lead)

    answer = window.get(f"/metrics/?{MARCH}")

    (found,) = answer.context["helps"]
    assert found["name"] == desk.source.name
    assert found["text"].replace("\N{NO-BREAK SPACE}", " ") == (
        "Reassigned: 5 % of 40, before automation 30 %"
    )
    assert not answer.context["hurts"]
    assert words(window.get(found["href"])).count('<th scope="row">') == 2


def test_what_is_worse_than_before_hurts(desk: Desk, lead: User) -> None:
    board = compared(desk, lead)
    turned = [
        replace(line, now=line.before, before=line.now) for line in board.lines if line.before
    ]

    found = of_boards(replace(board, lines=turned))

    assert [(one.name, one.helps) for one in found] == [(desk.source.name, False)]
    assert of_boards(board)[0].helps


def test_what_was_measured_in_another_way_is_not_compared(desk: Desk, lead: User) -> None:
    board = compared(desk, lead)
    apart = [replace(line, difference=None, is_apart=True) for line in board.lines]

    assert of_boards(replace(board, lines=apart)) == []


def of_boards(*boards: Board) -> list[Finding]:
    told = (definitions.ACCEPTANCE, definitions.ESCALATED, definitions.REOPENED)
    acceptance, escalated, reopened = (Report(one, make_scope(), (), (), (), (), 0) for one in told)
    return findings(acceptance, escalated, reopened, boards)


def test_an_empty_service_has_a_page(window: Client) -> None:
    page = words(window.get(PAGE))

    assert "no baseline" in page
    assert "Automation has not begun" in page


def test_a_wrong_window_is_named(window: Client) -> None:
    answer = window.get(f"{PAGE}?from=2026-03-31&to=2026-03-01")

    assert answer.status_code == 400
    assert "The last day lies before the first." in words(answer)


def test_a_lead_takes_a_baseline_and_sets_a_target_on_the_page(window: Client, desk: Desk) -> None:
    make_past(desk)

    answer = window.post(f"{PAGE}baseline", {"source": "norvik"}, follow=True)
    assert "The baseline of Norvik is taken, from 40 tickets." in words(answer)
    asked = {"source": "norvik", "metric": "time-to-resolve", "direction": "most", "value": "3"}
    answer = window.post(f"{PAGE}target", {**asked, "why": "as agreed"}, follow=True)
    assert "The target is set." in words(answer)

    assert KpiTarget.objects.get().value == 3 * 3600
    again = window.post(f"{PAGE}baseline", {"source": "norvik"})
    assert again.status_code == 409
    assert "taken already" in words(again)


@pytest.mark.parametrize(
    ("over", "said"),
    [
        ({"value": "101"}, "A share is at most 100 percent."),
        ({"value": "nan"}, "Enter a number."),
        ({"value": "-1"}, "greater than or equal to 0"),
        ({"why": " "}, "Say why this much."),
        ({"metric": "person"}, "not one of the available choices"),
        ({"source": "elsewhere"}, "not one of the available choices"),
        ({"metric": "time-to-resolve", "value": "9000"}, "At most a year"),
    ],
)
def test_a_target_that_makes_no_sense_is_refused_at_its_field(
    window: Client, over: dict[str, str], said: str
) -> None:
    asked = {"source": "norvik", "metric": "reassigned", "direction": "most", "value": "20"}

    answer = window.post(f"{PAGE}target", {**asked, "why": "agreed", **over})

    assert answer.status_code == 422
    assert said in words(answer)
    assert not KpiTarget.objects.exists()


@pytest.mark.parametrize(
    ("role", "status"), [(TECHNICIAN, 403), (AUDITOR, 403), (TEAM_LEAD, 302), (AI_OWNER, 302)]
)
def test_everybody_who_sees_metrics_reads_and_two_roles_agree(
    client: Client, desk: Desk, role: str, status: int
) -> None:
    client.force_login(new_user("robin", role), "review.accounts.People")
    asked = {"source": "norvik", "metric": "reassigned", "direction": "most", "value": "20"}

    page = client.get(PAGE)
    sent = client.post(f"{PAGE}target", {**asked, "why": "agreed"})

    assert page.status_code == 200
    assert ("Set a target" in words(page)) == (status == 302)
    assert sent.status_code == status


def test_the_table_and_the_api_have_the_figures_of_the_page(
    window: Client, desk: Desk, lead: User
) -> None:
    compared(desk, lead)
    agreeing.set_target(desk.source, REASSIGNED, direction="most", value=0.2, why="=1+1", by=lead)

    text = b"".join(window.get(f"/metrics/kpis.csv?{MARCH}").streaming_content).decode()  # type: ignore[attr-defined]
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    (told,) = window.get(f"/api/v1/metrics/kpis/?{MARCH}").json()

    moved = {row["figure"]: row for row in rows if row["metric"] == "reassigned"}
    assert (moved["before"]["k"], moved["now"]["k"], moved["now"]["n"]) == ("12", "2", "40")
    assert (moved["target"]["value"], moved["target"]["verdict"]) == ("0.2", "met")
    assert moved["target"]["why"] == "'=1+1"
    kpi = {each["metric"]: each for each in told["kpis"]}
    assert set(kpi) == set(MEASURES)
    assert (kpi["reassigned"]["now"]["k"], kpi["reassigned"]["verdict"]) == (2, "met")
    assert kpi["reassigned"]["before"]["value"] == 0.3
    listed = words(window.get(kpi["reassigned"]["now"]["tickets"]))
    assert listed.count('<th scope="row">') == 2
    assert window.get("/api/v1/metrics/kpis/?source=x").status_code == 400
    assert window.get("/metrics/kpis.csv?source=x").status_code == 400


def test_the_tickets_of_a_figure_open_and_wrong_addresses_are_refused(
    window: Client, desk: Desk, lead: User
) -> None:
    board = compared(desk, lead)
    days = board.lines[0].days
    assert days is not None
    href = listing.link(desk.source, REASSIGNED, days)

    page = window.get(href)
    first = page.content.decode().partition('<th scope="row"><a href="')[2].partition('"')[0]

    assert window.get(first).status_code == 200
    assert window.get(f"{href}&at=nonsense").status_code == 200
    for wrong in ("metric=person", "hit=no", "from=1066-01-01", "source=x", "before="):
        assert window.get(f"{href}&{wrong}").status_code == 400, wrong
    assert window.get("/metrics/kpis/tickets/").status_code == 400


def test_the_page_asks_the_same_of_the_database_however_many_tickets_there_are(
    window: Client, desk: Desk, lead: User
) -> None:
    compared(desk, lead)
    window.get(f"{PAGE}?{MARCH}")
    with CaptureQueriesContext(connection) as few:
        window.get(f"{PAGE}?{MARCH}")
    make_past(desk, opened_at=SINCE)
    make_desk("elsewhere")
    window.get(f"{PAGE}?{MARCH}")
    with CaptureQueriesContext(connection) as many:
        window.get(f"{PAGE}?{MARCH}")

    assert len(many) == len(few) <= 25
