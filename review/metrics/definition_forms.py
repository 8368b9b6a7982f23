"""What is written when a definition is proposed, discussed, voted on, put in force and retired."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.utils.translation import gettext_lazy as _

from review.metrics.co_creation import Draft
from review.metrics.definitions import Audience, Definition
from review.models import Ballot
from review.models.definitions import LEAST_OWN_N, LEAST_PEOPLE

MOST_CASES = 1_000_000
MOST_PEOPLE = 1000
LONGEST_COMMENT = 2000
PARAMETER = "parameter-"


class OneLine(forms.CharField):
    """Of any length, without line breaks: it stands in tables and behind figures."""

    widget = forms.Textarea(attrs={"rows": 3})

    def to_python(self, value: Any) -> str:
        return " ".join((super().to_python(value) or "").split())


class ProposalForm(forms.Form):
    """Begins with what is in force. Each parameter of the metric is a field within its bounds."""

    purpose = OneLine(label=_("Purpose"), max_length=500)
    audience = forms.ChoiceField(label=_("Who sees it"), choices=Audience)
    min_n = forms.IntegerField(
        label=_("Least number of cases"),
        help_text=_("Below it no rate is shown."),
        min_value=1,
        max_value=MOST_CASES,
    )
    min_people = forms.IntegerField(
        label=_("Least number of people"),
        help_text=_("Groups of fewer are not shown. Less than 5 cannot be proposed."),
        min_value=LEAST_PEOPLE,
        max_value=MOST_PEOPLE,
    )
    caveat = OneLine(label=_("Caveat"), max_length=1000)
    why = forms.CharField(
        label=_("Why"),
        help_text=_("The first comment of the discussion, under your name."),
        max_length=LONGEST_COMMENT,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": _("Say what would be better.")},
    )

    def __init__(self, data: Any = None, *, standing: Definition) -> None:
        words = {"purpose": str(standing.purpose), "caveat": str(standing.caveat)}
        limits = {"min_n": standing.min_n, "min_people": standing.min_people}
        first = {**words, **limits, "audience": standing.audience.value}
        super().__init__(data, initial=first)
        self.standing = standing
        for name, one in standing.parameters.items():
            self.fields[f"{PARAMETER}{name}"] = forms.IntegerField(
                label=str(one.label),
                help_text=str(one.unit),
                min_value=one.least,
                max_value=one.most,
                initial=standing.value(name),
            )
        self.order_fields([name for name in self.fields if name != "why"])

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        is_own = cleaned.get("audience") == Audience.OWN
        if is_own and cleaned.get("min_n", LEAST_OWN_N) < LEAST_OWN_N:
            said = _("A person’s own figure needs at least %(least)s cases.")
            self.add_error("min_n", said % {"least": LEAST_OWN_N})
        return cleaned

    def draft(self) -> Draft:
        """Only after is_valid()."""
        said = self.cleaned_data
        return Draft(
            purpose=said["purpose"],
            caveat=said["caveat"],
            audience=Audience(said["audience"]),
            min_n=said["min_n"],
            min_people=said["min_people"],
            parameters={name: said[f"{PARAMETER}{name}"] for name in self.standing.parameters},
        )

    def asked(self) -> Iterator[BoundField]:
        """The fields as they are shown; each help text is named by its field."""
        for field in self:
            if field.help_text:
                field.field.widget.attrs["aria-describedby"] = f"{field.auto_id}_helptext"
            yield field


class CommentForm(forms.Form):
    text = forms.CharField(
        label=_("Your comment"),
        max_length=LONGEST_COMMENT,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": _("Write something.")},
    )


class BallotForm(forms.Form):
    says = forms.ChoiceField(
        label=_("Your vote"),
        choices=[("yes", _("Yes, use this definition")), ("no", _("No, keep what is in force"))],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose yes or no.")},
    )
    reason = forms.ChoiceField(
        label=_("A reason, if you like"),
        choices=[("", _("none")), *Ballot.Reason.choices],
        required=False,
    )


class ActivateForm(forms.Form):
    """`instead_of` is the version that the page said is in force."""

    instead_of = forms.IntegerField(min_value=1, widget=forms.HiddenInput)
    because = OneLine(
        label=_("Why it comes into force although no vote ratified it"),
        max_length=300,
        required=False,
    )


class RetireForm(forms.Form):
    because = OneLine(
        label=_("Why it is retired"),
        max_length=300,
        error_messages={"required": _("Say why.")},
    )
