"""The owner's desk, review's part: reasons, decisions, people and their roles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.formats import date_format
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from review.drills import programme
from review.erasure_admin import ErasableTicketAdmin
from review.load import forget_agreement
from review.models import (
    BlindAnswer,
    BlindValue,
    DecidedValue,
    Decision,
    Drill,
    DrillProgramme,
    Reason,
    SecondLook,
    Skip,
    SpotCheck,
    TeamAgreement,
    Withdrawal,
)
from review.roles import admit
from triage.admin.base import DeskAdmin, PolicyAdmin, RecordAdmin, full_name, person
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


@admin.register(TeamAgreement)
class TeamAgreementAdmin(PolicyAdmin):
    """The newest is in force. A change is a new row, so that what was agreed before stays."""

    ledger_subject = "team agreement"
    ledger_fields = ("reviews_per_hour", "break_after_minutes")
    list_display = ["agreed_at", "reviews_per_hour", "break_after_minutes", "who", "note"]
    list_select_related = ["agreed_by"]
    fields = ["reviews_per_hour", "break_after_minutes", "note"]

    @display(description="Agreed by")
    def who(self, row: TeamAgreement) -> str:
        return full_name(row.agreed_by)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def save_model(
        self, request: HttpRequest, obj: TeamAgreement, form: ModelForm[Any], change: bool
    ) -> None:
        obj.agreed_by = person(request)
        super().save_model(request, obj, form, change)
        transaction.on_commit(forget_agreement)


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
    # Not by reviewer: how many somebody decided is a figure of that person.
    list_filter = ["verdict", "reason", "decided_at"]
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
            Decision.Verdict.ACCEPTED.value: "success",
            Decision.Verdict.OVERRIDDEN.value: "warning",
            Decision.Verdict.ESCALATED.value: "danger",
            Decision.Verdict.SENT_BACK.value: "info",
        },
    )
    def verdict_shown(self, decision: Decision) -> tuple[str, str]:
        return decision.verdict, decision.get_verdict_display()


@admin.register(Skip)
class SkipAdmin(RecordAdmin):
    """Who left which proposal to others, and why: for auditors alone."""

    list_display = ["ticket", "person", "reason", "at"]
    list_filter = ["reason", "at"]
    list_select_related = ["proposal__ticket", "person", "reason"]
    ordering = ["-at"]
    fieldsets = [(None, {"fields": ["ticket", "proposal", "person", "reason", "text", "at"]})]

    @display(description="Ticket")
    def ticket(self, skip: Skip) -> str:
        return str(skip.proposal.ticket)


@admin.register(SpotCheck)
class SpotCheckAdmin(RecordAdmin):
    """What was drawn, at which probability, and what was answered; not by whom.

    The checks judge the AI. Who answered is for auditors: see BlindAnswerAdmin.
    """

    list_display = ["ticket", "stratum", "propensity", "drawn_at", "answered", "waits_for", "truth"]
    list_filter = ["stratum", "drawn_at"]
    list_select_related = ["proposal__ticket", "second_look"]
    ordering = ["-drawn_at"]
    fieldsets = [
        (None, {"fields": ["ticket", "proposal", "stratum", "propensity", "drawn_at"]}),
        ("Answered before the advice", {"fields": ["answered"]}),
        ("Can it be trusted?", {"fields": ["second_at", "waits_for", "truth"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[SpotCheck]:
        rows: QuerySet[SpotCheck] = super().get_queryset(request)
        return rows.prefetch_related(
            "answers__values__field",
            "answers__values__choice",
            "truths__field",
            "truths__choice",
        )

    @display(description="Ticket")
    def ticket(self, check: SpotCheck) -> str:
        return str(check.proposal.ticket)

    @display(description="Answers")
    def answered(self, check: SpotCheck) -> str:
        """In the order of the alphabet, so that their order tells nobody's."""
        said = [
            f"{value.field}: {value.choice or 'could not tell'}"
            for answer in check.answers.all()
            for value in answer.values.all()
        ]
        return ", ".join(sorted(said)) or "not answered yet"

    @display(description="Waits for")
    def waits_for(self, check: SpotCheck) -> str:
        look: SecondLook | None = getattr(check, "second_look", None)
        if look is None:
            return "nobody"
        return "a second person" if look.nth == 2 else "a third person"

    @display(description="Truth")
    def truth(self, check: SpotCheck) -> str:
        said = [
            f"{truth.field}: {truth.choice} ({truth.get_origin_display()})"
            for truth in check.truths.all()
        ]
        return ", ".join(said) or "none"


class BlindValueInline(RecordInline):
    model = BlindValue
    fields = ["field", "choice"]
    verbose_name_plural = "what was said"


@admin.register(BlindAnswer)
class BlindAnswerAdmin(RecordAdmin):
    """Who answered what, unseen: for auditors alone. The ledger names a later one by its number."""

    list_display = ["id", "ticket", "reviewer", "nth", "answered_at"]
    list_filter = ["nth", "answered_at"]
    list_select_related = ["check_of__proposal__ticket", "reviewer"]
    ordering = ["-answered_at"]
    inlines = [BlindValueInline]
    fieldsets = [
        (None, {"fields": ["ticket", "check_of", "reviewer", "nth", "answered_at", "seconds"]})
    ]

    @display(description="Ticket")
    def ticket(self, answer: BlindAnswer) -> str:
        return str(answer.check_of.proposal.ticket)


@admin.register(DrillProgramme)
class DrillProgrammeAdmin(PolicyAdmin):
    """Drills of a source, as team leads set them on the review pages."""

    ledger_subject = programme.SUBJECT
    ledger_fields = programme.RECORDED
    list_display = ["source", "is_on", "every", "a_week", "wrong_percent", "disclosed_at", "who"]
    list_filter = ["is_on"]
    list_select_related = ["source", "changed_by"]
    fieldsets = [
        (None, {"fields": ["source", "is_on", "disclosure"]}),
        ("How many", {"fields": ["every", "a_week", "wrong_percent"]}),
    ]

    def get_readonly_fields(
        self, request: HttpRequest, obj: DrillProgramme | None = None
    ) -> list[str]:
        return ["source"] if obj else []

    @display(description="Changed by")
    def who(self, row: DrillProgramme) -> str:
        return full_name(row.changed_by)

    def save_model(
        self, request: HttpRequest, obj: DrillProgramme, form: ModelForm[Any], change: bool
    ) -> None:
        programme.stamp(obj, person(request), form.changed_data)
        super().save_model(request, obj, form, change)


@admin.register(Drill)
class DrillAdmin(RecordAdmin):
    """What was shown with which advice; not to whom, and not what anybody made of it."""

    list_display = ["ticket", "advice", "truth", "is_right", "known_by"]
    list_filter = ["is_right", "known_by"]
    list_select_related = ["proposal__ticket", "advice__parent", "truth__parent"]
    # Not by time: beside the days on which people worked it would tell who was shown what.
    ordering = ["proposal", "is_right"]
    fieldsets = [
        (None, {"fields": ["ticket", "proposal", "advice", "is_right"]}),
        ("What is known", {"fields": ["truth", "known_by"]}),
        ("Beside the advice", {"fields": ["version"]}),
    ]

    @display(description="Ticket")
    def ticket(self, drill: Drill) -> str:
        return str(drill.proposal.ticket)


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
