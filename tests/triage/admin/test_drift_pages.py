"""Drift over time, what stands open, and proposals to train again, at the desk."""

from collections.abc import Callable
from datetime import date, timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.triage.admin.conftest import signed_in
from triage.admin.drift import tables, training_page
from triage.models import (
    DriftFinding,
    DriftReference,
    DriftReport,
    ModelVersion,
    RetrainingProposal,
)

DAY = date(2026, 3, 9)
MakeVersion = Callable[..., ModelVersion]


def figures(index: float = 0.02, share: float = 0.04) -> dict[str, Any]:
    shift = {"index": index, "by_chance": 0.03, "is_notable": False, "is_grave": False}
    excess = {
        "value": share, "reference": 0.05, "by_chance": 0.08, "is_notable": False,
        "is_grave": False,
    }  # fmt: skip
    return {
        "inputs": dict.fromkeys(("words", "unknown_words", "length", "in_scope"), shift),
        "predictions": {**shift, "divergence": 0.01, "shares": {"network": 1.0}},
        "out_of_scope": excess,
    }


def report(version: ModelVersion, day: int, **over: Any) -> DriftReport:
    values = {"predictions": 240, "checks": 12, "figures": figures()} | over
    return DriftReport.objects.create(
        model_version=version, day=DAY + timedelta(days=day), **values
    )


def drift_page(client: Client, version: ModelVersion) -> str:
    address = reverse("admin:triage_modelversion_drift", args=[version.pk])
    return unescape(client.get(address).content.decode())


@pytest.fixture
def champion(make_version: MakeVersion) -> ModelVersion:
    version = make_version()
    DriftReference.objects.create(
        model_version=version, predictions=560, until=timezone.now(), figures={}
    )
    return version


@pytest.fixture
def proposal(champion: ModelVersion) -> RetrainingProposal:
    return RetrainingProposal.objects.create(
        field=champion.field,
        model_version=champion,
        new_labels=60,
        reasons=["It has drifted: inputs."],
    )


def test_before_there_is_a_reference_the_page_says_what_is_missing(
    desk: Client, make_version: MakeVersion
) -> None:
    html = drift_page(desk, make_version())

    assert "a version's first 500 live predictions, and 7 days at least" in html
    assert "Nothing has drifted." in html


def test_every_figure_is_drawn_over_its_days_with_its_table(
    desk: Client, champion: ModelVersion
) -> None:
    for day in range(3):
        report(champion, day)
    report(champion, 3, figures={}, predictions=80)
    DriftFinding.objects.create(
        model_version=champion, kind="inputs", said="Words 0.31.", since=DAY, is_grave=True
    )

    html = drift_page(desk, champion)

    assert html.count('class="chart"') == 6
    assert '<th scope="row">2026-03-10</th><td>240</td><td>0.020</td><td>0.100</td>' in html
    assert "On 2026-03-12 there were not enough tickets to compare: 80 of 200." in html
    assert "12 blind checks in the last four weeks, and it takes 100" in html
    assert "<strong>grave</strong>" in html


def test_days_without_figures_are_left_out_of_the_lines(champion: ModelVersion) -> None:
    reports = [report(champion, 0), report(champion, 1, figures={}), report(champion, 2)]

    assert {len(table.rows) for table in tables(reports)} == {2}
    assert tables([]) == []


def test_what_stands_open_is_on_the_first_page_and_leads_there(
    desk: Client, champion: ModelVersion, proposal: RetrainingProposal, make_version: MakeVersion
) -> None:
    old = make_version(state="retired")
    for version, said in ((champion, "Words 0.31."), (old, "Of a retired one.")):
        DriftFinding.objects.create(model_version=version, kind="inputs", said=said, since=DAY)

    html = unescape(desk.get(reverse("admin:index")).content.decode())

    assert "drift of inputs since 2026-03-09" in html
    assert "Words 0.31." in html
    assert "Of a retired one." not in html
    assert reverse("admin:triage_modelversion_drift", args=[champion.pk]) in html
    assert "60 labels are new. It has drifted: inputs." in html
    assert reverse("admin:triage_retrainingproposal_change", args=[proposal.pk]) in html


def test_a_proposal_is_dismissed_with_a_reason_once(
    desk: Client,
    ai_owner: User,
    proposal: RetrainingProposal,
    recorded: Callable[[str], list[dict[str, Any]]],
) -> None:
    dismiss = reverse("admin:triage_retrainingproposal_dismiss", args=[proposal.pk])
    page = reverse("admin:triage_retrainingproposal_change", args=[proposal.pk])
    assert "It has drifted: inputs." in desk.get(page).content.decode()

    desk.post(dismiss, {"reason": ""})
    proposal.refresh_from_db()
    assert proposal.closed_at is None
    desk.post(dismiss, {"reason": "The office moves in May"})
    answer = desk.post(dismiss, {"reason": "Again"}, follow=True)

    proposal.refresh_from_db()
    assert (proposal.closed_by, proposal.closed_because) == (ai_owner, "The office moves in May")
    assert "It was closed before" in answer.content.decode()
    assert [entry["reason"] for entry in recorded("field")] == ["The office moves in May"]


def test_a_reader_is_told_how_training_is_started_and_cannot_dismiss(
    auditor: User, proposal: RetrainingProposal
) -> None:
    page = reverse("admin:triage_retrainingproposal_change", args=[proposal.pk])

    html = signed_in(auditor).get(page).content.decode()

    assert "dismiss" not in html
    assert training_page(proposal.field) in html
