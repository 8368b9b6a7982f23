"""The emergency stop is pulled in two clicks and released by name."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from tests.conftest import new_source
from triage.models import Choice, EmergencyStop, Source
from triage.policies import policies_of


def test_the_first_page_leads_to_the_stop_and_then_says_that_it_is_pulled(
    desk: Client, ai_owner: User, recorded: Callable[[str], list[dict[str, Any]]]
) -> None:
    button = reverse("admin:triage_emergencystop_everything")
    first = desk.get(reverse("admin:index")).content.decode()

    asked = desk.get(button)
    assert EmergencyStop.objects.count() == 0
    answer = desk.post(button, {"reason": "Wrong teams since noon"}, follow=True)

    assert f'href="{button}"' in first
    assert asked.status_code == 200
    stop = EmergencyStop.objects.get()
    assert (stop.source, stop.choice, stop.pulled_by) == (None, None, ai_owner)
    assert "Stopped: all automation." in answer.content.decode()
    assert "Wrong teams since noon" in answer.content.decode()
    assert recorded("stop")[0]["reason"] == "Wrong teams since noon"


def test_stopping_everything_needs_a_reason(desk: Client) -> None:
    answer = desk.post(reverse("admin:triage_emergencystop_everything"), {"reason": " "})

    assert answer.status_code == 200
    assert EmergencyStop.objects.count() == 0


def test_a_stop_of_one_choice_names_its_source_and_stops_that_choice_alone(
    desk: Client, choices: dict[str, Choice], source: Source, ai_owner: User
) -> None:
    for key in ("network", "access"):
        choices[key].rungs.create(field=choices[key].field, owner=ai_owner, reason="Start")

    desk.post(
        reverse("admin:triage_emergencystop_add"),
        {"choice": choices["network"].pk, "reason": "Wrong"},
    )

    assert EmergencyStop.objects.get().source == source
    rungs = policies_of(source).rungs
    assert rungs["category", "network"].stopped
    assert not rungs["category", "access"].stopped


def test_a_choice_of_another_source_is_refused(desk: Client, choices: dict[str, Choice]) -> None:
    answer = desk.post(
        reverse("admin:triage_emergencystop_add"),
        {"choice": choices["network"].pk, "source": new_source().pk, "reason": "Wrong"},
    )

    assert "belongs to" in answer.content.decode()
    assert EmergencyStop.objects.count() == 0


def test_a_release_is_asked_for_once_and_keeps_the_first_name(
    desk: Client,
    ai_owner: User,
    root: User,
    recorded: Callable[[str], list[dict[str, Any]]],
) -> None:
    stop = EmergencyStop.objects.create(pulled_by=root, reason="Drill")
    page = reverse("admin:triage_emergencystop_release", args=[stop.pk])

    desk.get(page)
    stop.refresh_from_db()
    assert stop.released_at is None
    desk.post(page)
    stop.refresh_from_db()
    first = (stop.released_by, stop.released_at)
    again = desk.post(page, follow=True)

    stop.refresh_from_db()
    assert first[0] == ai_owner
    assert (stop.released_by, stop.released_at) == first
    assert "Released already, by olivia" in again.content.decode()
    assert [payload["event"] for payload in recorded("stop")] == ["released"]
