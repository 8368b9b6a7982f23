"""Knox's tokens, in a module that the settings can name before any view is loaded."""

from typing import Any

from knox.auth import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed


class Tokens(TokenAuthentication):  # type: ignore[misc]  # Knox ships no types.
    """Knox's, which fails on a token that is not UTF-8 or that the database cannot look up."""

    def authenticate_credentials(self, token: bytes) -> tuple[Any, Any]:
        if not token.isalnum():
            raise AuthenticationFailed("Invalid token.")
        user, found = super().authenticate_credentials(token)
        return user, found
