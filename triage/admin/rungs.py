"""Rungs of autonomy and the certificates that let one be auto."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.widgets import UnfoldAdminSelectWidget

from triage.admin.base import PolicyAdmin, RecordAdmin, person
from triage.admin.forms import AnyModelForm, add_errors
from triage.admin.theme import ChangeList, action, display
from triage.certify import NotEnoughEvidence, certify, live_certificate
from triage.models import Certificate, Level, ModelVersion, Rung
from triage.policy import ladder

ALPHA = DELTA = 0.05
LEVEL_COLOURS = {
    Level.OFF.label: "danger",
    Level.SHADOW.label: "warning",
    Level.SUGGEST.label: "info",
    Level.PREFILL.label: "primary",
    Level.AUTO.label: "success",
}


class RungForm(AnyModelForm):
    """Each change needs a reason of its own; levels move as the ladder allows."""

    canary_percent = forms.TypedChoiceField(
        coerce=int,
        choices=[(5, "5 %"), (25, "25 %"), (100, "100 %: every ticket")],
        initial=5,
        widget=UnfoldAdminSelectWidget(),
        help_text="Share of tickets on which auto acts; the rest are suggested.",
    )

    class Meta:
        model = Rung
        fields = "__all__"  # noqa: DJ007

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.before = self.instance.level if self.instance.pk else Level.SUGGEST
        if self.instance.pk and "reason" in self.fields:
            self.initial["reason"] = ""
            self.fields["reason"].help_text = f"Why it changes now. Last: {self.instance.reason}"

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.instance.pk is None:
            add_errors(self, "choice", self._target_problems(cleaned))
        for name in ("field", "choice", "playbook"):
            setattr(self.instance, name, cleaned.get(name, getattr(self.instance, name)))
        if not self.errors:
            add_errors(self, "level", self._level_problems(cleaned))
        return cleaned

    def _target_problems(self, cleaned: dict[str, Any]) -> list[str]:
        """A choice brings its field along; a playbook stands alone; each has one rung."""
        choice, playbook = cleaned.get("choice"), cleaned.get("playbook")
        if choice is not None and cleaned.get("field") is None:
            cleaned["field"] = choice.field
        field = cleaned.get("field")
        if (field is None) == (playbook is None):
            return ["Choose a choice, a whole field, or a playbook."]
        if choice is not None and choice.field != field:
            return [f"“{choice}” is no choice of {field}."]
        same = Rung.objects.filter(field=field, choice=choice, playbook=playbook).first()
        return [f"It has a rung already, at {same.level}: change that one."] if same else []

    def _level_problems(self, cleaned: dict[str, Any]) -> list[str]:
        wanted, uncertified = cleaned["level"], ""
        if wanted == Level.AUTO:
            uncertified = why_not_certified(self.instance, cleaned["threshold"])
            if uncertified and self.before == Level.AUTO:
                return [f"It cannot stay at auto: {uncertified}"]
        refused = ladder.refusal(
            current=self.before, wanted=wanted, cap=cleaned["cap"], certified=not uncertified
        )
        # The ladder says that a certificate is missing; what is missing in it is said here.
        return [part for part in (refused, uncertified) if part] if refused else []


def why_not_certified(rung: Rung, threshold: float) -> str:
    """Why no live certificate covers the rung from `threshold` up; empty if one does."""
    if rung.playbook is not None:
        return "Playbooks cannot be certified yet."
    if rung.choice is None:
        return "Only a single choice can be certified, not a whole field."
    live = live_certificate(rung.choice)
    if live is not None and live.threshold <= threshold:
        return ""
    if live is not None:
        return (
            f"The certificate covers probabilities from {live.threshold:.3f}; the threshold here "
            f"is {threshold:.3f}. Raise it, or certify more."
        )
    last = Certificate.objects.filter(choice=rung.choice).first()
    if last is None:
        return f"“{rung.choice}” has never been certified."
    if last.expires_at <= timezone.now():
        return f"Its last certificate expired on {last.expires_at:%Y-%m-%d}."
    return f"Its last certificate is for {last.model_version}, which is no longer in service."


class RungList(ChangeList):
    """A page of rungs with the live certificate of each."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rungs = list(self.result_list)
        live = Certificate.objects.filter(
            choice__in=[rung.choice_id for rung in rungs if rung.choice_id],
            expires_at__gt=timezone.now(),
            model_version__state=ModelVersion.State.CHAMPION,
        )
        newest = {one.choice_id: one for one in live.order_by("issued_at")}
        for rung in self.result_list:
            rung.live = newest.get(rung.choice_id)


