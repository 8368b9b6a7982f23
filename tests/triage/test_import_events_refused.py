"""What the import of an event log refuses, and how it says so."""

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.triage.event_log_world import STORY, import_log, line, refused, told, write
from triage.event_log import storing
from triage.models import Field, Ticket

pytestmark = pytest.mark.django_db


def test_lines_that_cannot_be_taken_are_listed_and_the_others_count(tmp_path: Path) -> None:
    lines = [
        line(1, "New"),
        line(2, "Active", number=""),
        line(3, "Active", number="n" * 65),
        line(4, "Dreaming"),
        line(5, "Active", updated="yesterday"),
        line(6, "Active", updated="?"),
        line(7, "Active", team="t" * 121),
        line(8, "Active", topic="a\x00b"),
        line(9, "Active", moves="-1"),
        line(9, "Active", opened="0999-01-01T00:00Z"),
        line(10, "Resolved"),
    ]

    said = import_log(write(tmp_path / "log.csv", lines), "--reassigned-count=moves")

    assert "11 lines: 1 tickets new, 0 there already, 1 events new, 9 refused." in said
    assert told() == [("resolved", "09:10", None)]
    assert [(number, why) for number, why in refused(tmp_path)] == [
        ("2", "column 'number' is empty"),
        ("3", "column 'number' has more than 64 characters"),
        ("4", "column 'state' has the state 'Dreaming', which nothing is said about"),
        ("5", "column 'updated' must be a time like 2026-03-01T09:30Z; got 'yesterday'"),
        ("6", "column 'updated' is empty"),
        ("7", "column 'team' has more than 120 characters"),
        ("8", "it has a NUL character"),
        ("9", "column 'moves' must be a number from 0 to 9999; got '-1'"),
        ("10", "column 'opened' must lie in 1970 to 2100; got '0999-01-01T00:00Z'"),
    ]


def test_an_incident_with_more_lines_than_any_has_is_refused_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storing, "LONGEST_STORY", 8)
    lines = [*STORY, line(1, "New", number="B"), line(2, "Closed", number="B")]

    said = import_log(write(tmp_path / "log.csv", lines))

    assert "1 tickets new, 0 there already, 1 events new, 1 refused." in said
    assert refused(tmp_path) == [["1", "A has more than 8 lines"]]


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--team=nowhere", "no column 'nowhere'; it has: number, opened"),
        ("--meaning=Dreaming", "--meaning takes STATE=MEANING"),
        ("--meaning=Dreaming=asleep", "one of new, started, paused, awaiting, resolved, closed"),
        ("--team-field=Team!", "Lower-case letters"),
        ("--time-zone=Mars/Olympus", "there is no such time zone"),
        ("--time-zone=../etc/passwd", "there is no such time zone"),
        ("--owner=nobody", "no such user"),
        ("--encoding=klingon", "unknown encoding"),
    ],
)
def test_a_wrong_mapping_is_refused_before_anything_is_stored(
    tmp_path: Path, option: str, message: str
) -> None:
    with pytest.raises(CommandError, match=message):
        import_log(write(tmp_path / "log.csv", STORY), option)

    assert not Ticket.objects.exists()
    assert not Field.objects.exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has no column 'number'; it has: none"),
        (b"\xff\xfe\x00text", "is not the CSV it should be"),
    ],
)
def test_a_file_that_is_no_log_is_refused_in_a_sentence(
    tmp_path: Path, content: bytes, message: str
) -> None:
    (tmp_path / "log.csv").write_bytes(content)

    with pytest.raises(CommandError, match=message):
        import_log(tmp_path / "log.csv")


def test_a_log_without_lines_is_no_error(tmp_path: Path) -> None:
    said = import_log(write(tmp_path / "log.csv", []))

    assert "0 lines: 0 tickets new" in said
    assert not (tmp_path / "refused.csv").exists()


def test_the_help_shows_a_whole_example_and_the_states_that_are_known(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        call_command("import_events", "--help")

    said = capsys.readouterr().out
    assert '--time-format "%d-%m-%Y %H:%M" --empty "?" --order file' in said
    assert "awaiting vendor=paused" in " ".join(said.split())
