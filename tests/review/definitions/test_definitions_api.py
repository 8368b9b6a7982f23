"""Definitions as JSON: what is in force, what teams made, and never a ballot."""

import json

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from review.metrics import votes
from review.metrics.definitions import DEFINITIONS
from tests.review.definitions.world import KEY, active, make_team, proposed, voted
from tests.review.helpers import make_user

pytestmark = pytest.mark.django_db
METRICS = "/api/v1/metrics/"
MADE = f"{METRICS}definitions/"


@pytest.fixture
def reader(client: Client, auditor: User) -> Client:
    client.force_login(auditor)
    return client


def test_the_list_of_metrics_has_what_is_in_force(reader: Client, team_lead: User) -> None:
    active(make_team(), team_lead)

    found = {one["key"]: one for one in reader.get(METRICS).json()}

    assert list(found) == list(DEFINITIONS)
    assert (found[KEY]["version"], found[KEY]["is_ratified"]) == (2, True)
    assert found[KEY]["parameters"] == [
        {"name": "outcome_days", "value": 14, "unit": "days", "least": 1, "most": 90}
    ]
    assert (found["acceptance"]["version"], found["acceptance"]["min_people"]) == (1, 5)


def test_versions_of_teams_are_listed_newest_first_and_narrowed(
    reader: Client, team_lead: User
) -> None:
    team = make_team()
    active(team, team_lead)
    voted(team, 2, 1, key="acceptance")
    proposed(team[1], min_n=77)

    def listed(query: str = "") -> list[tuple[str, int, str]]:
        rows = reader.get(f"{MADE}{query}").json()["results"]
        return [(r["meaning"]["key"], r["meaning"]["version"], r["status"]) for r in rows]

    everything = [(KEY, 3, "proposed"), ("acceptance", 2, "voted"), (KEY, 2, "active")]
    assert listed() == everything
    assert listed("?status=active") == everything[2:]
    assert listed(f"?key={KEY}") == [everything[0], everything[2]]
    assert listed("?limit=1") == everything[:1]
    following = reader.get(f"{MADE}?limit=1").json()["next"]
    assert reader.get(following).json()["results"][0]["meaning"]["key"] == "acceptance"
    assert reader.get(f"{MADE}?status=open").status_code == 400
    assert reader.get(f"{MADE}?voter=1").status_code == 400


def test_one_version_has_its_comments_and_when_it_was_in_force(
    reader: Client, team_lead: User
) -> None:
    team = make_team()
    row = active(team, team_lead)

    found = reader.get(f"{MADE}{KEY}/2/").json()

    assert found["meaning"]["min_n"] == DEFINITIONS[KEY].min_n
    assert (found["status"], found["made"]["activated_by"]["name"]) == ("active", "theo")
    assert [one["text"] for one in found["comments"]] == ["A week is too short."]
    assert found["comments"][0]["author"]["name"] == "tech0"
    assert row.activated_at is not None
    assert [(one["start"] is None, one["end"]) for one in found["in_force"]] == [(False, None)]
    service = reader.get(f"{MADE}{KEY}/1/").json()
    assert (service["made"], service["status"], service["comments"]) == (None, "retired", [])
    for wrong in (f"{KEY}/9/", f"{KEY}/{'9' * 30}/", "nothing/1/"):
        assert reader.get(f"{MADE}{wrong}").status_code == 404


def test_no_answer_tells_how_anybody_voted(reader: Client) -> None:
    team = make_team()
    few, enough = voted(team, 2, 1), voted(team, 4, 2, key="acceptance")
    still = proposed(team[0], key="untouched")
    votes.open_vote(still.pk, by=team[0])
    votes.vote(still.pk, by=team[5], says_yes=False, reason="unclear")

    found = {one["id"]: one for one in reader.get(MADE).json()["results"]}

    assert [found[few.pk]["vote"][name] for name in ("yes", "no", "needed")] == [None, None, 5]
    assert [found[enough.pk]["vote"][name] for name in ("yes", "no")] == [4, 2]
    assert [found[still.pk]["vote"][name] for name in ("yes", "no", "needed")] == [None] * 3
    text = json.dumps([*found.values(), reader.get(f"{MADE}untouched/2/").json()])
    assert "tech5" not in text
    assert "unclear" not in text


def test_only_who_may_read_decisions_reads_definitions(client: Client) -> None:
    assert client.get(MADE).status_code in (401, 403)
    client.force_login(make_user("guest"))
    assert client.get(MADE).status_code == 403
    assert client.get(f"{MADE}{KEY}/1/").status_code == 403


def test_a_page_of_the_list_costs_the_same_however_long(reader: Client) -> None:
    team = make_team()
    reader.get(MADE)
    counts = []
    for start in (0, 10):
        for number in range(1 + start):
            proposed(team[number % 6], min_n=100 + start + number)
        with CaptureQueriesContext(connection) as queries:
            reader.get(MADE)
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 5
