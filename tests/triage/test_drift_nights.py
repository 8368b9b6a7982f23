"""Night after night: what is found is told once, ends certificates if it is grave, and is over."""

from datetime import UTC, date, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.core import mail
from django.core.management import CommandError, call_command
from django.utils import timezone

from tests.triage.admin.rows import new_certificate
from tests.triage.drift_world import (
    FIRST_DAY,
    START,
    champion,
    kinds,
    later,
    predict,
    week,
)
from triage import drift, ledger, nightly, tasks
from triage.drift_findings import settle
from triage.learning.serving import model_path
from triage.models import (
    Certificate,
    Choice,
    DriftFinding,
    DriftReport,
    LedgerEntry,
    ModelVersion,
    Rung,
    Source,
)
from triage.policies_in_force import policies_in_force
from triage.policy.ladder import acting_level

__all__ = ["champion", "later", "week"]

pytestmark = pytest.mark.django_db


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
    beat: dict[str, Any] = settings.CELERY_BEAT_SCHEDULE["look after models"]
    assert (beat["task"], beat["options"]["expires"]) == (tasks.NIGHTLY, 6 * 3600)
    assert DriftReport.objects.count() == 7
