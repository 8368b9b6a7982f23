"""Escalation rules: edited as sentences, kept as versions, tried on past tickets."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, IntegerField, Model, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path

from triage.admin import rule_draft, rule_rows
from triage.admin.base import person
from triage.admin.of_source import OfSourceAdmin
from triage.admin.rule_form import CONTENT, RuleForm
from triage.admin.rule_trial_page import read_content, trial_page
from triage.admin.theme import ChangeList, TabularInline, action, display
from triage.models import EscalationRule, Proposal, RuleHit, RuleVersion, Source
from triage.policy.conditions import sentence


class VersionInline(TabularInline):
    """What the rule said before; nobody can change that."""

    model = RuleVersion
    fields = ["number", "said", "author", "created_at"]
    readonly_fields = ["number", "said", "author", "created_at"]
    verbose_name_plural = "versions, newest first"
    extra = 0
    per_page = 10
    can_delete = False
    hide_title = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[RuleVersion]:
        rows: QuerySet[RuleVersion] = super().get_queryset(request)
        return rows.select_related("author", "rule")

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Versions are part of the rule: who may read it may read what it said."""
        return request.user.has_perm("triage.view_escalationrule")

    @display(description="Said")
    def said(self, version: Any) -> str:
        if version.pk is None:
            return "-"
        # An inline is made for one request, so its rows can share the names.
        if not hasattr(self, "_names"):
            self._names = rule_rows.names()
        return words(version, self._names[version.rule.source_id])


