"""`manage.py evaluate` on real files: prints, writes, refuses, and touches no database."""

from __future__ import annotations

import csv
import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.config.programs import PROJECT, outside
from tests.learning.conftest import Tickets
from triage.learning import semantic

# One worker makes the fixture that takes the longest, and makes it once.

QUICK = ("--no-semantic", "--no-speed", "--quiet")
OWN = ("--text", "Was war", "--label", "Team")
FIGURES = {
    "accuracy", "macro_f1", "top3", "brier", "ece", "coverage_at_error", "error_at_coverage", "oos",
    "texts_per_second",
}  # fmt: skip
ABOUT = {"dataset", "title", "split", "said", "notes", "seed", "labels", "texts", "machine"}
TOP = FIGURES | ABOUT | {
    "fit_seconds", "peak_mb", "baselines", "tiers", "ratios", "answered_by", "alone",
}  # fmt: skip

Evaluate = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def tickets(demo: Tickets, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's tickets as somebody's export: gzipped, columns of any name, a number for order."""
    path = tmp_path_factory.mktemp("export") / "alte tickets.csv.gz"
    with gzip.open(path, "wt", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["Nr", "Team", "Was war"])
        # Their beginnings: sentence vectors of whole ones take the longest of all this.
        writer.writerows(
            (n, label, text[:160]) for n, (text, label) in enumerate(zip(*demo, strict=True))
        )
    return path


@pytest.fixture
def evaluate(tmp_path: Path) -> Evaluate:
    def run(*arguments: object) -> dict[str, Any]:
        written = tmp_path / "found.json"
        call_command("evaluate", *map(str, arguments), json=written, stdout=StringIO())
        found: dict[str, Any] = json.loads(written.read_text())
        return found

    return run


def manage(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *map(str, arguments)],
        cwd=PROJECT,
        env=outside(**environment),
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture(scope="module")
def whole(
    tickets: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[subprocess.CompletedProcess[str], Path]:
    """Everything once, where the database is down and no secret is set."""
    if semantic.files_of_wheel() is None:
        pytest.skip("requirements-semantic.txt is not installed")
    folder = tmp_path_factory.mktemp("found")
    done = manage(
        "evaluate", "--dataset", tickets, *OWN, "--limit", 180, "--seed", 4,
        "--json", folder / "new/found.json", "--plots", folder / "pictures",
        DATABASE_URL="postgresql://127.0.0.1:1/none", REDIS_URL="redis://127.0.0.1:1/0",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done, folder


def test_the_json_has_the_keys_that_are_promised(
    whole: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    found = json.loads((whole[1] / "new/found.json").read_text())

    assert set(found) == TOP
    assert set(found["coverage_at_error"]) == {"0.01", "0.02", "0.05"}
    assert set(found["error_at_coverage"]) == {"0.5", "0.6", "0.7", "0.8", "0.9"}
    assert found["oos"] == {"auroc": None, "recall_at_0.05": None, "recall_at_0.1": None}
    assert found["texts"] == {"train": 144, "test": 36, "out_of_scope": 0}
    assert found["fit_seconds"] > 0
    assert found["peak_mb"] > 50
    assert set(found["tiers"]) == {"first", "cascade", "second"}
    assert set(found["tiers"]["first"]) == FIGURES | {"share_second"}
    assert set(found["baselines"]) == {"linear_svc", "complement_nb", "bare_pipeline"}
    for side in (found, found["tiers"]["first"], *found["baselines"].values()):
        assert 0.2 < side["accuracy"] <= side["top3"] <= 1
        assert side["texts_per_second"]["batch"] > 0
        assert side["texts_per_second"]["single"] > 0
    assert found["ratios"]["first_vs_bare"]["batch"] > 0


def test_the_top_level_is_both_tiers_where_there_are_two(
    whole: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    found = json.loads((whole[1] / "new/found.json").read_text())

    best = "second" if found["answered_by"] == "both tiers" else "first"
    assert {name: found[name] for name in FIGURES} == {
        name: found["tiers"][best][name] for name in FIGURES
    }
    if best == "second":
        assert found["alone"] is None
        assert found["tiers"]["second"]["share_second"] == 1
        assert 0 < found["tiers"]["cascade"]["share_second"] < 1
        assert found["ratios"]["cascade_vs_second"] > 1


def test_what_is_printed_says_who_answers_and_names_every_figure(
    whole: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    said = whole[0].stdout

    assert "144 texts to train on, 36 to judge by" in said
    assert "Only 180 of" in said
    for name in ("accuracy", "macro-F1", "Brier", "ECE", "answered at 2 % error", "singly", "MiB"):
        assert name in said
    assert "The figures at the top of the JSON are those of: " in said


def test_pictures_are_small(whole: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    drawn = {path.name: path.read_bytes() for path in (whole[1] / "pictures").iterdir()}

    kinds = {name.removeprefix("alte tickets-random-") for name in drawn}
    assert {"reliability.png", "coverage.png", "labels.png"} <= kinds
    assert all(content.startswith(b"\x89PNG") for content in drawn.values())
    assert all(len(content) < 100_000 for content in drawn.values())


def test_no_service_is_started_and_no_key_is_kept(tickets: Path, tmp_path: Path) -> None:
    done = manage(
        "evaluate", "--dataset", tickets, *OWN, *QUICK, COUNTERSIGN_DATA=str(tmp_path / "data")
    )

    assert done.returncode == 0, done.stderr
    assert "words answer alone" in done.stdout
    assert "%|" not in done.stderr
    assert not (tmp_path / "data").exists()


def test_the_same_seed_gives_the_same_figures_and_another_one_others(
    evaluate: Evaluate, tickets: Path
) -> None:
    judged = ("accuracy", "brier", "ece", "error_at_coverage")
    one, again, other = (
        evaluate("--dataset", tickets, *OWN, *QUICK, "--seed", seed) for seed in (1, 1, 2)
    )

    assert [one[name] for name in judged] == [again[name] for name in judged]
    assert one["brier"] != other["brier"]
    assert one["answered_by"] == "first tier"
    assert one["tiers"]["second"] is None
    assert one["texts_per_second"] == {"batch": None, "single": None}
    assert set(one) == TOP


def test_the_time_split_goes_by_the_column_that_is_named(
    evaluate: Evaluate, tickets: Path, tmp_path: Path
) -> None:
    with gzip.open(tickets, "rt", encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    turned = tmp_path / "turned.csv"
    with turned.open("w", encoding="utf-8-sig", newline="") as out:
        csv.writer(out, delimiter=";").writerows([header, *sorted(rows, key=lambda row: row[2])])
    first = evaluate("--dataset", tickets, *OWN, *QUICK, "--split", "time")
    second = evaluate(
        "--dataset", turned, *OWN, *QUICK, "--split", "time", "--order", "Nr", "--delimiter", ";"
    )

    assert first["texts"]["train"] == int(len(rows) * 0.6)
    assert first["texts"]["test"] == round(len(rows) * 0.2)
    assert first["brier"] == second["brier"]


def test_rows_that_cannot_be_used_are_counted(evaluate: Evaluate, tmp_path: Path) -> None:
    path = tmp_path / "rough.csv"
    rows = [
        f"the printer {n} is broken,hardware\nmy password {n} is lost,access\n" for n in range(9)
    ]
    path.write_text("t,l\n" + "".join(rows) + ",access\nhello,\none,two,three\nalone,rare\n\n")
    found = evaluate("--dataset", path, "--text", "t", "--label", "l", *QUICK, "--held-out", "0.3")

    assert found["texts"]["train"] + found["texts"]["test"] == 18
    assert found["notes"] == [
        "1 of 22 rows have more or fewer cells than the header's 2 and are left out.",
        "2 of 22 rows have an empty cell in t, l and are left out.",
        "1 of 3 labels have one row only and are left out: rare.",
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("text,team\na,b\n", "must have a column 'label'; it has: 'text', 'team'."),
        ("text;label\na;b\n", "Is the delimiter ';'? Say so with --delimiter."),
        ("text,label,label\na,b,c\n", "must have one column 'label', it has 2."),
        ("text,label\n,\n", "must have rows with a text and a label, got none in all."),
        ("", "must have a column 'text'; it has: none."),
        ("text,label\na,x\nb,x\nc,x\n", "at least two labels with 2 rows each to train on"),
        ("text,label\na,x\nb,x\nc,y\nd,y\n", "but 4 texts are too few for that"),
        ("text,label\ngrüße,x\n".encode("latin-1"), "must be in UTF-8, but holds the byte 0xfc"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "must be a CSV file in UTF-8, but it is no text"),
        (b"\x1f\x8b\x08\x00rubbish", "must be a CSV file"),
    ],
)
def test_a_file_that_is_of_no_use_is_refused_with_the_reason(
    evaluate: Evaluate, tmp_path: Path, content: str | bytes, said: str
) -> None:
    path = tmp_path / "odd.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())

    with pytest.raises(CommandError) as refusal:
        evaluate("--dataset", path, "--text", "text", "--label", "label", *QUICK)
    assert said in str(refusal.value)
    assert str(path) in str(refusal.value) or "odd.csv" in str(refusal.value)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--dataset", "nowhere.csv", *OWN), "one of it, clinc150, banking77 or a CSV file"),
        (("--dataset", "FILE"), "A file needs --text COL and --label COL"),
        (("--dataset", "FILE", *OWN, "--split", "official"), "random or time, not official"),
        (("--dataset", "FILE", *OWN, "--order", "Nr"), "--order COL is for a file"),
        (("--dataset", "FILE", *OWN, "--held-out", "1"), "above 0 and below 1, got 1."),
        (("--dataset", "FILE", *OWN, "--split", "time", "--held-out", "0.5"), "at most 0.4"),
        (("--dataset", "FILE", *OWN, "--split", "time", "--order", "Team"), "must hold numbers"),
        (("--dataset", "FILE", *OWN, "--limit", "1"), "--limit must be at least 2, got 1."),
        (("--dataset", "FILE", *OWN, "--seed", "-1"), "--seed must be from 0 to"),
        (("--dataset", "FILE", *OWN, "--delimiter", "::"), "must be one character, got '::'."),
        (("--dataset", "FILE", *OWN, "--plots", "manage.py"), "manage.py must be a folder"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    evaluate: Evaluate, tickets: Path, arguments: tuple[str, ...], said: str
) -> None:
    with pytest.raises(CommandError) as refusal:
        evaluate(*(tickets if word == "FILE" else word for word in arguments), *QUICK)
    assert said in str(refusal.value)


def test_a_public_set_that_is_not_there_is_named_with_the_rule(
    evaluate: Evaluate, tmp_path: Path, settings: Any
) -> None:
    settings.TRIAGE_DATA_DIR = tmp_path

    with pytest.raises(CommandError, match=r"banking77/train.csv must be there: TRIAGE_DATA_DIR"):
        evaluate("--dataset", "banking77", *QUICK)


def test_a_public_set_with_texts_out_of_scope(shared_data: Path, evaluate: Evaluate) -> None:
    found = evaluate("--dataset", "clinc150", "--limit", 1500, *QUICK)

    assert found["texts"]["out_of_scope"] == 77
    assert 0.6 < found["oos"]["auroc"] <= 1
    assert 0 < found["oos"]["recall_at_0.05"] <= found["oos"]["recall_at_0.1"] <= 1
    assert found["accuracy"] > 0.5


def test_the_it_tickets_by_time(shared_data: Path, evaluate: Evaluate) -> None:
    found = evaluate("--dataset", "it", "--split", "time", "--limit", 2000, *QUICK)

    assert found["texts"] == {"train": 1200, "test": 400, "out_of_scope": 0}
    assert found["accuracy"] > 0.5
