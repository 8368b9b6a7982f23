"""The question how people are, once in a round, and never a second time."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from review import pulse
from review.models.definitions import LEAST_PEOPLE
from review.views import for_people, person

RATHER_NOT = "none"


@require_http_methods(["GET", "HEAD", "POST"])
@for_people("review.add_decision")
def ask(request: HttpRequest) -> HttpResponse:
    """The question, or that there is none; POST with `answer`, 1 to 5 or none."""
    who = person(request)
    if request.method != "POST":
        return _shown(request, is_asked=pulse.is_asked(who))
    said = request.POST.get("answer", "")
    if said != RATHER_NOT and said not in map(str, pulse.ANSWERS):
        return _shown(request, is_asked=pulse.is_asked(who), is_wrong=True, status=422)
    try:
        pulse.answer(who, None if said == RATHER_NOT else int(said))
    except pulse.NotAsked:
        return _shown(request, is_asked=False, status=409)
    messages.success(request, _("Thank you. Nothing was kept that leads from you to an answer."))
    return redirect("review:own_figures")


def _shown(
    request: HttpRequest, *, is_asked: bool, is_wrong: bool = False, status: int = 200
) -> HttpResponse:
    context = {
        "is_asked": is_asked,
        "is_wrong": is_wrong,
        "answers": pulse.ANSWERS.items(),
        "least_people": LEAST_PEOPLE,
        "rather_not": RATHER_NOT,
    }
    return render(request, "review/pulse.html", context, status=status)