class RuleList(ChangeList):
    """A page of rules, each with its latest version as a sentence."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        known = rule_rows.names()
        for rule in self.result_list:
            is_said = rule.conditions is not None
            rule.said = words(rule, known[rule.source_id]) if is_said else "Says nothing."


def words(version: Any, known: dict[str, str]) -> str:
    """Anything that has combine, conditions and actions, in plain words."""
    return sentence(version.combine, version.conditions, version.actions, known)


@admin.register(EscalationRule)
class EscalationRuleAdmin(OfSourceAdmin):
    form = RuleForm
    change_form_template = "triage/admin/rule_form.html"
    ledger_subject = "rule"
    ledger_fields = ("source", "owner", "position", "is_active")
    list_display = ["name", "in_words", "hits", "position", "is_active", "source", "owner_name"]
    list_editable = ["position", "is_active"]
    list_filter = ["is_active", "source"]
    list_select_related = ["source", "owner"]
    search_fields = ["name"]
    ordering = ["source", "position", "pk"]
    inlines = [VersionInline]
    actions_detail = ["try_out"]
    fieldsets = [
        (None, {"fields": ["name", ("owner", "position"), "is_active"]}),
        (
            "What it says",
            {
                "fields": list(CONTENT),
                "description": "Saving a change here makes a new version; proposals keep "
                "pointing at the one that held when they were made.",
            },
        ),
    ]
    readonly_sets = [
        (None, {"fields": ["name", "source", "owner", "position", "is_active", "in_words"]})
    ]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return RuleList

    def get_queryset(self, request: HttpRequest) -> QuerySet[EscalationRule]:
        rows: QuerySet[EscalationRule] = super().get_queryset(request)
        latest = RuleVersion.objects.filter(rule=OuterRef("pk")).order_by("-number")
        hits = RuleHit.objects.filter(rule_version__rule=OuterRef("pk")).order_by()
        counted = hits.values("rule_version__rule").annotate(n=Count("pk")).values("n")
        return rows.annotate(
            **{name: Subquery(latest.values(name)[:1]) for name in CONTENT},
            hit_count=Coalesce(Subquery(counted, output_field=IntegerField()), 0),
        )

    def get_fieldsets(self, request: HttpRequest, obj: EscalationRule | None = None) -> Any:
        if obj and not self.has_change_permission(request, obj):
            return self.readonly_sets
        return super().get_fieldsets(request, obj)

    def get_inlines(self, request: HttpRequest, obj: EscalationRule | None = None) -> list[Any]:
        return self.inlines if obj else []

    def has_try_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perms(["triage.view_ticket", "triage.view_escalationrule"])

    @display(description="Says")
    def in_words(self, rule: Any) -> str:
        if hasattr(rule, "said"):
            return str(rule.said)
        return words(rule, rule_rows.names()[rule.source_id]) if rule.conditions else "-"

    @display(description="Hits", ordering="hit_count")
    def hits(self, rule: Any) -> int:
        return int(rule.hit_count)

    def chosen(self, request: HttpRequest) -> Source | None:
        """A rule from an override belongs to the source of its ticket."""
        proposal = self.prompted_by(request)
        return proposal.ticket.source if proposal else super().chosen(request)

    def prompted_by(self, request: HttpRequest) -> Proposal | None:
        """The proposal whose override the new rule is made from, for those who may see it."""
        may = request.user.has_perm("triage.view_proposal")
        return rule_draft.prompted_by(request.GET) if may else None

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        initial = super().get_changeform_initial_data(request)
        proposal = self.prompted_by(request)
        found = rule_draft.override(proposal, request.GET) if proposal else None
        return {**initial, **rule_draft.draft(found)} if found else initial

    def save_model(
        self, request: HttpRequest, obj: EscalationRule, form: ModelForm[Any], change: bool
    ) -> None:
        """The row is locked first, so that two owners saving at once get two versions."""
        if change:
            EscalationRule.objects.select_for_update().get(pk=obj.pk)
        super().save_model(request, obj, form, change)
        if not isinstance(form, RuleForm) or not form.says_something_new:
            return
        version = form.next_version()
        newest = obj.versions.order_by("-number").values_list("number", flat=True).first()
        version.number = (newest or 0) + 1
        version.author = person(request)
        if not change:
            version.prompted_by = self.prompted_by(request)
        version.save()
        self.message_user(request, f"Version {version.number} holds from now on.", messages.INFO)

    def ledger_values(self, row: EscalationRule) -> dict[str, Any]:
        """The version's number stands for its text, which may hold addresses of requesters."""
        newest = row.versions.order_by("-number").first()
        said = {"version": newest.number if newest else None}
        if newest and newest.prompted_by_id:
            said["prompted_by"] = newest.prompted_by_id
        return {**super().ledger_values(row), **said}

    def get_urls(self) -> list[URLPattern]:
        unsaved = path(
            "test-unsaved/",
            self.admin_site.admin_view(self.try_unsaved),
            name="triage_escalationrule_test",
        )
        return [unsaved, *super().get_urls()]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """The form has a button that tries what it says now, for which it needs the source."""
        rule = self.get_object(request, object_id) if object_id else None
        context = {"source": self.of(request, rule), **(extra_context or {})}
        if rule is None:
            context["prompted_by"] = self.prompted_by(request)
        return super().changeform_view(request, object_id, form_url, context)

    @action(
        description="Test on the last 500 tickets",
        permissions=["try"],
        url_path="test",
        icon="science",
    )
    def try_out(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What the version that holds would match."""
        rule: Any = self.row(request, object_id)
        if rule.conditions is None:
            raise Http404(f"Rule {rule} has no version to test.")
        content = {name: getattr(rule, name) for name in CONTENT}
        return trial_page(self, request, rule.source, f"Test of “{rule}”", content)

    def try_unsaved(self, request: HttpRequest) -> HttpResponse:
        """What the form says now, without storing it. The source is named in the address."""
        if not self.has_try_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        wanted = request.GET.get("source", "")
        source = get_object_or_404(Source, pk=int(wanted) if wanted.isdecimal() else 0)
        content, problems = read_content(request.POST, source)
        title = "Test of the rule as it stands in the form, not saved"
        return trial_page(self, request, source, title, content, problems)
