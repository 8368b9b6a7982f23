"""What the service did and what went wrong: effects, jobs, the ledger."""

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from triage.admin.base import DeskAdmin, RecordAdmin
from triage.admin.theme import action, display
from triage.admin.tickets import as_json
from triage.jobs import leases
from triage.jobs.doorbell import ring_after_commit
from triage.models import Effect, Job, LedgerEntry

JOB_SUBJECTS = {Job.Kind.RECEIVE: "delivery", Job.Kind.EFFECT: "effect"}


@admin.register(Effect)
class EffectAdmin(RecordAdmin):
    list_display = ["key", "ticket", "kind", "state_shown", "detail", "created_at", "finished_at"]
    list_filter = ["state", "kind", "ticket__source"]
    list_select_related = ["ticket"]
    search_fields = ["key"]
    ordering = ["-pk"]
    fieldsets = [
        (None, {"fields": ["key", "ticket", "proposal", "position", "kind", "seen_version"]}),
        ("What was sent", {"fields": ["payload_shown"]}),
        ("What came of it", {"fields": ["state_shown", "detail", "created_at", "finished_at"]}),
    ]

    @display(
        description="State",
        ordering="state",
        label={
            Effect.State.APPLIED.label: "success",
            Effect.State.CONFLICT.label: "warning",
            Effect.State.REFUSED.label: "danger",
            Effect.State.PENDING.label: "info",
            Effect.State.SENDING.label: "info",
        },
    )
    def state_shown(self, effect: Effect) -> str:
        return effect.get_state_display()

    @display(description="Payload")
    def payload_shown(self, effect: Effect) -> SafeString:
        return as_json(effect.payload)


class DeadFilter(admin.EmptyFieldListFilter):
    """Dead letters apart from work that is still to be done."""

    def choices(self, changelist: Any) -> Any:
        words = ("All", "still to do", "dead letters")
        for option, word in zip(super().choices(changelist), words, strict=True):
            yield {**option, "display": word}


@admin.register(Job)
class JobAdmin(DeskAdmin):
    """Work that is not done yet. What failed five times stays until somebody sends it again."""

    list_display = [
        "kind",
        "about",
        "state",
        "attempts",
        "created_at",
        "next_attempt_at",
        "last_error",
    ]
    list_filter = [("dead_at", DeadFilter), "kind"]
    search_fields = ["last_error"]
    ordering = ["-pk"]
    actions = ["redeliver"]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_redeliver_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("triage.change_job")

    @display(description="About")
    def about(self, job: Job) -> SafeString | str:
        model = JOB_SUBJECTS.get(Job.Kind(job.kind))
        if model is None:
            return str(job.subject)
        link = reverse(f"admin:triage_{model}_change", args=[job.subject])
        return format_html('<a href="{}">{} {}</a>', link, model, job.subject)

    @display(
        description="State",
        label={"dead letter": "danger", "being done": "info", "waiting": "default"},
    )
    def state(self, job: Job) -> str:
        if job.dead_at:
            return "dead letter"
        return "being done" if job.lease_until else "waiting"

    @action(description="Redeliver dead letters", permissions=["redeliver"])
    def redeliver(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        with transaction.atomic():
            dead = list(queryset.filter(dead_at__isnull=False))
            revived = leases.redeliver(dead)
            for job in dead:
                self.log_change(request, job, "Redelivered.")
            ring_after_commit()
        self.message_user(request, f"{revived} will be tried again.", messages.SUCCESS)


@admin.register(LedgerEntry)
class LedgerEntryAdmin(RecordAdmin):
    list_display = ["sequence", "at", "kind", "subject_link", "actor", "short_hash"]
    list_filter = ["kind", "at"]
    search_fields = ["subject"]
    search_help_text = "Subject, as type:id"
    ordering = ["-sequence"]
    fieldsets = [
        (None, {"fields": ["sequence", "at", "kind", "subject_link", "actor"]}),
        ("What it says", {"fields": ["payload_shown"]}),
        ("The chain", {"fields": ["previous", "hash"]}),
    ]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[LedgerEntry], search_term: str
    ) -> tuple[QuerySet[LedgerEntry], bool]:
        return (queryset.filter(subject=search_term.strip()) if search_term else queryset), False

    @display(description="About", ordering="subject")
    def subject_link(self, entry: LedgerEntry) -> SafeString | str:
        page = LEDGER_PAGES.get(entry.subject.partition(":")[0])
        if page is None:
            return entry.subject
        try:
            link = reverse(f"admin:{page}_change", args=[entry.subject.partition(":")[2]])
        except NoReverseMatch:
            return entry.subject
        return format_html('<a href="{}">{}</a>', link, entry.subject)

    @display(description="Hash")
    def short_hash(self, entry: LedgerEntry) -> str:
        return f"{entry.hash[:12]}…"

    @display(description="Payload")
    def payload_shown(self, entry: LedgerEntry) -> SafeString:
        return as_json(entry.payload)


LEDGER_PAGES = {
    "rule": "triage_escalationrule",
    "playbook": "triage_playbook",
    "rung": "triage_rung",
    "stop": "triage_emergencystop",
    "source": "triage_source",
    "secret": "triage_sourcesecret",
    "field": "triage_field",
    "choice": "triage_choice",
    "certificate": "triage_certificate",
    "model": "triage_modelversion",
    "proposal": "triage_proposal",
    "delivery": "triage_delivery",
    "effect": "triage_effect",
    "decision": "review_decision",
    "reason": "review_reason",
}
