"""Pages of reports that answer one question, as people and their tools get them."""

import csv
import io
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from review.metrics.registry import ENTRIES
from review.metrics.sections import SECTIONS
from review.roles import TEAM_LEAD
from tests.conftest import new_user
from tests.review.metrics.helpers import Desk, check, make_desk

pytestmark = pytest.mark.django_db
WINDOW = "from=2026-03-01&to=2026-03-31"


@pytest.fixture
def desk() -> Desk:
    return make_desk()


@pytest.fixture
def team() -> list[User]:
    return [User.objects.create_user(f"person-{number}") for number in range(6)]


@pytest.fixture
def lead(client: Client, db: None) -> Client:
    client.force_login(new_user("theo", TEAM_LEAD), "review.accounts.People")
    return client


def checked_by(desk: Desk, team: list[User], *, times: int = 24) -> None:
    for truth, final in (("vpn", "vpn"), ("vpn", "wifi"), ("wifi", "vpn"), ("wifi", "wifi")):
        for number in range(times):
            check(desk, truth=truth, final=final, first="wifi", by=team[number % len(team)])


def words(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


@pytest.mark.parametrize("slug", list(SECTIONS))
def test_every_section_has_a_page_also_without_a_single_ticket(lead: Client, slug: str) -> None:
    empty = lead.get(f"/metrics/{slug}/")

    assert empty.status_code == 200
    assert str(SECTIONS[slug].question) in words(empty)
    assert "Nothing to count in this window." in words(empty)


@pytest.mark.parametrize("slug", list(SECTIONS))
def test_a_wrong_window_is_named_and_counts_nothing(lead: Client, slug: str) -> None:
    answer = lead.get(f"/metrics/{slug}/?from=2026-03-31&to=2026-03-01")

    assert answer.status_code == 400
    assert "The last day lies before the first." in words(answer)


def test_no_table_is_offered_that_has_no_row_and_no_dot_parts_nothing(
    lead: Client, desk: Desk, team: list[User]
) -> None:
    checked_by(desk, team)

    for slug in SECTIONS:
        page = words(lead.get(f"/metrics/{slug}/?{WINDOW}"))
        assert "Table of 0 rows" not in page
        assert " · </small>" not in page


def test_the_four_corners_lead_to_their_tickets(lead: Client, desk: Desk, team: list[User]) -> None:
    checked_by(desk, team)

    page = words(lead.get(f"/metrics/reliance/?{WINDOW}"))
    listed = words(lead.get(f"/metrics/tickets/?{WINDOW}&metric=over-reliance&cell=wrong-kept"))

    assert "<b>25 %</b> 24 · waved through" in page
    assert "24 proposals made from" in listed
    assert "AI wrong, kept" in listed


def test_a_cell_that_a_metric_does_not_have_is_refused(lead: Client) -> None:
    answer = lead.get(f"/metrics/tickets/?{WINDOW}&metric=over-reliance&cell=asleep")

    assert answer.status_code == 400
    assert "This metric has no such cell." in words(answer)


def test_a_team_of_four_is_told_so_everywhere_and_shown_nowhere(
    lead: Client, desk: Desk, team: list[User]
) -> None:
    checked_by(desk, team[:4])
    secrets = ("over-reliance", "rair", "override-net-benefit", "complementarity")

    page = words(lead.get(f"/metrics/reliance/?{WINDOW}"))
    tables = {key: lead.get(f"/metrics/{key}.csv?{WINDOW}") for key in secrets}
    answers = {key: lead.get(f"/api/v1/metrics/{key}/?{WINDOW}").json() for key in secrets}

    assert "Not shown: fewer than 5 people stand behind it." in page
    for key in secrets:
        text = b"".join(tables[key].streaming_content).decode()  # type: ignore[attr-defined]
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        assert rows
        assert {row["least_people"] for row in rows} == {"5"}
        assert {row[name] for row in rows for name in ("value", "k", "n", "low")} == {""}
        figures = [
            figure
            for row in (*answers[key]["totals"], *answers[key]["rows"])
            for figure in row["figures"]
        ]
        assert figures
        for figure in figures:
            assert figure["withheld"] is True
            assert (figure["value"], figure["k"], figure["n"]) == (None, None, None)
            assert figure["tickets"] is None


def test_a_section_asks_the_same_of_the_database_however_much_was_checked(
    lead: Client, desk: Desk, team: list[User]
) -> None:
    checked_by(desk, team, times=1)
    lead.get(f"/metrics/reliance/?{WINDOW}")
    with CaptureQueriesContext(connection) as few:
        lead.get(f"/metrics/reliance/?{WINDOW}")
    checked_by(desk, team, times=12)
    lead.get(f"/metrics/reliance/?{WINDOW}")
    with CaptureQueriesContext(connection) as many:
        lead.get(f"/metrics/reliance/?{WINDOW}")

    assert len(many) == len(few) <= 40


def test_each_report_is_on_a_page() -> None:
    shown = {shown.key for section in SECTIONS.values() for shown in section.shown}
    at_a_glance = {key for key in ENTRIES if ENTRIES[key].rows is None}

    assert shown | at_a_glance == set(ENTRIES)
