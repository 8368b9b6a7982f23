"""Answering before the advice is shown; then the ticket's page shows it beside the answer."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from review import decisions, spotchecks
from review.answer_form import AnswerForm, seconds_since
from review.catalogue import catalogue
from review.forms import decision_forms
from review.queue import QueueFilter
from review.views import for_people, person
from review.views.decide import shown
from review.views.ticket import asked, read_page, show


@require_POST
@for_people("review.add_decision")
def answer(request: HttpRequest, pk: int) -> HttpResponse:
    proposal, choices = shown(pk), catalogue()
    reviewer = person(request)
    form = AnswerForm(request.POST, fields=spotchecks.fields_of(proposal), catalogue=choices)
    looked = request.POST.get("looked", "")
    try:
        if form.is_valid():
            spotchecks.answer(
                proposal=proposal,
                reviewer=reviewer,
                choices=form.choices,
                seconds=seconds_since(looked, proposal, reviewer.pk),
            )
            query = QueueFilter.read(request.GET).query
            return redirect(reverse("review:ticket", args=[proposal.ticket_id]) + query)
        status, refusal = 422, ""
    except decisions.DecisionRefused as error:
        status, refusal = 422, str(error)
    except decisions.DecisionError as error:
        status, refusal = 409, str(error)
    page = read_page(proposal.ticket_id, choices)
    if page.is_blind:
        again = asked(page, reviewer.pk, choices) | {"answer": form, "looked": looked}
        return show(request, page, choices, None, status=status, refusal=refusal, **again)
    forms = decision_forms(page, choices) if page.is_open else None
    return show(request, page, choices, forms, status=409, refusal=refusal)
