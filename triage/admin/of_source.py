"""Pages for rows of one source: it is chosen before the form, which then offers only its own."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from triage.admin.base import PolicyAdmin
from triage.admin.forms import AnyModelForm
from triage.models import Source


class OfSourceForm(AnyModelForm):
    """`source` is set on the class by the page that makes it; a row that exists has its own."""

    source: Source | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if kwargs.get("instance") is None:
            kwargs["instance"] = self._meta.model(source=self.source)
        super().__init__(*args, **kwargs)

    def clean_name(self) -> str:
        """The table's constraint on (source, name), as a sentence: source is not in the form."""
        row, name = self.instance, str(self.cleaned_data["name"])
        same = type(row)._default_manager.filter(source=row.source, name=name).exclude(pk=row.pk)
        if same.exists():
            raise forms.ValidationError(f"{row.source} has one named “{name}” already.")
        return name


class OfSourceAdmin(PolicyAdmin):
    def chosen(self, request: HttpRequest) -> Source | None:
        """The source that the address names, or the only one there is."""
        wanted = request.GET.get("source", "")
        rows = Source.objects.filter(pk=int(wanted)) if wanted.isdecimal() else Source.objects.all()
        first = list(rows[:2])
        return first[0] if len(first) == 1 else None

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if self.has_add_permission(request) and self.chosen(request) is None:
            context = {
                **self.admin_site.each_context(request),
                "title": f"For which source is the {self.opts.verbose_name}?",
                "sources": Source.objects.all(),
                "opts": self.opts,
                "media": self.media,
            }
            return TemplateResponse(request, "triage/admin/choose_source.html", context)
        answer: HttpResponse = super().add_view(request, form_url, extra_context)
        return answer

    def get_form(
        self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any
    ) -> type[forms.ModelForm[Any]]:
        form: type[forms.ModelForm[Any]] = super().get_form(request, obj, change, **kwargs)
        if obj is None:
            return type(form.__name__, (form,), {"source": self.chosen(request)})
        return form

    def of(self, request: HttpRequest, obj: Any) -> Source | None:
        return obj.source if obj else self.chosen(request)
