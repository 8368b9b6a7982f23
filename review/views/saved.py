"""Saved views of the queue: keep, rename, share, begin with one, delete."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from review import saved_views
from review.models import SavedView
from review.saved_views import ViewRefused, views_of
from review.views import for_people, person
from review.views.queue import page_number

PAGE_SIZE = 50


@require_safe
@for_people("review.view_decision")
def views(request: HttpRequest) -> HttpResponse:
    return _page(request)


@require_POST
@for_people("review.view_decision")
def save(request: HttpRequest) -> HttpResponse:
    try:
        view = saved_views.save(
            owner=person(request),
            name=request.POST.get("name", ""),
            query=request.POST.get("query", ""),
            shared=bool(request.POST.get("shared")),
        )
    except ViewRefused as error:
        return _page(request, refusal=str(error), status=422)
    messages.success(request, _("Saved the view “%(name)s”.") % {"name": view.name})
    return redirect(f"{reverse('review:queue')}?{view.query}")


@require_POST
@for_people("review.view_decision")
def change(request: HttpRequest, pk: int) -> HttpResponse:
    view = _mine(request, pk)
    try:
        saved_views.change(
            view,
            name=request.POST.get("name", ""),
            shared=bool(request.POST.get("shared")),
            default=bool(request.POST.get("default")),
        )
    except ViewRefused as error:
        return _page(request, refusal=str(error), refused=view.pk, status=422)
    messages.success(request, _("Saved the view “%(name)s”.") % {"name": view.name})
    return redirect("review:views")


@require_POST
@for_people("review.view_decision")
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    view = _mine(request, pk)
    view.delete()
    messages.success(request, _("Deleted the view “%(name)s”.") % {"name": view.name})
    return redirect("review:views")


@require_POST
@for_people("review.unshare_savedview")
def unshare(request: HttpRequest, pk: int) -> HttpResponse:
    view = get_object_or_404(SavedView, pk=pk, is_shared=True)
    saved_views.unshare(view)
    messages.success(
        request, _("“%(name)s” is shared no more; its owner keeps it.") % {"name": view.name}
    )
    return redirect("review:views")


def _mine(request: HttpRequest, pk: int) -> SavedView:
    """404 for what the person cannot see, 403 for what somebody else shares."""
    view = get_object_or_404(views_of(person(request)), pk=pk)
    if view.owner != person(request):
        raise PermissionDenied("Only its owner changes a view.")
    return view


def _page(request: HttpRequest, *, status: int = 200, **more: Any) -> HttpResponse:
    listed = Paginator(views_of(person(request)), PAGE_SIZE).get_page(page_number(request) or 1)
    context = {"views": listed, "most": saved_views.MOST_VIEWS, **more}
    return render(request, "review/views.html", context, status=status)
