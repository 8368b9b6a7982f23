"""Trainings: asked for here, watched here, cancelled here. What they make is a candidate."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.enums import ActionVariant

from triage.admin import moments
from triage.admin.base import RecordAdmin, full_name, person
from triage.admin.forms import AnyModelForm
from triage.admin.theme import ChangeList, action, display
from triage.admin.training_state import COLOURS, Shown, shown
from triage.learning import runs
from triage.learning.training import TrainingRefused
from triage.models import Field, TrainingRun

MOST_UNDER_WAY = 20
SCRIPT = "triage/trainings.js"


class TrainingForm(AnyModelForm):
    """The run is made by `runs.ask`, which puts its job and the record in one transaction."""

    class Meta:
        model = TrainingRun
        fields = ["field", "leave_out_small", "seed"]
        help_texts = {"field": "What the model is to fill in."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "field" in self.fields:
            # The form is about a training; the catalogue is edited elsewhere.
            for what in ("add", "change", "view"):
                setattr(self.fields["field"].widget, f"can_{what}_related", False)
            self.fields["field"].queryset = Field.objects.select_related("source")  # type: ignore[attr-defined]  # of rows
            self.fields["field"].label_from_instance = (  # type: ignore[attr-defined]  # of rows
                lambda row: f"{row.name} · {row.source}"
            )

    def validate_constraints(self) -> None:
        """The constraint would name only itself; `clean_field` says what it means."""

    def clean_field(self) -> Any:
        field = self.cleaned_data["field"]
        if TrainingRun.objects.filter(field=field, finished_at__isnull=True).exists():
            raise forms.ValidationError(
                f"{field} is being trained already; wait for it or cancel it."
            )
        return field


class TrainingList(ChangeList):
    """One page of runs with their jobs."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = with_state(list(self.result_list))


def with_state(rows: list[Any]) -> list[Any]:
    for row, state in zip(rows, shown(rows), strict=True):
        row.shown = state
    return rows


