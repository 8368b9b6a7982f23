"""The panel in a helpdesk's sidebar. The link says who is there; cookies are never asked."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib.messages.constants import SUCCESS
from django.contrib.messages.storage.base import Message
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from review import decisions
from review import undo as taking_back
from review.embed import visits
from review.embed.answers import again, answered, forms_of, in_frame, read, refused, show, shown
from review.embed.links import LinkRefused
from review.embed.visits import Visit
from review.forms import DecisionForms
from review.models import Decision
from review.ticket import effects_of, is_unfinished
from triage.models import Proposal

SAID = {
    "accept": gettext_lazy("Accepted #%(ticket)s"),
    "override": gettext_lazy("Decided otherwise: #%(ticket)s"),
    "escalate": gettext_lazy("Escalated #%(ticket)s"),
    "send_back": gettext_lazy("Sent back #%(ticket)s"),
}


@require_safe
def panel(request: HttpRequest, slug: str, external_id: str) -> HttpResponse:
    """The page as a helpdesk opens it."""
    source = visits.open_source(slug)
    if source is None:
        return refused(request, LinkRefused("unknown_source"), None)
    try:
        visit = visits.opened(source, external_id, request.GET)
    except LinkRefused as refusal:
        return refused(request, refusal, source)
    # What has not arrived is no place to link to; asked again, it is only not there yet.
    return answered(request, visit, partial(shown, missing=404))


@require_POST
@in_frame
def look(request: HttpRequest, visit: Visit) -> HttpResponse:
    return shown(request, visit)


@require_safe
@in_frame
def effects(request: HttpRequest, visit: Visit) -> HttpResponse:
    found = list(effects_of(visit.ticket)) if visit.ticket else []
    context = {"effects": found, "polls": is_unfinished(found), "frame": visit}
    return render(request, "review/_effects.html", context)


@require_POST
@in_frame
def accept(request: HttpRequest, visit: Visit) -> HttpResponse:
    return _decide(request, visit, "accept")


@require_POST
@in_frame
def override(request: HttpRequest, visit: Visit) -> HttpResponse:
    return _decide(request, visit, "override")


@require_POST
@in_frame
def escalate(request: HttpRequest, visit: Visit) -> HttpResponse:
    return _decide(request, visit, "escalate")


@require_POST
@in_frame
def send_back(request: HttpRequest, visit: Visit) -> HttpResponse:
    return _decide(request, visit, "send_back")


def _decide(request: HttpRequest, visit: Visit, way: str) -> HttpResponse:
    """A decision of the visit's person on the visit's ticket, whatever else was sent."""
    if not visit.person.has_perm(visits.DECIDES):
        return refused(request, LinkRefused("no_permission"), visit.source)
    page = read(visit)
    if page is not None and page.is_blind:
        return again(request, visit, _("This one is answered first. Nothing was saved."), 409)
    seen = request.POST.get("proposal", "")
    proposal = page.proposal if page else None
    if page is None or proposal is None or not page.is_open or seen != str(proposal.pk):
        said = _("This is not what you saw: the ticket has moved on. Nothing was saved.")
        return again(request, visit, said, 409)
    forms = forms_of(visit, page, way, request.POST)
    if forms is None:
        return again(request, visit, _("Somebody else is looking at it."), 409)
    if way != "accept" and not getattr(forms, way).is_valid():
        return show(request, visit, page, forms, status=422)
    try:
        _act(way, proposal, visit, forms, with_playbook="with_playbook" in request.POST)
    except (decisions.AlreadyDecided, decisions.Superseded, decisions.Leased) as error:
        return again(request, visit, str(error), 409)
    except decisions.DecisionRefused as error:
        return again(request, visit, str(error), 422)
    return _done(request, visit, SAID[way])


@require_POST
@in_frame
def undo(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Take back what this person decided on this ticket, as long as that is possible."""
    if not visit.person.has_perm(visits.DECIDES):
        return refused(request, LinkRefused("no_permission"), visit.source)
    page = read(visit)
    line = page.decision if page else None
    if line is None or request.POST.get("decision", "") != str(line.decision.pk):
        said = _("This is not what you saw: the ticket has moved on. Nothing was saved.")
        return again(request, visit, said, 409)
    try:
        taking_back.undo(line.decision, visit.person)
    except taking_back.NotYours as error:
        return again(request, visit, str(error), 403)
    except taking_back.TooLate as error:
        return again(request, visit, str(error), 409)
    return _done(request, visit, gettext_lazy("Undone: #%(ticket)s waits again"))


def _done(request: HttpRequest, visit: Visit, said: Any) -> HttpResponse:
    page = read(visit)
    forms = forms_of(visit, page) if page else None
    message = Message(SUCCESS, said % {"ticket": visit.external_id})
    return show(request, visit, page, forms, messages=[message])


def _act(
    way: str, proposal: Proposal, visit: Visit, forms: DecisionForms, *, with_playbook: bool
) -> Decision:
    """One of the services that the review pages call, with the valid form it belongs to."""
    acts: dict[str, Callable[[], Decision]] = {
        "accept": lambda: decisions.decide(
            proposal=proposal,
            reviewer=visit.person,
            choices={},
            reasons={},
            with_playbook=with_playbook,
            via=visit.via,
        ),
        "override": lambda: decisions.decide(
            proposal=proposal,
            reviewer=visit.person,
            choices=forms.override.choices,
            reasons=forms.override.reasons,
            with_playbook=forms.override.cleaned_data.get("with_playbook", False),
            text=forms.override.cleaned_data["text"],
            via=visit.via,
        ),
        "escalate": lambda: decisions.escalate(
            proposal=proposal,
            reviewer=visit.person,
            reason=forms.escalate.reason,
            text=forms.escalate.cleaned_data["text"],
            team=forms.escalate.team,
            via=visit.via,
        ),
        "send_back": lambda: decisions.send_back(
            proposal=proposal,
            reviewer=visit.person,
            reason=forms.send_back.reason,
            text=forms.send_back.cleaned_data["text"],
            via=visit.via,
        ),
    }
    return acts[way]()
