"""Importing solved tickets and training on them, from the command line."""

import csv
import gzip
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from pytest_django import Settings

from tests.conftest import ticket_message
from triage import ledger
from triage.learning import registry, serving
from triage.learning.registry import PromotionRefused
from triage.models import Choice, Field, Label, ModelVersion, Proposal, Source, Ticket

pytestmark = pytest.mark.django_db

SUBJECTS = {
    "access": ("password forgotten", "locked out", "sign in fails", "account expired"),
    "network": ("vpn drops", "wifi slow", "tunnel closes", "no internet at desk"),
}


def write(path: Path, rows: list[dict[str, str]]) -> Path:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wt", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def rows(each: int = 40) -> list[dict[str, str]]:
    return [
        {"number": f"{topic}-{n}", "text": f"{SUBJECTS[topic][n % 4]} case {n}", "topic": topic}
        for topic in SUBJECTS
        for n in range(each)
    ]


def import_rows(path: Path, *extra: str) -> str:
    out = StringIO()
    call_command(
        "import_history",
        str(path),
        "--source=real",
        "--text=text",
        "--field=category=topic",
        f"--report={path.parent / 'refused.csv'}",
        *extra,
        stdout=out,
        verbosity=0,
    )
    return out.getvalue()


def train(*extra: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("train", "--source=real", *extra, stdout=out, stderr=err, verbosity=0)
    return out.getvalue(), err.getvalue()


@pytest.fixture(autouse=True)
def model_dir(settings: Settings, tmp_path: Path) -> Path:
    settings.COUNTERSIGN_MODEL_DIR = tmp_path / "models"
    return tmp_path / "models"


def test_every_row_becomes_a_ticket_with_its_label(tmp_path: Path) -> None:
    said = import_rows(write(tmp_path / "old.csv.gz", rows(5)), "--id=number")

    assert "10 rows: 10 tickets new, 0 there already, 0 refused." in said
    assert Ticket.objects.filter(source__slug="real", closed_at__isnull=False).count() == 10
    label = Label.objects.get(ticket__external_id="access-3")
    assert (label.choice.key, label.origin) == ("access", "history")
    assert Field.objects.get(key="category").is_main
    assert Source.objects.get().owner.groups.get().name == "AI owner"


def test_a_long_row_is_taken_and_one_that_is_too_long_refused_alone(tmp_path: Path) -> None:
    odd = {"number": "long", "text": "word " * 38_000, "topic": "access"}
    too_long = odd | {"number": "longer", "text": "word " * 50_000}

    said = import_rows(write(tmp_path / "old.csv", [odd, too_long, *rows(1)]), "--id=number")

    assert "4 rows: 3 tickets new, 0 there already, 1 refused." in said


def test_an_address_that_grows_when_made_small_is_cut(tmp_path: Path) -> None:
    path = write(tmp_path / "old.csv", [row | {"who": "\u0130" * 254} for row in rows(1)])

    import_rows(path, "--requester=who")

    assert {len(ticket.requester) for ticket in Ticket.objects.all()} == {254}


def test_importing_again_changes_nothing_and_a_longer_file_adds_the_rest(tmp_path: Path) -> None:
    path = write(tmp_path / "old.csv", rows(3))
    import_rows(path)

    assert "0 tickets new, 6 there already" in import_rows(path)
    write(path, rows(3) + [{"number": "x", "text": "one more", "topic": "network"}])
    assert "1 tickets new, 6 there already" in import_rows(path)
    assert Ticket.objects.count() == 7
    assert Label.objects.count() == 7


def test_rows_that_cannot_be_taken_are_listed_with_line_and_reason(tmp_path: Path) -> None:
    bad = [
        {"number": "1", "text": "", "topic": "access"},
        {"number": "2", "text": "a\x00b", "topic": "access"},
        {"number": "3" * 65, "text": "fine", "topic": "access"},
        {"number": "4", "text": "fine", "topic": "t" * 121},
        {"number": "5", "text": "fine", "topic": "access"},
    ]

    said = import_rows(write(tmp_path / "old.csv", bad), "--id=number")

    assert "5 rows: 1 tickets new, 0 there already, 4 refused." in said
    with (tmp_path / "refused.csv").open() as file:
        refused = list(csv.reader(file))
    assert [line for line, _ in refused[1:]] == ["1", "2", "3", "4"]
    assert "'text' is empty" in refused[1][1]
    assert "NUL" in refused[2][1]


def test_what_came_is_no_formula_in_the_list_of_refusals(tmp_path: Path) -> None:
    bad = {"number": "1", "text": "fine", "topic": "access", "opened": "x;=1+1"}

    import_rows(write(tmp_path / "old.csv", [bad, *rows(1)]), "--opened=opened")

    with (tmp_path / "refused.csv").open() as file:
        assert "x;'=1+1" in list(csv.reader(file))[1][1]


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--field=team=nowhere", "no column 'nowhere'; it has: number, text, topic"),
        ("--field=team", "--field takes KEY=COL"),
        ("--field=Team!=topic", "Lower-case letters"),
        ("--owner=nobody", "no such user"),
    ],
)
def test_a_wrong_mapping_is_refused_before_anything_is_stored(
    tmp_path: Path, option: str, message: str
) -> None:
    with pytest.raises(CommandError, match=message):
        import_rows(write(tmp_path / "old.csv", rows(1)), option)

    assert not Ticket.objects.exists()


