"""Trainings at the desk: asked for, watched with and without script, cancelled."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect
from pytest_django import Settings

from tests.browser.conftest import Opener
from tests.triage.admin.conftest import signed_in
from tests.triage.admin.rows import new_run
from tests.triage.taught import teach
from triage.learning import runs
from triage.models import Choice, Field, Job, LedgerEntry, ModelVersion, Source, TrainingRun

ADD = "admin:triage_trainingrun_add"
LIST = "admin:triage_trainingrun_changelist"
NARROW = (360, 800)


def page(row: TrainingRun, name: str = "change") -> str:
    return reverse(f"admin:triage_trainingrun_{name}", args=[row.pk])


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def field(choices: dict[str, Choice]) -> Field:
    return choices["network"].field


@pytest.fixture
def begun(field: Field, ai_owner: User) -> TrainingRun:
    """A run that a trainer holds at 42 %."""
    run = runs.ask(field, by=ai_owner)
    TrainingRun.objects.filter(pk=run.pk).update(
        started_at=timezone.now(), progress=0.42, step="checking on part 2 of 5"
    )
    Job.objects.update(lease_until=timezone.now() + timedelta(minutes=5), attempts=1)
    return run


def test_an_owner_asks_for_a_training_and_is_led_to_its_page(
    desk: Client, ai_owner: User, field: Field
) -> None:
    said = {"field": field.pk, "seed": 7, "leave_out_small": "on"}

    answer = desk.post(reverse(ADD), said, follow=True)

    run = TrainingRun.objects.get()
    assert (run.field, run.seed, run.leave_out_small, run.asked_by) == (field, 7, True, ai_owner)
    assert answer.redirect_chain == [(page(run), 302)]
    shown = answer.content.decode()
    assert "It is asked for; the trainer begins in a moment." in shown
    assert "The trainer takes one after another" in shown
    assert Job.objects.filter(kind="train", subject=run.pk).exists()
    assert LogEntry.objects.get().object_id == str(run.pk)
    assert LedgerEntry.objects.get(subject=f"training:{run.pk}").actor == f"user:{ai_owner.pk}"


def test_a_field_and_its_versions_lead_to_the_form_with_the_field_chosen(
    desk: Client, field: Field, make_version: Callable[..., ModelVersion]
) -> None:
    for row, name in ((field, "field"), (make_version(), "modelversion")):
        button = reverse(f"admin:triage_{name}_train", args=[row.pk])
        assert button in text(desk, reverse(f"admin:triage_{name}_change", args=[row.pk]))
        answer = desk.get(button, follow=True)
        assert f'<option value="{field.pk}" selected' in answer.content.decode()


def test_an_empty_form_asks_for_nothing_and_a_second_run_is_refused_in_a_sentence(
    desk: Client, begun: TrainingRun
) -> None:
    assert "This field is required" in desk.post(reverse(ADD), {}).content.decode()

    again = desk.post(reverse(ADD), {"field": begun.field_id, "seed": 0}).content.decode()

    assert "is being trained already; wait for it or cancel it." in again
    assert TrainingRun.objects.count() == 1


def test_of_two_who_ask_together_the_second_is_told(
    desk: Client, field: Field, ai_owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The form found the field free, and the other was quicker."""
    ask = runs.ask

    def overtaken(*args: Any, **options: Any) -> TrainingRun:
        ask(field, by=ai_owner)
        return ask(*args, **options)

    monkeypatch.setattr(runs, "ask", overtaken)

    answer = desk.post(reverse(ADD), {"field": field.pk, "seed": 0}, follow=True)

    assert "being trained already" in answer.content.decode()


def test_the_list_shows_what_is_under_way_and_goes_on_without_script(
    desk: Client, begun: TrainingRun
) -> None:
    shown = text(desk, reverse(LIST))

    assert 'max="100" value="42"' in shown
    assert "Checking on part 2 of 5" in shown
    assert f'data-poll="{reverse("admin:triage_trainingrun_under_way")}"' in shown
    assert '<noscript><meta http-equiv="refresh"' in shown
    assert 'value="42"' in text(desk, reverse("admin:triage_trainingrun_under_way"))


def test_with_nothing_under_way_the_list_says_so_and_does_not_poll(
    desk: Client, auditor: User
) -> None:
    shown = text(desk, reverse(LIST))

    assert "No training is under way." in shown
    assert reverse(ADD) in shown
    assert "data-poll" not in shown
    assert "http-equiv" not in shown
    assert reverse(ADD) not in text(signed_in(auditor), reverse(LIST))


def test_the_page_of_a_run_polls_until_it_is_over(
    desk: Client, begun: TrainingRun, make_version: Callable[..., ModelVersion]
) -> None:
    shown = text(desk, page(begun))
    assert f'data-poll="{page(begun, "progress")}"' in shown
    assert "http-equiv" in shown
    assert page(begun, "cancel") in shown

    version = make_version(state="candidate")
    TrainingRun.objects.update(finished_at=timezone.now(), model_version=version, progress=1)

    shown = text(desk, page(begun))
    assert "data-poll" not in shown
    assert "http-equiv" not in shown
    assert page(begun, "cancel") not in shown
    assert reverse("admin:triage_modelversion_change", args=[version.pk]) in shown
    assert "It is a candidate until somebody puts it into service" in text(
        desk, page(begun, "progress")
    )


