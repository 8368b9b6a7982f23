"""Reporting a concern, reading one's own, and the auditors' list of all."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from review import concerns
from review.concern_forms import AnswerForm, ConcernForm
from review.models import Concern
from review.views import for_people, person
from triage.models import Ticket

PAGE_SIZE = 25


@require_http_methods(["GET", "HEAD", "POST"])
@for_people("review.report_concern")
def report(request: HttpRequest) -> HttpResponse:
    """The form, and what is done with it. `?ticket=` names the ticket it may be about."""
    ticket = _named_ticket(request.GET.get("ticket", ""))
    data = request.POST if request.method == "POST" else None
    form = ConcernForm(data, has_ticket=ticket is not None)
    if data is None or not form.is_valid():
        context = {"form": form, "ticket": ticket}
        return render(request, "review/concern_form.html", context, status=422 if data else 200)
    said = form.cleaned_data
    concern = concerns.report(
        by=person(request),
        text=said["text"],
        ticket=ticket if said.get("about_ticket") else None,
        is_anonymous=said["anonymous"],
    )
    if not said["anonymous"]:
        concerns.tell_auditors([concern])
    messages.success(request, _("Reported. Auditors will read it."))
    return redirect("review:my_concerns")


@require_safe
@for_people("review.report_concern")
def mine(request: HttpRequest) -> HttpResponse:
    own = concerns.concerns().filter(reporter=person(request))
    page = Paginator(own, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "review/my_concerns.html", {"page": page})


@require_safe
@for_people("review.answer_concern")
def all_of_them(request: HttpRequest) -> HttpResponse:
    """For auditors alone: neither the team lead nor the AI owner reads what was reported."""
    state = request.GET.get("state", "")
    page = Paginator(concerns.concerns(state), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"page": page, "state": state if state in (concerns.OPEN, concerns.ANSWERED) else ""}
    return render(request, "review/concerns.html", context)


@require_safe
@for_people("review.answer_concern")
def one(request: HttpRequest, pk: int) -> HttpResponse:
    concern = get_object_or_404(concerns.concerns(), pk=pk)
    form = None if concern.answered_at else AnswerForm()
    return render(request, "review/concern.html", {"concern": concern, "form": form})


@require_POST
@for_people("review.answer_concern")
def answer(request: HttpRequest, pk: int) -> HttpResponse:
    concern = get_object_or_404(concerns.concerns(), pk=pk)
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return render(
            request, "review/concern.html", {"concern": concern, "form": form}, status=422
        )
    try:
        concerns.answer(concern, by=person(request), text=form.cleaned_data["answer"])
    except concerns.AlreadyAnswered:
        context = {"concern": Concern.objects.get(pk=pk), "was_late": True}
        return render(request, "review/concern.html", context, status=409)
    messages.success(request, _("Answered."))
    return redirect("review:concerns")


def _named_ticket(text: str) -> Ticket | None:
    """None where no ticket is named; 404 for one that is not there."""
    if not text:
        return None
    found = None
    if text.isascii() and text.isdigit() and len(text) < 19:
        found = Ticket.objects.select_related("source").defer("body", "search").filter(pk=text)
    if found is None or not (ticket := found.first()):
        raise Http404(_("There is no ticket %(pk)s.") % {"pk": text[:20]})
    return ticket
