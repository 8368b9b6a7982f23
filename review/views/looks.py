"""Second looks: the list, one of them, and its answer; then the next ticket."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from review import decisions
from review.answer_form import AnswerForm, seconds_since, stamp
from review.catalogue import Catalogue, catalogue
from review.looks import answers, offers
from review.looks.own import own_looks, told
from review.looks.shown import look_page
from review.models import SpotCheck
from review.views import for_people, is_partial, person
from review.views.ticket import show
from review.views.upcoming import onwards

PAGE_SIZE = 25


@require_safe
@for_people("review.add_decision")
def looks(request: HttpRequest) -> HttpResponse:
    """How many wait, and what came of one's own; over the queue only how many."""
    who = person(request)
    mine = offers.count_for(who)
    if is_partial(request):
        return render(request, "review/_looks.html", {"looks": mine})
    choices = catalogue()
    page = Paginator(own_looks(who), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "mine": mine,
        "standing": offers.standing(),
        "page": page,
        "rows": [told(answer, choices) for answer in page.object_list],
    }
    return render(request, "review/looks.html", context)


@require_safe
@for_people("review.add_decision")
def next_look(request: HttpRequest) -> HttpResponse:
    """The one that this person began, or the oldest that nobody has."""
    held = offers.claim(person(request))
    if held is None:
        messages.info(request, _("No second look waits for you."))
        return redirect("review:looks")
    return redirect("review:look", held.pk)


@require_safe
@for_people("review.add_decision")
def look(request: HttpRequest, pk: int) -> HttpResponse:
    check = _check(pk)
    if offers.claim(person(request), pk) is None:
        messages.info(request, _("That look is done, or not for you."))
        return redirect("review:looks")
    choices = catalogue()
    form = AnswerForm(fields=answers.asked(check), catalogue=choices, needs_all=True)
    stamped = stamp(check.proposal, person(request).pk)
    return _show(request, check, choices, answer=form, looked=stamped)


@require_POST
@for_people("review.add_decision")
def answer(request: HttpRequest, pk: int) -> HttpResponse:
    check, choices, who = _check(pk), catalogue(), person(request)
    form = AnswerForm(request.POST, fields=answers.asked(check), catalogue=choices, needs_all=True)
    looked, refusal = request.POST.get("looked", ""), ""
    try:
        if form.is_valid():
            seconds = seconds_since(looked, check.proposal, who.pk)
            answers.answer(check=pk, reviewer=who, choices=form.choices, seconds=seconds)
            messages.success(
                request, _("Thank you. It was a second look: the next ticket follows.")
            )
            return onwards(request, choices, None)
    except decisions.DecisionRefused as error:
        refusal = str(error)
    except decisions.DecisionError as error:
        messages.info(request, str(error))
        return redirect("review:looks")
    if offers.claim(who, pk) is None:
        messages.info(request, _("That look is done, or not for you."))
        return redirect("review:looks")
    return _show(request, check, choices, status=422, refusal=refusal, answer=form, looked=looked)


def _check(pk: int) -> SpotCheck:
    """404 for one that never was."""
    rows = SpotCheck.objects.select_related(
        "proposal__ticket__source", "proposal__ticket__waiting", "proposal__ticket_version"
    )
    return get_object_or_404(rows.defer("proposal__ticket__search"), pk=pk)


def _show(request: HttpRequest, check: SpotCheck, choices: Catalogue, **more: Any) -> HttpResponse:
    return show(request, look_page(check), choices, None, look=check.pk, **more)