def test_what_refused_a_run_or_failed_for_good_is_shown_with_what_to_do(
    desk: Client, begun: TrainingRun, make_version: Callable[..., ModelVersion]
) -> None:
    Job.objects.update(dead_at=timezone.now(), lease_until=None, last_error="ValueError: odd")
    dead = text(desk, page(begun))
    assert "It failed every time it was tried, at last with: ValueError: odd" in dead
    assert reverse("admin:triage_job_change", args=[Job.objects.get().pk]) in dead

    refused = new_run(make_version(), model_version=None, error="Too few: fax (3). Add labels.")
    shown = text(desk, page(refused))

    assert "Too few: fax (3). Add labels." in shown
    assert "refused" in text(desk, reverse(LIST))


def test_cancelling_asks_first_and_is_on_record(
    desk: Client, begun: TrainingRun, ai_owner: User
) -> None:
    asked = desk.get(page(begun, "cancel")).content.decode()
    assert "What it has done so far is lost" in asked
    assert TrainingRun.objects.get().cancelled_at is None

    answer = desk.post(page(begun, "cancel"), follow=True)

    run = TrainingRun.objects.get()
    assert (run.cancelled_by, run.finished_at) == (ai_owner, None)
    assert "being stopped" in answer.content.decode()
    assert LogEntry.objects.get().change_message == "Cancelled."
    events = LedgerEntry.objects.filter(subject=f"training:{run.pk}")
    assert [entry.payload["event"] for entry in events] == [
        "training asked for",
        "training cancelled",
    ]
    again = desk.post(page(begun, "cancel"), follow=True).content.decode()
    assert "It is over already." in again


def test_readers_see_the_bar_and_cannot_ask(begun: TrainingRun, auditor: User) -> None:
    client = signed_in(auditor)

    assert 'value="42"' in text(client, page(begun))
    assert 'value="42"' in text(client, page(begun, "progress"))
    assert client.post(page(begun, "cancel")).status_code == 403
    assert client.get(reverse(ADD)).status_code == 403


def test_the_first_page_tells_who_asked_for_a_training(desk: Client, begun: TrainingRun) -> None:
    shown = text(desk, reverse("admin:index"))

    assert "Training of category" in shown
    assert "training asked for" in shown


@pytest.mark.browser
def test_the_bar_moves_by_itself_and_the_page_ends_with_the_version(
    open_window: Opener,
    source: Source,
    choices: dict[str, Choice],
    ai_owner: User,
    settings: Settings,
    tmp_path: Any,
) -> None:
    settings.COUNTERSIGN_MODEL_DIR = tmp_path
    settings.TRAINING_LABEL_FLOOR = 10
    run = runs.ask(teach(source, choices), by=ai_owner)
    Job.objects.update(lease_until=timezone.now() + timedelta(minutes=5), attempts=1)
    window = open_window(ai_owner)
    window.open(page(run))
    bar = window.page.get_by_role("progressbar")
    expect(bar).to_have_attribute("value", "0")

    TrainingRun.objects.update(started_at=timezone.now(), progress=0.42, step="fitting")
    expect(bar).to_have_attribute("value", "42")
    expect(window.page.get_by_text("under way, 42 %")).to_be_visible()
    runs.carry_out(run.pk, jobs=list(Job.objects.all()))

    link = window.page.get_by_role("link", name="category v1")
    expect(link.first).to_be_visible()
    expect(window.page.get_by_role("progressbar")).to_have_count(0)


@pytest.mark.browser
def test_without_script_the_page_loads_itself_again(
    open_window: Opener, begun: TrainingRun, ai_owner: User
) -> None:
    window = open_window(ai_owner, java_script_enabled=False)
    window.open(page(begun))
    bar = window.page.get_by_role("progressbar")
    expect(bar).to_have_attribute("value", "42")

    TrainingRun.objects.update(progress=0.77)

    expect(bar).to_have_attribute("value", "77", timeout=10_000)


@pytest.mark.browser
def test_trainings_fit_a_narrow_phone(
    open_window: Opener,
    begun: TrainingRun,
    ai_owner: User,
    make_version: Callable[..., ModelVersion],
) -> None:
    new_run(make_version(), model_version=None, error=f"Too few: {'x' * 80} (3). Add labels.")
    window = open_window(ai_owner, size=NARROW)
    pages = [page(run) for run in TrainingRun.objects.all()]

    for address in [reverse(LIST), reverse(ADD), page(begun, "cancel"), *pages]:
        window.open(address)
        assert window.page.evaluate("document.documentElement.scrollWidth") <= 360, address
