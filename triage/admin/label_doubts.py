"""Labels that look wrong, the most suspicious first: the owner says of each what it is."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.enums import ActionVariant

from triage.admin import moments
from triage.admin.base import RecordAdmin, full_name, person
from triage.admin.theme import action, display
from triage.learning import doubts
from triage.models import LabelDoubt

Verdict = LabelDoubt.Verdict
COLOURS = {
    Verdict.OPEN.label: "default",
    Verdict.RIGHT.label: "success",
    Verdict.WRONG.label: "danger",
}
# What the list does not show of a ticket, and would be read for every row.
LONG = ("label__ticket__body", "label__ticket__search", "label__ticket__resolution")


class VerdictFilter(admin.SimpleListFilter):
    """What nobody has judged yet, unless asked otherwise."""

    title = "verdict"
    parameter_name = "verdict"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("right", "right"), ("wrong", "wrong"), ("all", "all")]

    def choices(self, changelist: Any) -> Any:
        for place, option in enumerate(super().choices(changelist)):
            yield {**option, "display": "open"} if place == 0 else option

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[LabelDoubt]
    ) -> QuerySet[LabelDoubt]:
        wanted = self.value()
        if wanted == "all":
            return queryset
        return queryset.filter(verdict=wanted or Verdict.OPEN)


@admin.register(LabelDoubt)
class LabelDoubtAdmin(RecordAdmin):
    """Found in training by models that had not seen the ticket. A wrong label teaches no more."""

    paginator = Paginator
    list_display = [
        "ticket",
        "given_shown",
        "suggested_shown",
        "origin",
        "version",
        "verdict_shown",
        "said",
    ]
    list_filter = [
        VerdictFilter,
        "label__field__source",
        "label__field",
        ("model_version", AutocompleteSelectFilter),
    ]
    ordering = ["given_probability", "pk"]
    actions = ["call_right", "call_wrong"]
    actions_detail = ["this_is_right", "this_is_wrong"]
    fieldsets = [
        (None, {"fields": ["ticket_link", "body"]}),
        ("The doubt", {"fields": ["given_shown", "suggested_shown", "origin", "version"]}),
        ("The verdict", {"fields": ["verdict_shown", "said"]}),
    ]

    class Media:
        js = (moments.SCRIPT,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[LabelDoubt]:
        rows: QuerySet[LabelDoubt] = super().get_queryset(request)
        found = rows.select_related(
            "label__ticket", "label__field", "given", "suggested", "model_version__field", "said_by"
        )
        is_page = request.resolver_match is not None and request.resolver_match.kwargs
        return found.defer(*LONG[1:]) if is_page else found.defer(*LONG)

    def has_judge_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.has_perm("triage.change_labeldoubt")

    @display(description="Ticket", ordering="label__ticket__external_id")
    def ticket(self, row: LabelDoubt) -> SafeString:
        """The list's own link leads to the doubt; this text stands in it."""
        ticket = row.label.ticket
        return format_html("#{} {}", ticket.external_id, ticket.title)

    @display(description="Ticket")
    def ticket_link(self, row: LabelDoubt) -> SafeString:
        ticket = row.label.ticket
        link = reverse("admin:triage_ticket_change", args=[ticket.pk])
        return format_html('<a class="desk-link" href="{}">{}</a>', link, ticket)

    @display(description="Text")
    def body(self, row: LabelDoubt) -> SafeString | str:
        text = row.label.ticket.body
        return format_html('<div class="desk-quote">{}</div>', text) if text else "-"

    @display(description="Label", ordering="given__name")
    def given_shown(self, row: LabelDoubt) -> str:
        return f"{row.given} ({row.given_probability:.0%})"

    @display(description="Suggested", ordering="suggested__name")
    def suggested_shown(self, row: LabelDoubt) -> str:
        return f"{row.suggested} ({row.confidence:.0%})"

    @display(description="From", ordering="label__origin")
    def origin(self, row: LabelDoubt) -> str:
        return row.label.get_origin_display()

    @display(description="Doubted by", ordering="model_version")
    def version(self, row: LabelDoubt) -> SafeString:
        link = reverse("admin:triage_modelversion_change", args=[row.model_version_id])
        return format_html('<a class="desk-link" href="{}">{}</a>', link, row.model_version)

    @display(description="Verdict", ordering="verdict", label=COLOURS)
    def verdict_shown(self, row: LabelDoubt) -> str:
        return row.get_verdict_display()

    @display(description="Said by", ordering="said_at")
    def said(self, row: LabelDoubt) -> SafeString | str:
        if row.said_at is None:
            return "-"
        return format_html("{}, {}", full_name(row.said_by), moments.moment(row.said_at))

    @action(description="The label is right", permissions=["judge"])
    def call_right(self, request: HttpRequest, queryset: QuerySet[LabelDoubt]) -> None:
        self._judge_chosen(request, queryset, Verdict.RIGHT)

    @action(description="The label is wrong: it teaches no more", permissions=["judge"])
    def call_wrong(self, request: HttpRequest, queryset: QuerySet[LabelDoubt]) -> None:
        self._judge_chosen(request, queryset, Verdict.WRONG)

    @action(
        description="The label is right",
        permissions=["judge"],
        url_path="right",
        icon="check",
    )
    def this_is_right(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._judge_one(request, object_id, Verdict.RIGHT)

    @action(
        description="The label is wrong",
        permissions=["judge"],
        url_path="wrong",
        icon="close",
        variant=ActionVariant.DANGER,
    )
    def this_is_wrong(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._judge_one(request, object_id, Verdict.WRONG)

    def _judge_one(self, request: HttpRequest, object_id: str, verdict: Verdict) -> HttpResponse:
        row: LabelDoubt = self.row(request, object_id)
        if request.method != "POST":
            what = {
                Verdict.RIGHT: "It goes on teaching, and later trainings do not list it again.",
                Verdict.WRONG: "It teaches no further model. The ticket itself stays as it is.",
            }
            return self.ask(
                request,
                title=f"{verdict.label.capitalize()}: {row.given}",
                text=[f"Ticket #{row.label.ticket.external_id}.", what[verdict]],
                button=verdict.label.capitalize(),
                row=row,
            )
        self._judge(request, LabelDoubt.objects.filter(pk=row.pk), verdict)
        return self.back(request, row, f"On record: {verdict.label}.")

    def _judge_chosen(
        self, request: HttpRequest, queryset: QuerySet[LabelDoubt], verdict: Verdict
    ) -> None:
        count = self._judge(request, queryset, verdict)
        labels = "1 label" if count == 1 else f"{count} labels"
        self.message_user(request, f"{labels}: {verdict.label}.", messages.SUCCESS)

    @transaction.atomic
    def _judge(self, request: HttpRequest, queryset: QuerySet[LabelDoubt], verdict: Verdict) -> int:
        rows = list(queryset.order_by("pk"))
        count = doubts.judge([row.pk for row in rows], verdict=verdict, by=person(request))
        for row in rows:
            self.log_change(request, row, f"{verdict.label.capitalize()}.")
        return count
