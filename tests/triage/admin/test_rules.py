"""Rules are edited as they stand and kept as they were."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.conftest import OPENED, new_source, new_ticket
from tests.triage.admin.rows import HOLD_VIPS, new_prediction, new_proposal, new_rule
from triage.admin.rule_trial import try_rule
from triage.models import Choice, EscalationRule, ModelVersion, RuleHit, RuleVersion, Source


def posted(rule: EscalationRule | None, owner: User, **over: Any) -> dict[str, Any]:
    """What the form of a rule sends; conditions and actions are given as JSON or as text."""
    values = {"name": "VIPs are held", "owner": owner.pk, "position": 0, "is_active": "on"}
    values |= HOLD_VIPS | over
    for name in ("conditions", "actions"):
        if not isinstance(values[name], str):
            values[name] = json.dumps(values[name])
    versions = rule.versions.count() if rule else 0
    values |= {"versions-TOTAL_FORMS": versions, "versions-INITIAL_FORMS": versions}
    return {name: value for name, value in values.items() if value is not None}


def change_page(rule: EscalationRule) -> str:
    return reverse("admin:triage_escalationrule_change", args=[rule.pk])


def test_a_new_rule_says_its_first_version(
    desk: Client,
    source: Source,
    choices: dict[str, Choice],
    ai_owner: User,
    recorded: Callable[[str], list[dict[str, Any]]],
) -> None:
    answer = desk.post(reverse("admin:triage_escalationrule_add"), posted(None, ai_owner))

    assert answer.status_code == 302, answer.context["errors"]
    version = RuleVersion.objects.get()
    assert version.rule.source == source
    assert (version.number, version.author) == (1, ai_owner)
    assert version.conditions == HOLD_VIPS["conditions"]
    [payload] = recorded("rule")
    assert (payload["event"], payload["version"], payload["source"]) == ("added", 1, source.pk)


def test_with_several_sources_the_source_is_asked_first(
    desk: Client, source: Source, ai_owner: User
) -> None:
    other = new_source(name="The other desk")
    page = reverse("admin:triage_escalationrule_add")

    assert f"?source={other.pk}" in desk.get(page).content.decode()
    desk.post(f"{page}?source={other.pk}", posted(None, ai_owner))

    assert EscalationRule.objects.get().source == other


def test_a_change_of_what_it_says_makes_a_version_and_leaves_the_old(
    desk: Client,
    source: Source,
    ai_owner: User,
    root: User,
    recorded: Callable[[str], list[dict[str, Any]]],
) -> None:
    rule = new_rule(source)
    RuleVersion.objects.update(author=root)
    said = [{"kind": "out_of_hours"}]

    answer = desk.post(change_page(rule), posted(rule, ai_owner, combine="any", conditions=said))

    assert answer.status_code == 302, answer.context["errors"]
    old, new = rule.versions.order_by("number")
    assert (old.number, old.author, old.conditions) == (1, root, HOLD_VIPS["conditions"])
    assert (new.number, new.author, new.combine, new.conditions) == (2, ai_owner, "any", said)
    assert [payload["version"] for payload in recorded("rule")] == [2]


def test_a_change_around_it_makes_no_version(
    desk: Client,
    source: Source,
    ai_owner: User,
    recorded: Callable[[str], list[dict[str, Any]]],
) -> None:
    rule = new_rule(source)

    desk.post(change_page(rule), posted(rule, ai_owner, name="Others are held", is_active=None))

    rule.refresh_from_db()
    assert (rule.name, rule.is_active) == ("Others are held", False)
    assert rule.versions.count() == 1
    assert recorded("rule")[0]["is_active"] is False


def test_saving_it_as_it_is_leaves_no_trace_in_the_ledger(
    desk: Client,
    source: Source,
    ai_owner: User,
    recorded: Callable[[str], list[dict[str, Any]]],
) -> None:
    rule = new_rule(source)

    assert desk.post(change_page(rule), posted(rule, ai_owner)).status_code == 302

    assert recorded("rule") == []
    assert rule.versions.count() == 1


@pytest.mark.parametrize(
    ("over", "complaint"),
    [
        ({"conditions": [{"kind": "field_is", "field": "category", "choice": "gone"}]}, "“gone”"),
        ({"conditions": [{"kind": "psychic"}]}, "“psychic”"),
        ({"conditions": "[{"}, "valid JSON"),
        ({"conditions": "[" * 50_000}, "nested too deeply"),
        ({"conditions": []}, "required"),
        ({"conditions": '[{"kind":"words_any","words":["a\\u0000"],"where":"body"}]'}, "NUL"),
        ({"conditions": '[{"kind":"words_any","words":["a\\ud800"],"where":"body"}]'}, "surrogate"),
        ({"actions": [{"kind": "notify", "to": "nobody"}]}, "one mail address"),
        ({"actions": []}, "required"),
        ({"combine": "none"}, "valid choice"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(
    desk: Client,
    source: Source,
    choices: dict[str, Choice],
    ai_owner: User,
    over: dict[str, Any],
    complaint: str,
) -> None:
    rule = new_rule(source)

    answer = desk.post(change_page(rule), posted(rule, ai_owner, **over))

    assert answer.status_code == 200
    assert complaint in str(answer.context["adminform"].form.errors)
    assert rule.versions.count() == 1


def test_two_rules_of_a_source_cannot_share_a_name(
    desk: Client, source: Source, ai_owner: User
) -> None:
    new_rule(source)

    answer = desk.post(reverse("admin:triage_escalationrule_add"), posted(None, ai_owner))

    assert "has one named “VIPs are held” already" in answer.content.decode()


def test_a_rule_about_a_retired_choice_can_be_switched_off_but_not_on(
    desk: Client, source: Source, choices: dict[str, Choice], ai_owner: User
) -> None:
    said = [{"kind": "field_is", "field": "category", "choice": "network"}]
    rule = new_rule(source, conditions=said)
    choices["network"].retired_at = timezone.now()
    choices["network"].save()

    off = desk.post(change_page(rule), posted(rule, ai_owner, conditions=said, is_active=None))
    on = desk.post(change_page(rule), posted(rule, ai_owner, conditions=said))

    rule.refresh_from_db()
    assert (off.status_code, on.status_code) == (302, 200)
    assert not rule.is_active
    assert "“network”" in on.content.decode()


def test_the_list_says_each_rule_in_words_with_its_hits(
    desk: Client, source: Source, choices: dict[str, Choice]
) -> None:
    rule = new_rule(source)
    for _ in range(3):
        proposal = new_proposal(new_ticket(source), choices["network"])
        RuleHit.objects.create(proposal=proposal, rule_version=rule.versions.get())

    page = desk.get(reverse("admin:triage_escalationrule_changelist"))

    [row] = page.context["cl"].result_list
    assert row.said == "If subject has “vip”: hold for a human."
    assert row.hit_count == 3
    assert row.said in page.content.decode()


def test_the_switch_in_the_list_is_recorded(
    desk: Client, source: Source, recorded: Callable[[str], list[dict[str, Any]]]
) -> None:
    rule = new_rule(source)
    form = {"form-TOTAL_FORMS": 1, "form-INITIAL_FORMS": 1, "form-0-id": rule.pk}

    desk.post(
        reverse("admin:triage_escalationrule_changelist"),
        form | {"form-0-position": 7, "_save": "Save"},
    )

    [payload] = recorded("rule")
    assert (payload["position"], payload["is_active"]) == (7, False)
    assert rule.versions.count() == 1


# --- Trying a rule on past tickets --------------------------------------------------------------


def test_a_trial_asks_words_values_and_sureness_as_when_the_ticket_was_proposed(
    source: Source, choices: dict[str, Choice]
) -> None:
    child = Choice.objects.create(
        field=choices["network"].field, key="network.vpn", name="VPN", parent=choices["network"]
    )
    vip = new_ticket(source, subject="VIP cannot print")
    vpn = new_ticket(source)
    new_proposal(vpn, child, probability=0.4)
    asks: dict[str, list[dict[str, Any]]] = {
        "words": [{"kind": "words_any", "words": ["vip"], "where": "subject"}],
        "parent": [{"kind": "field_is", "field": "category", "choice": "network"}],
        "unsure": [{"kind": "probability_below", "field": "category", "value": 0.5}],
        "nothing": [{"kind": "requester_domain", "domains": ["norvik.example"]}],
    }

    met = {name: try_rule(source, "all", asked).matched for name, asked in asks.items()}

    assert met == {"words": [vip], "parent": [vpn], "unsure": [vpn], "nothing": []}


def test_a_trial_sees_what_the_model_proposed_where_a_rule_then_set_the_value(
    source: Source, choices: dict[str, Choice], make_version: Callable[..., ModelVersion]
) -> None:
    ticket = new_ticket(source)
    prediction = new_prediction(ticket, make_version(), network=0.7, access=0.3)
    version = new_rule(source).versions.get()
    new_proposal(
        ticket, choices["access"], basis="rule", rule_version=version, prediction=prediction
    )
    asked = [{"kind": "field_is", "field": "category", "choice": "network"}]

    assert try_rule(source, "all", asked).matched == [ticket]


def test_a_trial_of_what_a_rule_set_sees_no_opinion_where_the_model_was_in_doubt(
    source: Source, choices: dict[str, Choice], make_version: Callable[..., ModelVersion]
) -> None:
    ticket = new_ticket(source)
    prediction = new_prediction(ticket, make_version(), network=0.19, access=0.18)
    version = new_rule(source).versions.get()
    new_proposal(
        ticket, choices["access"], basis="rule", rule_version=version, prediction=prediction
    )
    asked = [{"kind": "field_is", "field": "category", "choice": "network"}]

    assert try_rule(source, "all", asked).matched == []


def test_a_trial_asks_a_ticket_without_proposal_by_what_the_helpdesk_has(
    source: Source, choices: dict[str, Choice]
) -> None:
    urgent = new_ticket(source, values={"priority": "urgent"})
    new_ticket(source, values={"priority": "low"})
    new_ticket(source, values={"priority": "unheard of"})
    asked = [{"kind": "priority_at_least", "field": "priority", "choice": "normal"}]

    assert try_rule(source, "all", asked).matched == [urgent]


def test_a_trial_takes_age_and_hours_from_the_moment_of_the_proposal(
    source: Source, choices: dict[str, Choice]
) -> None:
    ticket = new_ticket(source, opened_at=OPENED)
    proposal = new_proposal(ticket, choices["network"])
    saturday = OPENED.replace(day=7)
    type(proposal).objects.update(created_at=saturday)
    days = (saturday - OPENED) / timedelta(minutes=1)

    def meets(condition: dict[str, Any]) -> bool:
        return bool(try_rule(source, "all", [condition]).matched)

    assert meets({"kind": "older_than", "minutes": days - 1})
    assert not meets({"kind": "older_than", "minutes": days + 1})
    assert meets({"kind": "out_of_hours"})


def test_a_trial_looks_at_the_500_newest_of_the_source_in_few_queries(
    source: Source, choices: dict[str, Choice], django_assert_max_num_queries: Any
) -> None:
    new_ticket(new_source(), subject="VIP elsewhere")
    new_ticket(source, subject="VIP long ago", opened_at=OPENED - timedelta(days=9))
    for _ in range(500):
        new_ticket(source)
    newest = new_ticket(source, subject="VIP now", opened_at=OPENED + timedelta(days=1))

    with django_assert_max_num_queries(12):
        trial = try_rule(source, "all", HOLD_VIPS["conditions"])

    assert trial.asked == 500
    assert trial.matched == [newest]
    assert trial.percent == pytest.approx(0.2)


def test_the_trial_of_a_stored_rule_shows_what_would_match(
    desk: Client, source: Source, choices: dict[str, Choice]
) -> None:
    rule = new_rule(source)
    for number in range(30):
        new_ticket(source, subject=f"VIP number {number}")
    new_ticket(source)
    page = reverse("admin:triage_escalationrule_try_out", args=[rule.pk])

    first, second = desk.get(page).content.decode(), desk.get(page, {"page": 2}).content.decode()

    assert "If subject has “vip”: hold for a human." in first
    assert "96.8 %" in first
    assert first.count("VIP number") == 25
    assert second.count("VIP number") == 5


def test_a_rule_can_be_tried_before_it_is_saved(
    desk: Client, source: Source, choices: dict[str, Choice], ai_owner: User
) -> None:
    for number in range(30):
        new_ticket(source, subject=f"Board number {number}")
    said = [{"kind": "words_any", "words": ["board"], "where": "either"}]
    page = f"{reverse('admin:triage_escalationrule_test')}?source={source.pk}"
    form = posted(None, ai_owner, conditions=said, actions=[])

    first = desk.post(page, form).content.decode()
    second = desk.post(page, form | {"page": "2"}).content.decode()

    assert first.count("Board number") == 25
    assert second.count("Board number") == 5
    assert RuleVersion.objects.count() == 0


@pytest.mark.parametrize(
    "over",
    [
        {"conditions": "[{"},
        {"conditions": "null"},
        {"conditions": "[" * 50_000},
        {"conditions": '[{"kind":"words_any","words":["\\ud800"],"where":"body"}]'},
        {"combine": ""},
        {"actions": '{"kind": "hold"}'},
    ],
)
def test_trying_nonsense_says_what_is_wrong(
    desk: Client, source: Source, choices: dict[str, Choice], ai_owner: User, over: dict[str, Any]
) -> None:
    page = f"{reverse('admin:triage_escalationrule_test')}?source={source.pk}"

    answer = desk.post(page, posted(None, ai_owner, **over))

    assert answer.status_code == 200
    assert "The rule cannot be asked yet" in answer.content.decode()


def test_trying_needs_a_source_that_exists_and_a_post(desk: Client, source: Source) -> None:
    page = reverse("admin:triage_escalationrule_test")

    assert desk.post(f"{page}?source=999999").status_code == 404
    assert desk.post(f"{page}?source=x").status_code == 404
    assert desk.get(f"{page}?source={source.pk}").status_code == 405
