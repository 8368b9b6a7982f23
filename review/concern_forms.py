"""What is written when a concern is reported, and when it is answered."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

LONGEST_CONCERN = 2000


class ConcernForm(forms.Form):
    """Without a ticket there is nothing it could be about but the service in general."""

    text = forms.CharField(
        label=_("What worries you"),
        max_length=LONGEST_CONCERN,
        strip=True,
        widget=forms.Textarea(attrs={"rows": 8}),
        error_messages={"required": _("Say what worries you.")},
    )
    about_ticket = forms.BooleanField(required=False, initial=True)
    anonymous = forms.BooleanField(label=_("Without my name"), required=False)

    def __init__(self, *args: Any, has_ticket: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not has_ticket:
            del self.fields["about_ticket"]


class AnswerForm(forms.Form):
    answer = forms.CharField(
        label=_("Answer"),
        max_length=LONGEST_CONCERN,
        strip=True,
        widget=forms.Textarea(attrs={"rows": 6}),
        error_messages={"required": _("Write an answer.")},
    )
