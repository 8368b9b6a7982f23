"""Model versions: born in training, read here, put into service by a named person."""

from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.http import HttpRequest

from triage.admin import evidence, tiers
from triage.admin.cards import CardPages
from triage.admin.comparison import ComparisonPage
from triage.admin.drift import DriftPage
from triage.admin.service import ServiceActions, VersionList, roll_back_to
from triage.admin.theme import display
from triage.admin.training_entry import TrainingEntry
from triage.models import ModelVersion

State = ModelVersion.State
STATE_COLOURS = {
    State.CANDIDATE.label: "info",
    State.SHADOW.label: "warning",
    State.CHAMPION.label: "success",
    State.RETIRED.label: "default",
}


@admin.register(ModelVersion)
class ModelVersionAdmin(ServiceActions, ComparisonPage, DriftPage, TrainingEntry, CardPages):
    """The registry writes the ledger itself; this page adds the author to the row's history."""

    paginator = Paginator
    list_display = [
        "version",
        "state_shown",
        "accuracy",
        "label_count",
        "owner_name",
        "created_at",
        "promoted_at",
    ]
    list_filter = ["state", "field__source", "field"]
    list_select_related = ["field__source", "owner"]
    search_fields = ["field__name", "field__key", "sha256"]
    ordering = ["field", "-number"]
    actions_detail = [
        "compare",
        "drift",
        "train",
        "put_into_shadow",
        "take_out_of_shadow",
        "put_into_service",
        "roll_back",
    ]
    change_form_outer_before_template = "triage/admin/roll_back.html"
    change_form_outer_after_template = "triage/admin/evidence.html"
    fieldsets = [
        (
            None,
            {
                "fields": [
                    "version",
                    "state_shown",
                    "owner",
                    "label_count",
                    "created_at",
                    "promoted_at",
                    "retired_at",
                ]
            },
        ),
        ("Artefact", {"fields": ["artefact", "sha256", "choices_shown"]}),
    ]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        row = self.get_object(request, object_id) if object_id else None
        figures = evidence.read(row.evidence if row else None, without=evidence.ON_CARDS)
        context = {
            "evidence": figures,
            "tiers": tiers.read(row) if row else None,
            "roll_back_to": roll_back_to(row) if row and self.may_promote(request) else None,
        }
        return super().changeform_view(
            request, object_id, form_url, {**context, **(extra_context or {})}
        )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[VersionList]:
        return VersionList

    @display(description="Version", ordering="field__name")
    def version(self, row: ModelVersion) -> str:
        return f"{row.field} v{row.number} · {row.field.source}"

    @display(description="State", ordering="state", label=STATE_COLOURS)
    def state_shown(self, row: ModelVersion) -> str:
        return row.get_state_display()

    @display(description="Accuracy")
    def accuracy(self, row: ModelVersion) -> str:
        measured = row.evidence.get("accuracy") if isinstance(row.evidence, dict) else None
        return f"{measured:.1%}" if evidence.is_number(measured) else "-"

    @display(description="Choices it can answer")
    def choices_shown(self, row: ModelVersion) -> str:
        return ", ".join(row.choices)
