"""Tickets and what was said about them: predictions, proposals, labels."""

import json
from typing import Any

from django.contrib import admin
from django.contrib.postgres.search import SearchQuery
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from triage.admin.base import RecordAdmin
from triage.admin.theme import TabularInline, display
from triage.models import (
    Label,
    Prediction,
    Proposal,
    ProposedValue,
    Source,
    Ticket,
    TicketEvent,
    TicketVersion,
)


def as_json(value: object) -> SafeString:
    text = json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True)
    return format_html('<pre class="desk-code">{}</pre>', text)


class RecordInline(TabularInline):
    """Rows of history inside another page."""

    extra = 0
    per_page = 20
    ordering = ["pk"]
    can_delete = False
    hide_title = True

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return self.get_fields(request, obj)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class VersionInline(RecordInline):
    model = TicketVersion
    fields = ["version", "subject", "values", "delivery", "created_at"]
    ordering = ["-version"]
    verbose_name_plural = "versions"

    def get_queryset(self, request: HttpRequest) -> QuerySet[TicketVersion]:
        rows: QuerySet[TicketVersion] = super().get_queryset(request)
        return rows.select_related("delivery").defer("delivery__body", "body")


class EventInline(RecordInline):
    model = TicketEvent
    fields = ["happened_at", "kind", "choice", "score"]
    ordering = ["happened_at", "pk"]
    verbose_name_plural = "events"

    def get_queryset(self, request: HttpRequest) -> QuerySet[TicketEvent]:
        rows: QuerySet[TicketEvent] = super().get_queryset(request)
        return rows.select_related("choice")


class ProposalInline(RecordInline):
    model = Proposal
    fields = ["created_at", "route", "playbook"]
    ordering = ["-created_at"]
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Proposal]:
        rows: QuerySet[Proposal] = super().get_queryset(request)
        return rows.select_related("playbook")


class LabelInline(RecordInline):
    model = Label
    fields = ["field", "choice", "origin", "propensity", "created_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Label]:
        rows: QuerySet[Label] = super().get_queryset(request)
        return rows.select_related("field", "choice")


@admin.register(Ticket)
class TicketAdmin(RecordAdmin):
    list_display = ["external_id", "subject", "source", "requester", "opened_at", "closed_at"]
    list_filter = ["source", ("closed_at", admin.EmptyFieldListFilter)]
    list_select_related = ["source"]
    search_fields = ["external_id", "subject", "body"]
    search_help_text = "Words of the ticket, or its whole number"
    ordering = ["-pk"]
    inlines = [VersionInline, EventInline, ProposalInline, LabelInline]
    fieldsets = [
        (None, {"fields": ["external_id", "source", "version", "url"]}),
        (
            "What the requester wrote",
            {"fields": ["subject", "body", "requester", "requester_name"]},
        ),
        (
            "In the helpdesk now",
            {"fields": ["values_shown", "opened_at", "closed_at", "reopened_count", "resolution"]},
        ),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Ticket]:
        rows: QuerySet[Ticket] = super().get_queryset(request)
        is_page = request.resolver_match is not None and request.resolver_match.kwargs
        return rows.defer("search") if is_page else rows.defer("search", "body", "resolution")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Ticket], search_term: str
    ) -> tuple[QuerySet[Ticket], bool]:
        """Asks the two indexes: words of the text, and the number within the sources."""
        if not search_term:
            return queryset, False
        words = SearchQuery(search_term, config="simple", search_type="websearch")
        sources = list(Source.objects.values_list("pk", flat=True))
        number = Q(source__in=sources, external_id=search_term.strip().lstrip("#"))
        return queryset.filter(Q(search=words) | number), False

    @display(description="Values")
    def values_shown(self, ticket: Ticket) -> SafeString:
        return as_json(ticket.values)


@admin.register(Prediction)
class PredictionAdmin(RecordAdmin):
    list_display = ["ticket_shown", "model_version", "best", "in_scope_shown", "created_at"]
    list_filter = [("model_version", AutocompleteSelectFilter)]
    list_select_related = ["ticket_version__ticket", "model_version__field"]
    ordering = ["-pk"]
    fieldsets = [
        (
            None,
            {"fields": ["ticket_shown", "model_version", "created_at", "in_scope_shown", "tier"]},
        ),
        ("Probabilities", {"fields": ["probabilities_shown"]}),
        ("Words it went by", {"fields": ["words_for", "words_against"]}),
    ]

    @display(description="Ticket")
    def ticket_shown(self, row: Prediction) -> str:
        return f"{row.ticket_version.ticket}, version {row.ticket_version.version}"

    @display(description="Most probable")
    def best(self, row: Prediction) -> str:
        if not row.probabilities:
            return "-"
        choice, probability = max(row.probabilities.items(), key=lambda item: item[1])
        return f"{choice} {probability:.1%}"

    @display(description="In scope", ordering="in_scope")
    def in_scope_shown(self, row: Prediction) -> str:
        return f"{row.in_scope:.0%}"

    @display(description="Ten highest")
    def probabilities_shown(self, row: Prediction) -> SafeString:
        ranked = sorted(row.probabilities.items(), key=lambda item: -item[1])
        lines = format_html_join("", "<li>{} <b>{}</b></li>", ((c, f"{p:.1%}") for c, p in ranked))
        return format_html("<ol>{}</ol>", lines)


class ValueInline(RecordInline):
    model = ProposedValue
    fields = ["field", "choice", "basis", "level", "probability", "doubt", "asked", "rule_version"]
    ordering = ["field__position", "field__key"]
    verbose_name_plural = "values"

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProposedValue]:
        rows: QuerySet[ProposedValue] = super().get_queryset(request)
        return rows.select_related("field", "choice", "rule_version__rule")


@admin.register(Proposal)
class ProposalAdmin(RecordAdmin):
    list_display = ["pk", "ticket", "route_shown", "playbook", "created_at"]
    list_filter = ["route", "ticket__source", ("playbook", AutocompleteSelectFilter), "created_at"]
    list_select_related = ["ticket", "playbook"]
    ordering = ["-pk"]
    inlines = [ValueInline]
    fieldsets = [
        (None, {"fields": ["ticket", "ticket_version", "route_shown", "created_at"]}),
        ("Playbook", {"fields": ["playbook", "reply"]}),
        ("Similar solved tickets", {"fields": ["similar_shown"]}),
    ]

    @display(
        description="Route",
        ordering="route",
        label={
            Proposal.Route.HOLD.label: "warning",
            Proposal.Route.AUTO.label: "success",
            Proposal.Route.REVIEW.label: "info",
        },
    )
    def route_shown(self, row: Proposal) -> str:
        return row.get_route_display()

    @display(description="Ticket and how alike, 0 to 1")
    def similar_shown(self, row: Proposal) -> Any:
        return as_json(row.similar) if row.similar else "-"


@admin.register(Label)
class LabelAdmin(RecordAdmin):
    list_display = ["ticket", "field", "choice", "origin", "propensity", "created_at"]
    list_filter = ["origin", "field", ("choice", AutocompleteSelectFilter)]
    list_select_related = ["ticket", "field", "choice"]
    ordering = ["-pk"]
