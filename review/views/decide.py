"""The four ways to decide. After each, the next ticket of the same filter is there."""

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from review import decisions
from review.catalogue import Catalogue, catalogue
from review.forms import DecisionForms, decision_forms
from review.leases import LeasedTo
from review.models import Decision
from review.queue import QueueFilter
from review.templatetags.wording import undo_tag
from review.ticket import TicketPage
from review.views import for_people, is_partial, person
from review.views.ticket import asked, read_page, show
from review.views.upcoming import onwards
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
    found = opened(request, pk, "override")
    if isinstance(found, HttpResponse):
        return found
    form = found.forms.override
    if not form.is_valid():
        return found.again(request)
    return _conclude(
        request,
        found.proposal,
        lambda: decisions.decide(
            proposal=found.proposal,
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
    found = opened(request, pk, "escalate")
    if isinstance(found, HttpResponse):
        return found
    form = found.forms.escalate
    if not form.is_valid():
        return found.again(request)
    return _conclude(
        request,
        found.proposal,
        lambda: decisions.escalate(
            proposal=found.proposal,
            reviewer=person(request),
            reason=form.reason,
            text=form.cleaned_data["text"],
            team=form.team,
        ),
    )


@require_POST
@for_people("review.add_decision")
def send_back(request: HttpRequest, pk: int) -> HttpResponse:
    found = opened(request, pk, "send_back")
    if isinstance(found, HttpResponse):
        return found
    form = found.forms.send_back
    if not form.is_valid():
        return found.again(request)
    return _conclude(
        request,
        found.proposal,
        lambda: decisions.send_back(
            proposal=found.proposal,
            reviewer=person(request),
            reason=form.reason,
            text=form.cleaned_data["text"],
        ),
    )


def shown(pk: int) -> Proposal:
    """A proposal that people can see; 404 for one that runs in the shadow."""
    visible = Proposal.objects.exclude(route=Proposal.Route.SHADOW)
    return get_object_or_404(visible.select_related("ticket__source", "ticket_version"), pk=pk)


def opened(request: HttpRequest, pk: int, name: str) -> Opened | HttpResponse:
    """The proposal with its forms, one of them filled in; 409 if it can't be decided any more."""
    proposal = shown(pk)
    choices = catalogue()
    page = read_page(proposal.ticket_id, choices)
    if not page.is_open or page.proposal != proposal:
        return _conflict(request, proposal)
    if page.is_blind:
        refusal = decisions.ANSWER_FIRST
        more = asked(page, person(request).pk, choices)
        return show(request, page, choices, None, status=422, refusal=refusal, **more)
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
        return _conflict(request, proposal)
    except decisions.Leased as error:
        return _conflict(request, proposal, error.to)
    except decisions.DecisionRefused as error:
        page = read_page(proposal.ticket_id, choices)
        can_decide = page.is_open and not page.is_blind
        forms = decision_forms(page, choices, active="override") if can_decide else None
        more = asked(page, person(request).pk, choices) if page.is_blind else {}
        return show(request, page, choices, forms, status=422, refusal=str(error), **more)
    said = _said(decision.verdict) % {"ticket": proposal.ticket.external_id}
    messages.success(request, said, extra_tags=undo_tag(decision))
    return onwards(request, choices, row, is_decided=True)


def _said(verdict: str) -> str:
    if verdict == Decision.Verdict.OVERRIDDEN:
        return _("Decided otherwise: #%(ticket)s")
    if verdict == Decision.Verdict.ESCALATED:
        return _("Escalated #%(ticket)s")
    if verdict == Decision.Verdict.SENT_BACK:
        return _("Sent back #%(ticket)s")
    return _("Accepted #%(ticket)s")


def _conflict(
    request: HttpRequest, proposal: Proposal, leased: LeasedTo | None = None
) -> HttpResponse:
    """409: who was faster or looks at it, or where the newer version is, and a way on."""
    context = {
        "ticket": proposal.ticket,
        "decision": Decision.objects.filter(stands_for=proposal).select_related("reviewer").first(),
        "leased": leased,
        "filter": QueueFilter.read(request.GET),
    }
    template = "review/_conflict.html" if is_partial(request) else "review/conflict.html"
    response = render(request, template, context, status=409)
    response.headers["HX-Push-Url"] = "false"
    return response
