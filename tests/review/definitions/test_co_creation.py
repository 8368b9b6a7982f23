"""The life of a definition: proposed, discussed, put in force, retired, and all on the record."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import translation

from review import recalled
from review.metrics import co_creation, versions, votes
from review.metrics.definition_rows import Refused
from review.metrics.definitions import DEFINITIONS, Audience
from review.models import DefinitionComment, MetricDefinition
from review.roles import (
    AI_OWNER,
    AUDITOR,
    TEAM_LEAD,
    TECHNICIAN,
    permissions_of,
)
from tests.review.definitions.world import KEY, active, draft, events, make_team, proposed, voted
from triage import ledger

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_a_proposal_is_the_next_version_with_its_reason_as_the_first_comment(
    technician: User,
) -> None:
    first, second = proposed(technician), proposed(technician, min_n=40)

    assert [(row.key, row.version) for row in (first, second)] == [(KEY, 2), (KEY, 3)]
    assert first.status == "proposed"
    assert (first.min_n, first.parameters) == (DEFINITIONS[KEY].min_n, {"outcome_days": 14})
    comment = DefinitionComment.objects.get(definition=first)
    assert (comment.author, comment.text) == (technician, "A week is too short.")
    assert events(first) == [{"event": "proposed", "key": KEY, "version": 2}]


def test_words_left_as_they_are_are_kept_in_english_and_shown_in_any_language(
    technician: User,
) -> None:
    with translation.override("de"):
        row = proposed(technician)
        shown = str(versions.as_definition(row).caveat)
        german = str(DEFINITIONS[KEY].caveat)
    with translation.override("en"):
        assert row.caveat == str(DEFINITIONS[KEY].caveat)
    assert shown == german


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"outcome_days": 0}, "between 1 and 90; got 0"),
        ({"outcome_days": 91}, "between 1 and 90; got 91"),
        ({}, "has the parameters"),
        ({"outcome_days": 7, "days": 1}, "has the parameters"),
    ],
)
def test_a_parameter_outside_its_bounds_is_refused(
    technician: User, parameters: dict[str, int], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        proposed(technician, parameters=parameters)

    assert not MetricDefinition.objects.exists()


def test_a_proposal_that_changes_nothing_is_refused(technician: User) -> None:
    with pytest.raises(Refused, match="Nothing differs from version 1"):
        co_creation.propose(
            KEY, draft(parameters={"outcome_days": 7}), by=technician, why="Because."
        )

    assert not MetricDefinition.objects.exists()


@pytest.mark.parametrize(
    "over", [{"min_people": 4}, {"min_n": 0}, {"audience": Audience.OWN, "min_n": 99}]
)
def test_nobody_can_go_below_what_protects_people(technician: User, over: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        proposed(technician, **over)

    assert not MetricDefinition.objects.exists()


def test_the_database_keeps_one_active_version_and_moments_in_order(
    technician: User, team_lead: User
) -> None:
    row = active(make_team(), team_lead)
    other = proposed(technician, min_n=40)
    rows = MetricDefinition.objects.filter(pk=other.pk)
    late = other.proposed_at + timedelta(days=1)
    counted = {"votes_yes": 6, "votes_no": 0, "votes_needed": 5, "closed_at": late}
    in_force = {"opened_at": late, **counted, "activated_at": late, "activated_by": team_lead}
    wrong: list[dict[str, Any]] = [
        {"activated_at": late, "activated_by": team_lead, "unratified_because": "x"},
        {**counted, "opened_at": late + timedelta(days=1)},
        {"opened_at": late, "closed_at": late},
        in_force,
        {**in_force, "votes_no": 7, "retired_at": late},
        {"version": 1},
        {"version": row.version},
    ]
    for values in wrong:
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**values)


def test_comments_close_when_the_vote_opens(technician: User, ai_owner: User) -> None:
    row = proposed(technician)
    co_creation.comment(row.pk, by=ai_owner, text="Two weeks, then.")
    votes.open_vote(row.pk, by=technician)

    with pytest.raises(Refused, match="discussion is closed"):
        co_creation.comment(row.pk, by=ai_owner, text="Too late.")

    assert row.comments.count() == 2


def test_ones_own_comment_can_be_deleted_for_a_quarter_of_an_hour(
    technician: User, ai_owner: User
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        row = proposed(technician)
        said = co_creation.comment(row.pk, by=ai_owner, text="Rash.")
        late = co_creation.comment(row.pk, by=ai_owner, text="Slow.")
        with pytest.raises(DefinitionComment.DoesNotExist):
            co_creation.delete_comment(said.pk, by=technician)
        clock.shift(timedelta(minutes=14, seconds=59))
        co_creation.delete_comment(said.pk, by=ai_owner)
        clock.shift(timedelta(seconds=1))
        with pytest.raises(Refused, match="15 minutes"):
            co_creation.delete_comment(late.pk, by=ai_owner)

    assert list(row.comments.values_list("text", flat=True)) == ["A week is too short.", "Slow."]


def test_a_proposal_is_withdrawn_by_its_proposer_until_the_vote_opens(
    technician: User, ai_owner: User
) -> None:
    row, other = proposed(technician), proposed(technician)
    votes.open_vote(other.pk, by=technician)

    with pytest.raises(Refused, match="Only who proposed it"):
        co_creation.withdraw(row.pk, by=ai_owner)
    with pytest.raises(Refused, match="until the vote opens"):
        co_creation.withdraw(other.pk, by=technician)
    assert co_creation.withdraw(row.pk, by=technician).status == "retired"
    assert events(row)[-1]["event"] == "withdrawn"


def test_a_ratified_version_comes_into_force_and_replaces_the_one_before(
    team_lead: User, ai_owner: User
) -> None:
    team = make_team()
    first = active(team, team_lead)
    second = active(team, ai_owner, parameters={"outcome_days": 21})

    first.refresh_from_db()
    assert [first.status, second.status] == ["retired", "active"]
    assert first.retired_at == second.activated_at
    assert (second.activated_by, second.unratified_because) == (ai_owner, "")
    assert second.activated_at is not None
    found = versions.in_force_of(KEY, second.activated_at)
    assert (found.version, found.value("outcome_days"), found.is_ratified) == (3, 21, True)
    assert events(second)[-1] == {
        "event": "activated",
        "key": KEY,
        "version": 3,
        "ratified": True,
        "instead_of": 2,
    }
    assert ledger.verify() is None


def test_without_ratification_it_takes_a_reason_that_goes_with_every_figure(
    team_lead: User,
) -> None:
    row = voted(make_team(), yes=4)

    with pytest.raises(Refused, match="No vote has ratified it"):
        co_creation.activate(row.pk, by=team_lead, instead_of=1)
    co_creation.activate(row.pk, by=team_lead, instead_of=1, because="The audit asks for it.")

    found = versions.in_force_of(KEY, datetime.now(UTC))
    assert (found.is_ratified, found.unratified) == (False, "The audit asks for it.")
    assert events(row)[-1]["reason"] == "The audit asks for it."


@pytest.mark.parametrize("is_open", [False, True])
def test_only_what_was_voted_on_comes_into_force(
    technician: User, team_lead: User, is_open: bool
) -> None:
    row = proposed(technician)
    if is_open:
        votes.open_vote(row.pk, by=technician)

    with pytest.raises(Refused, match="whose vote is closed"):
        co_creation.activate(row.pk, by=team_lead, instead_of=1, because="Now.")


def test_nobody_replaces_a_version_they_have_not_seen(team_lead: User) -> None:
    team = make_team()
    waiting = voted(team, parameters={"outcome_days": 3})
    later = voted(team, parameters={"outcome_days": 21})
    newest = active(team, team_lead)

    with pytest.raises(Refused, match="Version 4, which is newer"):
        co_creation.activate(waiting.pk, by=team_lead, instead_of=1)
    co_creation.retire(newest.pk, by=team_lead, because="Misread.")
    with pytest.raises(Refused, match="Version 1 came into force meanwhile"):
        co_creation.activate(later.pk, by=team_lead, instead_of=4)
    co_creation.activate(later.pk, by=team_lead, instead_of=1)

    assert MetricDefinition.objects.get(activated_at__isnull=False, retired_at=None) == later


def test_what_the_service_came_with_is_in_force_again_after_a_retirement(team_lead: User) -> None:
    row = active(make_team(), team_lead)

    retired = co_creation.retire(row.pk, by=team_lead, because="It misled us.")

    assert retired.status == "retired"
    assert retired.retired_at is not None
    assert versions.in_force_of(KEY, retired.retired_at).version == 1
    assert events(row)[-1]["reason"] == "It misled us."
    with pytest.raises(Refused, match="already"):
        co_creation.retire(row.pk, by=team_lead, because="Again.")


def test_legitimacy_is_the_share_that_votes_ratified_and_the_age_of_the_last_vote(
    team_lead: User,
) -> None:
    team = make_team()
    before = co_creation.legitimacy()
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=1), tick=False):
        active(team, team_lead)
        row = voted(team, yes=2, key="acceptance")
        co_creation.activate(row.pk, by=team_lead, instead_of=1, because="Needed.")
        recalled.forget()
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=3), tick=False):
        now = datetime.now(UTC)
        after = co_creation.legitimacy(now)

    assert (before.ratified, before.active, before.last_vote) == (0, len(DEFINITIONS), None)
    assert (after.ratified, after.active) == (1, len(DEFINITIONS))
    age = after.age(now)
    assert age is not None
    assert timedelta(hours=1, minutes=59) < age < timedelta(hours=2, minutes=1)
    assert after.interval is not None


def test_roles_may_do_what_the_house_says() -> None:
    shape, put = "review.shape_metricdefinition", "review.activate_metricdefinition"

    may = {role: permissions_of(role) & {shape, put} for role in (TECHNICIAN, AI_OWNER, TEAM_LEAD)}

    assert may == {TECHNICIAN: {shape}, AI_OWNER: {shape, put}, TEAM_LEAD: {shape, put}}


def test_auditors_read_and_do_nothing_and_no_ballot_has_a_page_at_the_desk(db: None) -> None:
    assert [name for name in permissions_of(AUDITOR) if "definition" in name] == []
    assert [name for name in permissions_of(AUDITOR) if "ballot" in name] == []
