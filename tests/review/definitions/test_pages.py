"""The pages on which a team agrees on what its metrics mean."""

import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from review.metrics import votes
from review.models import Ballot, DefinitionComment, MetricDefinition
from tests.review.definitions.world import (
    KEY,
    WHERE,
    active,
    draft,
    make_team,
    page,
    path,
    proposed,
    voted,
)

pytestmark = pytest.mark.django_db
SERVICE = f"{WHERE}{KEY}/1/"
PROPOSE = f"{WHERE}{KEY}/propose/"
As = Callable[[User], Client]


def form(**over: object) -> dict[str, object]:
    one = draft()
    return {
        "purpose": one.purpose,
        "caveat": one.caveat,
        "audience": one.audience.value,
        "min_n": one.min_n,
        "min_people": one.min_people,
        "parameter-outcome_days": 14,
        "why": "A week is too short.",
        **over,
    }


def test_a_team_walks_the_whole_way_on_the_pages(
    as_: As, technician: User, team_lead: User
) -> None:
    team = make_team()
    answer = as_(technician).post(PROPOSE, form(), follow=True)
    row = MetricDefinition.objects.get()
    assert answer.redirect_chain == [(path(row), 302)]
    assert "A week is too short." in answer.text
    as_(team[0]).post(path(row, "comment"), {"text": "Two weeks it is."})
    as_(technician).post(path(row, "open-vote"))
    for person in team:
        as_(person).post(path(row, "vote"), {"says": "yes", "reason": ""})
    as_(technician).post(path(row, "close-vote"))
    answer = as_(team_lead).post(path(row, "activate"), {"instead_of": "1"}, follow=True)

    row.refresh_from_db()
    assert (row.status, row.is_ratified) == ("active", True)
    assert "6 yes, 0 no; 5 votes were needed." in answer.text
    moved = as_(technician).get(f"{WHERE}{KEY}/")
    assert moved.headers["Location"] == path(row)
    assert "Retire it" not in page(as_(technician), path(row))
    as_(team_lead).post(path(row, "retire"), {"because": "It misled us."})
    assert as_(technician).get(f"{WHERE}{KEY}/").headers["Location"] == SERVICE


def test_what_changes_stands_beside_what_is_in_force(as_: As, technician: User) -> None:
    row = proposed(technician, min_n=30)

    html = re.sub(r"\s+", " ", page(as_(technician), path(row)))

    assert "In force, version 1" in html
    assert "<del>7</del></td><td><ins>14</ins>" in html
    assert "<del>20</del></td><td><ins>30</ins>" in html
    assert html.count("the same") == 4
    assert "What it changes" not in page(as_(technician), SERVICE)


def test_the_form_begins_with_what_is_in_force(as_: As, technician: User, team_lead: User) -> None:
    active(make_team(), team_lead, min_n=44)

    html = page(as_(technician), PROPOSE)

    assert 'name="min_n" value="44"' in html
    assert 'name="parameter-outcome_days" value="14"' in html
    assert 'min="5"' in html


@pytest.mark.parametrize(
    ("over", "said"),
    [
        ({"min_people": 4}, "greater than or equal to 5"),
        ({"min_n": 0}, "greater than or equal to 1"),
        ({"min_n": 10**12}, "less than or equal to"),
        ({"min_n": "many"}, "whole number"),
        ({"audience": "own"}, "at least 100 cases"),
        ({"audience": "everybody"}, "Select a valid choice"),
        ({"parameter-outcome_days": 91}, "less than or equal to 90"),
        ({"parameter-outcome_days": ""}, "required"),
        ({"parameter-outcome_days": 7}, "Nothing differs from version 1"),
        ({"purpose": "  "}, "required"),
        ({"purpose": "x" * 501}, "at most 500"),
        ({"caveat": "a\0b"}, "Null characters"),
        ({"why": ""}, "Say what would be better."),
    ],
)
def test_a_wrong_proposal_is_named_and_nothing_is_kept(
    as_: As, technician: User, over: dict[str, object], said: str
) -> None:
    answer = as_(technician).post(PROPOSE, form(**over))

    assert answer.status_code == 422
    assert said in answer.text
    assert 'role="alert"' in answer.text
    assert not MetricDefinition.objects.exists()


def test_without_ratification_the_page_asks_for_a_reason_and_shows_it(
    as_: As, technician: User, team_lead: User
) -> None:
    row = voted(make_team(), yes=4)
    lead = as_(team_lead)
    assert "Fewer than 5 votes: they are not shown." in page(lead, path(row))

    refused = lead.post(path(row, "activate"), {"instead_of": "1", "because": " "})
    lead.post(path(row, "activate"), {"instead_of": "1", "because": "The audit asks for it."})

    assert refused.status_code == 409
    assert "say why it comes into force" in refused.text
    html = page(as_(technician), path(row))
    assert "not ratified by vote</b>: The audit asks for it." in html
    assert "not ratified by vote" in page(as_(technician), WHERE)


@pytest.mark.parametrize("wrong", ["", "x", "0", "9" * 30])
def test_an_activation_says_instead_of_what(as_: As, team_lead: User, wrong: str) -> None:
    row = voted(make_team())

    answer = as_(team_lead).post(path(row, "activate"), {"instead_of": wrong})

    assert answer.status_code in (409, 422)
    row.refresh_from_db()
    assert row.activated_at is None


def test_a_step_that_comes_too_late_is_told_and_keeps_what_was_typed(
    as_: As, technician: User, ai_owner: User
) -> None:
    row = proposed(technician)
    votes.open_vote(row.pk, by=technician)

    answer = as_(ai_owner).post(path(row, "comment"), {"text": "But zqlatezq."})

    assert answer.status_code == 409
    assert "The discussion is closed." in answer.text
    assert "But zqlatezq." in answer.text
    assert DefinitionComment.objects.count() == 1


@pytest.mark.parametrize(
    ("step", "data"),
    [
        ("comment", {"text": ""}),
        ("comment", {"text": "x" * 2001}),
        ("comment", {"text": "a\0b"}),
        ("vote", {}),
        ("vote", {"says": "maybe"}),
        ("vote", {"says": "yes", "reason": "because"}),
        ("retire", {"because": ""}),
        ("retire", {"because": "x" * 301}),
    ],
)
def test_bad_input_is_named(
    as_: As, technician: User, team_lead: User, step: str, data: dict[str, str]
) -> None:
    row = proposed(technician)
    if step == "vote":
        votes.open_vote(row.pk, by=technician)

    answer = as_(team_lead).post(path(row, step), data)

    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert (DefinitionComment.objects.count(), Ballot.objects.count()) == (1, 0)
