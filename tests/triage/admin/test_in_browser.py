"""The desk in a real browser: rules as rows, the delivery log; wide and narrow."""

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from tests.browser.conftest import Opener
from tests.conftest import new_ticket, ticket_message
from tests.triage.admin.rows import new_prediction, new_rule
from tests.triage.admin.test_drift_pages import figures
from triage.learning import registry
from triage.models import (
    Choice,
    Delivery,
    DriftFinding,
    DriftReport,
    Job,
    ModelVersion,
    RetrainingProposal,
    Rung,
    Source,
)

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
    pages += models_pages(version, make_version)
    window = open_window(ai_owner, size=NARROW)

    for address in pages:
        window.open(address)
        assert window.page.evaluate("document.documentElement.scrollWidth") <= 360, address


def models_pages(version: ModelVersion, make_version: Callable[..., ModelVersion]) -> list[str]:
    """A champion beside a shadow, with drift and a proposal to train again."""
    earlier = make_version(state="retired", promoted_at=timezone.now(), retired_at=timezone.now())
    shadow = make_version(state="shadow", evidence={"accuracy": 0.95})
    for _ in range(30):
        ticket = new_ticket(version.field.source, subject="The printer on the third floor " * 3)
        new_prediction(ticket, version, network=0.9)
        new_prediction(ticket, shadow, access=0.9)
    today = timezone.localdate()
    for back in range(60):
        DriftReport.objects.create(
            model_version=version,
            day=today - timedelta(days=back),
            predictions=240,
            checks=0,
            figures=figures(),
        )
    DriftFinding.objects.create(
        model_version=version, kind="inputs", said="Words 0.31. " * 20, since=today, is_grave=True
    )
    proposal = RetrainingProposal.objects.create(
        field=version.field, model_version=version, new_labels=60, reasons=["It has drifted."]
    )
    lists = ("modelversion", "driftfinding", "retrainingproposal")
    return [
        *(reverse(f"admin:triage_{name}_changelist") for name in lists),
        *(
            reverse(f"admin:triage_modelversion_{page}", args=[version.pk])
            for page in ("compare", "drift")
        ),
        reverse("admin:triage_modelversion_put_into_service", args=[earlier.pk]),
        change_page(proposal),
    ]


def test_one_click_in_the_list_brings_the_version_before_back(
    open_window: Opener,
    ai_owner: User,
    make_version: Callable[..., ModelVersion],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(registry, "_require_file", lambda version: None)
    now = timezone.now()
    first = make_version(state="retired", promoted_at=now, retired_at=now)
    second = make_version(promoted_at=now)
    window = open_window(ai_owner)
    window.open(reverse("admin:triage_modelversion_changelist"))

    window.page.get_by_role("button", name="to v1").click()

    expect(window.page.get_by_text("answers again from the next ticket on")).to_be_visible()
    assert ModelVersion.objects.get(state="champion") == first
    window.page.get_by_role("button", name="Roll back to v2").click()
    expect(window.page.get_by_text("category v2 answers again")).to_be_visible()
    assert ModelVersion.objects.get(state="champion") == second


@pytest.fixture
def delivery(source: Source, choices: dict[str, Choice]) -> Delivery:
    """One that was read into a ticket whose triage died, with a long body."""
    body = json.dumps(ticket_message(body="Since Monday the tunnel closes. " * 40)).encode()
    row = Delivery.objects.create(
        source=source,
        webhook_id="msg_2Lh9KRb0pzN7wD5EoVqXyT4sUaGc",
        body=body,
        body_sha256=hashlib.sha256(body).hexdigest(),
        outcome="applied",
    )
    ticket = new_ticket(source, external_id="48209")
    ticket.versions.update(delivery=row)
    Job.objects.create(
        kind="propose",
        subject=ticket.versions.get().pk,
        attempts=5,
        dead_at=timezone.now(),
        last_error="ArtefactRefused: the file of Category v3 does not verify",
        created_at=timezone.now() - timedelta(hours=2),
    )
    Job.objects.create(kind="effect", subject=1, created_at=timezone.now() - timedelta(minutes=4))
    return row


def test_a_dead_letter_is_found_read_and_redelivered(
    open_window: Opener, delivery: Delivery, ai_owner: User
) -> None:
    window = open_window(ai_owner)
    window.open(reverse("admin:index"))
    page = window.page
    expect(page.get_by_text("1 dead letter.")).to_be_visible()

    window.open(reverse("admin:triage_delivery_changelist") + "?q=48209")
    expect(page.get_by_role("link", name="#48209")).to_be_visible()
    page.get_by_role("link", name=delivery.webhook_id).click()
    expect(page.get_by_role("heading", name="What came of it")).to_be_visible()
    expect(page.get_by_text("the file of Category v3 does not verify")).to_be_visible()
    page.get_by_role("link", name="Redeliver").click()
    page.get_by_role("button", name="Redeliver").click()

    expect(page.get_by_text("It will be read again in a moment.")).to_be_visible()
    job = Job.objects.get(kind="propose")
    assert (job.dead_at, job.attempts) == (None, 0)
    assert Job.objects.filter(kind="receive", subject=delivery.pk).exists()


def test_moments_are_shown_in_the_zone_of_whoever_looks(
    open_window: Opener, delivery: Delivery, ai_owner: User
) -> None:
    at = datetime(2026, 3, 2, 23, 30, 5, tzinfo=UTC)
    Delivery.objects.filter(pk=delivery.pk).update(received_at=at)
    window = open_window(ai_owner, timezone_id="Asia/Kolkata")
    window.open(change_page(delivery))

    shown = window.page.locator("time.desk-time").first

    expect(shown).to_have_text("3 Mar 2026, 05:00:05 GMT+5:30")
    without = open_window(ai_owner, java_script_enabled=False)
    without.page.goto(f"{without.server}{change_page(delivery)}")
    expect(without.page.locator("time.desk-time").first).to_have_text("2026-03-02 23:30:05 UTC")


def test_several_deliveries_are_redelivered_after_a_question(
    open_window: Opener, delivery: Delivery, source: Source, ai_owner: User
) -> None:
    other = Delivery.objects.create(source=source, webhook_id="m2", body=b"{}", outcome="refused")
    window = open_window(ai_owner)
    window.open(reverse("admin:triage_delivery_changelist"))
    page = window.page

    for box in page.locator("input.action-select").all():
        box.check()
    page.locator("select[name=action]").select_option("redeliver_chosen")
    page.get_by_role("button", name="Run").click()
    page.get_by_role("button", name="Redeliver 2").click()

    expect(page.get_by_text("2 deliveries will be read again in a moment.")).to_be_visible()
    assert set(Job.objects.filter(kind="receive").values_list("subject", flat=True)) == {
        delivery.pk,
        other.pk,
    }


def test_the_log_fits_a_narrow_phone(
    open_window: Opener, delivery: Delivery, source: Source, ai_owner: User
) -> None:
    window = open_window(ai_owner, size=NARROW)
    pages = [change_page(delivery), reverse("admin:triage_delivery_changelist")]
    pages += [reverse("admin:triage_job_changelist"), reverse("admin:index"), change_page(source)]
    pages += [change_page(Job.objects.get(kind="propose"))]

    for address in pages:
        window.open(address)
        assert window.page.evaluate("document.documentElement.scrollWidth") <= 360, address
