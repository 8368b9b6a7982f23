import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

pytestmark = pytest.mark.django_db


def test_a_database_with_all_that_was_drawn_together_has_nothing_to_do(
    capsys: pytest.CaptureFixture[str],
) -> None:
    recorder = MigrationRecorder(connection)
    for app, name in (
        ("triage", "0001_squashed_0019"),
        ("triage", "0002_words_of_solved_tickets"),
        ("review", "0001_squashed_0018"),
    ):
        recorder.record_unapplied(app, name)

    call_command("migrate", interactive=False, skip_checks=False)

    assert "No migrations to apply" in capsys.readouterr().out
    assert ("review", "0001_squashed_0018") in recorder.applied_migrations()


def test_a_database_that_stopped_half_way_is_told_what_it_lacks() -> None:
    recorder = MigrationRecorder(connection)
    recorder.record_unapplied("triage", "0001_squashed_0019")
    recorder.record_unapplied("triage", "0019_second_share")

    with pytest.raises(CommandError, match=r"lacks triage\.0019_second_share\.") as refused:
        call_command("migrate", interactive=False, skip_checks=False)

    assert "Check out the last commit that has these migrations" in str(refused.value)
