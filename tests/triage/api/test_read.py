"""Reading tickets and proposals: access, filters, pages, shapes, and what they cost."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from knox.models import AuthToken

from tests.conftest import OPENED, new_ticket
from tests.triage.api.conftest import LISTS, Propose, ids, with_token
from triage.models import (
    Proposal,
    Source,
    Ticket,
)

pytestmark = pytest.mark.django_db


# --- Access ---------------------------------------------------------------------------------
@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, 401),
        ("Token", 401),
        ("Token a b", 401),
        ("Token nobody-has-this-one", 401),
        ("Token \xff\xfe", 401),
        ("Token a\0b", 401),
        ("Basic bWF5YTpzZWNyZXQ=", 401),
    ],
)
def test_without_a_live_token_it_is_401(
    client: Client, name: str, header: str | None, code: int
) -> None:
    headers = {} if header is None else {"Authorization": header}

    answer = client.get(f"/api/v1/{name}/", headers=headers)

    assert answer.status_code == code
    assert answer["WWW-Authenticate"] == "Token"


def test_an_expired_token_is_401(technician: User, client: Client) -> None:
    _, token = AuthToken.objects.create(technician, expiry=timedelta(seconds=-1))

    answer = client.get("/api/v1/tickets/", headers={"Authorization": f"Token {token}"})

    assert answer.status_code == 401


@pytest.mark.parametrize("name", LISTS)
def test_without_the_permission_it_is_403(make_user: Callable[..., User], name: str) -> None:
    asking = with_token(make_user("nobody"))

    codes = [asking.get(f"/api/v1/{name}/{rest}").status_code for rest in ("", "1/", "?x=1")]

    assert codes == [403, 403, 403]


@pytest.mark.parametrize("role", ["technician", "ai_owner", "team_lead", "auditor"])
@pytest.mark.parametrize("name", LISTS)
def test_every_role_may_read_with_a_session(
    request: pytest.FixtureRequest, client: Client, role: str, name: str
) -> None:
    client.force_login(request.getfixturevalue(role), "django.contrib.auth.backends.ModelBackend")

    assert client.get(f"/api/v1/{name}/").status_code == 200


# --- Filters --------------------------------------------------------------------------------
def test_tickets_come_newest_received_first(asking: Client, source: Source) -> None:
    made = [new_ticket(source).pk for _ in range(3)]

    assert ids(asking.get("/api/v1/tickets/")) == made[::-1]


def test_tickets_are_filtered(
    asking: Client, source: Source, make_source: Callable[..., Source], propose: Propose
) -> None:
    other = make_source(slug="other")
    early = new_ticket(source, external_id="A", opened_at=OPENED - timedelta(days=2))
    bob = new_ticket(source, external_id="B", requester="bob@example.org")
    elsewhere = new_ticket(other, external_id="A")
    waiting = propose(source).ticket

    found = {
        query: set(ids(asking.get(f"/api/v1/tickets/?{query}")))
        for query in (
            "source=other",
            "external_id=A",
            "source=desk&external_id=A",
            "requester=bob@example.org",
            "opened_before=2026-03-01T00:00:00Z",
            "source=desk&opened_after=2026-03-02T09:30:00Z",
            "opened_after=2026-03-02T10:30:00%2B01:00&requester=bob@example.org",
            "opened_after=2026-03-02T09:30:01Z",
            "waiting=true",
            "waiting=false",
        )
    }

    assert list(found.values()) == [
        {elsewhere.pk},
        {early.pk, elsewhere.pk},
        {early.pk},
        {bob.pk},
        {early.pk},
        {bob.pk, waiting.pk},
        {bob.pk},
        set(),
        {waiting.pk},
        {early.pk, bob.pk, elsewhere.pk},
    ]


def test_proposals_are_filtered(
    asking: Client, source: Source, make_source: Callable[..., Source], propose: Propose
) -> None:
    network, access = propose(source), propose(source, values={"category": "access"})
    held = propose(source)
    Proposal.objects.filter(pk=held.pk).update(route=Proposal.Route.HOLD)
    network.waiting.delete()
    make_source(slug="other")

    found = {
        query: set(ids(asking.get(f"/api/v1/proposals/?{query}")))
        for query in (
            "source=desk",
            "source=other",
            "choice=network",
            "choice=access&source=desk",
            "choice=infrastructure",
            "route=hold",
            "route=auto",
            "waiting=true",
            "waiting=no",
        )
    }

    assert list(found.values()) == [
        {network.pk, access.pk, held.pk},
        set(),
        {network.pk, held.pk},
        {access.pk},
        {network.pk, held.pk},
        {held.pk},
        set(),
        {access.pk, held.pk},
        {network.pk},
    ]


@pytest.mark.parametrize(
    ("path", "name", "said"),
    [
        ("tickets/?limit=0", "limit", ["greater than or equal to 1", "'0'"]),
        ("tickets/?limit=201", "limit", ["less than or equal to 200", "'201'"]),
        ("tickets/?limit=many", "limit", ["valid integer", "'many'"]),
        ("tickets/?cursor=-1", "cursor", ["greater than or equal to 1", "'-1'"]),
        (f"tickets/?cursor={2**63}", "cursor", ["less than or equal to"]),
        (f"tickets/?cursor={'9' * 5000}", "cursor", ["too large"]),
        ("tickets/?source=nowhere", "source", ["no such source", "'nowhere'"]),
        ("tickets/?source=%00", "source", ["ull characters"]),
        ("tickets/?external_id=", "external_id", ["may not be blank", "''"]),
        ("tickets/?requester=a%00b", "requester", ["ull characters"]),
        ("tickets/?opened_after=yesterday", "opened_after", ["wrong format", "'yesterday'"]),
        ("tickets/?opened_after=1969-12-31T00:00:00Z", "opened_after", ["1970 to 2100"]),
        ("tickets/?opened_after=0001-01-01T00:00:00%2B14:00", "opened_after", ["out of range"]),
        ("tickets/?waiting=perhaps", "waiting", ["valid boolean", "'perhaps'"]),
        ("tickets/?wating=true", "wating", ["no such parameter", "waiting"]),
        ("tickets/?limit=1&limit=2", "limit", ["once", "2 times"]),
        ("proposals/?choice=nothing", "choice", ["no such choice", "'nothing'"]),
        ("proposals/?route=shadow", "route", ["not a valid choice", "shadow"]),
        ("decisions/?verdict=accept", "verdict", ["not a valid choice", "accept"]),
        ("decisions/?since=2026-13-01", "since", ["wrong format", "'2026-13-01'"]),
        ("decisions/?proposal=one", "proposal", ["valid integer", "'one'"]),
    ],
)
def test_a_bad_value_is_400_and_names_parameter_rule_and_what_came(
    asking: Client, path: str, name: str, said: list[str]
) -> None:
    answer = asking.get(f"/api/v1/{path}")

    assert answer.status_code == 400
    message = " ".join(answer.json()[name])
    assert [part for part in said if part not in message] == []


# --- Pages ----------------------------------------------------------------------------------
def test_pages_follow_each_other_without_gap_or_repeat(asking: Client, source: Source) -> None:
    made = [new_ticket(source).pk for _ in range(7)]

    pages, link = [], "/api/v1/tickets/?limit=3&source=desk"
    while link:
        answer = asking.get(link)
        pages.append(ids(answer))
        link = answer.json()["next"]
        new_ticket(source)  # What comes in meanwhile moves nothing.

    assert [len(page) for page in pages] == [3, 3, 1]
    assert sum(pages, []) == made[::-1]


def test_a_page_has_50_rows_unless_asked_and_at_most_200(asking: Client, source: Source) -> None:
    Ticket.objects.bulk_create(
        Ticket(source=source, external_id=str(n), version=1, subject="x", opened_at=OPENED)
        for n in range(210)
    )

    answers = [asking.get(f"/api/v1/tickets/{query}") for query in ("", "?limit=200")]

    assert [len(ids(answer)) for answer in answers] == [50, 200]
    assert all(answer.json()["next"] for answer in answers)


def test_exactly_one_page_has_no_next(asking: Client, source: Source) -> None:
    for _ in range(3):
        new_ticket(source)

    assert asking.get("/api/v1/tickets/?limit=3").json()["next"] is None


@pytest.mark.parametrize(
    "path",
    [
        "tickets/",
        "tickets/?waiting=true&source=desk",
        "proposals/",
        "proposals/?choice=network",
    ],
)
def test_a_list_costs_the_same_queries_for_1_row_and_for_40(
    asking: Client, source: Source, propose: Propose, path: str
) -> None:
    propose(source)
    with CaptureQueriesContext(connection) as one:
        asking.get(f"/api/v1/{path}")
    for _ in range(39):
        propose(source)
    with CaptureQueriesContext(connection) as forty:
        answer = asking.get(f"/api/v1/{path}")

    assert len(ids(answer)) == 40
    assert len(forty) == len(one) <= 9
