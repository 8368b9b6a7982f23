"""Search over all tickets, not only those that wait."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from review.search import STATES, SearchFilter, search_page
from review.views import for_people


@require_safe
@for_people("review.view_decision")
def search(request: HttpRequest) -> HttpResponse:
    found = search_page(SearchFilter.read(request.GET), after=request.GET.get("after", ""))
    return render(request, "review/search.html", {"found": found, "states": STATES.items()})
