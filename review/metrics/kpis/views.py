"""Is it better than before? The page, its tickets and table, and the two steps that it offers."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBadRequest,
    HttpResponseBase,
    StreamingHttpResponse,
)
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from review.metrics import page as metrics_page
from review.metrics import rollups
from review.metrics.kpis import agreeing, export, listing, page
from review.metrics.kpis.agreeing import Refused
from review.metrics.kpis.board import boards
from review.metrics.kpis.forms import BaselineForm, ListForm, TargetForm
from review.metrics.kpis.measures import MEASURES
from review.metrics.kpis.measuring import Days
from review.metrics.window import ScopeForm, local_now
from review.views import for_people, person

READS = "review.view_decision"
SETS = "review.set_kpitarget"
SLUG = "kpis"


@require_safe
@for_people(READS)
def kpis(request: HttpRequest) -> HttpResponse:
    return _page(request)


@require_safe
@for_people(READS)
def tickets(request: HttpRequest) -> HttpResponse:
    """The tickets that one figure counts, newest first."""
    form = ListForm(request.GET)
    if not form.is_valid():
        return render(request, "review/metrics/refused.html", {"errors": form.errors}, status=400)
    asked = form.cleaned_data
    days = Days(asked["from"], asked["to"], asked["before"])
    found = listing.page(
        asked["source"], asked["metric"], days, hit=bool(asked["hit"]), at=asked["at"]
    )
    kept = {name: str(value) for name, value in request.GET.items() if name != "at"}
    context = {
        "definition": MEASURES[asked["metric"]].definition,
        "asked": asked,
        "days": days,
        "page": found,
        "older": urlencode({**kept, "at": found.at}) if found.at else "",
        "newest": urlencode(kept) if asked["at"] else "",
    }
    return render(request, "review/metrics/kpi_tickets.html", context)


@require_safe
@never_cache
@login_required
@permission_required(READS, raise_exception=True)
def table(request: HttpRequest) -> HttpResponseBase:
    form = ScopeForm(request.GET)
    if not form.is_valid():
        return HttpResponseBadRequest(form.errors.as_text(), content_type="text/plain")
    rollups.catch_up(within_seconds=rollups.PAGE_SECONDS)
    scope = form.scope(local_now())
    lines = export.lines(boards(scope), scope.time_zone, request.build_absolute_uri)
    name = f"kpis-{scope.first}-{scope.last}.csv"
    return StreamingHttpResponse(
        lines,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@require_POST
@for_people(SETS)
def baseline(request: HttpRequest) -> HttpResponse:
    form = BaselineForm(request.POST)
    if not form.is_valid():
        return _page(request, status=422, baseline_form=form)
    said = form.cleaned_data
    try:
        rows = agreeing.take_baseline(
            said["source"], by=person(request), first=said["first"], last=said["last"]
        )
    except Refused as error:
        return _page(request, status=409, baseline_form=form, refusal=str(error))
    messages.success(
        request,
        _("The baseline of %(source)s is taken, from %(n)s tickets.")
        % {"source": said["source"].name, "n": rows[0].n},
    )
    return redirect(f"{reverse('review:metrics_kpis')}?source={said['source'].slug}")


@require_POST
@for_people(SETS)
def target(request: HttpRequest) -> HttpResponse:
    form = TargetForm(request.POST)
    if not form.is_valid():
        return _page(request, status=422, target_form=form)
    said = form.cleaned_data
    agreeing.set_target(
        said["source"],
        MEASURES[said["metric"]],
        direction=said["direction"],
        value=said["plain"],
        why=said["why"],
        by=person(request),
    )
    messages.success(request, _("The target is set. The one before stays on record."))
    return redirect(f"{reverse('review:metrics_kpis')}?source={said['source'].slug}")


def _page(
    request: HttpRequest, *, status: int = 200, refusal: str = "", **bound: Any
) -> HttpResponse:
    form = ScopeForm(request.GET)
    if not form.is_valid():
        context = {"form": form, "here": SLUG}
        return render(request, "review/metrics/kpis.html", context, status=400)
    is_behind = not rollups.catch_up(within_seconds=rollups.PAGE_SECONDS)
    scope = form.scope(local_now())
    chosen = {"source": scope.source_slug}
    context = {
        **metrics_page.page_of(scope),
        "form": form,
        "here": SLUG,
        "is_behind": is_behind,
        "boards": page.shown(boards(scope)),
        "csv": f"{reverse('review:metrics_kpis_csv')}?{scope.query()}",
        "measures": [measure.definition for measure in MEASURES.values()],
        "may_set": person(request).has_perm(SETS),
        "refusal": refusal,
        "baseline_form": BaselineForm(initial=chosen),
        "target_form": TargetForm(initial=chosen),
        **bound,
    }
    return render(request, "review/metrics/kpis.html", context, status=status)
