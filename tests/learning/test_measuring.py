"""Two hold-outs and a description of the data, over examples made by hand."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.learning.conftest import Tickets
from triage.learning import describing, measuring
from triage.learning.examples import LESS_TRUSTED, Example, Examples
from triage.learning.fitting import fit
from triage.learning.measuring import Setting

BEGAN = datetime(2026, 1, 5, tzinfo=UTC)


def examples(tickets: Tickets, **over: Any) -> Examples:
    """In the order given, a ticket an hour."""
    rows = [
        Example(text, choice, "history", number, BEGAN + timedelta(hours=number))
        for number, (text, choice) in enumerate(zip(*tickets, strict=True))
    ]
    return Examples(rows, **over)


def silence(share: float, what: str) -> None:
    assert 0 <= share <= 1


@pytest.fixture(scope="module")
def shuffled(demo_parts: tuple[Tickets, Tickets]) -> Examples:
    return examples(demo_parts[0])


@pytest.fixture(scope="module")
def figures(shuffled: Examples) -> dict[str, Any]:
    return measuring.measured(shuffled, Setting(seed=0), silence)


def test_both_hold_outs_have_the_same_figures_and_the_random_one_keeps_its_keys(
    figures: dict[str, Any], shuffled: Examples
) -> None:
    newest = figures["time_ordered"]
    known = {"held_out", "accuracy", "macro_f1", "brier", "log_loss", "calibration_error", "top_3"}

    assert known | {"error_at_coverage_50", "coverage_at_error_05"} <= figures.keys()
    assert known <= newest.keys()
    assert newest["held_out"] == figures["held_out"] == -(-len(shuffled.rows) // 5)
    assert newest["learnt_until"] < newest["asked_from"] < newest["asked_until"]
    # The order is random here, so that the newest tickets are like all others.
    assert newest["accuracy"] == pytest.approx(figures["accuracy"], abs=0.25)


def test_the_random_one_is_also_told_by_choice_and_in_curves(
    figures: dict[str, Any], shuffled: Examples
) -> None:
    assert figures["per_choice"].keys() == set(shuffled.labels)
    held = sum(each["tickets"] for each in figures["per_choice"].values())
    assert held == sum(each["tickets"] for each in figures["reliability"]) == figures["held_out"]
    assert figures["risk_coverage"][-1] == {
        "coverage": 1.0,
        "error": pytest.approx(1 - figures["accuracy"]),
    }
    wrong = sum(each["tickets"] for each in figures["confusions"])
    assert 0 < wrong <= round((1 - figures["accuracy"]) * figures["held_out"])


def test_a_choice_that_only_the_newest_tickets_have_counts_as_wrong() -> None:
    texts = [f"the vpn tunnel drops {n}" if n % 2 else f"password locked {n}" for n in range(120)]
    labels = ["vpn" if n % 2 else "access" for n in range(120)]
    for late in range(108, 120):
        texts[late], labels[late] = f"the scanner is jammed {late}", "scanner"

    newest = measuring.measured(examples((texts, labels)), Setting(seed=0), silence)["time_ordered"]

    assert newest["unknown_choices"] == 1
    assert newest["accuracy"] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("count", "at_once", "message"),
    [(60, False, "the newest fifth has 12"), (140, True, "at one moment")],
)
def test_where_there_is_no_older_and_newer_a_note_says_why(
    count: int, at_once: bool, message: str
) -> None:
    tickets = [f"vpn drops {n}" if n % 2 else f"password locked {n}" for n in range(count)]
    found = examples((tickets, ["vpn" if n % 2 else "access" for n in range(count)]))
    if at_once:
        rows = [Example(r.text, r.choice, r.origin, r.label, BEGAN) for r in found.rows]
        found = Examples(rows)

    newest = measuring.measured(found, Setting(seed=0), silence)["time_ordered"]

    assert list(newest) == ["note"]
    assert message in newest["note"]


def test_decisions_are_measured_apart_from_blind_labels() -> None:
    texts = [f"the vpn tunnel drops {n}" if n % 2 else f"password locked {n}" for n in range(100)]
    rows = [
        Example(
            text, "vpn" if n % 2 else "access", "decision" if n % 4 < 2 else "history", n, BEGAN
        )
        for n, text in enumerate(texts)
    ]

    figures = measuring.measured(Examples(rows), Setting(seed=0), silence)

    assert 0 < figures["blind_held_out"] < figures["held_out"]
    assert 0 <= figures["accuracy_on_blind"] <= 1


def test_the_label_that_contradicts_all_others_is_the_first_doubt() -> None:
    texts = [f"the vpn tunnel drops {n}" if n % 2 else f"password locked {n}" for n in range(80)]
    labels = ["vpn" if n % 2 else "access" for n in range(80)]
    labels[7] = "access"
    found = examples((texts, labels))

    noise, doubts = measuring.doubts(found, fit(texts, labels, seed=0))

    assert [(doubt.label, doubt.given, doubt.suggested) for doubt in doubts] == [
        (7, "access", "vpn")
    ]
    assert doubts[0].confidence > 0.5 > doubts[0].given_probability
    assert noise["examined"] == 80
    assert 0 < noise["estimated_share"] < 0.05


# --- The data -------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("I can not open the shared folder since this morning, please help", "English"),
        ("Ich kann mich nicht an der VPN anmelden, bitte um Hilfe", "German"),
        ("Je ne peux pas ouvrir le dossier partagé depuis ce matin", "French"),
        (
            "No puedo abrir la carpeta compartida desde esta mañana, ¿me ayudan con el acceso?",
            "Spanish",
        ),
        ("Ik kan de printer niet vinden op het netwerk van mijn afdeling", "Dutch"),
        ("VPN 4711", "not told"),
        ("", "not told"),
    ],
)
def test_a_language_is_told_by_its_function_words(text: str, language: str) -> None:
    assert describing.language(text) == language


def test_the_languages_of_the_demo_tickets_are_told(demo: Tickets) -> None:
    told = Counter(describing.language(text) for text in demo[0])

    assert [name for name, _ in told.most_common(3)] == ["English", "German", "Spanish"]
    assert told["English"] + told["German"] + told["Spanish"] >= 0.97 * len(demo[0])


def test_repetitions_are_counted_and_those_that_contradict_an_earlier_label() -> None:
    texts = ["VPN drops", "vpn  drops", "VPN drops", "password locked"]
    found = examples(
        (texts, ["vpn", "vpn", "access", "access"]), left_out=Counter({LESS_TRUSTED: 3})
    )

    data = describing.described(found)

    assert (data["tickets"], data["duplicates"], data["contradicted"]) == (4, 2, 1)
    assert (data["median_words"], data["longest_words"]) == (2, 2)
    assert data["origins_by_choice"] == {"access": {"history": 2}, "vpn": {"history": 2}}
    assert data["left_out"] == {LESS_TRUSTED: 3}
    assert data["first_opened"] < data["last_opened"]
