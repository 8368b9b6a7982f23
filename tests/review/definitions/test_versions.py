"""What is in force when: the service's own version, and what teams made of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from review import recalled
from review.metrics import co_creation, versions
from review.metrics.definitions import DEFINITIONS
from review.metrics.handbook import table
from tests.review.definitions.world import KEY, active, make_team

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)
HANDBOOK = Path(__file__).parent.parent.parent.parent / "docs" / "metrics.md"


@pytest.mark.django_db
def test_without_a_teams_version_the_services_own_are_in_force() -> None:
    assert versions.in_force(START) == DEFINITIONS
    assert [(one.definition.version, one.start, one.end) for one in versions.history(KEY)] == [
        (1, None, None)
    ]


@pytest.mark.django_db
def test_what_was_in_force_is_known_for_every_moment(team_lead: User) -> None:
    team = make_team()
    with time_machine.travel(START, tick=False) as clock:
        active(team, team_lead)
        clock.move_to(START + 2 * DAY)
        third = active(team, team_lead, parameters={"outcome_days": 21})
        clock.move_to(START + 4 * DAY)
        co_creation.retire(third.pk, by=team_lead, because="Misread.")
        recalled.forget()

    def days_at(moment: datetime) -> tuple[int, int]:
        one = versions.in_force(moment)[KEY]
        return one.version, one.value("outcome_days")

    assert days_at(START - DAY) == (1, 7)
    assert days_at(START) == (2, 14)
    assert days_at(START + 3 * DAY) == (3, 21)
    assert days_at(START + 4 * DAY) == (1, 7)
    assert [(one.definition.version, one.start, one.end) for one in versions.history(KEY)] == [
        (1, None, START),
        (2, START, START + 2 * DAY),
        (3, START + 2 * DAY, START + 4 * DAY),
        (1, START + 4 * DAY, None),
    ]


@pytest.mark.django_db
def test_what_is_in_force_is_read_once_in_a_while(team_lead: User) -> None:
    with CaptureQueriesContext(connection) as queries:
        versions.in_force(START)
        versions.in_force(START)

    assert len(queries) == 1


@pytest.mark.django_db(transaction=True)
def test_a_new_version_is_in_force_at_once_where_it_was_activated(team_lead: User) -> None:
    team = make_team()
    versions.in_force(START)

    active(team, team_lead)

    assert versions.in_force(datetime.now(UTC) + DAY)[KEY].version == 2


@pytest.mark.django_db
def test_a_version_ends_when_the_service_computes_something_else(
    team_lead: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = active(make_team(), team_lead)
    anew = replace(DEFINITIONS[KEY], version=101)
    monkeypatch.setitem(DEFINITIONS, KEY, anew)

    assert versions.in_force(datetime.now(UTC) + DAY)[KEY] == anew
    assert versions.as_definition(row).version == 2


@pytest.mark.django_db
def test_values_are_kept_within_the_bounds_that_the_service_has_today(team_lead: User) -> None:
    row = active(make_team(), team_lead)
    row.parameters = {"outcome_days": 400, "gone": 3}

    assert versions.as_definition(row).values == {"outcome_days": 90}


def test_every_definition_says_what_it_is_for() -> None:
    for one in DEFINITIONS.values():
        assert str(one.purpose)
        assert one.min_people >= 5
        for parameter in one.parameters.values():
            assert parameter.least <= parameter.default <= parameter.most


def test_the_handbook_has_the_table_of_the_registry(capsys: Any) -> None:
    """Else: `manage.py metrics_table`, and put its output in place of the table."""
    call_command("metrics_table")

    assert capsys.readouterr().out.strip() == table()
    assert table() in HANDBOOK.read_text()
