"""The form of an escalation rule; what it says is kept in versions."""

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminRadioSelectWidget

from triage.admin.forms import JSONText, add_errors
from triage.admin.of_source import OfSourceForm
from triage.admin.rule_rows import ACTIONS, CONDITIONS, RowsWidget, catalogue, offered
from triage.models import EscalationRule, RuleVersion
from triage.policy import conditions, routing
from triage.policy.checks import Catalogue

CONTENT = ("combine", "conditions", "actions")
Check = Callable[[object, Catalogue], list[str]]
CHECKS: Mapping[str, Check] = {"conditions": conditions.check, "actions": routing.check}


class RuleForm(OfSourceForm):
    """`instance.source` must be set: the catalogue that rows are offered from is its own."""

    combine = forms.ChoiceField(
        label="Matches when",
        choices=[("all", "all conditions hold"), ("any", "any condition holds")],
        initial="all",
        widget=UnfoldAdminRadioSelectWidget(),
    )
    conditions = JSONText(
        widget=RowsWidget(CONDITIONS, "condition"),
        initial=list,
        help_text="Asked of the ticket and of what the model proposes, never of other rules.",
    )
    actions = JSONText(
        label="Then",
        widget=RowsWidget(ACTIONS, "action"),
        initial=list,
        help_text="A ticket that a rule holds is never handled without a person.",
    )

    class Meta:
        model = EscalationRule
        fields = ["name", "owner", "position", "is_active"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.latest = self.instance.versions.order_by("-number").first()
        else:
            self.latest = None
        for name in CONTENT if self.latest else ():
            self.fields[name].initial = getattr(self.latest, name)
        fields = offered(self.instance.source)
        for name in ("conditions", "actions"):
            self.fields[name].widget.offered = fields

    @property
    def says_something_new(self) -> bool:
        return self.latest is None or bool(set(CONTENT) & set(self.changed_data))

    def clean(self) -> dict[str, Any]:
        """A rule that stays as it is may refer to what was retired; switching it on may not."""
        cleaned = super().clean() or self.cleaned_data
        if self.says_something_new or "is_active" in self.changed_data and cleaned["is_active"]:
            known = catalogue(self.instance.source)
            for name, check in CHECKS.items():
                if name in cleaned:
                    add_errors(self, name, check(cleaned[name], known))
        return cleaned

    def next_version(self) -> RuleVersion:
        """Unsaved; the caller sets number and author."""
        return RuleVersion(
            rule=self.instance, **{name: self.cleaned_data[name] for name in CONTENT}
        )
