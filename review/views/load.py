"""One's own load: the pause that the team agreed on, the way past it, and the agreement."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from review import load
from review.catalogue import catalogue
from review.models import TeamAgreement
from review.queue import QueueFilter, waiting
from review.views import for_people, is_partial, person

AGREEMENTS_SHOWN = 20


@require_safe
@for_people("review.add_decision")
def pause(request: HttpRequest) -> HttpResponse:
    """What stands where the next ticket would have opened; the list once there is room again,
    or nothing waits."""
    chosen = QueueFilter.read(request.GET)
    has_next = waiting(chosen, catalogue()).exists()
    if not has_next or not load.load_of(person(request)).is_reached:
        return redirect(reverse("review:queue") + chosen.query)
    template = "review/_pause.html" if is_partial(request) else "review/pause.html"
    return render(request, template, {"filter": chosen})


@require_POST
@for_people("review.add_decision")
def go_on(request: HttpRequest) -> HttpResponse:
    load.go_on(person(request))
    return redirect(reverse("review:next") + QueueFilter.read(request.GET).query)


@require_POST
@for_people("review.add_decision")
def put_off_break(request: HttpRequest) -> HttpResponse:
    """Back to the page that the hint was on."""
    load.put_off_break(person(request))
    back = request.headers.get("Referer", "")
    is_ours = url_has_allowed_host_and_scheme(
        back, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return redirect(back if is_ours else "review:queue")


@require_safe
@for_people("review.view_decision")
def agreement(request: HttpRequest) -> HttpResponse:
    rows = TeamAgreement.objects.select_related("agreed_by")[:AGREEMENTS_SHOWN]
    earlier = list(rows)
    context = {"agreement": earlier[0] if earlier else TeamAgreement(), "earlier": earlier[1:]}
    return render(request, "review/agreement.html", context)
