"""Into shadow and out of it, into service, and back in one click: by a named person, on the record.

The registry writes the ledger; these actions add the author to the row's history.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.db import transaction
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.enums import ActionVariant

from triage.admin.base import DeskAdmin, ReasonForm, person
from triage.admin.theme import ChangeList, action, display
from triage.learning import registry
from triage.learning.registry import PromotionRefused
from triage.models import ModelVersion

State = ModelVersion.State
# A roll-back has its own form on the page.
OFFERED_AT = {
    "put_into_shadow": (State.CANDIDATE,),
    "take_out_of_shadow": (State.SHADOW,),
    "put_into_service": (State.CANDIDATE, State.SHADOW, State.RETIRED),
}
VOID = "Certificates of the version that retires are void: auto falls to suggest."


class OptionalReasonForm(ReasonForm):
    """Where the figures speak for what is asked, they may be all the reason there is."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = False


def roll_back_to(row: ModelVersion) -> ModelVersion | None:
    """The version that a roll-back of this one brings back; None if it is not in service."""
    return registry.before(row.field) if row.state == State.CHAMPION else None


class VersionList(ChangeList):
    """A page of versions; for the champions among them, what a roll-back would bring back."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows = list(self.result_list)
        earlier = ModelVersion.objects.filter(
            field__in={row.field_id for row in rows if row.state == State.CHAMPION},
            promoted_at__isnull=False,
        ).exclude(state=State.CHAMPION)
        newest = {one.field_id: one for one in earlier.order_by("retired_at")}
        for row in rows:
            row.earlier = newest.get(row.field_id) if row.state == State.CHAMPION else None
        self.result_list = rows


class ServiceActions(DeskAdmin):
    """The actions of the registry on the page of a version, and the one click in the list."""

    def may_promote(self, request: HttpRequest) -> bool:
        return request.user.has_perm("triage.change_modelversion")

    def has_promote_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may_promote(request)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """The theme's buttons, without those that would be refused in the version's state."""
        allowed = super().get_actions_detail(request, object_id)  # type: ignore[misc]
        row = self.get_object(request, str(object_id))
        if row is None:
            return list(allowed)
        hidden = {"roll_back", *(name for name, at in OFFERED_AT.items() if row.state not in at)}
        return [one for one in allowed if one.method.__name__ not in hidden]

    def get_list_display(self, request: HttpRequest) -> Any:
        shown = list(super().get_list_display(request))
        return [*shown, "roll_back_button"] if self.may_promote(request) else shown

    @display(description="Roll back")
    def roll_back_button(self, row: Any) -> SafeString | str:
        if row.earlier is None:
            return "-"
        return format_html(
            '<button class="desk-button" formaction="{}" name="of" value="{}">to v{}</button>',
            reverse("admin:triage_modelversion_roll_back", args=[row.pk]),
            row.pk,
            row.earlier.number,
        )

    @action(
        description="Put into shadow",
        permissions=["promote"],
        url_path="shadow",
        icon="visibility_off",
    )
    def put_into_shadow(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row: ModelVersion = self.row(request, object_id)
        text = [
            f"It predicts every new ticket of {row.field} too; its answers are stored, shown to "
            "nobody, and compared with those of the version in service.",
            f"A field has at most {registry.MOST_SHADOWS} versions in shadow.",
        ]
        return self._moved(request, row, registry.put_into_shadow, "Put into shadow", text)

    @action(
        description="Take out of shadow",
        permissions=["promote"],
        url_path="unshadow",
        icon="visibility",
    )
    def take_out_of_shadow(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row: ModelVersion = self.row(request, object_id)
        text = ["It is a candidate again and predicts no more tickets; what it predicted stays."]
        return self._moved(request, row, registry.take_out_of_shadow, "Take out of shadow", text)

    def _moved(
        self,
        request: HttpRequest,
        row: ModelVersion,
        move: Callable[..., None],
        name: str,
        text: list[str],
    ) -> HttpResponse:
        form = ReasonForm(request.POST or None)
        if not form.is_valid():
            return self.ask(
                request, title=f"{name}: {row}", text=text, button=name, form=form, row=row
            )
        reason = form.cleaned_data["reason"]

        def act(by: User) -> ModelVersion:
            move(row, by=by, reason=reason)
            return row

        return self._done(request, row, act, f"{name}: {reason}", f"{row}: {name.lower()}, done.")

    @action(
        description="Put into service",
        permissions=["promote"],
        url_path="promote",
        icon="rocket_launch",
        variant=ActionVariant.PRIMARY,
    )
    def put_into_service(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row: ModelVersion = self.row(request, object_id)
        now = registry.champion(row.field)
        if now == row:
            return self.back(request, row, f"{row} is in service already.")
        found = None if now is None else registry.verdict(row, now)
        kind = ReasonForm if found is None or found.needs_reason else OptionalReasonForm
        said = "Nothing is in service yet to compare it with." if found is None else found.said
        form = kind(request.POST or None, initial={"reason": "" if kind is ReasonForm else said})
        if not form.is_valid():
            return self._question(request, row, form, now, said)
        reason = form.cleaned_data["reason"]

        def act(by: User) -> ModelVersion:
            registry.promote(row, by=by, reason=reason)
            return row

        said = f"{row} answers from the next ticket on."
        return self._done(request, row, act, f"Put into service: {reason}", said)

    def _question(
        self,
        request: HttpRequest,
        row: ModelVersion,
        form: Form,
        now: ModelVersion | None,
        said: str,
    ) -> HttpResponse:
        text = [f"It answers for {row.field} from now on.", said]
        if now is not None:
            text += [f"{now} retires. {VOID}"]
        if form.fields["reason"].required:
            text.append("Figures do not speak for it, so say why.")
        return self.ask(
            request,
            title=f"Put {row} into service",
            text=text,
            button="Put into service",
            form=form,
            row=row,
        )

    @action(
        description="Roll back",
        permissions=["promote"],
        url_path="roll-back",
        icon="undo",
        variant=ActionVariant.DANGER,
    )
    def roll_back(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Done by the post itself, with a reason or without.

        The button says which version it saw in service, so that a second click does not undo it.
        """
        row: ModelVersion = self.row(request, object_id)
        if request.method != "POST":
            return redirect("admin:triage_modelversion_change", row.pk)
        now, seen = registry.champion(row.field), request.POST.get("of", "")
        if seen and now is not None and str(now.pk) != seen:
            return self.back(request, now, f"{now} is in service already; nothing was changed.")
        form = OptionalReasonForm(request.POST)
        reason = form.cleaned_data["reason"] if form.is_valid() else ""

        def act(by: User) -> ModelVersion:
            return registry.roll_back(row.field, by=by, reason=reason)

        noted = f"Rolled back to: {reason or 'one click'}"
        said = "{} answers again from the next ticket on. To undo it, roll back again."
        return self._done(request, row, act, noted, said)

    def _done(
        self,
        request: HttpRequest,
        row: ModelVersion,
        act: Callable[[User], ModelVersion],
        noted: str,
        said: str,
    ) -> HttpResponse:
        """Do it in one transaction with the note in the row's history; a refusal is said."""
        try:
            with transaction.atomic():
                changed = act(person(request))
                self.log_change(request, changed, noted)
        except PromotionRefused as refused:
            self.message_user(request, str(refused), messages.ERROR)
            return redirect("admin:triage_modelversion_change", row.pk)
        return self.back(request, changed, said.format(changed))
