"""The ladder is climbed one rung at a time, with a reason, and auto needs its certificate."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.triage.admin.rows import new_certificate, new_check
from triage.models import Certificate, Choice, ModelVersion, Playbook, Rung

ADD = "admin:triage_rung_add"


@pytest.fixture
def network(choices: dict[str, Choice]) -> Choice:
    return choices["network"]


@pytest.fixture
def move(desk: Client, ai_owner: User) -> Callable[..., Any]:
    """Send the form of a rung, with what is to be different."""

    def post(rung: Rung, **over: Any) -> Any:
        values = {
            "level": rung.level,
            "cap": rung.cap,
            "threshold": rung.threshold,
            "canary_percent": rung.canary_percent,
            "owner": ai_owner.pk,
            "reason": "It went well",
        }
        answer = desk.post(reverse("admin:triage_rung_change", args=[rung.pk]), values | over)
        rung.refresh_from_db()
        return answer

    return post


def rung_at(choice: Choice, owner: User, level: str, **over: Any) -> Rung:
    values = {"field": choice.field, "choice": choice, "level": level, "reason": "Start"}
    return Rung.objects.create(owner=owner, **values | over)


def test_one_step_up_with_a_reason_is_taken_and_recorded(
    move: Callable[..., Any],
    network: Choice,
    ai_owner: User,
    recorded: Callable[[str], list[dict[str, Any]]],
) -> None:
    rung = rung_at(network, ai_owner, "suggest")

    assert move(rung, level="prefill").status_code == 302

    assert (rung.level, rung.reason) == ("prefill", "It went well")
    [payload] = recorded("rung")
    assert payload["level"] == "prefill"
    assert payload["reason"] == "It went well"
    assert payload["fields"] == ["Level", "Reason"]


@pytest.mark.parametrize(
    ("has", "over", "complaint"),
    [
        ("off", {"level": "suggest"}, "one rung at a time"),
        ("prefill", {"level": "auto"}, "needs a live certificate"),
        ("prefill", {"level": "auto"}, "has never been certified"),
        ("suggest", {"level": "prefill", "cap": "suggest"}, "highest level that the owner allows"),
        ("prefill", {"cap": "suggest"}, "highest level that the owner allows"),
        ("suggest", {"level": "prefill", "reason": ""}, "required"),
        ("suggest", {"threshold": "1.5"}, "rung_threshold_0_to_1"),
    ],
)
def test_a_step_that_is_not_allowed_says_why(
    move: Callable[..., Any],
    network: Choice,
    ai_owner: User,
    has: str,
    over: dict[str, Any],
    complaint: str,
) -> None:
    rung = rung_at(network, ai_owner, has)

    answer = move(rung, **over)

    assert answer.status_code == 200
    assert complaint in str(answer.context["adminform"].form.errors)
    assert rung.level == has


def test_down_goes_any_number_of_steps(
    move: Callable[..., Any], network: Choice, ai_owner: User
) -> None:
    rung = rung_at(network, ai_owner, "auto")

    assert move(rung, level="off").status_code == 302
    assert rung.level == "off"


def test_the_old_reason_does_not_do_for_a_new_change(
    desk: Client, network: Choice, ai_owner: User
) -> None:
    rung = rung_at(network, ai_owner, "suggest", reason="Two calm weeks")

    form = desk.get(reverse("admin:triage_rung_change", args=[rung.pk])).context["adminform"].form

    assert form["reason"].value() == ""
    assert "Two calm weeks" in form["reason"].help_text


def test_a_live_certificate_that_covers_the_threshold_allows_auto(
    move: Callable[..., Any],
    network: Choice,
    ai_owner: User,
    make_version: Callable[..., ModelVersion],
) -> None:
    new_certificate(make_version(), network, threshold=0.8)
    rung = rung_at(network, ai_owner, "prefill", threshold=0.8)

    assert move(rung, level="auto").status_code == 302
    assert rung.level == "auto"


@pytest.mark.parametrize(
    ("over", "state", "complaint"),
    [
        ({"expires_at": timezone.now() - timedelta(seconds=1)}, "champion", "expired on"),
        ({}, "retired", "no longer in service"),
        ({"threshold": 0.801}, "champion", "covers probabilities from 0.801"),
    ],
)
def test_a_certificate_that_does_not_hold_is_named_with_what_it_lacks(
    move: Callable[..., Any],
    network: Choice,
    ai_owner: User,
    make_version: Callable[..., ModelVersion],
    over: dict[str, Any],
    state: str,
    complaint: str,
) -> None:
    new_certificate(make_version(state=state), network, **over)
    rung = rung_at(network, ai_owner, "prefill", threshold=0.8)

    answer = move(rung, level="auto")

    assert complaint in str(answer.context["adminform"].form.errors)
    assert rung.level == "prefill"


def test_a_certificate_of_another_choice_does_not_count(
    move: Callable[..., Any],
    choices: dict[str, Choice],
    ai_owner: User,
    make_version: Callable[..., ModelVersion],
) -> None:
    new_certificate(make_version(), choices["access"])
    rung = rung_at(choices["network"], ai_owner, "prefill", threshold=0.9)

    assert "never been certified" in move(rung, level="auto").content.decode()


def test_nothing_around_a_rung_at_auto_changes_once_its_certificate_is_gone(
    move: Callable[..., Any], network: Choice, ai_owner: User
) -> None:
    rung = rung_at(network, ai_owner, "auto", threshold=0.9)

    answer = move(rung, canary_percent=100)

    assert "cannot stay at auto" in answer.content.decode()
    assert rung.canary_percent == 5


def test_a_new_rung_takes_the_field_of_its_choice_and_starts_from_suggest(
    desk: Client, network: Choice, ai_owner: User
) -> None:
    values = {"choice": network.pk, "cap": "auto", "threshold": 0, "canary_percent": 5}
    values |= {"owner": ai_owner.pk, "reason": "Start"}

    refused = desk.post(reverse(ADD), values | {"level": "auto"})
    taken = desk.post(reverse(ADD), values | {"level": "prefill"})

    assert "one rung at a time" in refused.content.decode()
    assert taken.status_code == 302
    assert Rung.objects.get().field == network.field


def test_a_rung_is_for_one_thing_and_each_thing_has_one(
    desk: Client, choices: dict[str, Choice], ai_owner: User
) -> None:
    network, team = choices["network"], choices["service-desk"].field
    playbook = Playbook.objects.create(
        source=network.field.source, name="Restart", owner=ai_owner, reply="Hello"
    )
    rung_at(network, ai_owner, "suggest")
    values = {"level": "suggest", "cap": "auto", "threshold": 0, "canary_percent": 5}
    values |= {"owner": ai_owner.pk, "reason": "Start"}

    def answer(**over: Any) -> str:
        return desk.post(reverse(ADD), values | over).content.decode()

    assert "Choose a choice, a whole field, or a playbook" in answer()
    assert "Choose a choice, a whole field, or a playbook" in answer(
        field=team.pk, playbook=playbook.pk
    )
    assert "is no choice of Team" in answer(field=team.pk, choice=network.pk)
    assert "has a rung already, at suggest" in answer(choice=network.pk)
    assert answer(field=team.pk) == ""
    assert answer(playbook=playbook.pk) == ""
    assert Rung.objects.count() == 3


def test_neither_a_whole_field_nor_a_playbook_can_be_auto(
    move: Callable[..., Any], network: Choice, ai_owner: User
) -> None:
    playbook = Playbook.objects.create(
        source=network.field.source, name="Restart", owner=ai_owner, reply="Hello"
    )
    shared = {"level": "prefill", "owner": ai_owner, "reason": "Start"}
    whole = Rung.objects.create(field=network.field, **shared)
    book = Rung.objects.create(playbook=playbook, **shared)

    assert "Only a single choice can be certified" in move(whole, level="auto").content.decode()
    assert "Playbooks cannot be certified yet" in move(book, level="auto").content.decode()


def test_the_list_shows_which_certificate_holds(
    desk: Client,
    choices: dict[str, Choice],
    ai_owner: User,
    make_version: Callable[..., ModelVersion],
) -> None:
    new_certificate(make_version(), choices["network"], threshold=0.83)
    rung_at(choices["network"], ai_owner, "auto", threshold=0.9)
    rung_at(choices["access"], ai_owner, "suggest")

    rows = desk.get(reverse("admin:triage_rung_changelist")).context["cl"].result_list

    assert {rung.choice.key: bool(rung.live) for rung in rows} == {"network": True, "access": False}


def test_the_button_certifies_or_says_what_is_missing(
    desk: Client,
    choices: dict[str, Choice],
    ai_owner: User,
    make_version: Callable[..., ModelVersion],
) -> None:
    network, version = choices["network"], make_version()
    rung = rung_at(network, ai_owner, "prefill")
    page = reverse("admin:triage_rung_try_to_certify", args=[rung.pk])

    poor = desk.post(page, follow=True).content.decode()
    for _ in range(160):
        new_check(version, network, network, 0.9)
    asked = desk.get(page).content.decode()
    assert Certificate.objects.count() == 0
    rich = desk.post(page, follow=True).content.decode()

    assert "has 0 blind checks" in poor
    assert "at most 5%, with confidence 95%" in asked
    assert "Certified from probability 0.900" in rich
    assert Certificate.objects.get().issued_by == ai_owner
