"""What every answer to a frame has in common: whose it is, what it shows, who may frame it."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt

from review import leases
from review.catalogue import catalogue
from review.embed import visits
from review.embed.headers import guard
from review.embed.links import LinkRefused
from review.embed.visits import Visit
from review.forms import DecisionForms, decision_forms
from review.ticket import TicketPage, is_unfinished, ticket_page
from review.views import is_partial
from triage.models import Source
from triage.origins import usable

TOKEN_HEADER = "X-Embed-Token"
# What changes by itself, so that the panel looks again.
PASSING = frozenset({"untriaged", "superseded"})
FramedView = Callable[[HttpRequest, Visit], HttpResponse]


def in_frame(view: FramedView) -> Callable[..., HttpResponse]:
    """For what a page asks for after it was opened: its token stands for login and CSRF token."""

    @csrf_exempt
    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponse:
        token = request.headers.get(TOKEN_HEADER) or request.POST.get("token", "")
        try:
            visit = visits.continued(token)
        except LinkRefused as refusal:
            return refused(request, refusal, visits.open_source(refusal.source))
        return answered(request, visit, view)

    return guarded


def answered(request: HttpRequest, visit: Visit, view: FramedView) -> HttpResponse:
    # Whoever a cookie would name has no say here: templates ask this user for permissions.
    request.user = visit.person
    return guard(view(request, visit), visit.source)


def shown(request: HttpRequest, visit: Visit, *, missing: int = 200) -> HttpResponse:
    """The panel as it stands now; `missing` is the status while the ticket has not arrived."""
    page = read(visit)
    forms = forms_of(visit, page) if page else None
    return show(request, visit, page, forms, status=200 if page else missing)


def read(visit: Visit) -> TicketPage | None:
    return ticket_page(visit.ticket.pk, catalogue()) if visit.ticket else None


def forms_of(
    visit: Visit, page: TicketPage, active: str = "", data: Any = None
) -> DecisionForms | None:
    """None where this person can't decide here and now."""
    if not page.is_open or page.is_blind or not visit.person.has_perm(visits.DECIDES):
        return None
    if leases.other(page.ticket, visit.person) is not None:
        return None
    active = active or ("" if page.is_acceptable else "override")
    return decision_forms(page, catalogue(), active=active, data=data)


def again(request: HttpRequest, visit: Visit, refusal: str, status: int) -> HttpResponse:
    """The panel as it stands now, and why what was sent is not part of it."""
    page = read(visit)
    forms = forms_of(visit, page) if page else None
    return show(request, visit, page, forms, status=status, refusal=refusal)


def show(
    request: HttpRequest,
    visit: Visit,
    page: TicketPage | None,
    forms: DecisionForms | None,
    *,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    # To look beside a ticket is no work on it: the frame keeps nobody else from it.
    taken = leases.other(page.ticket, visit.person) if page and page.is_open else None
    context = {
        "frame": visit,
        "page": page,
        "forms": forms,
        "polls": is_unfinished(page.effects) if page else False,
        "taken": leases.leased_to(taken) if taken else None,
        "is_passing": page is None or taken is not None or page.state in PASSING,
        # Those of the review pages are kept in cookies.
        "messages": [],
        **more,
    }
    template = "review/embed/_panel.html" if is_partial(request) else "review/embed/panel.html"
    return render(request, template, context, status=status)


def refused(request: HttpRequest, refusal: LinkRefused, source: Source | None) -> HttpResponse:
    """Words and a way on. Where no site may frame it, a frame stays empty whatever is said."""
    is_off = source is not None and not usable(source.embed_origins)
    code = "off" if is_off else refusal.code
    context: dict[str, Any] = {"code": code, "messages": []}
    template = "review/embed/_refused.html" if is_partial(request) else "review/embed/refused.html"
    status = 404 if code == "unknown_source" else 403
    return guard(render(request, template, context, status=status), source)
