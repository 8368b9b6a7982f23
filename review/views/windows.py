"""The browser window that asks, and what it is told about its leases."""

from dataclasses import dataclass
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from review import leases
from review.models import Lease
from review.queue import QueueFilter
from review.views import for_people, person
from triage.models import Ticket, Waiting

# What a page holds: the open ticket and the next one; more than these is nobody's page.
MOST_HELD = 5
MOST_DIGITS = 18


@dataclass(frozen=True)
class LeaseNote:
    """Why a ticket can't be decided in this window: `other` has it, another `window` of the same
    person has it, or it is `gone` from the queue. `mine` and `free`: it can.
    """

    kind: str
    ticket_pk: int
    to: leases.LeasedTo | None = None

    @property
    def seconds(self) -> int:
        return leases.LEASE_SECONDS


def window_of(request: HttpRequest) -> UUID:
    """The window named by the page that asks. A whole page is a new one; without JavaScript a
    form comes from the session's own.
    """
    named = request.headers.get("X-Window", "") or request.POST.get("window", "")
    try:
        return UUID(named)
    except ValueError:
        if request.method == "GET":
            return uuid4()
        return uuid5(NAMESPACE_URL, request.session.session_key or "")


@require_POST
@for_people("review.add_decision")
def heartbeat(request: HttpRequest) -> HttpResponse:
    """Renews what the page holds; what is missing from `held` it has lost."""
    asked = [
        int(text)
        for text in request.POST.getlist("ticket")[:MOST_HELD]
        if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS
    ]
    held = leases.renew(asked, person(request), window_of(request)) if asked else {}
    return JsonResponse({"held": held})


@require_POST
@for_people("review.add_decision")
def release(request: HttpRequest) -> HttpResponse:
    """The page goes away."""
    leases.release(window_of(request), person(request))
    return HttpResponse(status=204)


@require_safe
@for_people("review.add_decision")
def lease(request: HttpRequest, pk: int) -> HttpResponse:
    """Why the ticket can't be decided here, asked again until it can."""
    ticket = get_object_or_404(Ticket.objects.only("pk"), pk=pk)
    context = {
        "lease": _note(request, ticket),
        "filter": QueueFilter.read(request.GET),
    }
    return render(request, "review/_lease.html", context)


def _note(request: HttpRequest, ticket: Ticket) -> LeaseNote:
    if not Waiting.objects.filter(ticket=ticket).exists():
        return LeaseNote("gone", ticket.pk)
    who = person(request)
    live = Lease.objects.filter(ticket=ticket, until__gte=timezone.now())
    held = live.select_related("holder").first()
    if held is None:
        return LeaseNote("free", ticket.pk)
    if held.holder_id != who.pk:
        return LeaseNote("other", ticket.pk, leases.leased_to(held))
    kind = "free" if held.window == window_of(request) else "window"
    return LeaseNote(kind, ticket.pk)
