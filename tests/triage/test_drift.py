"""The nightly look at a champion: its first week is the reference, later days are compared."""

from datetime import UTC, date, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from tests.triage.admin.rows import new_certificate
from tests.triage.conftest import TEXTS, Train
from triage import drift, drift_figures, ledger, nightly, tasks
from triage.drift_findings import settle
from triage.learning import registry
from triage.learning.serving import model_path
from triage.models import (
    Certificate,
    Choice,
    DriftFinding,
    DriftReference,
    DriftReport,
    Label,
    LedgerEntry,
    ModelVersion,
    Prediction,
    Rung,
    Source,
    Ticket,
    TicketVersion,
)
from triage.policies_in_force import policies_in_force
from triage.policy.ladder import acting_level

pytestmark = pytest.mark.django_db
START = datetime(2026, 3, 2, tzinfo=UTC)
FIRST_DAY = date(2026, 3, 9)


@pytest.fixture(autouse=True)
def later() -> Any:
    with time_machine.travel(datetime(2026, 3, 20, 3, tzinfo=UTC), tick=True) as clock:
        yield clock


@pytest.fixture
def champion(train: Train, source: Source) -> ModelVersion:
    """In service since START; its owner has an address."""
    version = train()
    source.owner.email = "olivia@example.org"
    source.owner.save()
    registry.promote(version, by=source.owner, reason="")
    ModelVersion.objects.filter(pk=version.pk).update(created_at=START, promoted_at=START)
    return drift.champions()[0]


