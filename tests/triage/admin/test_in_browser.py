"""The desk in a real browser: rules as rows, with and without script, wide and narrow."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import expect

from tests.browser.conftest import Opener
from tests.triage.admin.rows import new_rule
from triage.models import Choice, ModelVersion, Rung, Source

pytestmark = pytest.mark.browser
NARROW = (360, 800)


def change_page(row: Any) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def test_conditions_and_actions_are_edited_as_rows(
    open_window: Opener, source: Source, choices: dict[str, Choice], ai_owner: User
) -> None:
    rule = new_rule(source)
    window = open_window(ai_owner)
    window.open(change_page(rule))
    page = window.page
    kinds = page.locator(".rule-kind")

    expect(page.locator("textarea[name=conditions]")).to_be_hidden()
    expect(kinds).to_have_count(2)
    page.get_by_label("the text has any of the words: words").fill("vip\n board \n")
    page.get_by_role("button", name="Add a condition").click()
    page.get_by_label("Kind of condition 2").select_option("priority_at_least")
    page.get_by_label("an ordered field is at least: choice").select_option("urgent")
    page.get_by_label("Kind of action 1").select_option("set_field")
    page.get_by_label("set a field to: field").select_option("team")
    page.get_by_label("set a field to: choice").select_option("infrastructure")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**/escalationrule/")

    newest = rule.versions.order_by("-number")[0]
    assert newest.number == 2
    assert newest.conditions == [
        {"kind": "words_any", "words": ["vip", "board"], "where": "subject"},
        {"kind": "priority_at_least", "field": "priority", "choice": "urgent"},
    ]
    assert newest.actions == [{"kind": "set_field", "field": "team", "choice": "infrastructure"}]


def test_every_kind_can_be_built_from_its_row_and_is_in_order(
    open_window: Opener, source: Source, choices: dict[str, Choice], ai_owner: User
) -> None:
    """What the rows make by themselves differs from what may be stored only by what is empty."""
    rule = new_rule(source)
    window = open_window(ai_owner)
    window.open(change_page(rule))
    page = window.page
    kinds = (
        page.get_by_label("Kind of condition 1")
        .locator("option")
        .evaluate_all("options => options.map((option) => option.value)")
    )

    for number in range(len(kinds) - 1):
        page.get_by_role("button", name="Add a condition").click()
        page.get_by_label(f"Kind of condition {number + 2}", exact=True).select_option(
            kinds[number + 1]
        )
    for box in page.locator(".rule-row textarea").all():
        box.fill("board.example.org")
    for box in page.locator(".rule-row input[type=number]").all():
        box.fill("1")
    page.get_by_label("Kind of condition 1", exact=True).select_option(kinds[0])
    page.get_by_label("a field is proposed as one of: choices").select_option(["access"])
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**/escalationrule/")

    newest = rule.versions.order_by("-number")[0]
    assert [condition["kind"] for condition in newest.conditions] == kinds


def test_a_row_that_names_what_was_retired_still_shows_it(
    open_window: Opener, source: Source, choices: dict[str, Choice], ai_owner: User
) -> None:
    said = [{"kind": "field_is", "field": "category", "choice": "long-gone"}]
    window = open_window(ai_owner)
    window.open(change_page(new_rule(source, conditions=said)))

    shown = window.page.get_by_label("a field is proposed as: choice")

    assert shown.input_value() == "long-gone"
    assert "not offered any more" in shown.inner_text()


def test_without_script_the_rule_is_edited_as_text(
    open_window: Opener, source: Source, choices: dict[str, Choice], ai_owner: User
) -> None:
    rule = new_rule(source)
    window = open_window(ai_owner, java_script_enabled=False)
    window.open(change_page(rule))
    page = window.page

    page.locator("textarea[name=conditions]").fill('[{"kind": "out_of_hours"}]')
    page.locator("button[name=_save]").click()

    assert rule.versions.order_by("-number")[0].conditions == [{"kind": "out_of_hours"}]


def test_an_unsaved_rule_is_tried_in_a_page_of_its_own(
    open_window: Opener, source: Source, choices: dict[str, Choice], ai_owner: User
) -> None:
    rule = new_rule(source)
    window = open_window(ai_owner)
    window.open(change_page(rule))
    window.page.get_by_label("the text has any of the words: words").fill("tunnel")

    with window.page.context.expect_page() as opened:
        window.page.get_by_role("button", name="Try it on the last 500 tickets").click()

    expect(opened.value.locator(".desk-sentence")).to_have_text(
        "If subject has “tunnel”: hold for a human."
    )
    assert rule.versions.count() == 1


def test_no_page_is_wider_than_a_narrow_phone(
    open_window: Opener,
    source: Source,
    choices: dict[str, Choice],
    ai_owner: User,
    make_version: Callable[..., ModelVersion],
) -> None:
    network = choices["network"]
    rung = Rung.objects.create(field=network.field, choice=network, owner=ai_owner, reason="Start")
    version = make_version(evidence={"accuracy": 0.9, "labels_by_choice": {"a": 3, "b": 4}})
    pages = [change_page(row) for row in (new_rule(source), rung, version, source, network)]
    pages += [reverse("admin:index"), reverse("admin:triage_emergencystop_everything")]
    pages += [reverse("admin:triage_ticket_changelist"), reverse("admin:triage_rung_changelist")]
    window = open_window(ai_owner, size=NARROW)

    for address in pages:
        window.open(address)
        assert window.page.evaluate("document.documentElement.scrollWidth") <= 360, address
