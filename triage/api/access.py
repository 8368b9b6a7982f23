"""Who may call an operation: a token or a session, and one of Django's permissions."""

from drf_spectacular.contrib.knox_auth_token import KnoxTokenScheme
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView


class TokensScheme(KnoxTokenScheme):  # type: ignore[no-untyped-call]  # Its hook has no types.
    target_class = "triage.api.tokens.Tokens"


class HasPermission(IsAuthenticated):
    """Lets in who has the view's `permission`, named app.codename."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        permission: str = getattr(view, "permission")  # noqa: B009
        return super().has_permission(request, view) and request.user.has_perm(permission)
