"""Taking back one's own decision, and putting another in place of what stands."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse as address
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from review import decisions, undo
from review.catalogue import catalogue
from review.models import Decision
from review.queue import QueueFilter
from review.reverse_form import reverse_form
from review.templatetags.wording import undo_tag
from review.views import for_people, is_partial, person
from review.views.decide import shown
from review.views.ticket import read_page, show


@require_POST
@for_people("review.add_decision")
def take_back(request: HttpRequest, pk: int) -> HttpResponse:
    """The ticket opens again; where it is too late, its page says why."""
    rows = Decision.objects.select_related("proposal__ticket")
    return _take_back(request, get_object_or_404(rows, pk=pk))


@require_POST
@for_people("review.add_decision")
def take_back_last(request: HttpRequest) -> HttpResponse:
    """The newest own decision that can be, whatever is on the page."""
    decision = undo.newest_undoable(person(request))
    if decision is not None:
        return _take_back(request, decision)
    said = _("There is nothing to undo: none of your last decisions can be taken back any more.")
    messages.info(request, said)
    if not is_partial(request):
        return redirect("review:queue")
    answer = render(request, "review/_toast.html", status=409)
    told = {"HX-Retarget": "#toast", "HX-Reswap": "outerHTML", "HX-Push-Url": "false"}
    for name, value in told.items():
        answer.headers[name] = value
    return answer


def _take_back(request: HttpRequest, decision: Decision) -> HttpResponse:
    ticket = decision.proposal.ticket_id
    try:
        undo.undo(decision, person(request))
    except undo.NotYours as error:
        return _refused(request, ticket, str(error), status=403)
    except undo.TooLate as error:
        return _refused(request, ticket, str(error), status=409)
    said = _("Undone: #%(ticket)s waits again") % {"ticket": decision.proposal.ticket.external_id}
    messages.success(request, said)
    return _to_ticket(request, ticket)


@require_POST
@for_people("review.add_decision")
def reverse(request: HttpRequest, pk: int) -> HttpResponse:
    """A new decision in place of what stands; the page of the ticket stays open."""
    proposal = shown(pk)
    choices = catalogue()
    page = read_page(proposal.ticket_id, choices)
    if not page.can_reverse or page.proposal != proposal:
        said = _("Nothing stands here any more that could be reversed.")
        return _refused(request, proposal.ticket_id, said, status=409)
    form = reverse_form(page, choices, data=request.POST)
    is_valid = form.is_valid()
    if not form.is_of_what_stands():
        said = _("What you wanted to reverse has changed meanwhile: this stands now.")
        return _refused(request, proposal.ticket_id, said, status=409)
    if not is_valid:
        return show(request, page, choices, None, status=422, reverse=form)
    try:
        decision = decisions.decide(
            proposal=proposal,
            reviewer=person(request),
            choices=form.choices,
            reasons=form.reasons,
            with_playbook=False,
            text=form.cleaned_data["text"],
            reversal=decisions.Reversal(page.decision.decision if page.decision else None),
        )
    except (decisions.AlreadyDecided, decisions.Superseded) as error:
        return _refused(request, proposal.ticket_id, str(error), status=409)
    except decisions.DecisionRefused as error:
        return show(request, page, choices, None, status=422, reverse=form, refusal=str(error))
    said = _("Reversed: #%(ticket)s") % {"ticket": proposal.ticket.external_id}
    messages.success(request, said, extra_tags=undo_tag(decision))
    return _to_ticket(request, proposal.ticket_id)


def _to_ticket(request: HttpRequest, pk: int) -> HttpResponse:
    return redirect(address("review:ticket", args=[pk]) + QueueFilter.read(request.GET).query)


def _refused(request: HttpRequest, ticket: int, said: str, *, status: int) -> HttpResponse:
    """The ticket as it is now, with what stood in the way."""
    choices = catalogue()
    page = read_page(ticket, choices)
    return show(request, page, choices, None, status=status, refusal=said)
