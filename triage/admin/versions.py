"""Model versions: born in training, read here, put into service by a named person."""

from typing import Any

from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.db import transaction
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from unfold.enums import ActionVariant

from triage.admin import evidence, tiers
from triage.admin.base import ReasonForm, RecordAdmin, person
from triage.admin.theme import action, display
from triage.learning import registry
from triage.models import ModelVersion

State = ModelVersion.State
STATE_COLOURS = {
    State.CANDIDATE.label: "info",
    State.SHADOW.label: "warning",
    State.CHAMPION.label: "success",
    State.RETIRED.label: "default",
}


@admin.register(ModelVersion)
class ModelVersionAdmin(RecordAdmin):
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
    actions_detail = ["put_into_service", "roll_back"]
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
        context = {
            "evidence": evidence.read(row.evidence if row else None),
            "tiers": tiers.read(row) if row else None,
        }
        return super().changeform_view(
            request, object_id, form_url, {**context, **(extra_context or {})}
        )

    def has_promote_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("triage.change_modelversion")

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

    @action(
        description="Put into service",
        permissions=["promote"],
        url_path="promote",
        icon="rocket_launch",
        variant=ActionVariant.PRIMARY,
    )
    def put_into_service(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row: ModelVersion = self.row(request, object_id)
        now = registry.champion(row.field)
        if now == row:
            return self.back(request, row, f"{row} is in service already.")
        form = ReasonForm(request.POST or None)
        if not form.is_valid():
            return self._question(request, row, form, now)
        reason = form.cleaned_data["reason"]
        try:
            with transaction.atomic():
                registry.promote(row, by=person(request), reason=reason)
                self.log_change(request, row, f"Put into service: {reason}")
        except registry.PromotionRefused as refused:
            self.message_user(request, str(refused), messages.ERROR)
            return redirect("admin:triage_modelversion_change", row.pk)
        return self.back(request, row, f"{row} answers from the next ticket on.")

    def _question(
        self, request: HttpRequest, row: ModelVersion, form: Form, now: ModelVersion | None
    ) -> HttpResponse:
        measured = self.accuracy(row)
        text = [f"It answers for {row.field} from now on; held-out accuracy {measured}."]
        if now is None:
            text.append("No version has been in service before.")
        else:
            text.append(f"{now} retires; its held-out accuracy was {self.accuracy(now)}.")
            text.append("Certificates of the version that retires are void: auto falls to suggest.")
        return self.ask(
            request,
            title=f"Put {row} into service",
            text=text,
            button="Put into service",
            form=form,
            row=row,
        )

    @action(
        description="Roll back",
        permissions=["promote"],
        url_path="roll-back",
        icon="undo",
        variant=ActionVariant.DANGER,
    )
    def roll_back(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row: ModelVersion = self.row(request, object_id)
        form = ReasonForm(request.POST or None)
        if not form.is_valid():
            return self.ask(
                request,
                title=f"Roll back {row.field}",
                text=[
                    "The version that served before the present one answers again.",
                    "Certificates of the version that retires are void: auto falls to suggest.",
                ],
                button="Roll back",
                form=form,
                row=row,
                is_grave=True,
            )
        reason = form.cleaned_data["reason"]
        try:
            with transaction.atomic():
                before = registry.roll_back(row.field, by=person(request), reason=reason)
                self.log_change(request, before, f"Rolled back to: {reason}")
        except registry.PromotionRefused as refused:
            self.message_user(request, str(refused), messages.ERROR)
            return redirect("admin:triage_modelversion_change", row.pk)
        return self.back(request, before, f"{before} answers again from the next ticket on.")
