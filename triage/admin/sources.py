"""Sources: who answers for a helpdesk, how it signs, when its people work."""

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db import transaction
from django.db.models import Count, Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelect2Widget,
    UnfoldAdminSelectWidget,
)

from triage.admin import secret_forms
from triage.admin.base import PolicyAdmin
from triage.admin.forms import AnyModelForm, LinesField, add_errors
from triage.admin.secrets import live_inbound
from triage.admin.shares import second_worth_in_words, worth_in_words
from triage.admin.theme import TabularInline, action, display
from triage.helpdesks import DIALECTS
from triage.models import Field, Source, SourceSecret
from triage.origins import problem
from triage.standard import give_standard_fields

WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]


class SourceForm(AnyModelForm):
    helpdesk = forms.ChoiceField(
        choices=lambda: [(name, name) for name in sorted(DIALECTS)],
        widget=UnfoldAdminSelectWidget(),
        help_text=(
            "Which dialect it speaks. generic: the documented JSON shape, signed by Standard "
            "Webhooks. hub: the same shape from a system that signs the body alone, in "
            "X-Hub-Signature-256; choose generic where you can."
        ),
    )
    time_zone = forms.ChoiceField(
        choices=lambda: [(name, name) for name in sorted(available_timezones())],
        widget=UnfoldAdminSelect2Widget(),
        help_text="Of the working hours below.",
    )
    work_days = forms.TypedMultipleChoiceField(
        coerce=int,
        choices=list(enumerate(WEEKDAYS)),
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
        required=False,
    )
    embed_origins = LinesField(
        most=20,
        longest=200,
        required=False,
        help_text=(
            "One a line: https://desk.example.org, or https://*.example.org for all below a "
            "domain. Nobody else can show the panel in a frame; empty: nobody at all."
        ),
    )

    class Meta:
        model = Source
        fields = "__all__"  # noqa: DJ007

    def clean_embed_origins(self) -> list[str]:
        origins = [origin.lower().rstrip("/") for origin in self.cleaned_data["embed_origins"]]
        add_errors(self, "embed_origins", [said for said in map(problem, origins) if said])
        return origins


class FieldInline(TabularInline):
    model = Field
    fields = ["key", "name", "position", "is_ordered", "is_main"]
    extra = 0
    show_change_link = True
    can_delete = False
    verbose_name_plural = "fields that triage fills in"

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Rows that exist are edited on the field's own page, where its key is fixed."""
        return False


class SecretInline(TabularInline):
    model = SourceSecret
    form = secret_forms.SecretForm
    fields = ["purpose", "new_secret", "shown_as", "created_at", "retired_at"]
    readonly_fields = ["shown_as", "created_at", "retired_at"]
    extra = 0
    can_delete = False
    show_change_link = True
    verbose_name_plural = "secrets"

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    @display(description="Ends in")
    def shown_as(self, secret: SourceSecret) -> str:
        return f"…{secret.hint}" if secret.hint else "-"


