"""Steps taken at the same moment: one wins, the others are told, nothing is half done."""

from collections.abc import Callable
from threading import Barrier

import pytest
from django.contrib.auth.models import User

from review.metrics import co_creation, votes
from review.metrics.definition_rows import Refused
from review.models import Ballot, DefinitionComment, MetricDefinition
from tests.review.definitions.world import KEY, events, make_team, proposed, voted
from triage import ledger
from triage.models import LedgerEntry

pytestmark = pytest.mark.django_db(transaction=True)
InThreads = Callable[..., None]


def at_once(in_threads: InThreads, *works: Callable[[], object]) -> list[str]:
    """What each was refused with; empty for those that were not."""
    start, told = Barrier(len(works)), []

    def run(work: Callable[[], object]) -> None:
        start.wait()
        try:
            work()
            told.append("")
        except Refused as error:
            told.append(str(error))

    in_threads([lambda one=one: run(one) for one in works])
    return sorted(told)


def test_of_two_activations_of_two_versions_one_wins(
    transactional_db: None, in_threads: InThreads, team_lead: User, ai_owner: User
) -> None:
    team = make_team()
    first, second = voted(team), voted(team, parameters={"outcome_days": 21})

    told = at_once(
        in_threads,
        lambda: co_creation.activate(first.pk, by=team_lead, instead_of=1),
        lambda: co_creation.activate(second.pk, by=ai_owner, instead_of=1),
    )

    assert told[0] == ""
    assert "force" in told[1]
    winner = MetricDefinition.objects.get(activated_at__isnull=False, retired_at=None)
    activated = LedgerEntry.objects.filter(payload__event="activated")
    assert [entry.subject for entry in activated] == [f"definition:{winner.pk}"]


def test_a_second_click_on_activate_changes_nothing(
    transactional_db: None, in_threads: InThreads, team_lead: User
) -> None:
    row = voted(make_team())

    told = at_once(
        in_threads,
        *[lambda: co_creation.activate(row.pk, by=team_lead, instead_of=1)] * 3,
    )

    assert told[0] == ""
    assert all(told[1:])
    assert [one["event"] for one in events(row)].count("activated") == 1


def test_a_vote_while_closing_is_counted_or_refused(
    transactional_db: None, in_threads: InThreads
) -> None:
    team = make_team(8)
    row = proposed(team[0])
    votes.open_vote(row.pk, by=team[0])
    for person in team[:3]:
        votes.vote(row.pk, by=person, says_yes=False)

    told = at_once(
        in_threads,
        lambda: votes.close_vote(row.pk, by=team[0]),
        *[
            lambda person=person: votes.vote(row.pk, by=person, says_yes=True)
            for person in team[3:]
        ],
    )

    row.refresh_from_db()
    refused = [one for one in told if one]
    assert row.votes_no == 3
    assert row.votes_yes == len(team[3:]) - len(refused)
    assert all("not counted" in one for one in refused)
    assert not Ballot.objects.exists()


def test_a_vote_is_counted_once_however_often_it_is_closed(
    transactional_db: None, in_threads: InThreads
) -> None:
    team = make_team()
    row = proposed(team[0])
    votes.open_vote(row.pk, by=team[0])
    for person in team:
        votes.vote(row.pk, by=person, says_yes=True)

    told = at_once(in_threads, *[lambda: votes.close_vote(row.pk, by=team[0])] * 4)

    assert told.count("") == 1
    row.refresh_from_db()
    assert row.votes_yes == 6


def test_one_person_in_many_windows_has_one_ballot(
    transactional_db: None, in_threads: InThreads
) -> None:
    team = make_team(1)
    row = proposed(team[0])
    votes.open_vote(row.pk, by=team[0])

    at_once(
        in_threads,
        *[
            lambda says=says: votes.vote(row.pk, by=team[0], says_yes=says)
            for says in (True, False, True, False)
        ],
    )

    assert Ballot.objects.count() == 1


def test_proposals_made_at_once_get_numbers_of_their_own(
    transactional_db: None, in_threads: InThreads
) -> None:
    team = make_team()

    told = at_once(in_threads, *[lambda person=person: proposed(person) for person in team])

    assert told == [""] * 6
    numbers = MetricDefinition.objects.filter(key=KEY).values_list("version", flat=True)
    assert sorted(numbers) == [2, 3, 4, 5, 6, 7]
    assert DefinitionComment.objects.count() == 6
    assert ledger.verify() is None


def test_of_two_votes_opened_at_once_one_opens(
    transactional_db: None, in_threads: InThreads
) -> None:
    team = make_team(2)
    rows = [proposed(person) for person in team]

    told = at_once(
        in_threads,
        *[
            lambda row=row, person=person: votes.open_vote(row.pk, by=person)
            for row, person in zip(rows, team, strict=True)
        ],
    )

    assert told[0] == ""
    assert "Another version" in told[1]
