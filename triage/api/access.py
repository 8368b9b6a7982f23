"""Who may call an operation: a token or a session, and one of Django's permissions."""

from typing import Any

from drf_spectacular.contrib.knox_auth_token import KnoxTokenScheme
from knox.auth import TokenAuthentication
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView


class Tokens(TokenAuthentication):  # type: ignore[misc]  # Knox ships no types.
    """Knox's, which fails on a token that is not UTF-8 or that the database cannot look up."""

    def authenticate_credentials(self, token: bytes) -> tuple[Any, Any]:
        if not token.isalnum():
            raise AuthenticationFailed("Invalid token.")
        user, found = super().authenticate_credentials(token)
        return user, found


class TokensScheme(KnoxTokenScheme):  # type: ignore[no-untyped-call]  # Its hook has no types.
    target_class = "triage.api.access.Tokens"


AUTHENTICATION = (Tokens, SessionAuthentication)


class HasPermission(IsAuthenticated):
    """Lets in who has the view's `permission`, named app.codename."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        permission: str = getattr(view, "permission")  # noqa: B009
        return super().has_permission(request, view) and request.user.has_perm(permission)
