"""What drills are, said plainly: reading it, resting from them, and setting them."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from review.drills import programme
from review.drills.forms import ProgrammeForm
from review.models import DrillAcknowledgement, DrillProgramme
from review.views import for_people, person
from review.views.queue import page_number
from triage.models import Source

PAGE_SIZE = 25


@require_safe
@for_people("review.view_decision")
def drills(request: HttpRequest) -> HttpResponse:
    """Every source that has a programme; who may set one finds the others, too."""
    return _listed(request)


@require_http_methods(["GET", "HEAD", "POST"])
@for_people(programme.RUNS)
def setting(request: HttpRequest, pk: int) -> HttpResponse:
    """The programme of one source, by the source's key."""
    source = get_object_or_404(Source, pk=pk)
    row = DrillProgramme.objects.filter(source=source).select_related("changed_by").first()
    data = request.POST if request.method == "POST" else None
    form = ProgrammeForm(data, instance=row)
    if data is None or not form.is_valid():
        context = {"source": source, "programme": row, "form": form}
        return render(request, "review/drills/setting.html", context, status=422 if data else 200)
    programme.put(source, person(request), form.cleaned_data)
    messages.success(request, _("Saved: drills in %(source)s") % {"source": source.name})
    return redirect("review:drills")


@require_POST
@for_people("review.add_decision")
def acknowledge(request: HttpRequest, pk: int) -> HttpResponse:
    read = _moment(request.POST.get("read", ""))
    try:
        if read is None:
            raise programme.NothingToRead(_("Read what is said about drills first."))
        programme.acknowledge(person(request), pk, read)
    except programme.NothingToRead as error:
        return _listed(request, refusal=str(error), status=409)
    messages.success(request, _("Kept: you know of the drills"))
    return redirect("review:drills")


@require_POST
@for_people("review.add_decision")
def rest(request: HttpRequest) -> HttpResponse:
    programme.rest(person(request))
    messages.success(request, _("No further drill today"))
    return redirect("review:drills")


def _listed(request: HttpRequest, *, refusal: str = "", status: int = 200) -> HttpResponse:
    who = person(request)
    rows = Source.objects.select_related("drill_programme").order_by("name", "pk")
    if not who.has_perm(programme.RUNS):
        rows = rows.filter(drill_programme__isnull=False)
    page = Paginator(rows, PAGE_SIZE).get_page(page_number(request) or 1)
    read = {one.programme_id: one for one in programme.acknowledged(who)}
    today = timezone.localdate()
    context: dict[str, Any] = {
        "page": page,
        "rows": [_row(source, read) for source in page],
        "refusal": refusal,
        "takes_part": any(one.programme.is_on for one in read.values()),
        "is_resting": any(one.resting_on == today for one in read.values()),
    }
    return render(request, "review/drills/drills.html", context, status=status)


def _row(source: Source, read: dict[int, DrillAcknowledgement]) -> dict[str, Any]:
    row: DrillProgramme | None = getattr(source, "drill_programme", None)
    return {"source": source, "programme": row, "read": read.get(row.pk) if row else None}


def _moment(text: str) -> datetime | None:
    """None for what is no moment with its zone."""
    try:
        found = parse_datetime(text)
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None
