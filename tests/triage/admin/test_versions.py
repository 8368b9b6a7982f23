"""Model versions are read with their evidence and put into service by a named person."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from tests.conftest import new_ticket
from triage.admin import evidence
from triage.learning import training
from triage.models import Choice, Label, LedgerEntry, ModelVersion, Source

TEXTS = {
    "network": ["vpn tunnel drops", "wifi is slow", "no network in the hall", "cable unplugged"],
    "access": ["password forgotten", "account locked", "cannot sign in", "reset my login"],
}


@pytest.fixture
def trained(
    source: Source,
    choices: dict[str, Choice],
    ai_owner: User,
    settings: Settings,
    tmp_path: Path,
) -> Callable[[], ModelVersion]:
    """Really trained versions, on a few labelled tickets."""
    settings.COUNTERSIGN_MODEL_DIR = tmp_path
    settings.TRAINING_LABEL_FLOOR = 10
    for key, texts in TEXTS.items():
        for number in range(24):
            ticket = new_ticket(source, subject=f"{texts[number % 4]} {number}", body="Please help")
            field = choices[key].field
            Label.objects.create(ticket=ticket, field=field, choice=choices[key], origin="history")
    return lambda: training.train(choices["network"].field, owner=ai_owner)


def page(name: str, version: ModelVersion) -> str:
    return reverse(f"admin:triage_modelversion_{name}", args=[version.pk])


def test_putting_into_service_and_rolling_back_ask_first_and_are_recorded(
    desk: Client, ai_owner: User, trained: Callable[[], ModelVersion]
) -> None:
    first, second = trained(), trained()

    desk.get(page("put_into_service", first))
    desk.post(page("put_into_service", first), {"reason": ""})
    assert not ModelVersion.objects.filter(state="champion").exists()
    desk.post(page("put_into_service", first), {"reason": "The first"})
    desk.post(page("put_into_service", second), {"reason": "More labels"})
    assert ModelVersion.objects.get(state="champion") == second
    desk.post(page("roll_back", second), {"reason": "Wrong teams"})

    assert ModelVersion.objects.get(state="champion") == first
    said = LogEntry.objects.filter(user=ai_owner).order_by("pk")
    assert list(said.values_list("change_message", flat=True)) == [
        "Put into service: The first",
        "Put into service: More labels",
        "Rolled back to: Wrong teams",
    ]
    entries = LedgerEntry.objects.filter(kind="model", payload__has_key="reason")
    assert [entry.payload["reason"] for entry in entries] == [
        "The first",
        "More labels",
        "Wrong teams",
    ]
    assert {entry.actor for entry in entries} == {f"user:{ai_owner.pk}"}


def test_a_version_whose_file_is_gone_is_refused_with_the_reason(
    desk: Client, trained: Callable[[], ModelVersion], tmp_path: Path
) -> None:
    version = trained()
    for file in tmp_path.iterdir():
        file.unlink()

    answer = desk.post(page("put_into_service", version), {"reason": "Go"}, follow=True)

    assert "does not load" in answer.content.decode()
    assert not ModelVersion.objects.filter(state="champion").exists()
    assert not LogEntry.objects.exists()


def test_rolling_back_the_first_version_is_refused(
    desk: Client, make_version: Callable[..., ModelVersion]
) -> None:
    answer = desk.post(page("roll_back", make_version()), {"reason": "Wrong"}, follow=True)

    assert "has no earlier version to go back to" in answer.content.decode()


def test_the_evidence_of_a_real_training_is_read_as_figures_and_drawn(
    desk: Client, trained: Callable[[], ModelVersion]
) -> None:
    version = trained()

    shown = desk.get(page("change", version)).content.decode()

    assert "Share of held-out tickets whose top answer is right." in shown
    assert "Labels by choice" in shown
    assert shown.count('class="chart"') >= 2


# --- Evidence as values ---------------------------------------------------------------------


def test_known_figures_come_first_with_their_meaning_and_unknown_ones_after() -> None:
    read = evidence.read({"zeta": 3, "brier": 0.25, "accuracy": 0.875, "note": "small"})

    assert [(figure.name, figure.value) for figure in read.figures] == [
        ("Accuracy", "0.875"),
        ("Brier", "0.25"),
        ("Note", "small"),
        ("Zeta", "3"),
    ]
    assert "held-out" in read.figures[0].meaning
    assert read.tables == []


def test_coverage_ends_with_the_error_over_all_tickets() -> None:
    read = evidence.read(
        {"error_at_coverage_80": 0.06, "error_at_coverage_50": 0.02, "accuracy": 0.9}
    )

    assert read.tables[0].rows == [["50 %", "2.0%"], ["80 %", "6.0%"], ["100 %", "10.0%"]]


def test_rows_of_figures_are_labelled_by_their_name_and_only_shares_are_drawn() -> None:
    per_choice = {"vpn": {"f1": 0.9, "support": 12}, "wifi": {"f1": 0.7, "support": 9}}
    [table] = evidence.read({"per_choice": per_choice}).tables

    assert table.head == ["", "F1", "Support"]
    assert table.rows == [["vpn", "0.9", "12"], ["wifi", "0.7", "9"]]
    assert '"data": [0.9, 0.7]' in table.chart
    assert "12" not in table.chart


def test_a_reliability_curve_is_drawn_over_what_was_stated() -> None:
    bins = [{"right": 0.52, "stated": 0.5}, {"right": 0.88, "stated": 0.9}]
    [table] = evidence.read({"reliability": bins}).tables

    assert table.head == ["Stated", "Right"]
    assert table.chart_type == "line"
    assert '"labels": ["0.5", "0.9"]' in table.chart


@pytest.mark.parametrize(
    "value",
    [None, [], "text", 3, {}, {"a": None}, {"a": []}, {"a": {}}, {"a": [1, "b"]}, {"a": [[1]]}]
    + [{"a": {"b": [1]}}, {"a": [{}]}, {"a": [{"b": True}]}, {"a": float("inf")}, {"a": [None]}]
    + [{"error_at_coverage_50": "?", "accuracy": None}, {"a": {"b": {}, "c": {}}}],
)
def test_whatever_the_evidence_holds_can_be_read(value: Any) -> None:
    for table in evidence.read(value).tables:
        assert table.options
        assert all(isinstance(cell, str) for row in table.rows for cell in row)
