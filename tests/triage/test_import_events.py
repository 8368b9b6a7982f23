"""Importing a helpdesk's event log from the command line."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from pytest_django import Settings

from tests.triage.event_log_world import STORY, TOLD, import_log, line, told, write
from triage.event_log import spool, storing
from triage.event_log.changes import Incident, incident
from triage.event_log.rows import Snapshot
from triage.models import Choice, Field, Label, Ticket, TicketEvent

pytestmark = pytest.mark.django_db


def test_snapshots_of_an_incident_become_a_ticket_and_what_happened_to_it(tmp_path: Path) -> None:
    said = import_log(write(tmp_path / "log.csv.gz", STORY))

    assert "9 lines: 1 tickets new, 0 there already, 12 events new, 0 refused." in said
    assert told() == TOLD
    ticket = Ticket.objects.get()
    assert (ticket.subject, ticket.values) == ("A", {"category": "wifi", "team": "desk"})
    assert ticket.opened_at == datetime(2026, 3, 1, 9, tzinfo=UTC)
    assert ticket.closed_at == datetime(2026, 3, 1, 10, 20, tzinfo=UTC)
    assert ticket.reopened_count == 1
    assert ticket.versions.get().values == {"category": "vpn", "team": "desk"}
    assert set(Choice.objects.values_list("field__key", "key")) == {
        ("category", "vpn"), ("category", "wifi"), ("team", "desk"), ("team", "network"),
    }  # fmt: skip
    assert Field.objects.get(is_main=True).key == "category"


def test_a_log_has_no_text_so_nothing_is_learnt_from_it(tmp_path: Path) -> None:
    import_log(write(tmp_path / "log.csv", STORY))

    assert not Label.objects.exists()


def test_importing_again_changes_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "log.csv", STORY)
    import_log(path)
    before = list(TicketEvent.objects.values())

    said = import_log(path)

    assert "0 tickets new, 1 there already, 0 events new" in said
    assert list(TicketEvent.objects.values()) == before


@pytest.mark.parametrize("known", range(1, len(STORY)))
def test_a_longer_log_adds_what_is_missing(tmp_path: Path, known: int) -> None:
    import_log(write(tmp_path / "log.csv", STORY[:known]), "--reopened-count=returns")

    import_log(write(tmp_path / "log.csv", STORY), "--reopened-count=returns")

    assert told() == TOLD
    ticket = Ticket.objects.get()
    assert ticket.values == {"category": "wifi", "team": "desk"}
    assert (ticket.closed_at, ticket.reopened_count) == (
        datetime(2026, 3, 1, 10, 20, tzinfo=UTC), 1,
    )  # fmt: skip


def test_an_import_that_broke_off_is_resumed_where_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storing, "CHUNK_ROWS", 1)
    path = write(tmp_path / "log.csv", [*STORY, *(one | {"number": "B"} for one in STORY)])
    broken: list[str] = []

    def breaks_off(snapshots: Sequence[Snapshot]) -> Incident:
        if snapshots[0].id == "B" and not broken:
            broken.append("B")
            raise KeyboardInterrupt
        return incident(snapshots)

    monkeypatch.setattr("triage.event_log.storing.incident", breaks_off)
    with pytest.raises(KeyboardInterrupt):
        import_log(path)
    assert (told("A"), told("B")) == (TOLD, [])

    assert "1 tickets new, 1 there already, 12 events new" in import_log(path)
    assert (told("A"), told("B")) == (TOLD, TOLD)


def test_rows_of_an_incident_may_stand_anywhere_in_a_log_that_memory_does_not_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"I{n}" for n in range(20)]
    lines = [one | {"number": name} for name in names for one in STORY]
    random.Random(3).shuffle(lines)
    # Within a moment the file's order decides, and no two lines of an incident share one here.
    ordered = spool.in_order
    monkeypatch.setattr(
        "triage.management.commands.import_events.in_order",
        lambda rows: ordered(rows, run_rows=7, most_runs=4),
    )

    import_log(write(tmp_path / "log.csv", lines))

    assert [told(name) for name in names] == [TOLD] * len(names)


def test_a_wrong_clock_reopens_nothing_where_the_file_says_what_came_first(tmp_path: Path) -> None:
    path = write(tmp_path / "log.csv", [line(30, "Active"), line(9, "New"), line(20, "Resolved")])

    import_log(path, "--order=file")

    assert told() == [
        ("started", "09:09", None),
        ("paused", "09:09", None),
        ("resolved", "09:20", None),
    ]


def test_states_of_one_s_own_are_given_a_meaning(tmp_path: Path) -> None:
    lines = [line(1, "Frisch"), line(2, "In Arbeit"), line(3, "WARTET = Kunde"), line(4, "closed")]

    import_log(
        write(tmp_path / "log.csv", lines),
        "--meaning=frisch=new",
        "--meaning=in arbeit=started",
        "--meaning=Wartet = Kunde=awaiting",
    )

    assert [kind for kind, _, _ in told()] == ["started", "awaiting", "closed"]


def test_what_is_back_in_the_queue_waits_within_the_helpdesk(tmp_path: Path) -> None:
    import_log(write(tmp_path / "log.csv", [line(1, "Active"), line(2, "New"), line(3, "?")]))

    assert [kind for kind, _, _ in told()] == ["started", "paused"]


def test_a_first_team_that_comes_late_and_one_that_is_not_known_meanwhile_are_no_moves(
    tmp_path: Path,
) -> None:
    lines = [line(n, "New", team=team) for n, team in enumerate(("?", "desk", "?", "desk"))]

    import_log(write(tmp_path / "log.csv", lines))

    assert told() == []
    assert Ticket.objects.get().versions.get().values["team"] == "desk"


def test_the_helpdesk_s_own_counts_tell_of_what_no_line_shows(tmp_path: Path) -> None:
    lines = [
        line(1, "New", moves="1", returns="?"),
        line(2, "Resolved", moves="3", team="network"),
        line(3, "Resolved", moves="3", team="network", returns="1"),
        line(4, "Closed", moves="2", team="network", returns="1"),
    ]

    import_log(
        write(tmp_path / "log.csv", lines), "--reassigned-count=moves", "--reopened-count=returns"
    )

    assert told() == [
        ("reassigned", "09:01", None),
        ("reassigned", "09:02", "network"),
        ("reassigned", "09:02", None),
        ("resolved", "09:02", None),
        ("reopened", "09:03", None),
        ("resolved", "09:03", None),
        ("closed", "09:04", None),
    ]
    assert Ticket.objects.get().closed_at == datetime(2026, 3, 1, 9, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("solved", "events"),
    [
        ("2026-03-01T09:20Z", [("resolved", "09:20", None), ("closed", "10:00", None)]),
        ("2026-03-01T09:00Z", [("closed", "10:00", None)]),
        ("2026-03-01T11:00Z", [("closed", "10:00", None)]),
    ],
)
def test_a_resolution_that_no_line_shows_is_taken_from_its_column_where_it_fits(
    tmp_path: Path, solved: str, events: list[tuple[str, str, None]]
) -> None:
    lines = [line(10, "New", solved=solved), line(60, "Closed", solved=solved)]

    import_log(write(tmp_path / "log.csv", lines), "--resolved=solved")

    assert told() == events


def test_times_without_an_offset_are_those_of_the_zone_that_is_named(tmp_path: Path) -> None:
    summer, winter = "01-07-2026 09:30", "01-12-2026 09:30"
    lines = [
        line(0, "Active", opened=summer, updated=summer),
        line(0, "Closed", opened=summer, updated=winter),
    ]

    import_log(
        write(tmp_path / "log.csv", lines),
        "--time-format=%d-%m-%Y %H:%M",
        "--time-zone=Europe/Berlin",
    )

    assert [at for _, at, _ in told()] == ["07:30", "08:30"]


def test_without_a_named_zone_it_is_the_service_s(tmp_path: Path, settings: Settings) -> None:
    settings.TIME_ZONE = "Asia/Tokyo"
    lines = [line(0, "Active", updated="2026-03-01 09:30", opened="2026-03-01 09:00")]

    import_log(write(tmp_path / "log.csv", lines))

    event = TicketEvent.objects.get()
    assert event.happened_at == datetime(2026, 3, 1, 0, 30, tzinfo=UTC)


def test_a_ticket_that_has_events_from_elsewhere_is_left_alone(tmp_path: Path) -> None:
    import_log(write(tmp_path / "log.csv", [line(1, "New")]))
    Ticket.objects.get().events.create(
        key="E-1", kind="commented", happened_at=datetime(2026, 3, 1, 9, tzinfo=UTC)
    )

    said = import_log(write(tmp_path / "log.csv", STORY))

    assert "0 events new" in said
    assert "1 tickets have events from elsewhere: left alone." in said


def test_tickets_whose_texts_were_imported_before_keep_them_and_gain_their_events(
    tmp_path: Path,
) -> None:
    texts = tmp_path / "old.csv"
    texts.write_text("number,text,topic\nA,vpn drops,vpn\n")
    call_command(
        "import_history", str(texts), "--source=real", "--id=number", "--text=text",
        "--field=category=topic", stdout=StringIO(), verbosity=0,
    )  # fmt: skip

    said = import_log(write(tmp_path / "log.csv", STORY))

    assert "0 tickets new, 1 there already, 12 events new" in said
    ticket = Ticket.objects.get()
    assert (ticket.body, ticket.values) == ("vpn drops", {"category": "vpn"})
    assert (ticket.reopened_count, told()) == (1, TOLD)
