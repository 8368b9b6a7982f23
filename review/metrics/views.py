"""Pages and tables of the metrics. No figure here is ever about one person."""

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.decorators import login_required, permission_required
from django.core.paginator import Paginator
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBadRequest,
    HttpResponseBase,
    StreamingHttpResponse,
)
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from review.metrics import drill, export, gate, page, rollups, versions
from review.metrics.figures import Bucket
from review.metrics.registry import ENTRIES, report_of
from review.metrics.sections import SECTIONS
from review.metrics.window import ScopeForm, local_now
from review.views import for_people

PERMISSION = "review.view_decision"
TICKETS_A_PAGE = 50


@require_safe
@for_people(PERMISSION)
def overview(request: HttpRequest) -> HttpResponse:
    form = ScopeForm(request.GET)
    if not form.is_valid():
        return render(request, "review/metrics/overview.html", {"form": form}, status=400)
    is_behind = not rollups.catch_up(within_seconds=rollups.PAGE_SECONDS)
    context = page.context(form.scope(local_now()))
    more = {"form": form, "is_behind": is_behind}
    return render(request, "review/metrics/overview.html", {**context, **more})


@require_safe
@for_people(PERMISSION)
def section(request: HttpRequest, slug: str) -> HttpResponse:
    """The reports of one question; the slug is one of registry.SECTIONS."""
    shown = SECTIONS[slug]
    form = ScopeForm(request.GET)
    if not form.is_valid():
        context = {"form": form, "section": shown, "sections": SECTIONS.values()}
        return render(request, "review/metrics/section.html", context, status=400)
    is_behind = not rollups.catch_up(within_seconds=rollups.PAGE_SECONDS)
    context = page.section_context(form.scope(local_now()), shown)
    more = {"form": form, "is_behind": is_behind}
    return render(request, "review/metrics/section.html", {**context, **more})


@require_safe
@for_people(PERMISSION)
def tickets(request: HttpRequest) -> HttpResponse:
    """The proposals that one figure counts, with links to their tickets."""
    form, bucket_form = ScopeForm(request.GET), drill.BucketForm(request.GET)
    if not (form.is_valid() and bucket_form.is_valid()):
        wrong = {**form.errors, **bucket_form.errors}
        return _refused(request, wrong)
    scope, bucket = form.scope(local_now()), bucket_form.bucket()
    is_about_people = scope.definition(bucket.metric).is_about_people
    if is_about_people and not gate.allows(report_of(bucket.metric, scope), bucket.of):
        few = _("Too few people stand behind this figure for its tickets to be listed.")
        return render(request, "review/metrics/refused.html", {"said": few}, status=403)
    if drill.are_tickets(bucket):
        rollups.catch_up(within_seconds=rollups.PAGE_SECONDS)
    pages = Paginator(drill.listed(scope, bucket), TICKETS_A_PAGE)
    shown = pages.get_page(request.GET.get("page"))
    context = {
        "scope": scope,
        "definition": versions.in_force(scope.now)[bucket.metric],
        "words": drill.words(scope, bucket),
        "are_tickets": drill.are_tickets(bucket),
        "page": shown,
        "rows": drill.lines(list(shown.object_list)),
        "query": scope.query(**bucket.params()),
    }
    return render(request, "review/metrics/tickets.html", context)


@require_safe
@never_cache
@login_required
@permission_required(PERMISSION, raise_exception=True)
def table(request: HttpRequest, key: str) -> HttpResponseBase:
    """One report as CSV, sent line by line."""
    if key not in ENTRIES:
        raise Http404(f"There is no report {key!r}.")
    form = ScopeForm(request.GET)
    if not form.is_valid():
        return HttpResponseBadRequest(form.errors.as_text(), content_type="text/plain")
    rollups.catch_up(within_seconds=rollups.PAGE_SECONDS)
    scope = form.scope(local_now())

    def link(bucket: Bucket) -> str:
        return request.build_absolute_uri(page.link(scope, bucket))

    lines: Iterable[str] = export.lines(report_of(key, scope), link)
    name = f"{key}-{scope.first}-{scope.last}.csv"
    return StreamingHttpResponse(
        lines,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _refused(request: HttpRequest, errors: dict[str, Any]) -> HttpResponse:
    return render(request, "review/metrics/refused.html", {"errors": errors}, status=400)
