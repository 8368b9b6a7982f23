"""What a person fills in before the advice is shown."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core import signing
from django.forms import BoundField
from django.utils import timezone
from django.utils.translation import gettext as _

from review.catalogue import Catalogue
from review.forms import Options, grouped
from triage.models import Choice, Field, Proposal

# The option of a person who has looked and cannot say.
UNSURE = "unsure"
SALT = "review.answer_first"


class AnswerForm(forms.Form):
    """A choice for the main field, and for others if one likes, or if it `needs_all`.

    After validation `choices` holds what was answered, by field key; None: could not tell.
    `start` is the main choice that is chosen at first.
    """

    def __init__(
        self,
        *args: Any,
        fields: Sequence[Field],
        catalogue: Catalogue,
        start: int | None = None,
        may_be_unsure: bool = True,
        needs_all: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **{"auto_id": "answer-%s", **kwargs})
        self.asked = list(fields)
        self.catalogue = catalogue
        self.may_be_unsure = may_be_unsure
        self.needs_all = needs_all
        for field in self.asked:
            self.fields[f"choice-{field.key}"] = forms.ChoiceField(
                label=field.name,
                required=field.is_main or needs_all,
                initial=str(start or "") if field.is_main else "",
                choices=self._options(field),
                error_messages={
                    "required": _("Choose one, or say that you could not tell.")
                    if may_be_unsure
                    else _("Choose one."),
                    "invalid_choice": _("This is not one of the choices any more."),
                },
            )

    def _options(self, field: Field) -> Options:
        first = _("not chosen yet") if field.is_main or self.needs_all else _("no answer")
        last = [(UNSURE, _("could not tell"))] if self.may_be_unsure else []
        return [("", first), *grouped(self.catalogue, field.pk), *last]

    def rows(self) -> list[tuple[Field, BoundField]]:
        return [(field, self[f"choice-{field.key}"]) for field in self.asked]

    @property
    def choices(self) -> dict[str, Choice | None]:
        said = {field.key: self.cleaned_data[f"choice-{field.key}"] for field in self.asked}
        return {
            key: None if value == UNSURE else self.catalogue.by_pk[int(value)]
            for key, value in said.items()
            if value
        }


def stamp(proposal: Proposal, person_pk: int) -> str:
    """The moment of this person's look, sealed, for the form to bring back."""
    seen = [proposal.pk, person_pk, timezone.now().timestamp()]
    return signing.dumps(seen, salt=SALT)


def seconds_since(stamped: str, proposal: Proposal, person_pk: int) -> float | None:
    """Since the look; None where the form brought none that is ours and theirs."""
    try:
        proposal_pk, looker, moment = signing.loads(stamped, salt=SALT)
    except (signing.BadSignature, ValueError):
        return None
    if (proposal_pk, looker) != (proposal.pk, person_pk):
        return None
    return max(0.0, timezone.now().timestamp() - float(moment))
