"""Model card and data card of a version: on a page, and as Markdown."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from playwright.sync_api import expect
from pytest_django import Settings

from tests.browser.conftest import Opener
from tests.triage.admin.conftest import signed_in
from tests.triage.taught import teach
from triage.admin.card_parts import Card, Section, markdown
from triage.admin.data_card import data_card
from triage.admin.evidence import Table
from triage.admin.model_card import model_card
from triage.learning import training
from triage.models import Choice, ModelVersion, Source

NARROW = (360, 800)


@pytest.fixture
def version(
    source: Source,
    choices: dict[str, Choice],
    ai_owner: User,
    settings: Settings,
    tmp_path: Path,
) -> ModelVersion:
    """Really trained, on 120 tickets."""
    settings.COUNTERSIGN_MODEL_DIR = tmp_path
    settings.TRAINING_LABEL_FLOOR = 10
    return training.train(teach(source, choices, each=60), owner=ai_owner, seed=5)


def page(version: ModelVersion, card: str) -> str:
    return reverse(f"admin:triage_modelversion_{card}_card", args=[version.pk])


def test_the_model_card_says_what_it_is_for_how_good_it_is_and_where_it_is_weak(
    desk: Client, version: ModelVersion
) -> None:
    shown = desk.get(page(version, "model")).content.decode()

    for heading in (
        "Intended use",
        "How good it is",
        "Calibration",
        "Risk and coverage",
        "By choice, on the random fifth",
        "Limits",
        "Made with",
    ):
        assert f"<h3>{heading}</h3>" in shown
    assert "Newest fifth" in shown
    # 24 held out; Wilson's interval stands behind what is a share of tickets.
    assert "100.0\u00a0% (86.2\u00a0to\u00a0100.0)" in shown
    assert "It cannot answer Hardware: it had no labels for this choice." in shown
    assert shown.count('class="chart"') >= 3
    assert version.sha256 in shown


def test_the_data_card_says_what_was_learnt_and_what_was_left_out(
    desk: Client, version: ModelVersion
) -> None:
    shown = desk.get(page(version, "data")).content.decode()

    assert "imported history" in shown
    assert "Nothing: every label taught." in shown
    assert "Words, median" in shown
    assert "In English" in shown
    assert "Labels probably wrong" in shown
    assert reverse("admin:triage_labeldoubt_changelist") in shown


@pytest.mark.parametrize("card", ["model", "data"])
def test_a_card_is_kept_as_markdown(desk: Client, version: ModelVersion, card: str) -> None:
    answer = desk.get(page(version, card), {"format": "md"})

    said = answer.content.decode()
    assert answer["content-type"] == "text/markdown; charset=utf-8"
    assert (
        f'filename="{version.field.source.slug}-{card}-card-category-v1.md"'
        in (answer["content-disposition"])
    )
    assert said.startswith(f"# {card.capitalize()} card: Category v1\n")
    assert "| --- |" in said
    assert "vpn tunnel" not in said


def test_the_version_leads_to_both_cards_and_readers_may_read_them(
    version: ModelVersion, auditor: User
) -> None:
    client = signed_in(auditor)
    shown = client.get(reverse("admin:triage_modelversion_change", args=[version.pk]))

    for card in ("model", "data"):
        assert page(version, card) in shown.content.decode()
        assert client.get(page(version, card)).status_code == 200


def test_the_cards_ask_the_same_of_the_database_however_many_choices_there_are(
    desk: Client, version: ModelVersion, django_assert_max_num_queries: Any
) -> None:
    for number in range(30):
        Choice.objects.create(field=version.field, key=f"more{number}", name=f"More {number}")

    for card in ("model", "data"):
        with django_assert_max_num_queries(12):
            desk.get(page(version, card))


# --- As values ------------------------------------------------------------------------------
def test_names_are_no_markup_in_markdown() -> None:
    table = Table("T", ["Choice"], [["a|b"], ["<script>"], ["line\nbreak"]])

    said = markdown(Card("# T", "*x*", [Section("S", ["[l](u)"], ["`p`"], table)]))

    assert said == (
        "# \\# T\n\n\\*x\\*\n\n## S\n\n\\[l\\](u)\n\n- \\`p\\`\n\n"
        "| Choice |\n| --- |\n| a\\|b |\n| \\<script\\> |\n| line break |\n"
    )


@pytest.mark.parametrize(
    "evidence",
    [
        {},
        {"accuracy": None, "time_ordered": 3, "data": [], "per_choice": {"a": 1}, "origins": {}},
        {"accuracy": float("nan"), "held_out": 0, "reliability": [{"stated": "x"}, 3, {}]},
        {"labels_by_choice": {"a": 0}, "origins": {"elsewhere": 0}, "confusions": [{"tickets": 1}]},
        {"data": {"left_out": {"x": 1.5}, "tickets": 0, "languages": None}, "libraries": [1]},
        {"label_noise": {"estimated_share": 0.5}, "accuracy": 0.9, "held_out": 10, "top_3": 2},
    ],
)
def test_cards_are_made_of_whatever_the_evidence_holds(
    make_version: Callable[..., ModelVersion], evidence: dict[str, Any]
) -> None:
    version = make_version()
    version.evidence = evidence

    for card in (model_card(version, {}, set()), data_card(version, {}, {})):
        assert markdown(card)


def test_limits_name_weak_choices_and_those_that_were_hardly_measured(
    make_version: Callable[..., ModelVersion],
) -> None:
    version = make_version(
        evidence={
            "accuracy": 0.9,
            "per_choice": {
                "network": {"f1": 0.95, "tickets": 50},
                "access": {"f1": 0.5, "tickets": 50},
                "fax": {"f1": 0.1, "tickets": 2},
            },
            "time_ordered": {"accuracy": 0.8, "held_out": 400},
        }
    )

    said = markdown(model_card(version, {"access": "Access"}, {"network", "access", "scanner"}))

    assert "Weak at Access: F1 below 0.7." in said
    assert "Hardly measured at fax: under 10 held out." in said
    assert "It cannot answer scanner" in said
    assert "right in 80.0 % instead of 90.0 %" in said
    version.evidence["time_ordered"]["held_out"] = 20
    assert "instead of" not in markdown(model_card(version, {}, set()))


@pytest.mark.browser
def test_cards_are_drawn_and_fit_a_narrow_phone(
    open_window: Opener, version: ModelVersion, ai_owner: User
) -> None:
    window = open_window(ai_owner, size=NARROW)

    for card in ("model", "data"):
        window.open(page(version, card))
        assert window.page.evaluate("document.documentElement.scrollWidth") <= 360
        for chart in window.page.locator("canvas.chart").all():
            expect(chart).to_be_visible()