@pytest.mark.parametrize(
    ("name", "content"), [("a.csv", b"\xff\xfe\x00text"), ("b.csv.gz", b"not gzip at all")]
)
def test_a_file_that_is_not_csv_is_refused_in_a_sentence(
    tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)

    with pytest.raises(CommandError, match="is not the CSV it should be|has no column"):
        import_rows(tmp_path / name)


def test_training_reports_and_puts_the_first_version_into_service(
    tmp_path: Path, deliver: Callable[..., Any], work: Callable[[], int]
) -> None:
    import_rows(write(tmp_path / "old.csv", rows()), "--id=number")

    said, _ = train("--field=category")

    version = ModelVersion.objects.get()
    assert "held out 16: accuracy" in said
    assert "macro-F1" in said
    assert "calibration error" in said
    assert version.state == "champion"
    assert version.label_count == 80
    assert (version.evidence["held_out"], version.choices) == (16, ["access", "network"])
    source = Source.objects.get()
    secret = source.secrets.create(purpose="inbound", hint="", sealed="")
    secret.put("another-secret-of-the-tests-that-is-long")
    secret.save()
    deliver(
        source,
        ticket_message(subject="", body="my vpn drops"),
        secret="another-secret-of-the-tests-that-is-long",
    )
    work()
    value = Proposal.objects.get().values.get(field__key="category")
    assert (value.choice.key if value.choice else "") == "network"
    assert ledger.verify() is None


def test_too_few_labels_are_refused_by_name_or_left_out_when_asked(tmp_path: Path) -> None:
    few = [{"number": f"f{n}", "text": f"fax {n}", "topic": "fax"} for n in range(29)]
    import_rows(write(tmp_path / "old.csv", rows() + few), "--id=number")

    with pytest.raises(CommandError, match="No model was trained"):
        train()
    out, err = StringIO(), StringIO()
    with pytest.raises(CommandError):
        call_command("train", "--source=real", stdout=out, stderr=err, verbosity=0)
    assert "at least 30 labels. Too few: fax (29)" in err.getvalue()

    train("--leave-out-small")
    assert ModelVersion.objects.get().choices == ["access", "network"]


def test_a_person_s_decision_counts_more_than_history(tmp_path: Path) -> None:
    import_rows(write(tmp_path / "old.csv", rows()), "--id=number")
    label = Label.objects.get(ticket__external_id="access-0")
    Label.objects.create(
        ticket=label.ticket,
        field=label.field,
        choice=Choice.objects.get(key="network"),
        origin=Label.Origin.DECISION,
    )

    train()

    assert ModelVersion.objects.get().evidence["labels_by_choice"] == {"access": 39, "network": 41}


def test_later_versions_wait_and_a_roll_back_brings_the_first_one_back(tmp_path: Path) -> None:
    import_rows(write(tmp_path / "old.csv", rows()), "--id=number")
    train()
    train("--seed=1")
    first, second = ModelVersion.objects.order_by("number")
    owner = User.objects.get()
    assert (first.state, second.state) == ("champion", "candidate")

    registry.promote(second, by=owner, reason="fresher")
    assert registry.champion(second.field) == second
    assert registry.roll_back(second.field, by=owner, reason="") == first
    second.refresh_from_db()
    assert (registry.champion(first.field), second.state) == (first, "retired")


def test_a_worse_version_needs_a_reason_and_a_broken_one_is_never_promoted(tmp_path: Path) -> None:
    import_rows(write(tmp_path / "old.csv", rows()), "--id=number")
    train()
    train("--seed=1")
    first, second = ModelVersion.objects.order_by("number")
    owner = User.objects.get()
    first.evidence["accuracy"], second.evidence["accuracy"] = 0.9, 0.8
    first.save()
    second.save()

    with pytest.raises(PromotionRefused, match=r"measured 0\.800 .* 0\.900"):
        registry.promote(second, by=owner, reason=" ")
    registry.promote(second, by=owner, reason="covers the new office")
    assert registry.champion(first.field) == second

    serving.model_path(first).write_bytes(b"gone wrong")
    with pytest.raises(PromotionRefused, match="does not load"):
        registry.promote(first, by=owner, reason="back")
    assert registry.champion(first.field) == second
