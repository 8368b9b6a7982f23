"""Votes: who may, what is enough, and that nothing tells who voted how."""

import json

import pytest
from django.contrib.auth.models import Permission, User
from pytest_django import Settings

from review.metrics import votes
from review.metrics.definition_rows import Refused
from review.models import Ballot
from tests.review.definitions.world import events, make_team, proposed, voted
from triage.models import LedgerEntry

pytestmark = pytest.mark.django_db


def test_the_last_ballot_of_a_person_counts_and_none_is_left(technician: User) -> None:
    team = make_team()
    row = proposed(technician)
    votes.open_vote(row.pk, by=technician)
    for person in team:
        votes.vote(row.pk, by=person, says_yes=False)
    votes.vote(row.pk, by=team[0], says_yes=True)
    assert Ballot.objects.count() == 6

    closed = votes.close_vote(row.pk, by=technician)

    assert (closed.votes_yes, closed.votes_no, closed.votes_needed) == (1, 5, 5)
    assert (closed.status, closed.is_ratified) == ("voted", False)
    assert not Ballot.objects.exists()


@pytest.mark.parametrize(
    ("size", "yes", "no", "is_ratified"),
    [
        (6, 5, 0, True),
        (6, 4, 0, False),
        (6, 3, 3, False),
        (6, 4, 2, True),
        (6, 2, 4, False),
        (12, 5, 0, False),
        (12, 4, 2, True),
        (4, 4, 0, False),
    ],
)
def test_half_of_the_voters_at_least_five_and_a_majority_ratify(
    size: int, yes: int, no: int, is_ratified: bool
) -> None:
    row = voted(make_team(size), yes, no)

    assert row.is_ratified == is_ratified


def test_the_turnout_is_a_setting_and_five_votes_are_always_needed(settings: Settings) -> None:
    assert [votes.votes_needed(voters) for voters in (0, 5, 11, 30)] == [5, 5, 6, 15]
    settings.METRIC_VOTE_TURNOUT_PERCENT = 10
    assert [votes.votes_needed(voters) for voters in (11, 50, 51)] == [5, 5, 6]
    settings.METRIC_VOTE_TURNOUT_PERCENT = 100
    assert votes.votes_needed(11) == 11


def test_only_those_with_a_role_that_shapes_vote(
    technician: User, auditor: User, team_lead: User, ai_owner: User
) -> None:
    row = proposed(technician)
    votes.open_vote(row.pk, by=technician)
    admin = User.objects.create_superuser("root")

    for person in (technician, team_lead, ai_owner):
        votes.vote(row.pk, by=person, says_yes=True)
    for person in (auditor, admin):
        with pytest.raises(Refused, match="Only technicians"):
            votes.vote(row.pk, by=person, says_yes=False)

    assert Ballot.objects.count() == 3
    assert votes.electorate().count() == 3


def test_who_left_before_the_vote_closed_is_not_counted() -> None:
    team = make_team(7)
    row = proposed(team[0])
    votes.open_vote(row.pk, by=team[0])
    for person in team:
        votes.vote(row.pk, by=person, says_yes=True)
    User.objects.filter(pk=team[1].pk).update(is_active=False)
    team[2].groups.clear()

    closed = votes.close_vote(row.pk, by=team[0])

    assert (closed.votes_yes, closed.votes_needed) == (5, 5)


def test_a_vote_is_cast_only_while_it_is_open(technician: User) -> None:
    row = proposed(technician)
    with pytest.raises(Refused, match="not open"):
        votes.vote(row.pk, by=technician, says_yes=True)
    with pytest.raises(Refused, match="not open"):
        votes.close_vote(row.pk, by=technician)
    votes.open_vote(row.pk, by=technician)
    with pytest.raises(Refused, match="only on a version that is discussed"):
        votes.open_vote(row.pk, by=technician)
    votes.close_vote(row.pk, by=technician)
    with pytest.raises(Refused, match="was not counted"):
        votes.vote(row.pk, by=technician, says_yes=True)


def test_of_one_metric_only_one_vote_is_open(technician: User) -> None:
    first, second, other = (
        proposed(technician),
        proposed(technician),
        proposed(technician, key="acceptance"),
    )
    votes.open_vote(first.pk, by=technician)

    with pytest.raises(Refused, match="Another version"):
        votes.open_vote(second.pk, by=technician)
    votes.open_vote(other.pk, by=technician)
    votes.close_vote(first.pk, by=technician)
    votes.open_vote(second.pk, by=technician)


def test_the_ledger_has_counts_from_five_votes_on_and_no_voter() -> None:
    team = make_team()
    few, enough = voted(team, 4), voted(team, 3, 3, key="acceptance")

    assert events(few)[-1].keys() == {"event", "key", "version", "ratified", "needed"}
    assert (events(enough)[-1]["yes"], events(enough)[-1]["no"]) == (3, 3)
    actors = {entry.actor for entry in LedgerEntry.objects.all()}
    assert actors == {f"user:{team[0].pk}"}
    assert "unclear" not in json.dumps([events(few), events(enough)])


def test_reasons_are_counted_from_five_votes_on() -> None:
    team = make_team()

    assert voted(team, 2, 2).reasons_counted == {}
    assert voted(team, 3, 3, key="acceptance").reasons_counted == {"unclear": 3}


def test_no_permission_exists_to_look_at_ballots() -> None:
    names = Permission.objects.filter(content_type__model="ballot")

    assert not names.exists()
