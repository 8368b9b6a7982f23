"""Heads are exported once an hour, by whoever asks first, and by hand."""

from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import CommandError, call_command
from django.test import override_settings

from tests.triage.test_ledger import tamper, write
from triage.ledger import audit, heads

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Any) -> Path:
    """Where heads are exported to; it is not there yet."""
    settings.COUNTERSIGN_LEDGER_DIR = tmp_path / "ledger"
    return tmp_path / "ledger"


def test_it_exports_once_an_hour_to_the_file_of_the_month(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    with time_machine.travel(datetime(2026, 3, 31, 22, 30, tzinfo=UTC), tick=False) as now:
        assert heads.Exporter().export_if_due() is None
        write(1)
        first = heads.Exporter().export_if_due()
        assert heads.Exporter().export_if_due() is None
        now.shift(3599)
        assert heads.Exporter().export_if_due() is None
        now.shift(1)
        # Unchanged, and yet exported: an hour without a line means that nobody exported.
        assert heads.Exporter().export_if_due() is not None
        write(1)
        now.shift(3600)
        last = heads.Exporter().export_if_due()

    assert first is not None
    assert last is not None
    assert [path.name for path in sorted(folder.iterdir())] == [
        "heads-2026-03.jsonl",
        "heads-2026-04.jsonl",
    ]
    assert len((folder / "heads-2026-03.jsonl").read_text().splitlines()) == 2
    assert (folder / "heads-2026-04.jsonl").read_text() == f"{last.line}\n"
    assert [each.sequence for each in (first, last)] == [1, 2]
    assert f"ledger head {first.line}" in caplog.messages


def test_asked_every_two_seconds_it_looks_only_when_an_export_may_be_due(
    django_assert_num_queries: Any,
) -> None:
    write(1)
    seconds = [0.0]
    exporter = heads.Exporter(clock=lambda: seconds[0])
    assert exporter.export_if_due() is not None

    with django_assert_num_queries(0):
        for now in range(2, 3600, 2):
            seconds[0] = float(now)
            assert exporter.export_if_due() is None


def test_a_clock_that_was_wrong_does_not_silence_it(folder: Path) -> None:
    write(1)
    with time_machine.travel(datetime(2026, 12, 1, tzinfo=UTC), tick=False):
        heads.export()

    with time_machine.travel(NOON, tick=False):
        assert heads.Exporter().export_if_due() is not None


def test_a_ledger_that_was_cut_since_the_last_export_is_shouted_about(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with time_machine.travel(NOON, tick=False) as now:
        write(5)
        heads.Exporter().export_if_due()
        tamper("DELETE FROM triage_ledgerentry", "DELETE FROM triage_ledgerhead")
        now.shift(3600)
        assert heads.Exporter().export_if_due() is not None

    shouted = [record for record in caplog.records if record.levelname == "CRITICAL"]
    assert len(shouted) == 1
    assert "cut or rewritten: entry 5" in shouted[0].getMessage()


def test_a_folder_that_cannot_be_written_to_is_logged_and_left_alone_for_a_while(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(1)
    folder.write_text("a file where the folder should be")
    seconds = [0.0]
    exporter = heads.Exporter(clock=lambda: seconds[0])

    assert exporter.export_if_due() is None
    assert exporter.export_if_due() is None
    folder.unlink()
    assert exporter.export_if_due() is None
    seconds[0] = heads.LOOK_AGAIN_SECONDS
    assert exporter.export_if_due() is not None

    assert caplog.text.count("the ledger's head was not exported") == 1


def test_a_torn_last_line_does_not_spoil_the_next(folder: Path) -> None:
    write(1)
    _, path = heads.export()
    path.write_bytes(path.read_bytes()[:50])

    assert heads.Exporter().export_if_due() is not None

    torn, good = audit.check_heads(folder, heads.public_key())
    assert torn.place == f"{path.name}, line 1"
    assert torn.problem.startswith("damaged")
    assert good.problem == ""


@pytest.mark.django_db(transaction=True)
def test_eight_exporters_at_once_leave_one_line(
    folder: Path, in_threads: Callable[..., None]
) -> None:
    write(3)
    start = Barrier(8)

    def export() -> None:
        exporter = heads.Exporter()
        start.wait()
        exporter.export_if_due()

    in_threads([export] * 8)

    assert len((path := next(folder.iterdir())).read_text().splitlines()) == 1, path


def test_by_hand_it_says_where_or_prints_the_line(folder: Path) -> None:
    write(2)
    call_command("export_ledger_head", stdout=(said := StringIO()))
    call_command("export_ledger_head", "--print", stdout=(printed := StringIO()))

    assert said.getvalue().startswith("2 entries at ")
    assert str(next(folder.iterdir())) in said.getvalue()
    assert heads.parse(printed.getvalue().strip().encode()).is_signed_by(heads.public_key())
    assert len(next(folder.iterdir()).read_text().splitlines()) == 1


def test_by_hand_a_folder_that_cannot_be_written_to_is_an_error(folder: Path) -> None:
    folder.write_text("a file where the folder should be")

    with pytest.raises(CommandError, match=r"The head was not exported: .*ledger"):
        call_command("export_ledger_head")


def test_another_secret_gives_another_key() -> None:
    ours = heads.name_of(heads.public_key())
    with override_settings(COUNTERSIGN_LEDGER_KEY="another secret of some sufficient length"):
        assert heads.name_of(heads.public_key()) != ours

    assert not heads.sign().is_signed_by(Ed25519PrivateKey.generate().public_key())
