"""A drill in the place of the next ticket: the same page, the same addresses, the same keys.

The session says which drill a person was given; without that, every address is what it always is.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from review.catalogue import Catalogue, catalogue
from review.drills import answers
from review.drills.page import among, drill_page, told_page
from review.forms import DecisionForms, OverrideForm, decision_forms
from review.models import Drill, DrillAnswer
from review.queue import QueueFilter
from review.ticket import TicketPage
from review.views import for_people, is_partial, person
from review.views.ticket import FORMS, surface
from triage.models import Choice

GIVEN = "drill"
DECIDES = "review.add_decision"
View = Callable[..., HttpResponse]
Verdict = DrillAnswer.Verdict
Word = tuple[str, Choice | None]


def lead_to(request: HttpRequest, drill: Drill) -> HttpResponse:
    """To the drill, at the address of its ticket."""
    ticket = drill.proposal.ticket_id
    request.session[GIVEN] = [drill.pk, ticket, drill.proposal_id]
    chosen = QueueFilter.read(request.GET)
    return redirect(reverse("review:ticket", args=[ticket]) + chosen.query)


def or_drill(view: View) -> View:
    """The page of a ticket, unless it is the drill that this person was given."""

    @wraps(view)
    def either(request: HttpRequest, pk: int) -> HttpResponse:
        drill = _given(request, ticket=pk) if request.method in ("GET", "HEAD") else None
        return view(request, pk) if drill is None else _page(request, drill)

    return either


def answers_drill(view: View, way: str) -> View:
    """A way to decide on a proposal, unless it is the drill that this person was given."""

    @wraps(view)
    def either(request: HttpRequest, pk: int) -> HttpResponse:
        drill = _given(request, proposal=pk) if request.method == "POST" else None
        return view(request, pk) if drill is None else _answer(request, drill, way)

    return either


@require_safe
@for_people(DECIDES)
def told(request: HttpRequest, pk: int) -> HttpResponse:
    """That it was a drill, what was right, and how one did; for that person alone."""
    rows = answers.mine(person(request)).filter(answer__isnull=False)
    drill, choices = get_object_or_404(rows, pk=pk), catalogue()
    page = told_page(drill, choices)
    context = surface(request, page, choices, None) | {
        "own": None,
        "drill": drill,
        "drilled": answers.said(drill),
        "truth": choices.path(drill.truth_id),
        "advice": choices.path(drill.advice_id),
        "final": choices.path(drill.answer.final_id),
        "recorded": _recorded(drill, choices),
    }
    template = "review/_work.html" if is_partial(request) else "review/work.html"
    return render(request, template, context)


def _given(request: HttpRequest, *, ticket: int = 0, proposal: int = 0) -> Drill | None:
    """Asks the database only for the addresses that the session names."""
    given = request.session.get(GIVEN)
    if not given or (ticket or given[1], proposal or given[2]) != (given[1], given[2]):
        return None
    who = request.user
    if not isinstance(who, User) or not who.has_perm(DECIDES):
        return None
    return answers.open_drills(who).filter(pk=given[0]).first()


@for_people(DECIDES)
def _page(request: HttpRequest, drill: Drill) -> HttpResponse:
    choices = catalogue()
    page = drill_page(drill, choices)
    wanted = request.GET.get("do", "")
    forms = decision_forms(page, choices, active=wanted if wanted in FORMS else "")
    return _show(request, page, choices, forms)


@for_people(DECIDES)
def _answer(request: HttpRequest, drill: Drill, way: str) -> HttpResponse:
    choices = catalogue()
    page = drill_page(drill, choices)
    advice = choices.by_pk[drill.advice_id]
    word: Word = (Verdict.ACCEPTED, advice)
    if way != "accept":
        forms = decision_forms(page, choices, active=way, data=request.POST)
        form = getattr(forms, way)
        if not form.is_valid():
            return _show(request, page, choices, forms, status=422)
        word = _word(form, page, advice)
    answers.answer(drill, *word)
    request.session.pop(GIVEN, None)
    chosen = QueueFilter.read(request.GET)
    return redirect(reverse("review:drill_told", args=[drill.pk]) + chosen.query)


def _word(form: Any, page: TicketPage, advice: Choice) -> Word:
    """Of a valid form. Who changes other fields alone has taken the advice."""
    if not isinstance(form, OverrideForm):
        return Verdict.PASSED, None
    chosen = form.choices.get(page.main.value.field.key) if page.main else None
    return (Verdict.ACCEPTED, advice) if chosen is None else (Verdict.OVERRIDDEN, chosen)


def _show(
    request: HttpRequest,
    page: TicketPage,
    choices: Catalogue,
    forms: DecisionForms,
    *,
    status: int = 200,
) -> HttpResponse:
    context = surface(request, page, choices, forms) | {"own": None, "is_drill": True}
    context["queue"] = among(context["queue"], page.waiting, choices)
    template = "review/_work.html" if is_partial(request) else "review/work.html"
    response = render(request, template, context, status=status)
    if status != 200:
        response.headers["HX-Push-Url"] = "false"
    return response


def _recorded(drill: Drill, choices: Catalogue) -> str:
    """What was proposed at the time, where the advice was another; else empty."""
    main = drill.proposal.values.filter(field__is_main=True).values_list("choice", flat=True)
    recorded = main.first()
    return "" if recorded == drill.advice_id else choices.path(recorded)
