"""The look at one day of a champion: its first week is the reference, later days are compared."""

from datetime import date, timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from tests.triage.conftest import TEXTS
from tests.triage.drift_world import (
    FIRST_DAY,
    START,
    champion,
    kinds,
    later,
    predict,
    week,
)
from triage import drift, drift_figures
from triage.drift_findings import settle
from triage.models import (
    Choice,
    DriftFinding,
    DriftReference,
    DriftReport,
    Label,
    ModelVersion,
    Prediction,
    TicketVersion,
)

__all__ = ["champion", "later", "week"]

pytestmark = pytest.mark.django_db


def test_the_first_week_is_the_reference_and_a_day_like_it_shows_nothing(
    week: ModelVersion,
) -> None:
    before = drift.report(week, FIRST_DAY - timedelta(days=2))
    report = drift.report(week, FIRST_DAY)
    settle(report)

    assert (before.predictions, before.figures) == (0, {})
    reference = DriftReference.objects.get()
    assert (reference.predictions, reference.until) == (560, START + timedelta(days=7))
    assert report.predictions == 240
    assert report.figures["inputs"].keys() == {"words", "unknown_words", "length", "in_scope"}
    assert report.figures["predictions"]["shares"] == {"network": 0.5, "access": 0.5}
    assert kinds() == set()


def test_there_is_no_reference_before_500_predictions(champion: ModelVersion) -> None:
    predict(champion, 0, 499)
    predict(champion, 9, 300)

    # They are reached within the tenth day, which then is part of the reference.
    assert drift.report(champion, FIRST_DAY).figures == {}
    assert drift.report(champion, FIRST_DAY + timedelta(days=2)).figures == {}
    assert DriftReference.objects.get().predictions == 799


def test_what_a_reference_keeps_are_numbers(week: ModelVersion) -> None:
    drift.report(week, FIRST_DAY)

    kept = DriftReference.objects.get().figures
    assert len(kept["words"]) == 256
    assert "tunnel" not in str(kept)
    assert kept["choices"] == {"network": 280, "access": 280}


def test_other_proposals_are_a_finding(week: ModelVersion) -> None:
    predict(week, 8, 240, choice="network", text=" ".join(TEXTS["network"] + TEXTS["access"]))

    settle(drift.report(week, FIRST_DAY + timedelta(days=1)))

    finding = DriftFinding.objects.get(kind="predictions")
    assert (finding.is_grave, finding.since) == (True, date(2026, 3, 10))
    assert finding.said.startswith("Stability index of the proposed choices ")


def test_a_new_language_is_a_grave_finding_of_inputs(week: ModelVersion) -> None:
    predict(week, 8, 240, text="Der Drucker im dritten Stock druckt nur noch leere Seiten")

    settle(drift.report(week, FIRST_DAY + timedelta(days=1)))

    finding = DriftFinding.objects.get(kind="inputs")
    assert finding.is_grave
    assert "share of unknown words" in finding.said


def test_more_tickets_unlike_anything_learnt_are_a_finding(week: ModelVersion) -> None:
    predict(week, 8, 160)
    predict(week, 8, 80, in_scope=0.01)

    report = drift.report(week, FIRST_DAY + timedelta(days=1))
    settle(report)

    assert "out_of_scope" in kinds()
    figures = report.figures["out_of_scope"]
    assert figures["value"] > figures["by_chance"] > figures["reference"]


def test_boasting_probabilities_are_found_on_blind_checks_once_there_are_enough(
    week: ModelVersion, catalogue: dict[str, Choice]
) -> None:
    def check(number: int) -> None:
        for row in predict(week, 6, number):
            truth = catalogue["network" if row.pk % 2 else "access"]
            Label.objects.create(
                ticket_id=TicketVersion.objects.get(pk=row.ticket_version_id).ticket_id,
                field=week.field,
                choice=truth,
                origin="spot_check",
                propensity=0.1,
            )
        Label.objects.filter(origin="spot_check").update(created_at=START + timedelta(days=7))

    check(60)
    few = drift.report(week, FIRST_DAY)
    Prediction.objects.update(probabilities={"network": 0.9})
    check(60)
    Prediction.objects.update(probabilities={"network": 0.9})
    enough = drift.report(week, FIRST_DAY)
    settle(enough)

    assert (few.checks, "calibration" in few.figures) == (60, False)
    assert enough.checks == 120
    assert enough.figures["calibration"]["value"] == pytest.approx(0.4, abs=0.02)
    assert "calibration" in kinds()


def test_a_quiet_day_is_looked_at_with_those_before_it(week: ModelVersion) -> None:
    predict(week, 8, 30)

    assert drift.report(week, FIRST_DAY + timedelta(days=1)).predictions == 200


def test_a_busy_day_is_sampled_the_same_each_time(
    week: ModelVersion,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    monkeypatch.setattr(drift_figures, "MOST", 100)
    with django_assert_max_num_queries(25):
        first = drift.report(week, FIRST_DAY)
    monkeypatch.setattr(drift, "LEAST", 50)

    again = [drift.report(week, FIRST_DAY) for _ in range(2)]

    assert 60 <= first.predictions <= 100
    assert again[0].figures == again[1].figures
    assert DriftReport.objects.count() == 1


def test_predictions_of_two_models_in_turn_are_drawn_alike(
    week: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a shadow answers beside the champion: its rows have every second id."""
    monkeypatch.setattr(drift_figures, "MOST", 100)
    pks = list(Prediction.objects.order_by("pk").values_list("pk", flat=True))

    for turn in (0, 1):
        drawn = drift_figures._drawn(Prediction.objects.filter(pk__in=pks[turn::2]))
        assert 70 <= drawn.count() <= 100
