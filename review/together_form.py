"""What is said of many proposals at once: accept, one other value, or escalate."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from review.batches import ACCEPT, ESCALATE, OVERRIDE, Word
from review.catalogue import Catalogue
from review.forms import ReasonedForm
from review.models import Reason
from triage.models import Choice


class TogetherForm(ReasonedForm):
    """After validation `word` holds what is to be said. `sources` are those of the proposals."""

    do = forms.ChoiceField(choices=[(way, way) for way in (ACCEPT, OVERRIDE, ESCALATE)])
    with_playbook = forms.BooleanField(required=False)

    def __init__(
        self,
        *args: Any,
        reasons: Iterable[Reason],
        choices: Catalogue,
        sources: set[int],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, reasons=reasons, **kwargs)
        self.offered = {
            str(choice.pk): choice
            for choice in choices.by_pk.values()
            if choice.field.source_id in sources and choice.retired_at is None
        }
        self.fields["choice"] = forms.ChoiceField(
            label=_("What instead"),
            required=False,
            choices=[("", _("not chosen yet")), *self._groups(choices)],
            error_messages={"invalid_choice": _("This is not one of the choices any more.")},
        )
        for way in (OVERRIDE, ESCALATE):
            field = self.reason_field(required=False)
            field.choices = [
                (pk, reason.label)
                for pk, reason in self.reasons_by_pk.items()
                if reason.applies_to == way
            ]
            self.fields[f"{way}_reason"] = field

    def _groups(self, choices: Catalogue) -> list[tuple[str, list[tuple[str, str]]]]:
        """The choices under the name of their field, as the catalogue orders them."""
        fields = {choice.field_id: choice.field for choice in self.offered.values()}
        return [
            (field.name, [(str(one.pk), choices.path(one.pk)) for one in choices.live(field.pk)])
            for field in sorted(fields.values(), key=lambda field: (field.position, field.key))
        ]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        way = cleaned.get("do", ACCEPT)
        if way == OVERRIDE and not cleaned.get("choice") and "choice" not in self.errors:
            self.add_error("choice", _("Choose what it should be instead."))
        if way != ACCEPT and not cleaned.get(f"{way}_reason"):
            if f"{way}_reason" not in self.errors:
                self.add_error(f"{way}_reason", _("Choose a reason."))
            return cleaned
        if way != ACCEPT:
            self.require_text([self.reasons_by_pk[cleaned[f"{way}_reason"]]])
        return cleaned

    @property
    def way(self) -> str:
        """The way that was chosen, and is unfolded again when something is missing."""
        return str(self.cleaned_data.get("do", ""))

    @property
    def choice(self) -> Choice | None:
        return self.offered.get(self.cleaned_data["choice"])

    @property
    def word(self) -> Word:
        """What a valid form says."""
        said = self.cleaned_data
        way = said["do"]
        return Word(
            way=way,
            choice=self.choice if way == OVERRIDE else None,
            reason=None if way == ACCEPT else self.reasons_by_pk[said[f"{way}_reason"]],
            text=said["text"],
            with_playbook=said["with_playbook"] and way == ACCEPT,
        )
