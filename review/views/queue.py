"""The list of what waits. The first ticket is opened beside it where there is room."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from review.catalogue import catalogue
from review.leases import BEAT_SECONDS
from review.queue import QueueFilter, queue_page
from review.saved_views import default_query
from review.views import for_people, is_partial, person
from review.views.windows import window_of


def page_number(request: HttpRequest) -> int:
    """0 where the URL names none, or nonsense."""
    text = request.GET.get("page", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0


@require_safe
@for_people("review.view_decision")
def queue(request: HttpRequest) -> HttpResponse:
    viewer = person(request)
    if not request.GET and (usual := default_query(viewer)):
        return redirect(reverse("review:queue") + usual)
    chosen = QueueFilter.read(request.GET)
    number = page_number(request) or 1
    context = {
        "queue": queue_page(chosen, catalogue(), viewer=viewer, number=number),
        "window": window_of(request),
        "beat_seconds": BEAT_SECONDS,
    }
    template = "review/_work.html" if is_partial(request) else "review/work.html"
    return render(request, template, context)
