"""What a person fills in to decide: another value with a reason, or a reason alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from review.catalogue import TEAM, Catalogue
from review.lines import Line
from review.models import Reason
from review.reasons import MORE_PRECISE
from review.ticket import TicketPage
from triage.models import Choice, ProposedValue

LONGEST_TEXT = 500
# As many as there are digits; the others are in the list of all choices.
MOST_PICKS = 9
# The option of a value that follows from the main one, as long as nobody chooses it by hand.
FOLLOW = "follow"
Options = list[tuple[str, str | list[tuple[str, str]]]]


class ReasonedForm(forms.Form):
    """A text, needed exactly when a chosen reason asks for it."""

    text = forms.CharField(
        label=_("In your words"),
        max_length=LONGEST_TEXT,
        required=False,
        strip=True,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, *args: Any, reasons: Iterable[Reason], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.reasons_by_pk = {str(reason.pk): reason for reason in reasons}

    def reason_field(self, *, required: bool) -> forms.ChoiceField:
        return forms.ChoiceField(
            label=_("Reason"),
            required=required,
            choices=[(pk, reason.shown) for pk, reason in self.reasons_by_pk.items()],
            widget=forms.RadioSelect,
            error_messages={"required": _("Choose a reason.")},
        )

    def require_text(self, chosen: Iterable[Reason]) -> None:
        needs = next((reason for reason in chosen if reason.needs_text), None)
        if needs is not None and not self.cleaned_data.get("text"):
            self.add_error("text", _("“%(reason)s” needs a few words.") % {"reason": needs.shown})


@dataclass(frozen=True)
class Pick:
    """A choice below a proposed parent that can be decided for at once; digit 0: no key."""

    choice: Choice
    name: str
    digit: int


@dataclass(frozen=True)
class OverrideRow:
    """`is_reasoned`: there is a value that only a reason replaces."""

    line: Line
    choice: BoundField
    reason: BoundField
    start: str
    is_reasoned: bool


class OverrideForm(ReasonedForm):
    """Another value for any field, each change with its reason.

    After validation `choices` and `reasons` hold what `decide` wants: the fields that differ
    from the proposal, and the reasons of those that had a value before.
    """

    with_playbook = forms.BooleanField(label=_("Send the reply all the same"), required=False)

    def __init__(
        self,
        *args: Any,
        page: TicketPage,
        choices: Catalogue,
        own: Mapping[str, Choice] = MappingProxyType({}),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.page = page
        self.catalogue = choices
        self.own = own
        self.choices: dict[str, Choice] = {}
        self.reasons: dict[str, Reason] = {}
        for line in page.lines:
            field = line.value.field
            self.fields[f"choice-{field.key}"] = forms.ChoiceField(
                label=field.name,
                required=False,
                choices=self._options(line),
                initial=self._first(line),
                error_messages={"invalid_choice": _("This is not one of the choices any more.")},
            )
            self.fields[f"reason-{field.key}"] = self.reason_field(required=False)
            self.initial[f"reason-{field.key}"] = self._first_reason(line)
        if page.proposal is None or page.proposal.playbook is None or page.was_answered:
            del self.fields["with_playbook"]

    def stands(self, line: Line) -> Choice | None:
        """The value that the form starts from, and that another one would replace."""
        return line.value.choice

    def is_following(self, line: Line) -> bool:
        """Whether that value is there because the main one is."""
        return line.value.basis == ProposedValue.Basis.FOLLOWS

    def start(self, line: Line) -> str:
        """The option that stands for leaving the proposal as it is.

        A value that follows from the main one goes on following it while a person changes that;
        so does one that is open only because the main one is.
        """
        stands = self.stands(line)
        if stands is not None:
            return FOLLOW if self.is_following(line) else str(stands.pk)
        is_open = not line.value.field.is_main
        return FOLLOW if is_open and self.catalogue.is_implied(line.value.field_id) else ""

    def rows(self) -> list[OverrideRow]:
        return [
            OverrideRow(
                line=line,
                choice=self[f"choice-{line.value.field.key}"],
                reason=self[f"reason-{line.value.field.key}"],
                start=self.start(line),
                is_reasoned=self.stands(line) is not None,
            )
            for line in self.page.lines
        ]

    @property
    def more_precise(self) -> Reason | None:
        """The reason that goes with a pick; without one, overriding takes its usual way."""
        return next(
            (
                reason
                for reason in self.reasons_by_pk.values()
                if reason.key == MORE_PRECISE and not reason.needs_text
            ),
            None,
        )

    def picks(self) -> dict[str, list[Pick]]:
        """Field key to live choices below its proposed parent, the likeliest first."""
        if self.more_precise is None:
            return {}
        return {line.value.field.key: self._picks(line) for line in self.page.lines if line.torn}

    def _picks(self, line: Line) -> list[Pick]:
        parent, prediction = line.value.choice, line.value.prediction
        said = prediction.probabilities if prediction else {}
        below = {choice.pk for choice in self.catalogue.branch(parent) if choice != parent}
        live = [one for one in self.catalogue.live(line.value.field_id) if one.pk in below]
        live.sort(key=lambda choice: -said.get(choice.key, 0.0))
        return [
            Pick(
                choice,
                self.catalogue.path_below(choice.pk, line.value.choice_id or 0),
                digit if line.value.field.is_main else 0,
            )
            for digit, choice in enumerate(live[:MOST_PICKS], start=1)
        ]

    def _options(self, line: Line) -> Options:
        """Live choices; what is proposed now stays on offer."""
        start = self.start(line)
        options: Options = []
        if start == "":
            options.append(("", gettext("not chosen yet")))
        if start == FOLLOW:
            options.append((FOLLOW, gettext("as it follows from the category")))
        options += grouped(self.catalogue, line.value.field_id)
        stands = self.stands(line)
        if start not in {"", FOLLOW} and stands and stands.retired_at:
            options.append((start, self.catalogue.path(stands.pk)))
        return options

    def _first(self, line: Line) -> str:
        """What the page shows chosen: what the person answered before the advice, if they did."""
        start, mine = self.start(line), self.own.get(line.value.field.key)
        if mine is None or mine.retired_at is not None:
            return start
        if start != FOLLOW:
            return str(mine.pk)
        main = self.page.main
        chosen = self.own.get(main.value.field.key, main.value.choice) if main else None
        implied = self.catalogue.implied(chosen.pk, line.value.field_id) if chosen else None
        return FOLLOW if mine == (implied or line.value.choice) else str(mine.pk)

    def _first_reason(self, line: Line) -> str:
        """Where the own answer lies below a proposed parent, there is one reason to give."""
        mine, reason = self.own.get(line.value.field.key), self.more_precise
        if mine is None or reason is None or mine.pk == line.value.choice_id:
            return ""
        return str(reason.pk) if mine in self.catalogue.branch(line.value.choice) else ""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        self._take_choices(cleaned)
        if not self.choices and not self.errors:
            self.refuse_no_change()
        for line in self.page.lines:
            self._take_reason(line, cleaned)
        self.require_text(self.reasons.values())
        return cleaned

    def refuse_no_change(self) -> None:
        raise forms.ValidationError(
            _("Nothing differs from the proposal: change a value, or accept it.")
        )

    def _take_choices(self, cleaned: dict[str, Any]) -> None:
        followers = []
        for line in self.page.lines:
            key = line.value.field.key
            chosen = cleaned.get(f"choice-{key}", self.start(line))
            if chosen == FOLLOW:
                followers.append(line)
            elif chosen and chosen != self._pk(line):
                self.choices[key] = self.catalogue.by_pk[int(chosen)]
        main = self._main_choice()
        for line in followers:
            implied = self.catalogue.implied(main.pk, line.value.field_id) if main else None
            if implied is not None and implied != self.stands(line):
                self.choices[line.value.field.key] = implied

    def _pk(self, line: Line) -> str:
        stands = self.stands(line)
        return "" if stands is None else str(stands.pk)

    def _main_choice(self) -> Choice | None:
        main = self.page.main
        return self.choices.get(main.value.field.key) if main else None

    def follows(self) -> dict[str, dict[str, str]]:
        """Main choice to field key to the path that follows: what the page says while choosing."""
        main = self.page.main
        followers = [line for line in self.page.lines if self.start(line) == FOLLOW]
        if main is None or not followers:
            return {}
        told: dict[str, dict[str, str]] = {}
        for choice in self.catalogue.live(main.value.field_id):
            for line in followers:
                implied = self.catalogue.implied(choice.pk, line.value.field_id)
                stands = implied or self.stands(line)
                path = self.catalogue.path(stands.pk if stands else None)
                told.setdefault(str(choice.pk), {})[line.value.field.key] = path
        return told

    def _take_reason(self, line: Line, cleaned: dict[str, Any]) -> None:
        key = line.value.field.key
        if key not in self.choices or self.stands(line) is None:
            return
        given = cleaned.get(f"reason-{key}")
        main = self.page.main
        if not given and main and cleaned.get(f"choice-{key}") == FOLLOW:
            # It changes because the main value does, so it changes for the same reason.
            given = cleaned.get(f"reason-{main.value.field.key}")
        if given:
            self.reasons[key] = self.reasons_by_pk[given]
        elif f"reason-{key}" not in self.errors:
            self.add_error(f"reason-{key}", _("Say why: choose a reason."))


def grouped(choices: Catalogue, field_pk: int) -> Options:
    """The live choices of a field, grouped by their outermost parent."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for choice in choices.live(field_pk):
        lineage = choices.lineage(choice.pk)
        is_grouped = len(lineage) > 1 or len(choices.subtree([choice])) > 1
        group = lineage[0].name if is_grouped else ""
        groups.setdefault(group, []).append((str(choice.pk), choices.path(choice.pk)))
    options: Options = []
    for group, members in groups.items():
        options += [(group, members)] if group else members
    return options


