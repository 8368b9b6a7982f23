"""What all pages share: who may see them, and how they answer htmx."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit, urlunsplit

from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.utils.cache import add_never_cache_headers, patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme

View = TypeVar("View", bound=Callable[..., HttpResponse])


def for_people(permission: str) -> Callable[[View], View]:
    """Without a login: the login page, which htmx opens as a page. Without the permission: 403.

    Ticket text is never kept by a browser, and a partial never stands in for its page.
    """

    def wrap(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.is_authenticated:
                response = _to_login(request)
            elif not request.user.has_perm(permission):
                raise PermissionDenied(permission)
            else:
                response = view(request, *args, **kwargs)
            patch_vary_headers(response, ["HX-Request"])
            add_never_cache_headers(response)
            return response

        return cast(View, guarded)

    return wrap


def _to_login(request: HttpRequest) -> HttpResponse:
    is_lost = request.method == "POST"
    back = _page_of(request) if is_lost or is_partial(request) else request.get_full_path()
    # What a page asks for by itself may come before the decision that it was about.
    if is_lost or is_partial(request):
        back += f"{'&' if '?' in back else '?'}signed_out=1"
    login = redirect_to_login(back)
    if is_partial(request):
        return HttpResponse(status=204, headers={"HX-Redirect": login["Location"]})
    return login


def _page_of(request: HttpRequest) -> str:
    """The page of ours that a request was sent from; the queue where that isn't told."""
    told = request.headers.get("HX-Current-URL") or request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(told, {request.get_host()}):
        return resolve_url("review:queue")
    page = urlsplit(told)
    return urlunsplit(("", "", page.path or "/", page.query, ""))


def is_partial(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


def person(request: HttpRequest) -> User:
    """Whoever is logged in; only for views that `for_people` guards."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user
