"""The page on which an AI owner erases what a requester wrote."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminTextInputWidget

from review import erasure
from triage.admin.base import person
from triage.admin.theme import action, display
from triage.admin.tickets import TicketAdmin
from triage.erasure import Report, Whose
from triage.models import Ticket

THIS, HERE, EVERYWHERE = "ticket", "source", "everywhere"
# Shorter words of a name are also words of a sentence.
LEAST_NAME_LETTERS = 3
MEANING = (
    "Subject, text, requester and resolution go, with all earlier versions, stored deliveries, "
    "replies, notes and comments. Words that nobody else used go from every model. It cannot be "
    "undone.",
    "Times, values, decisions and counts stay. The helpdesk itself and backups are not reached; "
    "what the helpdesk sends about an erased ticket later is not stored.",
)


class ErasureForm(forms.Form):
    extent = forms.ChoiceField(label="Erase", widget=UnfoldAdminRadioSelectWidget)
    reference = forms.CharField(
        max_length=80,
        widget=UnfoldAdminTextInputWidget,
        help_text="Number of the request or the case. It stays on record with your name, so "
        "write nobody's name or address.",
    )

    def __init__(self, ticket: Ticket, data: Any = None) -> None:
        super().__init__(data)
        self.ticket = ticket
        extents = [(THIS, f"this ticket, #{ticket.external_id}")]
        if ticket.requester:
            extents += [
                (HERE, f"everything {ticket.requester} wrote to {ticket.source}"),
                (EVERYWHERE, f"everything {ticket.requester} wrote to any helpdesk"),
            ]
        field = self.fields["extent"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = extents
        field.initial = THIS

    def clean_reference(self) -> str:
        reference: str = self.cleaned_data["reference"]
        named = re.findall(r"\w+", f"{self.ticket.requester} {self.ticket.requester_name}".lower())
        words = set(re.findall(r"\w+", reference.lower()))
        if words & {name for name in named if len(name) >= LEAST_NAME_LETTERS}:
            raise forms.ValidationError("It names the requester, and it cannot be erased later.")
        return reference

    def whose(self) -> Whose:
        extent = self.cleaned_data["extent"]
        if extent == THIS:
            return Whose(self.ticket.source, ticket=self.ticket.external_id)
        source = self.ticket.source if extent == HERE else None
        return Whose(source, requester=self.ticket.requester)


class ErasableTicketAdmin(TicketAdmin):
    """The record of tickets, with the one thing that may be done to it."""

    list_display = ["external_id", "title_shown", "source", "requester", "opened_at", "closed_at"]
    actions_detail = ["erase"]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets: Any = super().get_fieldsets(request, obj)
        if obj is None or obj.erased_at is None:
            return fieldsets
        return [("Erased", {"fields": ["erased_at"]}), *fieldsets]

    def has_erase_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("triage.erase_ticket")

    @display(description="Subject", ordering="subject")
    def title_shown(self, ticket: Ticket) -> str:
        return ticket.title

    @action(
        description="Erase what the requester wrote",
        permissions=["erase"],
        icon="ink_eraser",
        variant=ActionVariant.DANGER,
    )
    def erase(self, request: HttpRequest, object_id: str) -> HttpResponse:
        ticket: Ticket = self.row(request, object_id)
        form = ErasureForm(ticket, request.POST or None)
        if not form.is_valid():
            return self.ask(
                request,
                title=f"Erase what the requester of #{ticket.external_id} wrote",
                text=[*MEANING, *self._extents(ticket)],
                button="Erase it",
                form=form,
                row=ticket,
                is_grave=True,
            )
        extent, reference = form.cleaned_data["extent"], form.cleaned_data["reference"]
        report = erasure.erase(form.whose(), by=person(request))
        ticket = Ticket.objects.get(pk=ticket.pk)
        self.log_change(request, ticket, f"Erased ({extent}). Reference: {reference}")
        if report.rules:
            listed = ", ".join(report.rules)
            self.message_user(
                request, f"Rules that list the address, to be changed: {listed}.", messages.WARNING
            )
        return self.back(request, ticket, _said(report))

    def _extents(self, ticket: Ticket) -> list[str]:
        """How much each extent is, but for the one that would search every helpdesk."""
        found = [f"This ticket: {_listed(Whose(ticket.source, ticket=ticket.external_id))}."]
        if ticket.requester:
            whose = Whose(ticket.source, requester=ticket.requester)
            found.append(f"{ticket.requester} in {ticket.source}: {_listed(whose)}.")
        return found


def _listed(whose: Whose) -> str:
    return _in_words(erasure.preview(whose)) or "nothing left to erase"


def _in_words(report: Report) -> str:
    return ", ".join(f"{name}: {n}" for name, n in report.counts.named().items() if n)


def _said(report: Report) -> str:
    if report.is_empty:
        return "There was nothing left to erase."
    models = f" Models without their words: {len(report.models)}." if report.models else ""
    return f"Erased. {_in_words(report).capitalize()}.{models}"
