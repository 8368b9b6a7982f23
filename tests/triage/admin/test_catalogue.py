"""Sources, fields, choices, playbooks and reasons."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from review.models import Reason
from tests.conftest import new_catalogue, new_source, new_ticket
from tests.triage.admin.conftest import signed_in
from tests.triage.admin.rows import new_proposal
from triage.models import Choice, Field, Playbook, Source, SourceSecret

NO_INLINES = {
    "fields-TOTAL_FORMS": 0,
    "fields-INITIAL_FORMS": 0,
    "secrets-TOTAL_FORMS": 0,
    "secrets-INITIAL_FORMS": 0,
}

THRESHOLDS = {"propose_from": 0.3, "scope_from": 0.02, "settle_from": 0.6}


def source_form(owner: User, **over: Any) -> dict[str, Any]:
    values: dict[str, Any] = {"name": "Desk", "slug": "desk", "helpdesk": "generic"}
    values |= {
        "is_active": "on",
        "deliveries_per_minute": 600,
        "blind_share": 0.05,
        "second_share": 0.2,
        "time_zone": "Europe/Berlin",
    }
    values |= {"work_starts": "08:00", "work_ends": "17:00", "work_days": [0, 2, 4]}
    return values | {"owner": owner.pk} | NO_INLINES | over


def test_a_source_is_connected_with_its_fields_and_owner(
    desk: Client, ai_owner: User, recorded: Callable[[str], list[dict[str, Any]]]
) -> None:
    field = {"fields-TOTAL_FORMS": 1, "fields-0-key": "category", "fields-0-name": "Category"}
    field |= {"fields-0-position": 0, "fields-0-is_main": "on"}

    answer = desk.post(reverse("admin:triage_source_add"), source_form(ai_owner, **field))

    assert answer.status_code == 302, answer.context["errors"]
    source = Source.objects.get()
    assert (source.time_zone, source.work_days) == ("Europe/Berlin", [0, 2, 4])
    assert source.fields.get().is_main
    assert recorded("source")[0]["owner"] == ai_owner.pk
    assert recorded("field")[0]["key"] == "category"


def test_a_source_without_fields_of_its_own_gets_category_team_and_priority(
    desk: Client, ai_owner: User
) -> None:
    desk.post(reverse("admin:triage_source_add"), source_form(ai_owner))

    source = Source.objects.get()
    fields = source.fields.order_by("position")
    assert list(fields.values_list("key", "is_main", "is_ordered")) == [
        ("category", True, False),
        ("team", False, False),
        ("priority", False, True),
    ]
    priorities = Choice.objects.filter(field__key="priority").order_by("rank")
    assert list(priorities.values_list("key", flat=True)) == ["low", "normal", "high", "urgent"]


def test_sites_that_may_show_the_panel_are_listed_one_a_line_and_recorded(
    desk: Client, ai_owner: User, recorded: Callable[[str], list[dict[str, Any]]]
) -> None:
    lines = "https://Desk.example.org/\r\n\r\nhttps://*.example.com:8443"

    answer = desk.post(
        reverse("admin:triage_source_add"), source_form(ai_owner, embed_origins=lines)
    )

    assert answer.status_code == 302, answer.context["errors"]
    listed = ["https://desk.example.org", "https://*.example.com:8443"]
    assert Source.objects.get().embed_origins == listed
    assert recorded("source")[0]["embed_origins"] == listed


@pytest.mark.parametrize(
    ("over", "complaint"),
    [
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"helpdesk": "unheard-of"}, "helpdesk"),
        ({"work_days": [7]}, "work_days"),
        ({"embed_origins": "https://desk.example.org/path"}, "embed_origins"),
        ({"embed_origins": "https://a.example; script-src *"}, "embed_origins"),
    ],
)
def test_a_source_that_could_not_work_is_refused(
    desk: Client, ai_owner: User, over: dict[str, Any], complaint: str
) -> None:
    answer = desk.post(reverse("admin:triage_source_add"), source_form(ai_owner, **over))

    assert list(answer.context["adminform"].form.errors) == [complaint]
    assert not Source.objects.exists()


def test_only_people_at_the_desk_can_be_owners(
    desk: Client, ai_owner: User, technician: User
) -> None:
    answer = desk.post(reverse("admin:triage_source_add"), source_form(technician))

    assert list(answer.context["adminform"].form.errors) == ["owner"]


def test_the_address_and_the_keys_of_what_is_in_use_cannot_be_changed(
    desk: Client, source: Source, choices: dict[str, Choice], ai_owner: User
) -> None:
    network = choices["network"]
    slug, source_page = source.slug, reverse("admin:triage_source_change", args=[source.pk])

    desk.post(source_page, source_form(ai_owner, slug="other", name="Renamed"))
    desk.post(
        reverse("admin:triage_field_change", args=[network.field.pk]),
        {"key": "other", "name": "Kind", "position": 3, "is_main": "on", **THRESHOLDS},
    )
    desk.post(
        reverse("admin:triage_choice_change", args=[network.pk]),
        {"key": "other", "name": "Net", "rank": 0},
    )

    source.refresh_from_db()
    network.refresh_from_db()
    assert (source.name, source.slug) == ("Renamed", slug)
    assert (network.field.name, network.field.key) == ("Kind", "category")
    assert (network.name, network.key) == ("Net", "network")


def test_what_a_field_asks_of_its_model_is_set_here_and_recorded(
    desk: Client, choices: dict[str, Choice], recorded: Callable[[str], list[dict[str, Any]]]
) -> None:
    field = choices["network"].field
    page = reverse("admin:triage_field_change", args=[field.pk])
    values = {"name": "Category", "position": 0, "is_main": "on"}
    shown = desk.get(page).content.decode()
    assert "A model less sure than this proposes nothing: a person chooses." in shown

    refused = desk.post(page, {**values, **THRESHOLDS, "settle_from": 1.5})
    assert list(refused.context["adminform"].form.errors) == ["settle_from"]
    desk.post(page, {**values, **THRESHOLDS})

    field.refresh_from_db()
    assert {name: getattr(field, name) for name in THRESHOLDS} == THRESHOLDS
    (entry,) = recorded("field")
    assert {name: entry[name] for name in THRESHOLDS} == THRESHOLDS
    assert set(entry["fields"]) == {
        "Lowest probability to propose",
        "Lowest in-scope score",
        "Enough for one choice",
    }


def test_synonyms_are_lines_and_what_follows_is_offered_from_other_fields_only(
    desk: Client, source: Source, choices: dict[str, Choice]
) -> None:
    network = choices["network"]
    elsewhere = new_catalogue(new_source())["infrastructure"]
    page = reverse("admin:triage_choice_change", args=[network.pk])
    values = {"name": "Network", "rank": 0, "synonyms": "wifi\n\n lan \nwifi"}

    def errors(*implied: Choice) -> dict[str, Any]:
        answer = desk.post(page, values | {"implies": [one.pk for one in implied]})
        return dict(answer.context["adminform"].form.errors) if answer.context else {}

    assert "implies" in errors(choices["access"])
    assert "implies" in errors(elsewhere)
    assert "Team has several" in str(errors(choices["infrastructure"], choices["service-desk"]))
    assert errors(choices["infrastructure"], choices["urgent"]) == {}
    network.refresh_from_db()
    assert network.synonyms == ["wifi", "lan"]
    assert {one.key for one in network.implies.all()} == {"infrastructure", "urgent"}


def test_a_choice_cannot_come_below_itself(desk: Client, choices: dict[str, Choice]) -> None:
    top, field = choices["network"], choices["network"].field
    middle = Choice.objects.create(field=field, key="vpn", name="VPN", parent=top)
    leaf = Choice.objects.create(field=field, key="vpn.slow", name="Slow", parent=middle)
    page = reverse("admin:triage_choice_change", args=[top.pk])

    for wrong in (top, middle, leaf, choices["urgent"]):
        answer = desk.post(page, {"name": "Network", "rank": 0, "parent": wrong.pk})
        assert "parent" in answer.context["adminform"].form.errors
    right = desk.post(page, {"name": "Network", "rank": 0, "parent": choices["access"].pk})

    assert right.status_code == 302


def test_choices_are_retired_and_brought_back_with_an_entry_each(
    desk: Client, choices: dict[str, Choice], recorded: Callable[[str], list[dict[str, Any]]]
) -> None:
    page = reverse("admin:triage_choice_changelist")
    chosen = [choices["network"].pk, choices["access"].pk]

    desk.post(page, {"action": "retire", "_selected_action": chosen})
    assert Choice.objects.filter(retired_at__isnull=False).count() == 2
    desk.post(page, {"action": "bring_back", "_selected_action": chosen[:1]})

    assert Choice.objects.get(retired_at__isnull=False) == choices["access"]
    assert [payload["event"] for payload in recorded("choice")] == [
        "retired",
        "retired",
        "brought back",
    ]


def test_only_a_choice_that_nothing_refers_to_can_be_deleted(
    root: User, source: Source, choices: dict[str, Choice]
) -> None:
    client = signed_in(root)
    new_proposal(new_ticket(source), choices["network"])

    def delete(key: str) -> int:
        page = reverse("admin:triage_choice_delete", args=[choices[key].pk])
        return client.post(page, {"post": "yes"}).status_code

    assert delete("network") == 403
    assert delete("infrastructure") == 403
    assert delete("hardware") == 302
    assert {c.key for c in Field.objects.get(key="category").choices.all()} == {"access", "network"}


def playbook_form(owner: User, choice: Choice, **over: Any) -> dict[str, Any]:
    values = {"name": "Restart it", "owner": owner.pk, "position": 0, "is_active": "on"}
    values |= {"for_choices": [choice.pk], "words": "vpn\ntunnel", "follow_up": "pending"}
    return values | {"reply": "Hello {requester_name}, about {subject}: restart."} | over


def test_a_playbook_is_written_and_shown_as_a_requester_reads_it(
    desk: Client, source: Source, choices: dict[str, Choice], ai_owner: User
) -> None:
    answer = desk.post(
        reverse("admin:triage_playbook_add"), playbook_form(ai_owner, choices["network"])
    )

    assert answer.status_code == 302, answer.context["errors"]
    playbook = Playbook.objects.get()
    assert (playbook.source, playbook.words) == (source, ["vpn", "tunnel"])
    page = desk.get(reverse("admin:triage_playbook_change", args=[playbook.pk])).content.decode()
    assert "Hello Maya Okafor, about Cannot sign in" in page


@pytest.mark.parametrize(
    ("over", "field", "complaint"),
    [
        ({"reply": "Dear {name}"}, "reply", "“{name}”"),
        ({"reply": "Open { brace"}, "reply", "stray"),
        ({"words": "!!!"}, "words", "letter or digit"),
        ({"for_choices": []}, "for_choices", "required"),
    ],
)
def test_a_playbook_that_would_fail_later_is_refused_now(
    desk: Client,
    choices: dict[str, Choice],
    ai_owner: User,
    over: dict[str, Any],
    field: str,
    complaint: str,
) -> None:
    answer = desk.post(
        reverse("admin:triage_playbook_add"), playbook_form(ai_owner, choices["network"], **over)
    )

    assert complaint in str(answer.context["adminform"].form.errors[field].as_data())
    assert not Playbook.objects.exists()


def test_a_playbook_takes_choices_of_the_main_field_of_its_source_only(
    desk: Client, source: Source, choices: dict[str, Choice], ai_owner: User
) -> None:
    elsewhere = new_catalogue(new_source())["network"]
    page = f"{reverse('admin:triage_playbook_add')}?source={source.pk}"

    for wrong in (choices["infrastructure"], elsewhere):
        answer = desk.post(page, playbook_form(ai_owner, wrong))
        assert list(answer.context["adminform"].form.errors) == ["for_choices"]


def test_an_automation_without_a_secret_to_sign_with_is_warned_about(
    desk: Client, source: Source, choices: dict[str, Choice], ai_owner: User
) -> None:
    values = playbook_form(ai_owner, choices["network"], action_url="https://run.example.org/x")
    page = reverse("admin:triage_playbook_add")

    warned = desk.post(page, values, follow=True).content.decode()
    secret = SourceSecret(source=source, purpose=SourceSecret.Purpose.AUTOMATION)
    secret.put("x" * 24)
    secret.save()
    silent = desk.post(page, values | {"name": "Another"}, follow=True).content.decode()

    assert "no live secret that signs playbook calls" in warned
    assert "no live secret that signs playbook calls" not in silent


def test_a_reason_keeps_its_key_and_its_change_is_recorded(
    desk: Client, recorded: Callable[[str], list[dict[str, Any]]]
) -> None:
    reason = Reason.objects.create(key="vip", label="VIP", applies_to="escalate", digit=1)

    desk.post(
        reverse("admin:review_reason_change", args=[reason.pk]),
        {"key": "other", "applies_to": "override", "label": "Important", "digit": 2},
    )

    reason.refresh_from_db()
    assert (reason.key, reason.applies_to, reason.label) == ("vip", "escalate", "Important")
    assert recorded("reason")[0]["digit"] == 2
