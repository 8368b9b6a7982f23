"""What is asked of somebody who looks at the weekly report or wants it by mail."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from review.metrics.window import sources
from review.weekly.weeks import Week
from triage.models import Source


class OfSource(forms.Form):
    source = forms.ChoiceField(label=_("Source"), choices=sources, required=False)

    def clean_source(self) -> Source | None:
        slug = self.cleaned_data["source"]
        return Source.objects.get(slug=slug) if slug else None


class WeekForm(OfSource):
    """Without a week: the last that is over."""

    week = forms.CharField(
        label=_("Week"), required=False, max_length=8, widget=forms.TextInput({"type": "week"})
    )

    def __init__(self, *args: Any, newest: Week, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.newest = newest

    def clean_week(self) -> Week:
        text = self.cleaned_data["week"]
        if not text:
            return self.newest
        try:
            week = Week.parse(text)
        except ValueError as error:
            raise forms.ValidationError(_("Write a week as 2026-W47.")) from error
        if week.monday > self.newest.monday:
            raise forms.ValidationError(_("That week is not over yet."))
        return week


class SubscriptionForm(OfSource):
    wanted = forms.BooleanField(label=_("Send it to me every Monday"), required=False)
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
