"""The practice ground's pages: an exercise, its answer, its end, and one's own past ones."""

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from review.answer_form import AnswerForm
from review.catalogue import Catalogue, catalogue
from review.lines import lines_of
from review.models import PracticeAnswer
from review.practice import ground
from review.practice.score import score, verdict
from review.practice.similar import solved_like
from review.views import for_people, person
from review.views.queue import page_number
from triage.models import Choice, Proposal

PAGE_SIZE = 25


@require_safe
@for_people("review.add_decision")
def practice(request: HttpRequest) -> HttpResponse:
    """The exercise that was begun, else a new one."""
    learner = person(request)
    begun = ground.mine(learner).filter(finished_at__isnull=True).first()
    if begun is not None:
        return redirect("review:practice_exercise", begun.pk)
    choices = catalogue()
    known = ground.draw(learner, choices)
    if known is None:
        return render(request, "review/practice/ground.html", {"score": score(learner)})
    return _ground(request, _proposal(known.proposal), choices)


@require_POST
@for_people("review.add_decision")
def answer(request: HttpRequest, pk: int) -> HttpResponse:
    proposal, choices = _proposal(pk), catalogue()
    form = _form(proposal, choices, request)
    if not form.is_valid():
        return _ground(request, proposal, choices, form)
    try:
        begun = ground.answer(person(request), pk, _only(form), choices)
    except ground.NoExercise as error:
        raise Http404(str(error)) from error
    return redirect("review:practice_exercise", begun.pk)


@require_safe
@for_people("review.add_decision")
def exercise(request: HttpRequest, pk: int) -> HttpResponse:
    return _exercise(request, _mine(request, pk), catalogue())


@require_POST
@for_people("review.add_decision")
def finish(request: HttpRequest, pk: int) -> HttpResponse:
    begun, choices = _mine(request, pk), catalogue()
    form = _form(begun.proposal, choices, request)
    if not form.is_valid():
        return _exercise(request, begun, choices, form)
    try:
        ground.finish(begun, _only(form))
    except ground.NoExercise as error:
        raise Http404(str(error)) from error
    return redirect("review:practice_exercise", begun.pk)


@require_safe
@for_people("review.add_decision")
def past(request: HttpRequest) -> HttpResponse:
    learner, choices = person(request), catalogue()
    done = ground.mine(learner).filter(finished_at__isnull=False)
    page = Paginator(done, PAGE_SIZE).get_page(page_number(request) or 1)
    rows = [
        {
            "exercise": row,
            "verdict": verdict(row),
            "truth": choices.path(row.truth_id),
            "final": choices.path(row.final_id),
        }
        for row in page
    ]
    context = {"page": page, "rows": rows, "score": score(learner)}
    return render(request, "review/practice/past.html", context)


def _proposal(pk: int) -> Proposal:
    rows = Proposal.objects.filter(ticket__erased_at__isnull=True)
    return get_object_or_404(rows.select_related("ticket__source", "ticket_version"), pk=pk)


def _mine(request: HttpRequest, pk: int) -> PracticeAnswer:
    """404 for what is somebody else's, or was erased."""
    return get_object_or_404(ground.mine(person(request)), pk=pk)


def _form(
    proposal: Proposal,
    choices: Catalogue,
    request: HttpRequest | None = None,
    start: int | None = None,
) -> AnswerForm:
    """The main field alone, and no way out of it; `start` is what is chosen at first."""
    main = [value.field for value in proposal.values.select_related("field") if value.field.is_main]
    data = request.POST if request is not None and request.method == "POST" else None
    return AnswerForm(data, fields=main, catalogue=choices, start=start, may_be_unsure=False)


def _only(form: AnswerForm) -> Choice:
    said = next(iter(form.choices.values()), None)
    if said is None:
        raise Http404("The ticket has no field to answer.")
    return said


def _ground(
    request: HttpRequest, proposal: Proposal, choices: Catalogue, form: AnswerForm | None = None
) -> HttpResponse:
    context = {
        "proposal": proposal,
        "answer": form or _form(proposal, choices),
        "score": score(person(request)),
    }
    status = 422 if form is not None else 200
    return render(request, "review/practice/ground.html", context, status=status)


def _exercise(
    request: HttpRequest,
    begun: PracticeAnswer,
    choices: Catalogue,
    form: AnswerForm | None = None,
) -> HttpResponse:
    """The advice with its evidence, and the truth as soon as the person has decided."""
    is_finished = begun.finished_at is not None
    lines = lines_of(begun.proposal, choices)
    context = {
        "exercise": begun,
        "proposal": begun.proposal,
        "lines": lines,
        "main": next((line for line in lines if line.value.field.is_main), None),
        "similar": solved_like(begun.proposal, choices),
        "answered": choices.path(begun.answer_id),
        "advice": choices.path(begun.advice_id),
        "agrees": begun.answer_id == begun.advice_id,
    }
    if is_finished:
        context |= {
            "verdict": verdict(begun),
            "is_right": begun.final_id == begun.truth_id,
            "truth": choices.path(begun.truth_id),
            "final": choices.path(begun.final_id),
            "was_blind": ground.was_checked_blind(begun),
            "score": score(person(request)),
        }
    else:
        context["answer"] = form or _form(begun.proposal, choices, start=begun.answer_id)
    status = 422 if form is not None else 200
    return render(request, "review/practice/exercise.html", context, status=status)
