"""What is written to take a baseline, to set a target, and to ask for the tickets of a figure."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from review.metrics.definition_forms import OneLine
from review.metrics.kpis.measures import MEASURES
from review.metrics.meaning import Unit
from review.metrics.window import EARLIEST, LATEST
from review.models import KpiTarget
from triage.models import Source

HOUR = 3600
MOST_HOURS = 24 * 365


def sources() -> list[tuple[str, str]]:
    return list(Source.objects.order_by("name").values_list("slug", "name"))


class OfSource(forms.Form):
    source = forms.ChoiceField(label=_("Source"), choices=sources)

    def clean_source(self) -> Source:
        return Source.objects.get(slug=self.cleaned_data["source"])


def _day(label: Any, *, required: bool = False) -> forms.DateField:
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, required=required, widget=widget)


class BaselineForm(OfSource):
    """Without days: all there is from before automation."""

    first = _day(_("First day"))
    last = _day(_("Last day"))

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for name in ("first", "last"):
            if (day := cleaned.get(name)) and not EARLIEST <= day <= LATEST:
                self.add_error(name, _("Choose a day between 2000 and 2199."))
        return cleaned


class TargetForm(OfSource):
    """`value` is in percent for shares and in hours for times, as people say them."""

    metric = forms.ChoiceField(
        label=_("Measure"),
        choices=lambda: [(key, one.definition.name) for key, one in MEASURES.items()],
    )
    direction = forms.ChoiceField(label=_("Shall be"), choices=KpiTarget.Direction)
    value = forms.FloatField(
        label=_("Percent, or hours"),
        help_text=_("Percent for shares, hours for the time to resolve."),
        min_value=0,
    )
    why = OneLine(
        label=_("Why"),
        max_length=300,
        widget=forms.TextInput,
        error_messages={"required": _("Say why this much.")},
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        metric, value = cleaned.get("metric"), cleaned.get("value")
        if metric and value is not None:
            is_share = MEASURES[metric].definition.unit == Unit.SHARE
            if is_share and value > 100:
                self.add_error("value", _("A share is at most 100 percent."))
            if not is_share and value > MOST_HOURS:
                self.add_error("value", _("At most a year: 8760 hours."))
            cleaned["plain"] = value / 100 if is_share else value * HOUR
        return cleaned


class ListForm(OfSource):
    """Which tickets a figure counts. `hit`: only those that count as one."""

    metric = forms.ChoiceField(choices=[(key, key) for key in MEASURES])
    before = _day(_("Resolved before"), required=True)
    hit = forms.ChoiceField(choices=[("yes", "yes")], required=False)
    at = forms.CharField(required=False, max_length=80)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # "from" is a word of the language and cannot be written as an attribute above.
        for name in ("from", "to"):
            self.fields[name] = _day(name, required=True)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for name in ("from", "to", "before"):
            if (day := cleaned.get(name)) and not EARLIEST <= day <= LATEST:
                self.add_error(name, _("Choose a day between 2000 and 2199."))
        metric = cleaned.get("metric")
        if cleaned.get("hit") and metric and not MEASURES[metric].hit:
            self.add_error("hit", _("This measure is no share of tickets."))
        return cleaned
