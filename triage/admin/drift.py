"""Drift of a version over time, what stands open of all, and proposals to train again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from triage import retraining
from triage.admin.base import DeskAdmin, ReasonForm, RecordAdmin, person
from triage.admin.evidence import Table, chart_of
from triage.admin.theme import action, display
from triage.drift import LEAST, LEAST_REFERENCE, REFERENCE_DAYS
from triage.drift_figures import LEAST_CHECKS
from triage.drift_findings import MEASURED
from triage.learning.drift import NOTABLE
from triage.models import (
    DriftFinding,
    DriftReference,
    DriftReport,
    Field,
    ModelVersion,
    RetrainingProposal,
)
from triage.retraining import AlreadyClosed

SHOWN_DAYS = 90
SHOWN_FINDINGS = 20


def training_page(field: Field) -> str:
    """Where training of the field is asked for."""
    return f"{reverse('admin:triage_trainingrun_add')}?field={field.pk}"


class DriftPage(DeskAdmin):
    """The page of a version's drift: what was found, and each figure over its days."""

    @action(description="Drift", permissions=["view"], url_path="drift", icon="moving")
    def drift(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row: ModelVersion = self.row(request, object_id)
        reports = list(row.drift_reports.order_by("-day")[:SHOWN_DAYS])[::-1]
        context = {
            **self.admin_site.each_context(request),
            "title": f"Drift of {row}",
            "opts": self.opts,
            "original": row,
            "media": self.media,
            "reference": DriftReference.objects.filter(model_version=row).first(),
            "findings": row.drift_findings.all()[:SHOWN_FINDINGS],
            "newest": reports[-1] if reports else None,
            "tables": tables(reports),
            "least_reference": LEAST_REFERENCE,
            "reference_days": REFERENCE_DAYS,
            "least": LEAST,
            "least_checks": LEAST_CHECKS,
        }
        return TemplateResponse(request, "triage/admin/drift.html", context)


def tables(reports: Sequence[DriftReport]) -> list[Table]:
    """Every figure over the days that have it, as a line with the limit above which it counts."""
    compared = [report for report in reports if "inputs" in report.figures]
    found = [
        _over_time(
            f"Inputs: {name}",
            compared,
            lambda figures, key=key: figures["inputs"][key],  # type: ignore[misc]
        )
        for key, name in MEASURED.items()
    ]
    found.append(_over_time("Predictions: proposed choices", compared, lambda f: f["predictions"]))
    found.append(_shares("Tickets out of scope", compared, lambda f: f["out_of_scope"]))
    checked = [report for report in reports if "calibration" in report.figures]
    found.append(_shares("Calibration error on blind checks", checked, lambda f: f["calibration"]))
    return [table for table in found if table.rows]


Pick = Callable[[dict[str, Any]], dict[str, Any]]


def _over_time(title: str, reports: Sequence[DriftReport], pick: Pick) -> Table:
    values = [pick(report.figures) for report in reports]
    index = [one["index"] for one in values]
    limit = [max(NOTABLE, one["by_chance"]) for one in values]
    days = [str(report.day) for report in reports]
    return Table(
        title,
        ["Day", "Tickets", "Stability index", "Counts from"],
        [
            [day, f"{report.predictions:,}", f"{at:.3f}", f"{most:.3f}"]
            for day, report, at, most in zip(days, reports, index, limit, strict=True)
        ],
        chart_of(days, {"stability index": index, "counts from": limit}, most=SHOWN_DAYS),
        "line",
    )


def _shares(title: str, reports: Sequence[DriftReport], pick: Pick) -> Table:
    values = [pick(report.figures) for report in reports]
    days = [str(report.day) for report in reports]
    return Table(
        title,
        ["Day", "Tickets", "Blind checks", "Now", "Usual", "By chance at most"],
        [
            [
                day,
                f"{report.predictions:,}",
                f"{report.checks:,}",
                *(f"{one[key]:.1%}" for key in ("value", "reference", "by_chance")),
            ]
            for day, report, one in zip(days, reports, values, strict=True)
        ],
        chart_of(
            days,
            {
                "now": [one["value"] for one in values],
                "by chance at most": [one["by_chance"] for one in values],
            },
            most=SHOWN_DAYS,
        ),
        "line",
    )


@admin.register(DriftFinding)
class DriftFindingAdmin(RecordAdmin):
    """Written by the night, read here."""

    list_display = ["kind", "version", "state", "since", "until", "said", "mailed_at"]
    list_filter = [("until", admin.EmptyFieldListFilter), "kind", "model_version__field__source"]
    list_select_related = ["model_version__field__source"]
    ordering = ["-since", "-pk"]
    fieldsets = [
        (None, {"fields": ["version", "kind", "state", "said", "since", "until", "mailed_at"]})
    ]

    @display(description="Version")
    def version(self, finding: DriftFinding) -> SafeString:
        row = finding.model_version
        return format_html(
            '<a class="desk-link" href="{}">{}</a> · {}',
            reverse("admin:triage_modelversion_drift", args=[row.pk]),
            row,
            row.field.source,
        )

    @display(description="State", label={"grave": "danger", "open": "warning", "gone": "success"})
    def state(self, finding: DriftFinding) -> str:
        if finding.until is not None:
            return "gone"
        return "grave" if finding.is_grave else "open"


@admin.register(RetrainingProposal)
class RetrainingProposalAdmin(RecordAdmin):
    """Made by the night; an owner starts training, or says why not."""

    list_display = ["about", "state", "new_labels", "created_at", "closed_because"]
    list_filter = [("closed_at", admin.EmptyFieldListFilter), "field__source"]
    list_select_related = ["field__source", "closed_by"]
    ordering = ["-created_at"]
    actions_detail = ["dismiss"]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    "about",
                    "state",
                    "model_version",
                    "new_labels",
                    "why",
                    "start",
                    "created_at",
                    "mailed_at",
                ]
            },
        ),
        ("How it ended", {"fields": ["closed_at", "closed_by", "closed_because"]}),
    ]

    def has_dismiss_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("triage.change_modelversion")

    @display(description="Field")
    def about(self, proposal: RetrainingProposal) -> str:
        return f"{proposal.field} · {proposal.field.source}"

    @display(
        description="State", label={"open": "warning", "dismissed": "default", "trained": "success"}
    )
    def state(self, proposal: RetrainingProposal) -> str:
        if proposal.closed_at is None:
            return "open"
        return "trained" if proposal.closed_by_id is None else "dismissed"

    @display(description="Why it would pay")
    def why(self, proposal: RetrainingProposal) -> str:
        return " ".join(proposal.reasons)

    @display(description="Train again")
    def start(self, proposal: RetrainingProposal) -> SafeString | str:
        if proposal.closed_at is not None:
            return "-"
        page = training_page(proposal.field)
        return format_html('<a class="desk-link" href="{}">Ask for training</a>', page)

    @action(description="Dismiss", permissions=["dismiss"], url_path="dismiss", icon="block")
    def dismiss(self, request: HttpRequest, object_id: str) -> HttpResponse:
        proposal: RetrainingProposal = self.row(request, object_id)
        form = ReasonForm(request.POST or None)
        if not form.is_valid():
            return self.ask(
                request,
                title=f"Do not train {proposal.field} again now",
                text=[*proposal.reasons, "It is proposed again once as many labels are new again."],
                button="Dismiss",
                form=form,
                row=proposal,
            )
        reason = form.cleaned_data["reason"]
        try:
            with transaction.atomic():
                retraining.dismiss(proposal, by=person(request), reason=reason)
                self.log_change(request, proposal, f"Dismissed: {reason}")
        except AlreadyClosed as closed:
            self.message_user(request, str(closed), messages.ERROR)
            return redirect("admin:triage_retrainingproposal_change", proposal.pk)
        return self.back(request, proposal, "Dismissed.")
