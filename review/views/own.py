"""What is recorded about the person who asks, and that person's own figures."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from review import pulse
from review.metrics.own import own_figures
from review.metrics.window import local_now
from review.models.definitions import LEAST_OWN_N, LEAST_PEOPLE
from review.views import for_people, person


@require_safe
@for_people("review.add_decision")
def figures(request: HttpRequest) -> HttpResponse:
    """Own figures; there is no address by which somebody else's could be asked for."""
    who = person(request)
    context = {
        "own": own_figures(who, local_now()),
        "least": LEAST_OWN_N,
        "has_question": pulse.is_asked(who),
    }
    return render(request, "review/own_figures.html", context)


@require_safe
@for_people("review.view_decision")
def recorded(request: HttpRequest) -> HttpResponse:
    context = {"least_own": LEAST_OWN_N, "least_people": LEAST_PEOPLE}
    return render(request, "review/recorded.html", context)
