"""Form fields and widgets that several pages of the desk use."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.forms.fields import InvalidJSONInput
from unfold.widgets import (
    UnfoldAdminExpandableTextareaWidget,
    UnfoldAdminSelect2MultipleWidget,
    UnfoldAdminSelect2Widget,
)

from triage.storable import refuse_unstorable

if TYPE_CHECKING:
    AnyModelForm = forms.ModelForm[Any]
else:  # The class itself takes no parameter.
    AnyModelForm = forms.ModelForm


class LinesField(forms.CharField):
    """A list of texts, one a line; blank lines and repeats are dropped, the order stays."""

    def __init__(self, *, most: int = 50, longest: int = 80, **kwargs: Any) -> None:
        self.most = most
        self.longest = longest
        kwargs.setdefault("widget", UnfoldAdminExpandableTextareaWidget({"rows": 3}))
        super().__init__(**kwargs)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> Any:
        lines = str(value or "").splitlines()
        return list(dict.fromkeys(line.strip() for line in lines if line.strip()))

    def validate(self, value: Any) -> None:
        super().validate(value)
        if len(value) > self.most:
            raise ValidationError(f"At most {self.most} lines; there are {len(value)}.")
        for line in value:
            if len(line) > self.longest:
                raise ValidationError(
                    f"At most {self.longest} characters a line; “{line[:20]}…” has {len(line)}."
                )

    def run_validators(self, value: Any) -> None:
        """The validators of CharField ask about text; `validate` has asked about the lines."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(data) != list(initial or []))


class JSONText(forms.JSONField):
    """JSON that people may have typed: laid out to be read, refused where it cannot be stored."""

    def to_python(self, value: Any) -> Any:
        try:
            found = super().to_python(value)
            refuse_unstorable(found)
        except RecursionError:
            raise ValidationError("Enter a valid JSON: this one is nested too deeply.") from None
        except ValueError as error:
            raise ValidationError(f"A text in it cannot be stored: {error}.") from None
        return found

    def bound_data(self, data: Any, initial: Any) -> Any:
        try:
            return super().bound_data(data, initial)
        except RecursionError:
            return InvalidJSONInput(data)

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, InvalidJSONInput):
            return value
        text = json.dumps(value, indent=1, ensure_ascii=False)
        # Half a surrogate pair cannot be sent back as itself.
        is_sendable = text == text.encode(errors="replace").decode()
        return text if is_sendable else json.dumps(value, indent=1)


def offer(form: forms.BaseForm, name: str, rows: QuerySet[Any]) -> None:
    """Let a relation be picked, with a search box, from these rows only."""
    field = form.fields.get(name)
    if not isinstance(field, forms.ModelChoiceField):
        return
    is_many = isinstance(field, forms.ModelMultipleChoiceField)
    field.widget = UnfoldAdminSelect2MultipleWidget() if is_many else UnfoldAdminSelect2Widget()
    field.widget.is_required = field.required
    # Setting the rows hands them to the widget, so it comes after the widget.
    field.queryset = rows
    if is_many:
        field.help_text = form.instance._meta.get_field(name).help_text  # type: ignore[attr-defined]  # a model form


def add_errors(form: forms.BaseForm, field: str, problems: Sequence[str]) -> None:
    for problem in problems:
        form.add_error(field, problem)
