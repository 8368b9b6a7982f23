"""What goes wrong before or outside an operation. Below /api/ every answer is JSON."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views import csrf, defaults
from rest_framework import status
from rest_framework.exceptions import APIException

PREFIX = "/api/"


class TooLarge(APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"


def _is_for_machines(request: HttpRequest) -> bool:
    return request.path_info.startswith(PREFIX)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _is_for_machines(request):
        return JsonResponse({"detail": "The request is not well formed."}, status=400)
    return defaults.bad_request(request, exception)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _is_for_machines(request):
        return JsonResponse({"detail": "This is not allowed."}, status=403)
    return _kept_address(defaults.permission_denied(request, exception))


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _kept_address(csrf.csrf_failure(request, reason))


def _kept_address(response: HttpResponse) -> HttpResponse:
    """htmx would show the address of what was refused, which nobody could come back to."""
    response.headers["HX-Push-Url"] = "false"
    return response


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _is_for_machines(request):
        return JsonResponse({"detail": "There is nothing at this address."}, status=404)
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    if _is_for_machines(request):
        return JsonResponse({"detail": "Something broke on our side; it is logged."}, status=500)
    return defaults.server_error(request)
