"""The emergency stop: pulled in two clicks, released by name."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils import timezone
from unfold.enums import ActionVariant

from triage.admin.base import PolicyAdmin, ReasonForm, person
from triage.admin.forms import AnyModelForm
from triage.admin.theme import action, display
from triage.models import EmergencyStop


class StopForm(AnyModelForm):
    class Meta:
        model = EmergencyStop
        fields = ["source", "choice", "reason"]
        help_texts = {
            "source": "Empty, and no choice: everything stops.",
            "choice": "Stops this choice alone.",
        }

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        source, choice = cleaned.get("source"), cleaned.get("choice")
        if source and choice and choice.field.source_id != source.pk:
            self.add_error("choice", f"“{choice}” belongs to {choice.field.source}, not {source}.")
        elif choice:
            cleaned["source"] = choice.field.source
        return cleaned


class InForceFilter(admin.EmptyFieldListFilter):
    """In force or released."""

    def choices(self, changelist: Any) -> Any:
        words = ("All", "in force", "released")
        for option, word in zip(super().choices(changelist), words, strict=True):
            yield {**option, "display": word}


@admin.register(EmergencyStop)
class EmergencyStopAdmin(PolicyAdmin):
    """A row is a pulled stop. Nothing about it changes except that somebody releases it."""

    form = StopForm
    ledger_subject = "stop"
    ledger_fields = ("source", "choice", "reason", "released_at")
    list_display = [
        "what",
        "state",
        "reason",
        "pulled_by",
        "pulled_at",
        "released_by",
        "released_at",
    ]
    list_filter = [("released_at", InForceFilter), "source"]
    list_select_related = ["source", "choice", "pulled_by", "released_by"]
    search_fields = ["reason", "choice__name"]
    autocomplete_fields = ["choice"]
    actions_detail = ["release"]
    add_fieldsets = [
        (
            None,
            {
                "fields": ["source", "choice", "reason"],
                "description": "From the next ticket on, nothing is applied without a person.",
            },
        )
    ]
    fieldsets = [
        (
            None,
            {"fields": ["what", "reason", "pulled_by", "pulled_at", "released_by", "released_at"]},
        )
    ]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_release_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("triage.change_emergencystop")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.stop_everything)
        stop = path("stop-everything/", view, name="triage_emergencystop_everything")
        return [stop, *super().get_urls()]

    @display(description="Stopped", ordering="choice")
    def what(self, stop: EmergencyStop) -> str:
        return str(stop.choice or stop.source or "everything")

    @display(description="State", label={"in force": "danger", "released": "success"})
    def state(self, stop: EmergencyStop) -> str:
        return "released" if stop.released_at else "in force"

    def save_model(
        self, request: HttpRequest, obj: EmergencyStop, form: ModelForm[Any], change: bool
    ) -> None:
        obj.pulled_by = person(request)
        super().save_model(request, obj, form, change)

    def stop_everything(self, request: HttpRequest) -> HttpResponse:
        """The big button: one page that asks for a reason, and all automation is off."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = ReasonForm(request.POST or None)
        if not form.is_valid():
            return self.ask(
                request,
                title="Stop all automation",
                text=[
                    "From the next ticket on, nothing is applied without a person: not one choice, "
                    "not one playbook, from any source.",
                    "Proposals go on and wait in the queue. Anyone with the right to may release "
                    "the stop later, by name.",
                ],
                button="Stop all automation",
                form=form,
                is_grave=True,
            )
        with transaction.atomic():
            stop = EmergencyStop.objects.create(
                pulled_by=person(request), reason=form.cleaned_data["reason"]
            )
            self.log_addition(request, stop, "Everything stopped.")
        self.message_user(request, "All automation is stopped.")
        return redirect("admin:index")

    @action(
        description="Release",
        permissions=["release"],
        icon="lock_open",
        variant=ActionVariant.PRIMARY,
    )
    def release(self, request: HttpRequest, object_id: str) -> HttpResponse:
        stop: EmergencyStop = self.row(request, object_id)
        if stop.released_at:
            said = f"Released already, by {stop.released_by} at {stop.released_at:%Y-%m-%d %H:%M}."
            return self.back(request, stop, said)
        if request.method != "POST":
            return self.ask(
                request,
                title=f"Release the stop of {self.what(stop)}",
                text=[f"It was pulled by {stop.pulled_by}: {stop.reason}", "Rungs act again."],
                button="Release it",
                row=stop,
            )
        with transaction.atomic():
            stop = EmergencyStop.objects.select_for_update().get(pk=stop.pk)
            if stop.released_at is None:
                stop.released_by, stop.released_at = person(request), timezone.now()
                stop.save(update_fields=["released_by", "released_at"])
                self.log_change(request, stop, "released")
        return self.back(request, stop, "Released.")