class SendBackForm(ReasonedForm):
    field_order = ["reason", "text"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"] = self.reason_field(required=True)
        self.order_fields(self.field_order)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        self.require_text([self.reason] if cleaned.get("reason") else [])
        return cleaned

    @property
    def reason(self) -> Reason:
        """The chosen reason of a valid form."""
        return self.reasons_by_pk[self.cleaned_data["reason"]]


class EscalateForm(SendBackForm):
    field_order = ["reason", "team", "text"]

    def __init__(self, *args: Any, teams: Iterable[Choice], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.teams = {str(team.pk): team for team in teams}
        self.fields["team"] = forms.ChoiceField(
            label=_("To which team"),
            required=False,
            choices=[("", _("as proposed")), *((pk, team.name) for pk, team in self.teams.items())],
        )
        self.order_fields(self.field_order)

    @property
    def team(self) -> Choice | None:
        return self.teams.get(self.cleaned_data["team"])


@dataclass(frozen=True)
class DecisionForms:
    """The four forms of one open proposal; `active` is the one that is unfolded, if any."""

    override: OverrideForm
    escalate: EscalateForm
    send_back: SendBackForm
    skip: SendBackForm
    active: str = ""


def decision_forms(
    page: TicketPage,
    choices: Catalogue,
    *,
    active: str = "",
    data: Any = None,
    own: Mapping[str, Choice] = MappingProxyType({}),
) -> DecisionForms:
    """`data` is bound to the active form alone; `own` are choices made before the advice."""

    def common(name: str) -> dict[str, Any]:
        return {
            "data": data if name == active else None,
            "auto_id": f"{name}-%s",
            "reasons": choices.live_reasons(name),
        }

    team_field = next(
        (line.value.field_id for line in page.lines if line.value.field.key == TEAM), None
    )
    teams = choices.live(team_field) if team_field is not None else []
    return DecisionForms(
        override=OverrideForm(
            page=page, choices=choices, own=own, **common(Reason.AppliesTo.OVERRIDE)
        ),
        escalate=EscalateForm(teams=teams, **common(Reason.AppliesTo.ESCALATE)),
        send_back=SendBackForm(**common(Reason.AppliesTo.SEND_BACK)),
        skip=SendBackForm(**common(Reason.AppliesTo.SKIP)),
        active=active,
    )
