"""The list of versions, and what leads to it."""

import re
from collections.abc import Callable
from datetime import timedelta
from math import ceil

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from review import recalled
from review.metrics import co_creation, votes
from review.metrics.definitions import DEFINITIONS
from review.models import DefinitionComment, MetricDefinition
from tests.emptying import forget_cached
from tests.review.definitions.world import (
    WHERE,
    active,
    make_team,
    page,
    path,
    proposed,
    voted,
)

pytestmark = pytest.mark.django_db
MOST_QUERIES = {"list": 5, "page": 11}
As = Callable[[User], Client]


def test_the_list_has_every_version_and_is_narrowed_in_the_address(
    as_: As, team_lead: User
) -> None:
    team = make_team()
    active(team, team_lead)
    waiting = voted(team, key="acceptance", purpose="To see zqpurposezq.", min_n=12)
    client = as_(team_lead)

    def listed(query: str) -> list[str]:
        found = re.findall(r'class="subject" href="/metrics/definitions/([^"]+)/"', page(
            client, f"{WHERE}{query}"
        ))  # fmt: skip
        return [str(one) for one in found]

    every = [key for number in (1, 2) for key in listed(f"?page={number}")]
    assert len(set(every)) == len(DEFINITIONS) + 2
    assert listed("?status=active")[0] == "reopened/2"
    assert "reopened/1" not in listed("?status=active")
    assert listed("?status=retired") == ["reopened/1"]
    assert listed("?status=voted") == [f"acceptance/{waiting.version}"]
    assert listed("?status=proposed") == listed("?status=discussed") == []
    assert listed("?q=zqPurposezq") == ["acceptance/2"]
    assert listed("?q=came+back") == ["reopened/2", "reopened/1"]
    assert listed("?status=nonsense&q=\0") == listed("")
    assert "No definition matches this filter." in page(client, f"{WHERE}?q=zqnothingzq")


def test_the_list_is_paged_across_what_teams_made_and_what_came_with_the_service(
    as_: As, technician: User
) -> None:
    for number in range(30):
        proposed(technician, min_n=100 + number)
    client = as_(technician)

    pages = ceil((30 + len(DEFINITIONS)) / 25)
    first = page(client, WHERE)
    last = page(client, f"{WHERE}?page={pages}&status=")

    assert (first.count('class="subject"'), f"page 1 of {pages}" in first) == (25, True)
    assert last.count('class="subject"') == (30 + len(DEFINITIONS) - 1) % 25 + 1
    assert f"page {pages} of {pages}" in page(client, f"{WHERE}?page=99999999")


def test_legitimacy_stands_above_the_list(as_: As, team_lead: User) -> None:
    active(make_team(), team_lead)

    html = page(as_(team_lead), WHERE)

    assert f"1 of {len(DEFINITIONS)} definitions in force were ratified by a vote" in html
    assert "The last vote closed just now." in html


@pytest.mark.parametrize("many", [1, 12])
def test_pages_ask_for_the_same_however_much_there_is(
    as_: As, technician: User, team_lead: User, many: int
) -> None:
    team = make_team()
    row = active(team, team_lead)
    votes_on = proposed(technician, min_n=50)
    for number in range(many):
        person = team[number % 6]
        proposed(person, min_n=60 + number)
        co_creation.comment(votes_on.pk, by=person, text=f"Word {number}.")
    votes.open_vote(votes_on.pk, by=technician)
    client = as_(technician)
    for address, most in ((WHERE, "list"), (path(row), "page"), (path(votes_on), "page")):
        page(client, address)
        with CaptureQueriesContext(connection) as queries:
            page(client, address)

        assert len(queries) <= MOST_QUERIES[most], [one["sql"][:90] for one in queries]


def test_a_long_discussion_is_paged(as_: As, technician: User) -> None:
    row = proposed(technician)
    DefinitionComment.objects.bulk_create(
        DefinitionComment(definition=row, author=technician, text=f"w{n}", at=timezone.now())
        for n in range(30)
    )

    assert "page 1 of 2" in page(as_(technician), path(row))
    assert "w29" in page(as_(technician), f"{path(row)}?page=2")


def test_an_open_vote_is_news_and_rings_the_bell(as_: As, technician: User, ai_owner: User) -> None:
    forget_cached()
    User.objects.update(date_joined=timezone.now() - timedelta(days=40))
    row = proposed(ai_owner)
    votes.open_vote(row.pk, by=ai_owner)
    client = as_(technician)

    assert ">2<" in page(client, "/news/count/")
    html = page(client, "/news/")
    assert "Vote on version 2 of the metric “Came back”, by olivia." in html
    assert f'href="{path(row)}"' in html
    assert page(client, "/news/count/").strip() == ""


def test_a_metric_that_is_gone_keeps_its_news_without_a_link(
    as_: As, technician: User, ai_owner: User
) -> None:
    row = proposed(ai_owner)
    MetricDefinition.objects.filter(pk=row.pk).update(key="gone")

    html = page(as_(technician), "/news/")

    assert "Version 2 of the metric “gone” is proposed" in html
    assert "/metrics/definitions/gone" not in html
    assert "gone" not in page(as_(technician), WHERE)


def test_the_tickets_behind_a_figure_name_what_is_in_force(
    as_: As, technician: User, team_lead: User
) -> None:
    row = voted(make_team(), yes=2, caveat="Weekends count, zqcaveatzq.")
    co_creation.activate(row.pk, by=team_lead, instead_of=1, because="The audit asks for it.")
    recalled.forget()

    html = page(as_(technician), "/metrics/tickets/?metric=reopened")

    assert "zqcaveatzq" in html
    assert "not ratified by vote</b>: The audit asks for it." in html
