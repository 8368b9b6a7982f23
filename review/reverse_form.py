"""What a person fills in to put another decision in place of what stands."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from review.catalogue import Catalogue
from review.forms import OverrideForm
from review.lines import Line
from review.models import Decision, Reason
from review.ticket import DecisionLine, TicketPage
from triage.models import Choice

SETTLING = (Decision.Verdict.ACCEPTED, Decision.Verdict.OVERRIDDEN)


class ReverseForm(OverrideForm):
    """Other values than those that were decided or, where nobody did, applied.

    `instead_of` names the decision that was in view, so that another one is not reversed unseen;
    empty where nobody had decided.
    """

    instead_of = forms.CharField(required=False, max_length=20, widget=forms.HiddenInput)

    def __init__(self, *args: Any, page: TicketPage, is_open: bool = False, **kwargs: Any) -> None:
        self.decided: DecisionLine | None = page.decision
        self.is_open = is_open
        super().__init__(*args, page=page, **kwargs)
        self.fields["instead_of"].initial = self._in_view()
        # What went to the requester once is not sent again.
        self.fields.pop("with_playbook", None)

    def stands(self, line: Line) -> Choice | None:
        if self.decided is None or self.decided.decision.verdict not in SETTLING:
            return line.value.choice
        pk = self.decided.finals.get(line.value.field_id)
        return None if pk is None else self.catalogue.by_pk[pk]

    def is_following(self, line: Line) -> bool:
        main = self.page.main
        stands = self.stands(main) if main and main != line else None
        if stands is None:
            return False
        return self.catalogue.implied(stands.pk, line.value.field_id) == self.stands(line)

    def refuse_no_change(self) -> None:
        if self.decided is None or self.decided.decision.verdict in SETTLING:
            raise forms.ValidationError(_("Nothing differs from what stands: change a value."))

    def is_of_what_stands(self) -> bool:
        named: str = self.cleaned_data.get("instead_of", "")
        return named == self._in_view()

    def _in_view(self) -> str:
        return "" if self.decided is None else str(self.decided.decision.pk)


def reverse_form(
    page: TicketPage, choices: Catalogue, *, data: Any = None, is_open: bool = False
) -> ReverseForm:
    return ReverseForm(
        data=data,
        auto_id="reverse-%s",
        page=page,
        choices=choices,
        reasons=choices.live_reasons(Reason.AppliesTo.OVERRIDE),
        is_open=is_open or data is not None,
    )
