"""Into shadow, into service and back, by the buttons of the desk."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.triage.admin.conftest import signed_in
from tests.triage.admin.rows import new_check
from triage.learning import registry
from triage.models import Choice, LedgerEntry, ModelVersion

MakeVersion = Callable[..., ModelVersion]


@pytest.fixture(autouse=True)
def files_load(monkeypatch: pytest.MonkeyPatch) -> None:
    """These versions have no files; that a missing one is refused is tested with real ones."""
    monkeypatch.setattr(registry, "_require_file", lambda version: None)


@pytest.fixture
def served(make_version: MakeVersion) -> tuple[ModelVersion, ModelVersion]:
    """The version before, and the one in service."""
    now = timezone.now()
    before = make_version(state="retired", promoted_at=now, retired_at=now)
    return before, make_version(promoted_at=now)


def page(name: str, version: ModelVersion) -> str:
    return reverse(f"admin:triage_modelversion_{name}", args=[version.pk])


def in_service() -> ModelVersion:
    return ModelVersion.objects.get(state="champion")


def test_one_click_in_the_list_rolls_back_and_another_undoes_it(
    desk: Client, ai_owner: User, served: tuple[ModelVersion, ModelVersion]
) -> None:
    first, second = served
    listed = desk.get(reverse("admin:triage_modelversion_changelist")).content.decode()
    assert f'formaction="{page("roll_back", second)}" name="of" value="{second.pk}"' in listed

    answer = desk.post(page("roll_back", second), {"of": second.pk}, follow=True)

    assert in_service() == first
    assert "To undo it, roll back again." in answer.content.decode()
    assert f"Roll back to v{second.number}" in answer.content.decode()
    desk.post(page("roll_back", first), {"of": first.pk})
    assert in_service() == second
    entry = LedgerEntry.objects.latest("sequence")
    assert entry.payload["reason"] == registry.ONE_CLICK
    assert entry.actor == f"user:{ai_owner.pk}"
    assert LogEntry.objects.latest("pk").change_message == "Rolled back to: one click"


def test_a_second_click_on_the_same_button_changes_nothing_more(
    desk: Client, served: tuple[ModelVersion, ModelVersion]
) -> None:
    first, second = served

    desk.post(page("roll_back", second), {"of": second.pk})
    answer = desk.post(page("roll_back", second), {"of": second.pk}, follow=True)

    assert in_service() == first
    assert "nothing was changed" in answer.content.decode()


def test_the_champions_page_takes_a_reason_along(
    desk: Client, served: tuple[ModelVersion, ModelVersion]
) -> None:
    shown = desk.get(page("change", served[1])).content.decode()
    assert "Roll back to v1" in shown

    desk.post(page("roll_back", served[1]), {"of": served[1].pk, "reason": "Wrong teams"})

    assert LedgerEntry.objects.latest("sequence").payload["reason"] == "Wrong teams"


def test_without_an_earlier_version_there_is_no_button(
    desk: Client, make_version: MakeVersion
) -> None:
    version = make_version(promoted_at=timezone.now())

    assert "formaction" not in desk.get(reverse("admin:triage_modelversion_changelist")).text
    assert "roll-back" not in desk.get(page("change", version)).content.decode()


def test_readers_see_no_roll_back(auditor: User, served: tuple[ModelVersion, ModelVersion]) -> None:
    client = signed_in(auditor)

    assert "formaction" not in client.get(reverse("admin:triage_modelversion_changelist")).text
    assert "roll-back" not in client.get(page("change", served[1])).content.decode()


def test_a_candidate_is_put_into_shadow_and_taken_out_with_a_reason(
    desk: Client, make_version: MakeVersion
) -> None:
    version = make_version(state="candidate")
    into, out = page("put_into_shadow", version), page("take_out_of_shadow", version)
    shown = desk.get(page("change", version)).content.decode()
    assert into in shown
    assert out not in shown

    desk.post(into, {"reason": ""})
    assert ModelVersion.objects.get().state == "candidate"
    desk.post(into, {"reason": "More labels"})
    assert ModelVersion.objects.get().state == "shadow"
    assert out in desk.get(page("change", version)).content.decode()
    desk.post(out, {"reason": "Seen enough"})

    assert ModelVersion.objects.get().state == "candidate"
    said = LogEntry.objects.order_by("pk").values_list("change_message", flat=True)
    assert list(said) == ["Put into shadow: More labels", "Take out of shadow: Seen enough"]


def test_a_third_shadow_is_refused_with_the_names_of_the_two(
    desk: Client, make_version: MakeVersion
) -> None:
    make_version(state="shadow")
    make_version(state="shadow")
    third = make_version(state="candidate")

    answer = desk.post(page("put_into_shadow", third), {"reason": "One more"}, follow=True)

    assert "it has category v2, category v1: take one out first" in answer.content.decode()


def checks(choices: dict[str, Choice], *pairs: Any) -> None:
    """Blind checks of tickets that both of two versions predicted."""
    for before, after, truth, number in pairs:
        for _ in range(number):
            label = new_check(before[0], choices[before[1]], choices[truth], 0.9)
            twin = label.ticket.versions.get().predictions.get()
            twin.pk, twin.model_version = None, after[0]
            twin.probabilities = {after[1]: 0.8}
            twin.save()


def test_a_better_one_needs_no_reason_and_has_one_filled_in(
    desk: Client, make_version: MakeVersion, choices: dict[str, Choice]
) -> None:
    now, better = make_version(), make_version(state="shadow")
    checks(
        choices,
        ((now, "network"), (better, "network"), "network", 90),
        ((now, "network"), (better, "access"), "access", 15),
    )

    asked = desk.get(page("put_into_service", better)).content.decode()
    desk.post(page("put_into_service", better), {"reason": "", "asked": "1"})

    assert 'value="On 105 blind checks of live tickets' in asked
    assert "Figures do not speak for it" not in asked
    assert in_service() == better


def test_a_worse_one_is_refused_without_a_reason_by_the_form_and_by_the_server(
    desk: Client, make_version: MakeVersion, choices: dict[str, Choice]
) -> None:
    now, worse = make_version(), make_version(state="shadow")
    checks(
        choices,
        ((now, "network"), (worse, "network"), "network", 90),
        ((now, "network"), (worse, "access"), "network", 15),
    )

    asked = desk.post(page("put_into_service", worse), {"reason": ""}).content.decode()

    assert "-14.3 points, 95 % interval" in asked
    assert "Figures do not speak for it, so say why." in asked
    assert in_service() == now
    desk.post(page("put_into_service", worse), {"reason": "Covers the new office"})
    assert in_service() == worse
