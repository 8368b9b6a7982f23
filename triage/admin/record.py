"""What the service did: effects, the ledger."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from triage.admin.base import RecordAdmin
from triage.admin.theme import display
from triage.admin.tickets import as_json
from triage.models import Effect, LedgerEntry


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
        ("What stood before, and what it makes good", {"fields": ["before_shown", "undoes"]}),
        ("What came of it", {"fields": ["state_shown", "detail", "created_at", "finished_at"]}),
    ]

    @display(
        description="State",
        ordering="state",
        label={
            Effect.State.APPLIED.value: "success",
            Effect.State.CONFLICT.value: "warning",
            Effect.State.REFUSED.value: "danger",
            Effect.State.PENDING.value: "info",
            Effect.State.SENDING.value: "info",
            Effect.State.SKIPPED.value: "default",
            Effect.State.DROPPED.value: "default",
        },
    )
    def state_shown(self, effect: Effect) -> tuple[str, str]:
        return effect.state, effect.get_state_display()

    @display(description="Payload")
    def payload_shown(self, effect: Effect) -> SafeString:
        return as_json(effect.payload)

    @display(description="Before")
    def before_shown(self, effect: Effect) -> SafeString:
        return as_json(effect.before)


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
    "training": "triage_trainingrun",
    "label": "triage_label",
    "proposal": "triage_proposal",
    "delivery": "triage_delivery",
    "effect": "triage_effect",
    "decision": "review_decision",
    "reason": "review_reason",
}
