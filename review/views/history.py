"""What people decided, newest first."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from review.catalogue import catalogue
from review.history import HistoryFilter, history_page
from review.models import Decision, Reason
from review.views import for_people, person


@require_safe
@for_people("review.view_decision")
def history(request: HttpRequest) -> HttpResponse:
    choices = catalogue()
    chosen = HistoryFilter.read(request.GET)
    context = {
        "history": history_page(
            chosen, choices, viewer=person(request), after=request.GET.get("after", "")
        ),
        "filter": chosen,
        "verdicts": Decision.Verdict.choices,
        "reasons": Reason.objects.order_by("applies_to", "digit", "pk"),
        "sources": choices.sources,
        "categories": choices.options(main=True),
    }
    return render(request, "review/history.html", context)
