"""Pages of a version's model card and data card, and both as Markdown to keep."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.text import slugify

from triage.admin.base import RecordAdmin
from triage.admin.card_parts import Card, markdown
from triage.admin.data_card import data_card
from triage.admin.model_card import model_card
from triage.models import Choice, LabelDoubt, ModelVersion


class CardPages(RecordAdmin):
    """Two more pages of a model version, for whoever may read it."""

    def get_urls(self) -> list[URLPattern]:
        wrap, name = self.admin_site.admin_view, "triage_modelversion"
        return [
            path("<path:object_id>/model-card/", wrap(self.model_card), name=f"{name}_model_card"),
            path("<path:object_id>/data-card/", wrap(self.data_card), name=f"{name}_data_card"),
            *super().get_urls(),
        ]

    def model_card(self, request: HttpRequest, object_id: str) -> HttpResponse:
        version = self._version(request, object_id)
        choices = list(Choice.objects.filter(field=version.field))
        live = {choice.key for choice in choices if choice.retired_at is None}
        card = model_card(version, {choice.key: choice.name for choice in choices}, live)
        return self._shown(request, version, card, ("data_card", "Data card"))

    def data_card(self, request: HttpRequest, object_id: str) -> HttpResponse:
        version = self._version(request, object_id)
        names = dict(Choice.objects.filter(field=version.field).values_list("key", "name"))
        said = LabelDoubt.objects.filter(model_version=version).order_by().values("verdict")
        verdicts = dict(said.annotate(count=Count("pk")).values_list("verdict", "count"))
        card = data_card(version, names, verdicts)
        return self._shown(request, version, card, ("model_card", "Model card"))

    def _version(self, request: HttpRequest, object_id: str) -> ModelVersion:
        if not self.has_view_permission(request):
            raise PermissionDenied
        version: ModelVersion = self.row(request, object_id)
        return version

    def _shown(
        self, request: HttpRequest, version: ModelVersion, card: Card, other: tuple[str, str]
    ) -> HttpResponse:
        """The page, or with `?format=md` the file."""
        if request.GET.get("format") == "md":
            name = slugify(f"{version.field.source.slug} {card.title}")
            return HttpResponse(
                markdown(card),
                content_type="text/markdown; charset=utf-8",
                headers={"Content-Disposition": f'attachment; filename="{name}.md"'},
            )
        doubted = reverse("admin:triage_labeldoubt_changelist")
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": card.title,
            "card": card,
            "original": version,
            "opts": self.opts,
            "media": self.media,
            "other": reverse(f"admin:triage_modelversion_{other[0]}", args=[version.pk]),
            "other_name": other[1],
            "doubted": f"{doubted}?model_version__id__exact={version.pk}",
        }
        return TemplateResponse(request, "triage/admin/card.html", context)