@admin.register(Rung)
class RungAdmin(PolicyAdmin):
    form = RungForm
    ledger_subject = "rung"
    ledger_fields = (
        "field",
        "choice",
        "playbook",
        "level",
        "cap",
        "threshold",
        "canary_percent",
        "owner",
        "reason",
    )
    list_display = [
        "target",
        "level_shown",
        "cap",
        "threshold",
        "canary_percent",
        "certified",
        "owner_name",
        "changed_at",
        "reason",
    ]
    list_filter = ["level", "field__source", ("field", AutocompleteSelectFilter)]
    list_select_related = ["field__source", "choice", "playbook__source", "owner"]
    search_fields = ["field__name", "choice__name", "playbook__name", "reason"]
    autocomplete_fields = ["field", "choice", "playbook"]
    actions_detail = ["try_to_certify"]
    readonly_fields = ["target", "certified", "changed_at"]
    add_fieldsets = [
        (
            "For what",
            {
                "fields": ["choice", "field", "playbook"],
                "description": "A choice; or a field, for all its choices without a rung of their "
                "own; or a playbook. Without a rung, all is suggested.",
            },
        ),
        ("How far it may go", {"fields": [("level", "cap"), ("threshold", "canary_percent")]}),
        ("Who answers for it, and why", {"fields": ["owner", "reason"]}),
    ]
    fieldsets = [
        (None, {"fields": ["target", ("certified", "changed_at")]}),
        (
            "How far it may go",
            {
                "fields": [("level", "cap"), ("threshold", "canary_percent")],
                "description": "Up one rung at a time, down any number. Auto needs a certificate "
                "from blind labels.",
            },
        ),
        ("Who answers for it, and why", {"fields": ["owner", "reason"]}),
    ]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return RungList

    @display(description="For", ordering="field__name")
    def target(self, rung: Rung) -> str:
        if rung.playbook:
            return f"Playbook “{rung.playbook}” · {rung.playbook.source}"
        what = f"{rung.field}: {rung.choice}" if rung.choice else f"{rung.field}: all other choices"
        return f"{what} · {rung.field.source}" if rung.field else what

    @display(description="Level", ordering="level", label=LEVEL_COLOURS)
    def level_shown(self, rung: Rung) -> str:
        return rung.get_level_display()

    @display(description="Certificate")
    def certified(self, rung: Any) -> str:
        if not hasattr(rung, "live"):
            rung.live = live_certificate(rung.choice) if rung.choice else None
        if rung.live is None:
            return "none"
        return f"from {rung.live.threshold:.2f}, until {rung.live.expires_at:%Y-%m-%d}"

    @action(
        description="Try to certify from blind labels",
        permissions=["change"],
        url_path="certify",
        icon="verified",
    )
    def try_to_certify(self, request: HttpRequest, object_id: str) -> HttpResponse:
        rung: Rung = self.row(request, object_id)
        if rung.choice is None:
            self.message_user(request, why_not_certified(rung, 1.0), messages.ERROR)
            return redirect("admin:triage_rung_change", rung.pk)
        if request.method != "POST":
            return self.ask(
                request,
                title=f"Certify “{rung.choice}” from blind labels",
                text=[
                    "Looks at the spot checks that were made without seeing the model's answer, "
                    "of tickets that the model in service predicted as this choice.",
                    f"A certificate says: the error is at most {ALPHA:.0%}, with confidence "
                    f"{1 - DELTA:.0%}. It holds for 90 days and for this model only.",
                ],
                button="Try now",
                row=rung,
            )
        try:
            issued = certify(rung.choice, by=person(request), alpha=ALPHA, delta=DELTA)
        except NotEnoughEvidence as reason:
            self.message_user(request, str(reason), messages.ERROR)
            return redirect("admin:triage_rung_change", rung.pk)
        return self.back(
            request,
            rung,
            f"Certified from probability {issued.threshold:.3f}: {issued.errors} of "
            f"{issued.checks} checks were wrong. Holds until {issued.expires_at:%Y-%m-%d}.",
        )


@admin.register(Certificate)
class CertificateAdmin(RecordAdmin):
    list_display = [
        "choice",
        "threshold",
        "evidence",
        "model_version",
        "state",
        "issued_by",
        "issued_at",
        "expires_at",
    ]
    list_filter = ["field__source", ("choice", AutocompleteSelectFilter), "issued_at"]
    list_select_related = ["choice", "model_version__field", "issued_by"]
    search_fields = ["choice__name"]

    @display(description="Wrong / checked")
    def evidence(self, certificate: Certificate) -> str:
        return f"{certificate.errors} / {certificate.checks}"

    @display(description="State", label={"live": "success", "expired": "danger", "void": "warning"})
    def state(self, certificate: Certificate) -> str:
        if certificate.model_version.state != ModelVersion.State.CHAMPION:
            return "void"
        return "live" if certificate.expires_at > timezone.now() else "expired"
