"""The owner's desk, review's part: reasons, decisions, people and their roles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.formats import date_format
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from review.erasure_admin import ErasableTicketAdmin
from review.models import DecidedValue, Decision, Reason, Withdrawal
from review.roles import admit
from triage.admin.base import DeskAdmin, PolicyAdmin, RecordAdmin
from triage.admin.theme import display
from triage.admin.tickets import RecordInline
from triage.models import Ticket

if TYPE_CHECKING:
    UserPages = DjangoUserAdmin[User]
else:  # The class itself takes no parameter.
    UserPages = DjangoUserAdmin


@admin.register(Reason)
class ReasonAdmin(PolicyAdmin):
    """Coded reasons. One that is no longer used is switched off and stays for the record."""

    ledger_subject = "reason"
    ledger_fields = ("key", "label", "applies_to", "digit", "needs_text", "is_active")
    list_display = ["label", "applies_to", "digit", "needs_text", "is_active"]
    list_filter = ["applies_to", "is_active"]
    search_fields = ["label", "key"]
    fieldsets = [
        (None, {"fields": ["key", "label", "applies_to"]}),
        ("On the review page", {"fields": ["digit", "needs_text", "is_active"]}),
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Reason | None = None) -> list[str]:
        """Decisions and reports go by key and kind; they stay."""
        return ["key", "applies_to"] if obj else []


class DecidedInline(RecordInline):
    model = DecidedValue
    fields = ["field", "proposed", "final", "reason"]
    ordering = ["field__position"]
    verbose_name_plural = "values"

    def get_queryset(self, request: HttpRequest) -> QuerySet[DecidedValue]:
        rows: QuerySet[DecidedValue] = super().get_queryset(request)
        return rows.select_related("field", "proposed", "final", "reason")


@admin.register(Decision)
class DecisionAdmin(RecordAdmin):
    list_display = ["ticket", "verdict_shown", "reviewer", "reason", "decided_at", "stands"]
    list_filter = ["verdict", "reason", ("reviewer", AutocompleteSelectFilter), "decided_at"]
    list_select_related = ["proposal__ticket", "reviewer", "reason", "withdrawal__by"]
    ordering = ["-decided_at"]
    inlines = [DecidedInline]
    fieldsets = [
        (None, {"fields": ["ticket", "proposal", "verdict_shown", "reviewer", "decided_at"]}),
        ("Why", {"fields": ["reason", "text", "with_playbook"]}),
        ("Since then", {"fields": ["stands"]}),
    ]

    @display(description="Stands")
    def stands(self, decision: Decision) -> str:
        """Or who took it back, and when."""
        withdrawal: Withdrawal | None = getattr(decision, "withdrawal", None)
        if withdrawal is None:
            return "yes"
        what = "undone" if withdrawal.reversed_by_id is None else "reversed"
        return f"{what} by {withdrawal.by}, {date_format(withdrawal.at, 'DATETIME_FORMAT')}"

    @display(description="Ticket")
    def ticket(self, decision: Decision) -> str:
        return str(decision.proposal.ticket)

    @display(
        description="Verdict",
        ordering="verdict",
        label={
            Decision.Verdict.ACCEPTED.label: "success",
            Decision.Verdict.OVERRIDDEN.label: "warning",
            Decision.Verdict.ESCALATED.label: "danger",
            Decision.Verdict.SENT_BACK.label: "info",
        },
    )
    def verdict_shown(self, decision: Decision) -> str:
        return decision.get_verdict_display()


# Only from here is all that people wrote about a ticket in reach.
admin.site.unregister(Ticket)
admin.site.register(Ticket, ErasableTicketAdmin)
admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(UserPages, DeskAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_filter = ["is_active", "is_staff", "groups"]
    list_display = ["username", "first_name", "last_name", "roles", "is_staff", "is_active"]
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        ("Person", {"fields": ["first_name", "last_name", "email"]}),
        (
            "Roles",
            {
                "fields": ["groups", "is_active", "is_staff", "is_superuser"],
                "description": "AI owners, team leads and auditors get staff status, which opens "
                "this desk, by themselves.",
            },
        ),
        ("Dates", {"fields": ["last_login", "date_joined"]}),
    ]
    readonly_fields = ["last_login", "date_joined"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        rows: QuerySet[User] = super().get_queryset(request)
        return rows.prefetch_related("groups")

    @display(description="Roles")
    def roles(self, user: User) -> str:
        return ", ".join(group.name for group in user.groups.all())

    def save_related(
        self, request: HttpRequest, form: ModelForm[Any], formsets: Any, change: bool
    ) -> None:
        super().save_related(request, form, formsets, change)
        admit(form.instance)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """People are deactivated: their names stand in decisions and the ledger."""
        return False


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, DeskAdmin):
    pass
