"""The Content-Security-Policy of the two prefixes that the strict one leaves out."""

from collections.abc import Callable

from csp.constants import HEADER
from csp.utils import build_policy
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

Answer = Callable[[HttpRequest], HttpResponseBase]


class RelaxedPolicyMiddleware:
    """Sends settings.RELAXED_POLICY where CONTENT_SECURITY_POLICY has excluded the prefix.

    The admin's theme and the API browser need inline script. A policy that a view has set
    itself stays.
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response
        self.prefixes = tuple(settings.CONTENT_SECURITY_POLICY["EXCLUDE_URL_PREFIXES"])
        self.policy = build_policy(config=settings.RELAXED_POLICY)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if request.path_info.startswith(self.prefixes):
            response.headers.setdefault(HEADER, self.policy)
        return response
