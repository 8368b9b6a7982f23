"""Which tier of a model version answered lately, and at what cost."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.conftest import new_ticket
from triage.admin import evidence, tiers
from triage.models import ModelVersion, Prediction, Source

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def today() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def answer(source: Source) -> Callable[..., None]:
    """`answer(version, tiers, days_ago)`: one prediction of each tier named, so long ago."""

    def make(version: ModelVersion, said: list[int], days_ago: float) -> None:
        for tier in said:
            ticket = new_ticket(source)
            row = Prediction.objects.create(
                ticket_version=ticket.versions.get(),
                model_version=version,
                probabilities={"network": 0.9},
                in_scope=0.5,
                tier=tier,
            )
            Prediction.objects.filter(pk=row.pk).update(
                created_at=timezone.now() - timedelta(days=days_ago)
            )

    return make


def test_shares_of_the_week_and_the_month_stand_beside_what_a_text_costs(
    make_version: Callable[..., ModelVersion], answer: Callable[..., None]
) -> None:
    measured = {"1": {"ms_per_text": 0.4567, "share": 0.8}, "2": {"ms_per_text": 21}}
    version, other = make_version(evidence={"tiers": measured}), make_version(state="retired")
    answer(version, [1, 1, 2], 0)
    answer(version, [1], 6)
    answer(version, [2, 2, 1, 1], 7)
    answer(version, [2], 29)
    # Longer ago than the month, and another version's.
    answer(version, [2], 30)
    answer(other, [2], 1)

    found = tiers.read(version)

    assert found.summary.rows == [
        [
            "First: linear model alone",
            "75.0% (3 of 4)",
            "55.6% (5 of 9)",
            "0.46 ms a text, 80.0% of texts",
        ],
        [
            "Second: sentence vectors beside it",
            "25.0% (1 of 4)",
            "44.4% (4 of 9)",
            "21.00 ms a text",
        ],
    ]
    assert found.per_day is not None
    assert len(found.per_day.rows) == 30
    assert found.per_day.rows[0] == ["02 Mar", "1", "1", "100.0%"]
    assert found.per_day.rows[-1] == ["31 Mar", "3", "1", "33.3%"]
    assert found.per_day.rows[-2] == ["30 Mar", "0", "-", "-"]
    assert found.per_day.chart


@pytest.mark.parametrize(
    "measured",
    [
        None,
        [],
        {},
        {"tiers": 3},
        {"tiers": {"1": 3}},
        {"tiers": {"1": {"ms_per_text": "fast", "share": None}}},
    ],
)
def test_what_was_not_measured_or_not_asked_is_said_so(
    make_version: Callable[..., ModelVersion], measured: Any
) -> None:
    version = make_version()
    version.evidence = measured

    found = tiers.read(version)

    assert [row[1:] for row in found.summary.rows] == [
        ["no ticket", "no ticket", "not measured"],
        ["no ticket", "no ticket", "not measured"],
    ]
    assert found.per_day is None


def test_the_page_shows_both_and_costs_the_same_however_much_was_answered(
    desk: Client, make_version: Callable[..., ModelVersion], answer: Callable[..., None]
) -> None:
    version = make_version()
    page = reverse("admin:triage_modelversion_change", args=[version.pk])
    desk.get(page)
    with CaptureQueriesContext(connection) as before:
        empty = desk.get(page).content.decode()
    for days in range(10):
        answer(version, [1, 2], days)
    with CaptureQueriesContext(connection) as after:
        full = desk.get(page).content.decode()

    assert len(before) == len(after)
    assert "Share of tickets that the second tier answered, by day" not in empty
    assert "Share of tickets that the second tier answered, by day" in full
    assert "50.0% (7 of 14)" in full
    assert "not measured" in full


def test_what_stands_here_is_not_repeated_among_the_evidence() -> None:
    measured = {"accuracy": 0.9, "tiers": {"1": {"ms_per_text": 0.4, "share": 0.8}}}

    assert evidence.read(measured).tables == []


def test_the_days_are_counted_from_an_index(
    make_version: Callable[..., ModelVersion], answer: Callable[..., None]
) -> None:
    version = make_version()
    answer(version, [1], 0)
    # Among a few rows every index costs the same, and a guess at their number decides.
    answer(version, [1] * 200, 40)
    with CaptureQueriesContext(connection) as asked:
        tiers.read(version)
    (query,) = [row["sql"] for row in asked if "triage_prediction" in row["sql"]]

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE triage_prediction")
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {query}")
        plan = "\n".join(line for (line,) in cursor.fetchall())

    assert "prediction_by_time" in plan