def predict(version: ModelVersion, day: int, number: int, **over: Any) -> list[Prediction]:
    """Tickets of one day, half about each of two choices, and what the version said of them."""
    values = {"choice": "", "in_scope": None, "text": ""} | over
    source, at = version.field.source, START + timedelta(days=day, hours=10)
    keys = [values["choice"] or ("network", "access")[n % 2] for n in range(number)]
    texts = [values["text"] or TEXTS[key][n // 2 % 4] for n, key in enumerate(keys)]
    first = Ticket.objects.count()
    tickets = Ticket.objects.bulk_create(
        Ticket(
            source=source,
            external_id=f"D{first + n}",
            version=1,
            subject=text,
            body=f"Please help {n % 7}",
            opened_at=at,
        )
        for n, text in enumerate(texts)
    )
    versions = TicketVersion.objects.bulk_create(
        TicketVersion(ticket=ticket, version=1, subject=ticket.subject, body=ticket.body)
        for ticket in tickets
    )
    rows = Prediction.objects.bulk_create(
        Prediction(
            ticket_version=ticket_version,
            model_version=version,
            probabilities={"laptop": 0.1, key: 0.9},
            in_scope=(n % 20 + 1) / 21 if values["in_scope"] is None else values["in_scope"],
        )
        for n, (ticket_version, key) in enumerate(zip(versions, keys, strict=True))
    )
    Prediction.objects.filter(pk__in=[row.pk for row in rows]).update(created_at=at)
    return rows


@pytest.fixture
def week(champion: ModelVersion) -> ModelVersion:
    """A champion with a first week of 560 predictions, and a day like them."""
    for day in range(7):
        predict(champion, day, 80)
    predict(champion, 7, 240)
    return champion


def kinds() -> set[str]:
    return set(DriftFinding.objects.filter(until=None).values_list("kind", flat=True))


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


# --- Night after night ----------------------------------------------------------------------


def night(version: ModelVersion, day: date) -> list[DriftReport]:
    return nightly.look_after(version, day + timedelta(days=1))


def test_days_that_were_missed_are_made_up_for_once(week: ModelVersion) -> None:
    assert [report.day for report in night(week, FIRST_DAY)] == [
        FIRST_DAY - timedelta(days=back) for back in range(6, -1, -1)
    ]
    assert night(week, FIRST_DAY) == []
    assert [report.day for report in night(week, FIRST_DAY + timedelta(days=2))] == [
        FIRST_DAY + timedelta(days=1),
        FIRST_DAY + timedelta(days=2),
    ]


def test_the_owner_is_mailed_once_and_again_only_after_it_was_gone(week: ModelVersion) -> None:
    strange = {"in_scope": 0.01}
    for day, over in ((8, strange), (9, strange), (10, {}), (11, strange)):
        predict(week, day, 240, **over)
    mails = []
    for day in range(7, 12):
        night(week, START.date() + timedelta(days=day))
        night(week, START.date() + timedelta(days=day))
        mails.append(sum("drift of out of scope" in one.subject for one in mail.outbox))

    assert mails == [0, 1, 1, 1, 2]
    found = DriftFinding.objects.filter(kind="out_of_scope").order_by("since")
    assert [(one.since.day, one.until.day if one.until else None) for one in found] == [
        (10, 12),
        (13, None),
    ]
    first = mail.outbox[0]
    assert first.to == ["olivia@example.org"]
    assert f"/admin/triage/modelversion/{week.pk}/drift/" in first.body


def test_a_mail_that_could_not_be_sent_goes_the_next_night(
    week: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    predict(week, 8, 240, in_scope=0.01)
    with monkeypatch.context() as away:
        away.setattr("triage.alerts.send_mail", _refuse)
        night(week, FIRST_DAY + timedelta(days=1))

    night(week, FIRST_DAY + timedelta(days=1))

    assert DriftFinding.objects.filter(kind="out_of_scope", mailed_at__isnull=False).exists()
    assert mail.outbox


def _refuse(*_: object) -> None:
    raise ConnectionRefusedError


def test_an_earlier_day_done_again_opens_and_closes_nothing(week: ModelVersion) -> None:
    predict(week, 8, 240, in_scope=0.01)
    night(week, FIRST_DAY + timedelta(days=1))
    before = kinds()

    settle(drift.report(week, FIRST_DAY))

    assert before == kinds() != set()


def test_a_model_whose_file_is_gone_stops_no_night(week: ModelVersion) -> None:
    model_path(week).unlink()

    assert night(week, FIRST_DAY) == []


# --- What follows ---------------------------------------------------------------------------


def test_a_grave_finding_ends_what_lets_the_field_act_alone(
    week: ModelVersion, catalogue: dict[str, Choice], source: Source
) -> None:
    network = catalogue["network"]
    Rung.objects.create(
        field=network.field, choice=network, level="auto", owner=source.owner, reason="Earned"
    )
    certificate = new_certificate(week, network)
    predict(week, 8, 240, in_scope=0.01)
    assert policies_in_force(source).rungs["category", "network"].certified_from == 0.8

    night(week, FIRST_DAY + timedelta(days=1))

    spec = policies_in_force(source).rungs["category", "network"]
    assert (spec.level, spec.certified_from) == ("auto", None)
    level = acting_level(
        level=spec.level,
        cap=spec.cap,
        probability=0.99,
        threshold=0.0,
        certified_from=spec.certified_from,
        canary_percent=100,
        draw=0.0,
        stopped=False,
        held=False,
    ).level
    assert level == "suggest"
    assert Certificate.objects.get().expires_at <= timezone.now()
    entries = LedgerEntry.objects.filter(subject=f"certificate:{certificate.pk}")
    [entry] = entries
    assert entry.payload["event"].startswith("ended by drift of ")
    assert DriftFinding.objects.filter(pk=entry.payload["finding"]).exists()
    assert "until they are certified again" in mail.outbox[0].body
    assert ledger.verify() is None


def test_a_finding_that_is_not_grave_ends_no_certificate(
    week: ModelVersion, catalogue: dict[str, Choice]
) -> None:
    new_certificate(week, catalogue["network"])
    predict(week, 8, 215)
    predict(week, 8, 25, in_scope=0.01)

    night(week, FIRST_DAY + timedelta(days=1))

    assert not DriftFinding.objects.get(kind="out_of_scope").is_grave
    assert Certificate.objects.get().expires_at > timezone.now()


# --- Edges ----------------------------------------------------------------------------------


def test_the_command_reports_and_may_be_repeated(week: ModelVersion) -> None:
    told = StringIO()
    with time_machine.travel(datetime(2026, 3, 10, 3, tzinfo=UTC)):
        call_command("drift", stdout=told)
        call_command("drift", "--day", "2026-03-09", "--source", "desk", stdout=told)

    assert "category v1 on 2026-03-08: 0 predictions, not enough yet" in told.getvalue()
    assert told.getvalue().count("category v1 on 2026-03-09: 240 predictions, inputs 0.") == 2


@pytest.mark.parametrize(
    ("args", "said"),
    [(["--source", "nowhere"], "no source 'nowhere'"), (["--day", "2026-03-20"], "is not over")],
)
def test_the_command_refuses_what_is_not_there(args: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        call_command("drift", *args)


def test_the_beat_asks_for_each_champion(
    week: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[tuple[int], int]] = []
    monkeypatch.setattr(
        tasks.look_after, "apply_async", lambda args, expires: asked.append((args, expires))
    )
    tasks.look_after_models()
    tasks.look_after(week.pk)
    tasks.look_after(0)

    assert asked == [((week.pk,), 6 * 3600)]
    assert DriftReport.objects.count() == 7
