"""No path shows a person's figure, or a small group's, to anybody else: all of them are walked."""

import re
from collections.abc import Iterator
from itertools import count

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import NoReverseMatch, reverse

from review.metrics.definitions import DEFINITIONS
from review.metrics.registry import ENTRIES
from review.models import Decision
from review.roles import AI_OWNER, AUDITOR, ROLES, TEAM_LEAD, TECHNICIAN
from tests.browser.walk import addresses, pages
from tests.conftest import new_user
from tests.review.metrics import helpers
from tests.review.metrics.helpers import Desk, check, make_desk
from triage.models import Ticket

pytestmark = pytest.mark.django_db
WINDOW = "from=2026-03-01&to=2026-03-31"
# What one of four people decided, and what all four waved through: numbers that nothing else has.
OWN, WAVED = 113, 37
TABLES = (
    "triage_ticket",
    "triage_ticketversion",
    "triage_proposal",
    "triage_proposedvalue",
    "triage_prediction",
    "review_decision",
    "review_decidedvalue",
    "review_spotcheck",
    "review_truth",
    "auth_user",
    "triage_source",
)
ABOUT_PEOPLE = [key for key, definition in DEFINITIONS.items() if definition.is_about_people]


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Every number of a row is far from those that are looked for."""
    monkeypatch.setattr(helpers, "numbers", count(500_000))
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), 500000)")
    return make_desk()


@pytest.fixture
def zelda(desk: Desk) -> User:
    """One of four. Between them they decided 150 proposals, 37 of 39 wrong ones waved through."""
    zelda = new_user("zelda", TECHNICIAN, first_name="Zelda", last_name="Quirk")
    others = [new_user(f"other-{number}", TECHNICIAN) for number in range(3)]
    for number in range(WAVED):
        check(desk, truth="wifi", final="vpn", first="wifi", by=zelda if number else others[0])
    check(desk, truth="wifi", final="wifi", first="wifi", by=others[1])
    check(desk, truth="wifi", final="wifi", first="wifi", by=others[2])
    for _ in range(OWN - WAVED + 1):
        check(desk, truth="vpn", final="vpn", first="vpn", by=zelda)
    for number in range(34):
        check(desk, truth="vpn", final="vpn", first="vpn", by=others[number % 3])
    assert Decision.objects.filter(reviewer=zelda).count() == OWN
    return zelda


def seen(html: str) -> str:
    """The words of a page, without what only machines read."""
    html = re.sub(r"<(script|style|head|svg).*?</\1>", " ", html, flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def tells(text: str) -> list[str]:
    numbers = (str(OWN), f"{WAVED} of 39", f"{WAVED} · waved through")
    return [each for each in numbers if re.search(rf"(?<![\w:.-]){each}(?![\w:.-])", text)]


def admin_pages() -> Iterator[str]:
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        yield reverse(f"{name}_changelist")
        row = model._default_manager.order_by("-pk").first()
        if row is not None:
            try:
                yield reverse(f"{name}_change", args=[row.pk])
            except NoReverseMatch:
                continue


@pytest.mark.parametrize("role", ROLES)
def test_no_page_table_or_answer_tells_a_small_groups_figures(zelda: User, role: str) -> None:
    viewer = new_user("viewer", role)
    client = Client()
    client.force_login(viewer, "review.accounts.People")
    ticket = Ticket.objects.latest("pk")
    told: dict[str, list[str]] = {}

    def look(path: str, text: str) -> None:
        if found := tells(text):
            told[path] = found

    walked = 0
    for address, html in pages(client, addresses(ticket, viewer)):
        walked += 1
        look(address.path, seen(html))
    for group in ("category", "model", "source"):
        for path in ("/metrics/", "/metrics/reliance/"):
            look(
                f"{path} by {group}",
                seen(client.get(f"{path}?{WINDOW}&group={group}").content.decode()),
            )
        for key in ABOUT_PEOPLE:
            table = client.get(f"/metrics/{key}.csv?{WINDOW}&group={group}")
            look(f"{key}.csv", b"".join(table.streaming_content).decode())  # type: ignore[attr-defined]
            answer = client.get(f"/api/v1/metrics/{key}/?{WINDOW}&group={group}")
            assert answer.status_code == 200
            look(f"{key} by the API", answer.content.decode())
    for key in ABOUT_PEOPLE:
        for cell in ENTRIES[key].cells:
            listed = client.get(f"/metrics/tickets/?{WINDOW}&metric={key}&cell={cell}")
            assert listed.status_code == 403, (key, cell)
            look(f"tickets of {key} {cell}", seen(listed.content.decode()))
    for path in admin_pages():
        answer = client.get(path)
        assert answer.status_code < 500
        look(path, seen(answer.content.decode()))

    assert walked >= 10
    assert told == {}


@pytest.mark.parametrize("role", [AI_OWNER, TEAM_LEAD, AUDITOR])
def test_nothing_can_be_listed_by_person(zelda: User, role: str) -> None:
    client = Client()
    client.force_login(new_user("viewer", role), "review.accounts.People")
    own = f"{zelda.pk}"

    by_person = client.get(f"/admin/review/decision/?reviewer__id__exact={own}")
    by_actor = client.get(f"/admin/triage/ledgerentry/?actor=user:{own}")
    history = seen(client.get(f"/history/?reviewer={own}").content.decode())
    decisions = client.get(f"/api/v1/decisions/?reviewer={own}")

    assert by_person.status_code == 400
    assert by_actor.status_code == 400
    assert "Zelda" in history
    assert "other-" in history
    assert "count" not in decisions.json()


def test_own_figures_are_ones_own_and_begin_at_a_hundred(zelda: User) -> None:
    mine, theirs = Client(), Client()
    mine.force_login(zelda, "review.accounts.People")
    theirs.force_login(User.objects.get(username="other-0"), "review.accounts.People")

    shown = seen(mine.get(f"/own/figures/?user={zelda.pk}").content.decode())
    other = seen(theirs.get(f"/own/figures/?user={zelda.pk}").content.decode())

    assert f"of {OWN}" in shown
    assert f"{WAVED - 1} cases so far; {101 - WAVED} more until there is a rate." in shown
    assert f"of {OWN}" not in other
    assert "more until there is a rate." in other


def test_who_does_not_decide_has_no_figures_and_everybody_reads_what_is_kept(zelda: User) -> None:
    for role in (TEAM_LEAD, AUDITOR):
        client = Client()
        client.force_login(new_user(f"viewer-{role}", role), "review.accounts.People")
        assert client.get("/own/figures/").status_code == 403
        page = client.get("/own/recorded/")
        assert page.status_code == 200
        assert "never added up" in seen(page.content.decode())
