"""What the pages of the owner's desk share: the record of changes, questions, read-only rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, time
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import ForeignKey, Model, QuerySet
from django.forms.models import BaseModelFormSet, ModelChoiceField
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from unfold.paginator import InfinitePaginator
from unfold.widgets import UnfoldAdminSelect2Widget, UnfoldAdminTextInputWidget

from triage import ledger
from triage.admin.theme import ModelAdmin, display
from triage.models import LedgerEntry

LABELS = {
    "action_url": "Automation address",
    "allows_private_addresses": "Private addresses allowed",
    "api_url": "API address",
    "blind_share": "Share answered first",
    "second_share": "Share answered twice",
    "embed_origins": "Sites that may show the panel",
    "for_choices": "Offered for",
    "is_active": "Active",
    "is_main": "Main field",
    "is_ordered": "Ordered",
    "is_reversible": "Reversible",
    "propose_from": "Lowest probability to propose",
    "scope_from": "Lowest in-scope score",
    "settle_from": "Enough for one choice",
    "target_minutes": "Target in minutes",
}
Message = str | list[dict[str, Any]]


def person(request: HttpRequest) -> User:
    """Who asked. The site lets only signed-in people in, so anything else is a fault."""
    if not isinstance(request.user, User):
        raise PermissionDenied("Nobody is signed in.")
    return request.user


def full_name(user: User | None) -> str:
    """The name people know each other by; the login where no name is kept."""
    return "" if user is None else user.get_full_name() or user.get_username()


class OwnerField(ModelChoiceField):  # type: ignore[type-arg]  # takes none at run time
    def label_from_instance(self, obj: Any) -> str:
        return full_name(obj)


class ReasonForm(forms.Form):
    reason = forms.CharField(
        max_length=300,
        widget=UnfoldAdminTextInputWidget({"autofocus": True}),
        help_text="Goes on the record with your name.",
    )


class DeskAdmin(ModelAdmin):
    """A page of the owner's desk."""

    list_per_page = 50
    list_filter_submit = True
    compressed_fields = False
    warn_unsaved_form = True

    class Media:
        css = {"all": ["triage/admin.css"]}

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField[Any] | None:
        """Owners are people who may enter this desk; somebody who left must be replaced."""
        if db_field.name == "owner":
            kwargs["queryset"] = User.objects.filter(is_active=True, is_staff=True)
            kwargs["widget"] = UnfoldAdminSelect2Widget()
            kwargs["form_class"] = OwnerField
        field: ModelChoiceField[Any] | None = super().formfield_for_foreignkey(
            db_field, request, **kwargs
        )
        return field

    def formfield_for_dbfield(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> forms.Field | None:
        field: forms.Field | None = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and db_field.name in LABELS:
            field.label = LABELS[db_field.name]
        return field

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        return {"owner": person(request).pk, **initial}

    @display(description="Owner", ordering="owner")
    def owner_name(self, row: Any) -> str:
        return full_name(row.owner)

    def row(self, request: HttpRequest, object_id: str) -> Any:
        """The row of a detail action; 404 where there is none."""
        found = self.get_object(request, object_id)
        if found is None:
            raise Http404(f"There is no {self.opts.verbose_name} {object_id}.")
        return found

    def back(self, request: HttpRequest, row: Model, said: str) -> HttpResponse:
        self.message_user(request, said, messages.SUCCESS)
        return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", row.pk)

    def ask(
        self,
        request: HttpRequest,
        *,
        title: str,
        text: Sequence[str],
        button: str,
        form: forms.Form | None = None,
        row: Model | None = None,
        is_grave: bool = False,
        kept: Sequence[tuple[str, object]] = (),
    ) -> HttpResponse:
        """A page that asks before something is done; its form posts to the same address.

        `kept` are values that the form carries along: what a list was asked to do, and with what.
        """
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "text": text,
            "button": button,
            "form": form,
            "original": row,
            "opts": self.opts,
            "is_grave": is_grave,
            "kept": kept,
            "media": self.media,
        }
        return TemplateResponse(request, "triage/admin/confirm.html", context)


OF_PEOPLE = {"actor", "answers", "by", "decision", "decisions", "person", "reviewer", "withdrawal"}


class RecordAdmin(DeskAdmin):
    """Rows that history stands on: read by everybody who may, written by nobody here.

    Lists of a table without end are not counted.
    """

    show_full_result_count = False
    paginator = InfinitePaginator
    actions: Any = None

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Never by person: the rows of somebody, listed, are a figure of that person."""
        is_by_person = lookup.partition("__")[0] in OF_PEOPLE
        return not is_by_person and super().lookup_allowed(lookup, value, request)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class PolicyAdmin(DeskAdmin):
    """Rows that decide what the service does. Every change goes to the ledger as well.

    `ledger_subject` is the type in the entry's subject; `ledger_fields` are the values that
    go with it: no secrets, no texts that may hold a requester's data. Nothing is deleted:
    it is switched off, retired or released instead.
    """

    ledger_kind: str = LedgerEntry.Kind.POLICY
    ledger_subject: str
    ledger_fields: Sequence[str] = ()

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def ledger_id(self, row: Any) -> str:
        return str(row.pk)

    def ledger_values(self, row: Any) -> dict[str, Any]:
        return {name: plain(row.serializable_value(name)) for name in self.ledger_fields}

    def record(self, request: HttpRequest, row: Model, event: str, fields: Sequence[str]) -> None:
        payload = {"event": event, "fields": list(fields), **self.ledger_values(row)}
        ledger.append(
            kind=self.ledger_kind,
            subject=f"{self.ledger_subject}:{self.ledger_id(row)}",
            payload=payload,
            actor=ledger.actor_of(request.user),
        )

    def log_addition(self, request: HttpRequest, obj: Model, message: Message) -> LogEntry:
        entry: LogEntry = super().log_addition(request, obj, message)
        self.record(request, obj, "added", [])
        return entry

    def log_change(self, request: HttpRequest, obj: Model, message: Message) -> LogEntry:
        """A form that was saved unchanged leaves no ledger entry."""
        entry: LogEntry = super().log_change(request, obj, message)
        if isinstance(message, str):
            self.record(request, obj, message, [])
        elif fields := changed_fields(message):
            self.record(request, obj, "changed", fields)
        return entry

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[LogEntry]:
        entries: list[LogEntry] = super().log_deletions(request, queryset)
        for row in queryset:
            self.record(request, row, "deleted", [])
        return entries

    def save_formset(
        self,
        request: HttpRequest,
        form: forms.ModelForm[Any],
        formset: BaseModelFormSet[Any, Any],
        change: bool,
    ) -> None:
        """Rows of other tables edited on this page are recorded as if on their own."""
        super().save_formset(request, form, formset, change)
        added: list[tuple[Model, str, list[str]]] = [
            (row, "added", []) for row in formset.new_objects
        ]
        changed = [(row, "changed", fields) for row, fields in formset.changed_objects]
        for row, event, fields in added + changed:
            page = self.admin_site.get_model_admin(type(row))
            if isinstance(page, PolicyAdmin):
                page.record(request, row, event, fields)


def changed_fields(message: list[dict[str, Any]]) -> list[str]:
    """Names of the row's own changed fields in Django's change message; not its inlines'."""
    changes = (part.get("changed", {}) for part in message)
    return [field for one in changes if "name" not in one for field in one.get("fields", [])]


def plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date | time) else value
