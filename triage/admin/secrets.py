"""Secrets of sources: written once, retired, never read; what retiring one would cut off."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from unfold.enums import ActionVariant

from triage.admin import secret_forms
from triage.admin.base import PolicyAdmin
from triage.admin.theme import action, display
from triage.models import Source, SourceSecret


def live_inbound(source: Source) -> QuerySet[SourceSecret]:
    return source.secrets.filter(purpose=SourceSecret.Purpose.INBOUND, retired_at__isnull=True)


def cut_off(secrets: Iterable[SourceSecret]) -> list[Source]:
    """Sources from which nothing could arrive any more if these secrets were retired."""
    leaving: dict[Source, set[int]] = {}
    for secret in secrets:
        if secret.purpose == SourceSecret.Purpose.INBOUND and secret.retired_at is None:
            leaving.setdefault(secret.source, set()).add(secret.pk)
    return [
        source
        for source, pks in leaving.items()
        if not live_inbound(source).exclude(pk__in=pks).exists()
    ]


def what_retiring_does(secrets: Sequence[SourceSecret]) -> list[str]:
    """The sentences to agree to; the gravest comes last."""
    said = ["From now on nothing signed with it is taken, and it is used for nothing."]
    if len(secrets) > 1:
        said = ["From now on nothing signed with them is taken, and they are used for nothing."]
    said.append("A retired secret cannot be brought back.")
    for source in cut_off(secrets):
        said.append(
            f"{source} has no other live inbound secret: every delivery from it will be answered "
            f"401. Make a new one and change the helpdesk over first."
        )
    return said


@admin.register(SourceSecret)
class SourceSecretAdmin(PolicyAdmin):
    """A secret can be written and retired, never read or changed."""

    form = secret_forms.SecretForm
    ledger_subject = "secret"
    ledger_fields = ("source", "purpose", "retired_at")
    list_display = ["source", "purpose", "shown_as", "created_at", "retired_at"]
    list_filter = ["source", "purpose", ("retired_at", admin.EmptyFieldListFilter)]
    list_select_related = ["source"]
    actions = ["retire"]
    actions_detail = ["retire_one"]
    add_fieldsets = [(None, {"fields": ["source", "purpose", "new_secret"]})]
    fieldsets = [(None, {"fields": ["source", "purpose", "shown_as", "created_at", "retired_at"]})]
    readonly_fields = ["shown_as", "created_at", "retired_at"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_retire_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("triage.change_sourcesecret")

    @display(description="Ends in")
    def shown_as(self, secret: SourceSecret) -> str:
        return f"…{secret.hint}"

    @action(description="Retire", permissions=["retire"])
    def retire(self, request: HttpRequest, queryset: QuerySet[SourceSecret]) -> HttpResponse | None:
        """Asks where it would cut a source off; what was agreed to is then exactly what is done."""
        rows = list(queryset.filter(retired_at__isnull=True).select_related("source"))
        if cut_off(rows) and "sure" not in request.POST:
            return self.ask(
                request,
                title=f"Retire {len(rows)} secret{'s' if len(rows) > 1 else ''}",
                text=what_retiring_does(rows),
                button="Retire and take no more deliveries",
                is_grave=True,
                kept=[
                    ("action", "retire"),
                    ("sure", "yes"),
                    *[("_selected_action", row.pk) for row in rows],
                ],
            )
        retired = self._retire(request, queryset)
        self.message_user(request, f"{retired} retired: no longer taken from now on.")
        return None

    @action(
        description="Retire",
        permissions=["retire"],
        url_path="retire",
        icon="block",
        variant=ActionVariant.DANGER,
    )
    def retire_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        secret: SourceSecret = self.row(request, object_id)
        if request.method != "POST":
            return self.ask(
                request,
                title=f"Retire “{secret}” of {secret.source}",
                text=what_retiring_does([secret]),
                button="Retire and take no more deliveries" if cut_off([secret]) else "Retire it",
                row=secret,
                is_grave=True,
            )
        self._retire(request, SourceSecret.objects.filter(pk=secret.pk))
        return self.back(request, secret, "Retired.")

    @transaction.atomic
    def _retire(self, request: HttpRequest, rows: QuerySet[SourceSecret]) -> int:
        live = list(rows.filter(retired_at__isnull=True).select_for_update(of=("self",)))
        for secret in live:
            secret.retired_at = timezone.now()
            secret.save(update_fields=["retired_at"])
            self.log_change(request, secret, "retired")
        return len(live)