@admin.register(TrainingRun)
class TrainingRunAdmin(RecordAdmin):
    """Runs write the ledger themselves; this page adds the author to the row's history."""

    form = TrainingForm
    paginator = Paginator
    list_display = ["name", "state", "asked_by_name", "asked", "took", "version"]
    list_filter = ["field__source", "field", ("finished_at", admin.EmptyFieldListFilter)]
    list_select_related = ["field__source", "asked_by", "model_version__field"]
    ordering = ["-pk"]
    actions_detail = ["cancel"]
    change_list_template = "triage/admin/training_list.html"
    change_form_template = "triage/admin/training.html"
    list_before_template = "triage/admin/_trainings.html"
    change_form_outer_before_template = "triage/admin/_trainings.html"
    add_fieldsets = [
        (
            None,
            {
                "fields": ["field", "leave_out_small", "seed"],
                "description": "It learns from imported history, blind checks, outcomes and "
                "decisions, never from untouched AI output. What it makes is a candidate: nothing "
                "changes until you put it into service.",
            },
        )
    ]
    fieldsets = [
        (None, {"fields": ["name", "version", "asked_by_name", "leave_out_small", "seed"]}),
        ("When", {"fields": ["asked", "begun", "ended", "took", "cancelled"]}),
    ]

    class Media:
        js = (moments.SCRIPT, SCRIPT)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.has_perm("triage.add_trainingrun")

    def has_cancel_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("triage.change_trainingrun")

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return self.fieldsets if obj else self.add_fieldsets

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[TrainingList]:
        return TrainingList

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        wanted = request.GET.get("field", "")
        return {"field": int(wanted)} if wanted.isascii() and wanted.isdecimal() else {}

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        row = super().get_object(request, object_id, from_field)
        return with_state([row])[0] if row is not None else None

    def get_queryset(self, request: HttpRequest) -> QuerySet[TrainingRun]:
        rows: QuerySet[TrainingRun] = super().get_queryset(request)
        return rows.select_related("field__source", "asked_by", "model_version__field")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """What is over cannot be cancelled."""
        row = self.get_object(request, str(object_id))
        found: list[Any] = super().get_actions_detail(request, object_id)  # type: ignore[misc]  # the theme's
        return found if row is not None and row.finished_at is None else []

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("under-way/", wrap(self.under_way), name="triage_trainingrun_under_way"),
            path(
                "<path:object_id>/progress/",
                wrap(self.progress),
                name="triage_trainingrun_progress",
            ),
            *super().get_urls(),
        ]

    def save_model(
        self, request: HttpRequest, obj: TrainingRun, form: forms.ModelForm[Any], change: bool
    ) -> None:
        """The constraint decides between two who ask at the same moment; the loser is told."""
        made = runs.ask(
            obj.field, by=person(request), seed=obj.seed, leave_out_small=obj.leave_out_small
        )
        obj.pk, obj.asked_by, obj.created_at = made.pk, made.asked_by, made.created_at

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        buttons = {"show_save_and_add_another": False, "show_save_and_continue": False}
        try:
            answer: HttpResponse = super().add_view(
                request, form_url, {**buttons, **(extra_context or {})}
            )
        except TrainingRefused as refused:
            self.message_user(request, str(refused), messages.ERROR)
            return redirect("admin:triage_trainingrun_changelist")
        return answer

    def response_add(
        self, request: HttpRequest, obj: TrainingRun, post_url_continue: str | None = None
    ) -> HttpResponse:
        return self.back(request, obj, "It is asked for; the trainer begins in a moment.")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        context = self._under_way() if self.has_view_permission(request) else {}
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        row = self.get_object(request, object_id) if object_id else None
        context = self._one(row) if row is not None else {}
        return super().changeform_view(
            request, object_id, form_url, {**context, **(extra_context or {})}
        )

    def under_way(self, request: HttpRequest) -> HttpResponse:
        """The bars above the list, for the list's script."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return TemplateResponse(request, "triage/admin/_trainings.html", self._under_way())

    def progress(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The bar of one run, for its page's script."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = self.row(request, object_id)
        return TemplateResponse(request, "triage/admin/_trainings.html", self._one(row))

    def _under_way(self) -> dict[str, Any]:
        rows = TrainingRun.objects.filter(finished_at__isnull=True).order_by("pk")
        found = shown(list(rows.select_related("field__source")[:MOST_UNDER_WAY]))
        return {
            "trainings": found,
            "poll": reverse("admin:triage_trainingrun_under_way"),
            "polls": bool(found),
        }

    def _one(self, row: Any) -> dict[str, Any]:
        return {
            "trainings": [row.shown],
            "poll": reverse("admin:triage_trainingrun_progress", args=[row.pk]),
            "polls": not row.shown.is_over,
        }

    @display(description="Training", ordering="field__name")
    def name(self, row: TrainingRun) -> str:
        return f"{row.field} · {row.field.source}"

    @display(description="State", label=COLOURS)
    def state(self, row: Any) -> str:
        state: Shown = row.shown
        return state.state

    @display(description="Asked by", ordering="asked_by")
    def asked_by_name(self, row: TrainingRun) -> str:
        return full_name(row.asked_by)

    @display(description="Asked", ordering="created_at")
    def asked(self, row: TrainingRun) -> SafeString | str:
        return moments.moment(row.created_at)

    @display(description="Begun")
    def begun(self, row: TrainingRun) -> SafeString | str:
        return moments.moment(row.started_at)

    @display(description="Ended")
    def ended(self, row: TrainingRun) -> SafeString | str:
        return moments.moment(row.finished_at)

    @display(description="Took")
    def took(self, row: TrainingRun) -> str:
        if row.started_at is None or row.finished_at is None:
            return "-"
        return moments.age(max(0.0, (row.finished_at - row.started_at).total_seconds()))

    @display(description="Cancelled")
    def cancelled(self, row: TrainingRun) -> SafeString | str:
        if row.cancelled_at is None:
            return "-"
        return format_html(
            "{}, by {}", moments.moment(row.cancelled_at), full_name(row.cancelled_by)
        )

    @display(description="Version")
    def version(self, row: TrainingRun) -> SafeString | str:
        if row.model_version is None:
            return "-"
        link = reverse("admin:triage_modelversion_change", args=[row.model_version.pk])
        return format_html('<a class="desk-link" href="{}">{}</a>', link, row.model_version)

    @action(
        description="Cancel",
        permissions=["cancel"],
        icon="cancel",
        variant=ActionVariant.DANGER,
    )
    def cancel(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row: TrainingRun = self.row(request, object_id)
        if row.finished_at is not None or row.cancelled_at is not None:
            return self.back(request, row, "It is over already.")
        if request.method != "POST":
            return self.ask(
                request,
                title=f"Cancel the training of {row.field}",
                text=["What it has done so far is lost; nothing in service changes."],
                button="Cancel the training",
                row=row,
            )
        with transaction.atomic():
            is_news = runs.cancel(row, by=person(request))
            if is_news:
                self.log_change(request, row, "Cancelled.")
        return self.back(request, row, "Cancelled." if is_news else "It was over already.")
