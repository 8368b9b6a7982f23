"""The four ways to decide. After each, the next ticket of the same filter is there."""

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from review import decisions
from review.catalogue import Catalogue, catalogue
from review.forms import DecisionForms, decision_forms
from review.models import Decision
from review.queue import QueueFilter, next_ticket
from review.templatetags.wording import undo_tag
from review.ticket import TicketPage
from review.views import for_people, is_partial, person
from review.views.ticket import read_page, show
from triage.models import Proposal, Waiting


@dataclass(frozen=True)
class Opened:
    """A proposal that can still be decided, as its page shows it."""

    proposal: Proposal
    page: TicketPage
    choices: Catalogue
    forms: DecisionForms

    def again(self, request: HttpRequest) -> HttpResponse:
        """The page with what is wrong beside the fields."""
        return show(request, self.page, self.choices, self.forms, status=422)


@require_POST
@for_people("review.add_decision")
def accept(request: HttpRequest, pk: int) -> HttpResponse:
    proposal = shown(pk)
    return _conclude(
        request,
        proposal,
        lambda: decisions.decide(
            proposal=proposal,
            reviewer=person(request),
            choices={},
            reasons={},
            with_playbook=bool(request.POST.get("with_playbook")),
        ),
    )


@require_POST
@for_people("review.add_decision")
def override(request: HttpRequest, pk: int) -> HttpResponse:
    opened = _opened(request, pk, "override")
    if isinstance(opened, HttpResponse):
        return opened
    form = opened.forms.override
    if not form.is_valid():
        return opened.again(request)
    return _conclude(
        request,
        opened.proposal,
        lambda: decisions.decide(
            proposal=opened.proposal,
            reviewer=person(request),
            choices=form.choices,
            reasons=form.reasons,
            with_playbook=form.cleaned_data.get("with_playbook", False),
            text=form.cleaned_data["text"],
        ),
    )


@require_POST
@for_people("review.add_decision")
def escalate(request: HttpRequest, pk: int) -> HttpResponse:
    opened = _opened(request, pk, "escalate")
    if isinstance(opened, HttpResponse):
        return opened
    form = opened.forms.escalate
    if not form.is_valid():
        return opened.again(request)
    return _conclude(
        request,
        opened.proposal,
        lambda: decisions.escalate(
            proposal=opened.proposal,
            reviewer=person(request),
            reason=form.reason,
            text=form.cleaned_data["text"],
            team=form.team,
        ),
    )


@require_POST
@for_people("review.add_decision")
def send_back(request: HttpRequest, pk: int) -> HttpResponse:
    opened = _opened(request, pk, "send_back")
    if isinstance(opened, HttpResponse):
        return opened
    form = opened.forms.send_back
    if not form.is_valid():
        return opened.again(request)
    return _conclude(
        request,
        opened.proposal,
        lambda: decisions.send_back(
            proposal=opened.proposal,
            reviewer=person(request),
            reason=form.reason,
            text=form.cleaned_data["text"],
        ),
    )


def shown(pk: int) -> Proposal:
    """A proposal that people can see; 404 for one that runs in the shadow."""
    visible = Proposal.objects.exclude(route=Proposal.Route.SHADOW)
    return get_object_or_404(visible.select_related("ticket__source", "ticket_version"), pk=pk)


def _opened(request: HttpRequest, pk: int, name: str) -> Opened | HttpResponse:
    """The proposal with its forms, one of them filled in; 409 if it can't be decided any more."""
    proposal = shown(pk)
    choices = catalogue()
    page = read_page(proposal.ticket_id, choices)
    if not page.is_open or page.proposal != proposal:
        return _conflict(request, proposal, choices)
    forms = decision_forms(page, choices, active=name, data=request.POST)
    return Opened(proposal, page, choices, forms)


def _conclude(
    request: HttpRequest, proposal: Proposal, act: Callable[[], Decision]
) -> HttpResponse:
    row = Waiting.objects.filter(proposal=proposal).first()
    choices = catalogue()
    try:
        decision = act()
    except (decisions.AlreadyDecided, decisions.Superseded):
        return _conflict(request, proposal, choices)
    except decisions.DecisionRefused as error:
        page = read_page(proposal.ticket_id, choices)
        forms = decision_forms(page, choices, active="override") if page.is_open else None
        return show(request, page, choices, forms, status=422, refusal=str(error))
    said = _said(decision.verdict) % {"ticket": proposal.ticket.external_id}
    messages.success(request, said, extra_tags=undo_tag(decision))
    chosen = QueueFilter.read(request.GET)
    following = next_ticket(chosen, choices, row)
    if following is None:
        return redirect(reverse("review:queue") + chosen.query)
    return redirect(reverse("review:ticket", args=[following]) + chosen.query)


def _said(verdict: str) -> str:
    if verdict == Decision.Verdict.OVERRIDDEN:
        return _("Decided otherwise: #%(ticket)s")
    if verdict == Decision.Verdict.ESCALATED:
        return _("Escalated #%(ticket)s")
    if verdict == Decision.Verdict.SENT_BACK:
        return _("Sent back #%(ticket)s")
    return _("Accepted #%(ticket)s")


def _conflict(request: HttpRequest, proposal: Proposal, choices: Catalogue) -> HttpResponse:
    """409: who was faster, or where the newer version is, and a way on."""
    chosen = QueueFilter.read(request.GET)
    context = {
        "ticket": proposal.ticket,
        "decision": Decision.objects.filter(stands_for=proposal).select_related("reviewer").first(),
        "following": next_ticket(chosen, choices, None),
        "filter": chosen,
    }
    template = "review/_conflict.html" if is_partial(request) else "review/conflict.html"
    response = render(request, template, context, status=409)
    response.headers["HX-Push-Url"] = "false"
    return response
