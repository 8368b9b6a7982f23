"""What is looked at beside a ticket: one like it, and what else its requester wrote."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from review.beside import beside
from review.catalogue import catalogue
from review.queue import QueueFilter
from review.requester import requester_page
from review.views import for_people, is_partial
from triage.models import Ticket


@require_safe
@for_people("review.view_decision")
def similar(request: HttpRequest, pk: int, other: int) -> HttpResponse:
    """An earlier ticket beside this one; htmx gets it for the dialog."""
    try:
        pair = beside(pk, other, catalogue())
    except Ticket.DoesNotExist:
        said = _("There are no tickets %(pk)s and %(other)s of one source.")
        raise Http404(said % {"pk": pk, "other": other}) from None
    context = {"pair": pair, "filter": QueueFilter.read(request.GET)}
    template = "review/_beside.html" if is_partial(request) else "review/beside.html"
    return render(request, template, context)


@require_safe
@for_people("review.view_decision")
def requester(request: HttpRequest, pk: int) -> HttpResponse:
    """What else the requester wrote; htmx gets the list for the ticket's head."""
    try:
        found = requester_page(pk, catalogue(), after=request.GET.get("after", ""))
    except Ticket.DoesNotExist:
        raise Http404(_("There is no ticket %(pk)s.") % {"pk": pk}) from None
    template = "review/_requester.html" if is_partial(request) else "review/requester.html"
    return render(request, template, {"theirs": found})
