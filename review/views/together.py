"""Equal proposals decided in one go: the page, how far it is, and what came of it."""

from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from review import batches
from review.batches import Left
from review.catalogue import Catalogue, catalogue
from review.models import Batch, Reason
from review.queue import QueueFilter
from review.together import (
    MOST_AT_ONCE,
    MOST_COMPARED,
    SURE_FROM,
    Together,
    equal_to,
    sources_of,
    together,
)
from review.together_form import TogetherForm
from review.views import for_people, is_partial, person
from triage.models import Proposal

# So many are decided before the page says how far it is.
CHUNK = 20
LONGEST_KEY = 18


@require_safe
@for_people("review.add_decision")
def equal(request: HttpRequest, pk: int) -> HttpResponse:
    proposal = _shown(pk)
    choices = catalogue()
    found = equal_to(proposal, QueueFilter.read(request.GET), choices, person(request))
    ticked = {"all": set(found), "none": set[int]()}.get(request.GET.get("tick", ""))
    page = together(found, choices, ticked=ticked)
    form = _form(found[:1], choices)
    return _page(request, page, form, proposal=proposal, more=len(found) - len(page.members))


@require_safe
@for_people("review.add_decision")
def equal_count(request: HttpRequest, pk: int) -> HttpResponse:
    """The line on the ticket's page, which asks for it once it is there."""
    proposal = _shown(pk)
    chosen = QueueFilter.read(request.GET)
    found = equal_to(proposal, chosen, catalogue(), person(request))
    context = {
        "proposal_pk": proposal.pk,
        "query": chosen.query,
        "is_counted": True,
        "others": max(0, len(found) - 1),
        "is_cut": len(found) >= MOST_COMPARED,
        "has_playbook": proposal.playbook_id is not None,
    }
    return render(request, "review/_equal.html", context)


@require_POST
@for_people("review.add_decision")
def decide(request: HttpRequest) -> HttpResponse:
    """Decide what is ticked: a chunk at a time where the page can go on by itself, else all."""
    choices = catalogue()
    ticked = _keys(request.POST, "proposal")
    form = _form(ticked[:MOST_AT_ONCE], choices, request.POST)
    batch = _begun(request)
    if not form.is_valid() or not 0 < len(ticked) <= MOST_AT_ONCE:
        listed = _keys(request.POST, "listed") or ticked
        page = together(listed, choices, ticked=ticked)
        return _page(request, page, form, status=422, wrong_number=_wrong(len(ticked)))
    batch = batch or batches.begin(person(request))
    size = CHUNK if is_partial(request) else MOST_AT_ONCE
    left = [*_left(request.POST), *batches.decide_all(batch, ticked[:size], form.word, choices)]
    if len(ticked) > size:
        return _progress(request, batch, ticked[size:], left)
    return _to_result(request, batch, left)


@require_safe
@for_people("review.view_decision")
def batch(request: HttpRequest, pk: int) -> HttpResponse:
    """What was decided, and what was left and why."""
    found = get_object_or_404(Batch.objects.select_related("reviewer"), pk=pk)
    decided = batches.decided_in(found)
    context = {
        "batch": found,
        "is_own": found.reviewer_id == person(request).pk,
        "decided": decided,
        "undoable": sum(batches.can_undo(one) for one in decided),
        "left": batches.why_left(_left(request.GET)),
        "filter": QueueFilter.read(request.GET),
    }
    return render(request, "review/batch.html", context)


@require_POST
@for_people("review.add_decision")
def undo_batch(request: HttpRequest, pk: int) -> HttpResponse:
    """Take back what can be taken back of one's own; the page says what stays and why not."""
    found = get_object_or_404(Batch, pk=pk, reviewer=person(request))
    undone = batches.take_back(found, person(request))
    said = ngettext("%(undone)s decision undone", "%(undone)s decisions undone", undone)
    messages.success(request, said % {"undone": undone})
    return redirect(reverse("review:batch", args=[pk]) + QueueFilter.read(request.GET).query)


def _shown(pk: int) -> Proposal:
    """A proposal that people can see; 404 for one that runs in the shadow."""
    visible = Proposal.objects.exclude(route=Proposal.Route.SHADOW)
    return get_object_or_404(visible.select_related("ticket"), pk=pk)


def _begun(request: HttpRequest) -> Batch | None:
    """The person's own batch that a chunk goes on with."""
    keys = _keys(request.POST, "batch")
    return get_object_or_404(Batch, pk=keys[0], reviewer=person(request)) if keys else None


def _form(
    proposals: Sequence[int], choices: Catalogue, data: QueryDict | None = None
) -> TogetherForm:
    reasons = Reason.objects.filter(
        is_active=True, applies_to__in=[batches.OVERRIDE, batches.ESCALATE]
    )
    return TogetherForm(
        data,
        reasons=reasons,
        choices=choices,
        sources=sources_of(proposals),
        # The toast and the search have the usual names already.
        auto_id="together-%s",
    )


def _page(
    request: HttpRequest, page: Together, form: TogetherForm, *, status: int = 200, **more: object
) -> HttpResponse:
    context = {
        "page": page,
        "form": form,
        "filter": QueueFilter.read(request.GET),
        "sure_from": SURE_FROM,
        "most": MOST_AT_ONCE,
        "active": form.way if form.is_bound else request.GET.get("do", ""),
        **more,
    }
    template = "review/_together.html" if is_partial(request) else "review/together.html"
    return render(request, template, context, status=status)


def _progress(
    request: HttpRequest, batch: Batch, rest: Sequence[int], left: Sequence[Left]
) -> HttpResponse:
    done = batch.decisions.count() + len(left)
    said = [
        (name, value)
        for name in ("do", "choice", "override_reason", "escalate_reason", "text", "with_playbook")
        if (value := request.POST.get(name))
    ]
    context = {
        "batch": batch,
        "rest": rest,
        "left": left,
        "said": said,
        "done": done,
        "total": done + len(rest),
        "filter": QueueFilter.read(request.GET),
    }
    return render(request, "review/_progress.html", context)


def _to_result(request: HttpRequest, batch: Batch, left: Sequence[Left]) -> HttpResponse:
    """A page of its own, which htmx is sent to as well."""
    query = QueryDict(QueueFilter.read(request.GET).query.removeprefix("?"), mutable=True)
    if left:
        query.setlist("left", [f"{one.proposal}.{one.why}" for one in left])
    place = reverse("review:batch", args=[batch.pk])
    if query:
        place += f"?{query.urlencode()}"
    if is_partial(request):
        return HttpResponse(status=204, headers={"HX-Redirect": place})
    return redirect(place)


def _wrong(number: int) -> str:
    if number == 0:
        return "none"
    return "many" if number > MOST_AT_ONCE else ""


def _keys(data: QueryDict, name: str) -> list[int]:
    """The primary keys sent under a name, each once; what cannot be one is passed over."""
    texts = data.getlist(name)
    return list(dict.fromkeys(key for text in texts if (key := _key(text))))


def _key(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= LONGEST_KEY else 0


def _left(data: QueryDict) -> list[Left]:
    """Those that were left so far, as `123.changed`."""
    parts = [text.partition(".") for text in data.getlist("left")[:MOST_AT_ONCE]]
    return [
        Left(_key(key), why)
        for key, _, why in parts
        if _key(key) and why in batches.REASONS_TO_LEAVE
    ]
