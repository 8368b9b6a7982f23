"""One ticket: what was written, what is proposed and why, what people and the helpdesk did."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from review import leases
from review.answer_form import AnswerForm, stamp
from review.catalogue import Catalogue, catalogue
from review.forms import DecisionForms, decision_forms
from review.leases import LeasedTo
from review.queue import QueueFilter, queue_page
from review.reverse_form import ReverseForm, reverse_form
from review.spotchecks import fields_of, look, own_answer
from review.ticket import TicketPage, effects_of, is_unfinished, ticket_page
from review.timeline import timeline
from review.views import for_people, is_partial, person
from review.views.queue import page_number
from review.views.windows import LeaseNote, window_of
from triage.models import Ticket, Waiting

FORMS = frozenset({"override", "escalate", "send_back", "skip"})


@require_safe
@for_people("review.view_decision")
def ticket(request: HttpRequest, pk: int) -> HttpResponse:
    choices = catalogue()
    page = read_page(pk, choices)
    wanted = request.GET.get("do", "")
    if not page.is_open or not request.user.has_perm("review.add_decision"):
        return show(request, page, choices, None, reversing=wanted == "reverse")
    window = window_of(request)
    held = leases.claim(page.ticket, person(request), window)
    if isinstance(held, LeasedTo):
        note = LeaseNote("other", pk, held)
        return show(request, page, choices, None, lease=note, window=window)
    if page.is_blind and page.waiting is not None:
        if look(page.waiting):
            more = asked(page, person(request).pk, choices)
            return show(request, page, choices, None, window=window, **more)
        page = read_page(pk, choices)
    own = own_answer(page.proposal, person(request), choices)
    is_chosen = bool(own and own.differs) or not page.is_acceptable
    active = wanted if wanted in FORMS else "override" if is_chosen else ""
    forms = decision_forms(page, choices, active=active, own=own.choices if own else {})
    return show(request, page, choices, forms, window=window, own=own)


def read_page(pk: int, choices: Catalogue) -> TicketPage:
    try:
        return ticket_page(pk, choices)
    except Ticket.DoesNotExist:
        raise Http404(_("There is no ticket %(pk)s.") % {"pk": pk}) from None


def show(
    request: HttpRequest,
    page: TicketPage,
    choices: Catalogue,
    forms: DecisionForms | None,
    *,
    status: int = 200,
    reversing: bool = False,
    reverse: ReverseForm | None = None,
    **more: Any,
) -> HttpResponse:
    """The ticket between the queue and its proposal; htmx gets the part without the frame.

    What stands comes with the form to reverse it, unfolded if `reversing`.
    """
    if reverse is None and page.can_reverse and request.user.has_perm("review.add_decision"):
        reverse = reverse_form(page, choices, is_open=reversing)
    if "own" not in more and not page.is_blind:
        more["own"] = own_answer(page.proposal, person(request), choices)
    context = surface(request, page, choices, forms) | {"reverse": reverse} | more
    template = "review/_work.html" if is_partial(request) else "review/work.html"
    response = render(request, template, context, status=status)
    if status != 200:
        # The address of a refused decision is not a page one could come back to.
        response.headers["HX-Push-Url"] = "false"
    return response


def surface(
    request: HttpRequest,
    page: TicketPage,
    choices: Catalogue,
    forms: DecisionForms | None,
    *,
    done: Waiting | None = None,
) -> dict[str, Any]:
    """What the working surface shows; its list without `done`, which is about to be decided."""
    return {
        "page": page,
        "forms": forms,
        "lease": LeaseNote("mine", page.ticket.pk),
        "window": window_of(request),
        "beat_seconds": leases.BEAT_SECONDS,
        "timeline": timeline(page),
        "polls": is_unfinished(page.effects),
        "queue": queue_page(
            QueueFilter.read(request.GET),
            choices,
            number=page_number(request),
            showing=page.waiting,
            viewer=person(request),
            done=done,
        ),
    }


def asked(page: TicketPage, person_pk: int, choices: Catalogue) -> dict[str, Any]:
    """The empty form of an answer, and the moment of the look that comes back with it."""
    if page.proposal is None:
        return {}
    form = AnswerForm(fields=fields_of(page.proposal), catalogue=choices)
    return {"answer": form, "looked": stamp(page.proposal, person_pk)}


@require_safe
@for_people("review.view_decision")
def effects(request: HttpRequest, pk: int) -> HttpResponse:
    """What the helpdesk has made of the decision so far; asked again until all is finished."""
    ticket = get_object_or_404(Ticket.objects.select_related("waiting"), pk=pk)
    waiting = getattr(ticket, "waiting", None)
    is_blind = waiting is not None and waiting.blind_at is not None
    found = [] if is_blind else list(effects_of(ticket))
    context = {
        "effects": found,
        "polls": is_unfinished(found),
        "ticket_pk": pk,
        "source_pk": ticket.source_id,
    }
    return render(request, "review/_effects.html", context)
