"""Who comes to the service: a session or a token of every role, and some that must not count."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from knox.models import AuthToken

from bench.chaos.dressed import BACKEND
from bench.chaos.rights import NOBODY, ROLES, ROOT, STAFF
from bench.chaos.routes import Route
from review.roles import give_role

SAFE = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True)
class Visitor:
    """`role` is what the credentials are good for: None for those that are good for nothing.

    A token counts at the API only. Sessions send the CSRF token along, unless `forges`.
    """

    name: str
    role: str | None
    headers: Mapping[str, str]
    is_token: bool = False
    forges: bool = False

    def may(self, route: Route, method: str) -> bool:
        if self.forges and method not in SAFE:
            return False
        return route.right.lets_in(self.role_at(route), method)

    def role_at(self, route: Route) -> str | None:
        return None if self.is_token and not route.is_api else self.role


def everybody() -> list[Visitor]:
    """Each signed in anew, so that logging one out takes nobody else along."""
    people = {role: _person(role) for role in ROLES}
    former, expired = _person(ROOT), _person(ROOT)
    visitors = [Visitor("nobody signed in", None, {})]
    visitors += [Visitor(role, role, session(user)) for role, user in people.items()]
    visitors += [
        Visitor(f"token: {role}", role, token(user), is_token=True) for role, user in people.items()
    ]
    forged = {k: v for k, v in session(people[ROOT]).items() if k != "x-csrftoken"}
    visitors += [
        Visitor("superuser, without the CSRF token", ROOT, forged, forges=True),
        Visitor("left the company", None, session(former)),
        Visitor("token: left the company", None, token(former), is_token=True),
        Visitor("token: expired", None, token(expired, ends_in=-1.0), is_token=True),
        Visitor("token: made up", None, {"authorization": "Token 0123456789abcdef"}, is_token=True),
    ]
    former.is_active = False
    former.save(update_fields=["is_active"])
    return visitors


def session(user: User) -> dict[str, str]:
    client = Client()
    client.force_login(user, backend=BACKEND)
    form_token = secrets.token_hex(16)
    kept = client.cookies[settings.SESSION_COOKIE_NAME].value
    return {
        "cookie": f"{settings.SESSION_COOKIE_NAME}={kept}; "
        f"{settings.CSRF_COOKIE_NAME}={form_token}",
        "x-csrftoken": form_token,
    }


def token(user: User, *, ends_in: float = 3600.0) -> dict[str, str]:
    """`ends_in` is in seconds; below 0 it has ended."""
    _, made = AuthToken.objects.create(user, expiry=timedelta(seconds=ends_in))
    return {"authorization": f"Token {made}"}


def _person(role: str) -> User:
    user = User.objects.create_user(
        f"visitor-{secrets.token_hex(4)}", is_staff=role in (STAFF, ROOT), is_superuser=role == ROOT
    )
    if role not in (STAFF, ROOT, NOBODY):
        give_role(user, role)
    return User.objects.get(pk=user.pk)
