"""What a team lead or an AI owner fills in to set the drills of a source."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _

from review.drills.programme import FIELDS
from review.models import DrillProgramme
from review.models.drills import A_WEEK, EVERY, WRONG_PERCENT

SUGGESTED = _(
    "Now and then a past ticket stands among your work, with advice that we know to be right or "
    "wrong. We want to know, of the team together, whether errors of the AI are caught."
)


if TYPE_CHECKING:
    Base = forms.ModelForm[DrillProgramme]
else:  # The class itself takes no parameter.
    Base = forms.ModelForm


class ProgrammeForm(Base):
    class Meta:
        model = DrillProgramme
        fields = FIELDS
        widgets = {
            "disclosure": forms.Textarea(attrs={"rows": 5}),
            "every": forms.NumberInput(attrs={"min": EVERY[0], "max": EVERY[1]}),
            "a_week": forms.NumberInput(attrs={"min": A_WEEK[0], "max": A_WEEK[1]}),
            "wrong_percent": forms.NumberInput(
                attrs={"min": WRONG_PERCENT[0], "max": WRONG_PERCENT[1]}
            ),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance._state.adding:
            self.initial["disclosure"] = str(SUGGESTED)
