"""The next ticket: where a decision leads, and fetched beforehand while one is being read."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from review import leases, skips
from review.catalogue import Catalogue, catalogue
from review.drills.turns import give, is_coming
from review.forms import decision_forms
from review.load import load_of
from review.looks import offers
from review.queue import QueueFilter
from review.upcoming import claim_next
from review.views import for_people, is_partial, person
from review.views.drilling import lead_to
from review.views.ticket import read_page, surface
from review.views.windows import window_of
from triage.models import Ticket, Waiting


@require_safe
@for_people("review.add_decision")
def next_one(request: HttpRequest) -> HttpResponse:
    """To the first ticket of the filter that nobody looks at; to the list if there is none."""
    return _to_next(request, catalogue(), None)


@require_safe
@for_people("review.add_decision")
def ahead(request: HttpRequest, pk: int) -> HttpResponse:
    """The ticket after this one, as the part of the page that a swap would bring, claimed for
    the window that asks. Its list is without the ticket that is about to be decided. 204: none,
    or the decision fills the hour that the team agreed on, or a drill or a second look may come
    before it.
    """
    choices = catalogue()
    ticket = get_object_or_404(Ticket.objects.only("pk"), pk=pk)
    after = Waiting.objects.filter(ticket=ticket).first()
    who, window = person(request), window_of(request)
    chosen = QueueFilter.read(request.GET)
    is_full = load_of(who).is_last or offers.is_due(who, more=1)
    if is_full or (after is not None and is_coming(who, after, chosen)):
        return HttpResponse(status=204)
    found = claim_next(chosen, choices, person=who, window=window, after=after)
    if found is None or found == pk:
        return HttpResponse(status=204)
    page = read_page(found, choices)
    if not page.is_open or page.is_blind:
        # Of what is answered first the clock begins when somebody looks, not before.
        leases.release_ticket(found, who)
        return HttpResponse(status=204)
    forms = decision_forms(page, choices, active="" if page.is_acceptable else "override")
    context = surface(request, page, choices, forms, done=after)
    return render(request, "review/_ahead.html", context | {"skipped": skips.count_of(who)})


def onwards(
    request: HttpRequest,
    choices: Catalogue,
    after: Waiting | None,
    *,
    is_decided: bool = False,
    **news: object,
) -> HttpResponse:
    """After a decision: the next ticket, or only the news where the page shows it already.

    Once in a while a drill comes before the next ticket, only where `after` was decided.
    """
    ahead_of_answer = request.headers.get("X-Ahead", "")
    if is_partial(request) and ahead_of_answer.isascii() and ahead_of_answer.isdigit():
        shown = int(ahead_of_answer[:18])
        if leases.is_held(shown, person(request), window_of(request)):
            answer = render(request, "review/_decided.html", news)
            answer.headers["X-Ahead"] = str(shown)
            return answer
    return _to_next(request, choices, after, is_decided=is_decided)


def _to_next(
    request: HttpRequest, choices: Catalogue, after: Waiting | None, *, is_decided: bool = False
) -> HttpResponse:
    chosen = QueueFilter.read(request.GET)
    who, window = person(request), window_of(request)
    if load_of(who).is_reached:
        return redirect(reverse("review:pause") + chosen.query)
    if is_decided and after is not None and (drill := give(who, after, chosen, choices)):
        return lead_to(request, drill)
    look = offers.offer(who)
    if look is not None:
        return redirect(reverse("review:look", args=[look]) + chosen.query)
    following = claim_next(chosen, choices, person=who, window=window, after=after)
    if following is None:
        return redirect(reverse("review:queue") + chosen.query)
    return redirect(reverse("review:ticket", args=[following]) + chosen.query)