@admin.register(Source)
class SourceAdmin(PolicyAdmin):
    """A connected helpdesk: who answers for it, how it signs, when its people work."""

    form = SourceForm
    ledger_subject = "source"
    ledger_fields = (
        "slug", "owner", "helpdesk", "api_url", "is_active", "deliveries_per_minute",
        "blind_share", "second_share", "embed_origins",
    )  # fmt: skip
    list_display = [
        "name",
        "slug",
        "owner_name",
        "helpdesk",
        "is_active",
        "live_secrets",
        "writes_back",
    ]
    list_filter = ["is_active", "helpdesk"]
    list_select_related = ["owner"]
    search_fields = ["name", "slug"]
    inlines = [FieldInline, SecretInline]
    actions_detail = ["make_secret"]
    fieldsets = [
        (None, {"fields": ["name", "slug", "owner", "helpdesk", "is_active"]}),
        (
            "Writing back",
            {
                "fields": ["api_url", "allows_private_addresses"],
                "description": "Decisions reach the helpdesk only through this address.",
            },
        ),
        (
            "In the helpdesk's own pages",
            {
                "fields": ["embed_origins"],
                "description": "The review panel in a frame beside the ticket. Whoever can put "
                "script into a site that is listed can decide as the people who use it.",
            },
        ),
        (
            "Intake and working hours",
            {
                "fields": [
                    "deliveries_per_minute",
                    "time_zone",
                    ("work_starts", "work_ends"),
                    "work_days",
                ]
            },
        ),
        (
            "Answer first",
            {
                "fields": ["blind_share", "second_share"],
                "description": "On this share of tickets, drawn at random, people answer before "
                "they are shown the proposal: the only evidence that certificates and figures of "
                "error rest on. Above 0 it counts as 0.01 at the least. 0 ends it, but for what "
                "is applied without a person: of that, one in a hundred is checked for ever. A "
                "share of these checks is answered by a second person, and where the two differ "
                "by a third: so it is known how far the answers can be trusted.",
            },
        ),
    ]

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if not change:
            give_standard_fields(form.instance)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Source]:
        inbound = Q(secrets__purpose=SourceSecret.Purpose.INBOUND, secrets__retired_at__isnull=True)
        rows: QuerySet[Source] = super().get_queryset(request)
        return rows.annotate(live=Count("secrets", filter=inbound))

    def get_fieldsets(self, request: HttpRequest, obj: Source | None = None) -> Any:
        sets = list(super().get_fieldsets(request, obj))
        if obj is None:
            return sets
        more = [
            ("What answering first costs and buys", "blind_worth"),
            ("What second answers cost and buy", "second_worth"),
            ("Changing the inbound secret", "rotation"),
            ("First steps", "first_steps"),
        ]
        return [*sets, *((title, {"fields": [field]}) for title, field in more)]

    def get_readonly_fields(self, request: HttpRequest, obj: Source | None = None) -> list[str]:
        """The address of the webhook must not change under a helpdesk that uses it."""
        worths = ["blind_worth", "second_worth"]
        return ["slug", *worths, "rotation", "first_steps"] if obj else []

    def has_make_secret_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("triage.add_sourcesecret")

    @display(description="Inbound secrets", ordering="live")
    def live_secrets(self, source: Any) -> str:
        return str(source.live) if source.live else "none: nothing can arrive"

    @display(description="Writes back", boolean=True)
    def writes_back(self, source: Source) -> bool:
        return bool(source.api_url)

    @display(description="At the present number of tickets")
    def blind_worth(self, source: Source) -> str:
        return worth_in_words(source)

    @display(description="At the present number of checks")
    def second_worth(self, source: Source) -> str:
        return second_worth_in_words(source)

    @display(description="Test delivery")
    def first_steps(self, source: Source) -> SafeString:
        context = {"url": webhook_url(source), "signs_body_alone": source.helpdesk == "hub"}
        return render_to_string("triage/admin/first_steps.html", context)

    @display(description="Without losing a delivery")
    def rotation(self, source: Source) -> SafeString:
        live = live_inbound(source).order_by("created_at")
        return render_to_string("triage/admin/rotation.html", {"live": live, "source": source})

    @action(
        description="Make a new inbound secret",
        permissions=["make_secret"],
        icon="key",
        url_path="make-secret",
    )
    def make_secret(self, request: HttpRequest, object_id: str) -> HttpResponse:
        source: Source = self.row(request, object_id)
        if request.method != "POST":
            return self.ask(
                request,
                title=f"Make a new inbound secret for {source}",
                text=[
                    "It is shown once, on the next page, and can be read nowhere afterwards.",
                    "Secrets that are live now stay live until you retire them, so that the "
                    "helpdesk can change over without losing a delivery.",
                ],
                button="Make and show it",
                row=source,
            )
        value = secret_forms.make()
        secret = SourceSecret(source=source, purpose=SourceSecret.Purpose.INBOUND)
        secret.put(value)
        with transaction.atomic():
            secret.save()
            page = self.admin_site.get_model_admin(SourceSecret)
            page.log_addition(request, secret, "Made here.")
        return shown_once(self, request, row=source, title="Your new secret", value=value)


def webhook_url(source: Source) -> str:
    return settings.SITE_URL.rstrip("/") + reverse("triage_api:webhook", args=[source.slug])


def shown_once(
    page: PolicyAdmin, request: HttpRequest, *, row: Model, title: str, value: str
) -> HttpResponse:
    """The only page that ever holds a secret: not stored in session, message or browser cache."""
    context = {
        **page.admin_site.each_context(request),
        "title": title,
        "value": value,
        "original": row,
        "opts": page.opts,
        "media": page.media,
    }
    answer = TemplateResponse(request, "triage/admin/shown_once.html", context)
    answer["Cache-Control"] = "no-store"
    return answer
