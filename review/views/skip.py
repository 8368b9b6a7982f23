"""Leaving a ticket to others, and taking it back."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from review import leases, skips
from review.views import for_people, is_partial, person
from review.views.decide import opened
from review.views.upcoming import onwards
from triage.models import Proposal


@require_POST
@for_people("review.add_decision")
def skip(request: HttpRequest, pk: int) -> HttpResponse:
    found = opened(request, pk, "skip")
    if isinstance(found, HttpResponse):
        return found
    form, who = found.forms.skip, person(request)
    if not form.is_valid():
        return found.again(request)
    skips.skip(found.proposal, who, reason=form.reason, text=form.cleaned_data["text"])
    leases.release_ticket(found.proposal.ticket_id, who)
    said = _("Left to others: #%(ticket)s") % {"ticket": found.proposal.ticket.external_id}
    messages.success(request, said)
    return onwards(request, found.choices, found.page.waiting, skipped=skips.count_of(who))


@require_POST
@for_people("review.add_decision")
def unskip(request: HttpRequest, pk: int) -> HttpResponse:
    proposal = get_object_or_404(Proposal.objects.select_related("ticket").only("ticket"), pk=pk)
    skips.take_back(proposal, person(request))
    said = _("Back in your list: #%(ticket)s") % {"ticket": proposal.ticket.external_id}
    messages.success(request, said)
    return redirect("review:skipped")


@require_safe
@for_people("review.add_decision")
def skipped(request: HttpRequest) -> HttpResponse:
    """What this person left to others; under the list only how many."""
    who = person(request)
    if is_partial(request):
        return render(request, "review/_skipped.html", {"skipped": skips.count_of(who)})
    rows = list(skips.skipped_by(who)[: skips.MOST_SHOWN])
    return render(request, "review/skipped.html", {"rows": rows})
