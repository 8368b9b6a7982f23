"""Playbooks: a reply, for which choices, and what the automation is asked to do."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from triage.admin.forms import LinesField, add_errors, offer
from triage.admin.of_source import OfSourceAdmin, OfSourceForm
from triage.admin.theme import display
from triage.models import Choice, Playbook, SourceSecret
from triage.policy import playbooks

SAMPLE = {
    "requester_name": "Maya Okafor",
    "subject": "Cannot sign in after the holidays",
    "external_id": "48209",
    "category": "Password and sign-in",
}


class PlaybookForm(OfSourceForm):
    words = LinesField(
        required=False,
        help_text="Words or phrases, one a line. Offered only if the ticket has one of them; "
        "none: for every ticket of the choices.",
    )

    class Meta:
        model = Playbook
        fields = "__all__"  # noqa: DJ007

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = Choice.objects.filter(
            field__source=self.instance.source, field__is_main=True, retired_at__isnull=True
        )
        offer(self, "for_choices", own)

    def clean_reply(self) -> str:
        reply = str(self.cleaned_data["reply"])
        if problems := playbooks.check(reply):
            raise forms.ValidationError(problems)
        return reply

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "words" in cleaned:
            add_errors(self, "words", playbooks.check_words(cleaned["words"]))
        return cleaned


@admin.register(Playbook)
class PlaybookAdmin(OfSourceAdmin):
    form = PlaybookForm
    ledger_subject = "playbook"
    ledger_fields = (
        "source",
        "owner",
        "position",
        "is_active",
        "is_reversible",
        "follow_up",
        "action_url",
    )
    list_display = [
        "name",
        "for_what",
        "follow_up",
        "rung_level",
        "position",
        "is_active",
        "owner_name",
    ]
    list_editable = ["position", "is_active"]
    list_filter = ["is_active", "source", "is_reversible"]
    list_select_related = ["source", "owner", "rung"]
    search_fields = ["name", "reply"]
    ordering = ["source", "position", "pk"]
    readonly_fields = ["preview"]
    fieldsets = [
        (None, {"fields": ["name", ("owner", "position"), "is_active"]}),
        (
            "When it is offered",
            {
                "fields": ["for_choices", "words"],
                "description": "To tickets proposed as one of these choices or anything below it.",
            },
        ),
        ("What the requester reads", {"fields": ["reply", "preview"]}),
        (
            "What happens on accept",
            {
                "fields": ["follow_up", "action_url", "is_reversible"],
                "description": "Only a reversible playbook can ever run without a person.",
            },
        ),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Playbook]:
        rows: QuerySet[Playbook] = super().get_queryset(request)
        return rows.prefetch_related("for_choices")

    @display(description="For")
    def for_what(self, playbook: Playbook) -> str:
        names = [choice.name for choice in playbook.for_choices.all()]
        rest = f" and {len(names) - 3} more" if names[3:] else ""
        return ", ".join(names[:3]) + rest

    @display(description="Rung")
    def rung_level(self, playbook: Any) -> str:
        return str(playbook.rung.level) if hasattr(playbook, "rung") else "suggest"

    @display(description="As a sample requester reads it")
    def preview(self, playbook: Playbook) -> SafeString | str:
        if not playbook.pk:
            return "Shown once it is saved."
        text = playbooks.render(playbook.reply, {**SAMPLE, "source": playbook.source.name})
        return format_html('<div class="desk-quote">{}</div>', text)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        playbook = form.instance
        signs = SourceSecret.objects.filter(
            source=playbook.source_id,
            purpose=SourceSecret.Purpose.AUTOMATION,
            retired_at__isnull=True,
        )
        if playbook.action_url and not signs.exists():
            said = f"{playbook.source} has no live secret that signs playbook calls: add one."
            self.message_user(request, said, messages.WARNING)
